/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a package in the indexes. */
#include "repo/index_find.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "format/package_name.h"
#include "repo/index.h"
#include "repo/index_table.h"
#include "repo/location.h"

enum { SHOWN = 10, SHOWN_BYTES = 1000, ARCHITECTURES_MAX = 256 };

/* How well a package fits; only the best fits count. */
enum fit { FIT_NONE, FIT_NAME, FIT_FILE, FIT_PATH };

/* The newest of one architecture. */
struct candidate {
    struct content *content;
    bool is_shared;      /* several files are that version */
    struct bytes others; /* their paths, each behind ", " */
};

/* What was read of the indexes of one tier. */
struct tier_memory {
    unsigned n_searches;
    char *own; /* the architecture that came first; NULL: there is no table */
    struct index_table *table;
    size_t n_read, n_absent;
};

struct index_find_memory {
    struct tier_memory tiers[INDEX_TIER_SOURCES + 1];
};

struct search {
    const struct hallmark_repository *repository;
    const char *text;                              /* what the person wrote */
    struct bytes_view name, version, architecture; /* of it; the last two may be empty */
    const char *own;                               /* the architecture that comes first */
    enum fit fit;
    struct candidate *candidates;
    size_t n_candidates, cap;
    size_t n_read, n_absent; /* indexes */
};

/* ---- What is wanted ------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return bytes_lower(c) >= 'a' && bytes_lower(c) <= 'z';
}

/* Takes ":ARCHITECTURE" off the end of *TEXT. What follows a colon inside of a version is a digit.
 */
static void take_architecture(struct bytes_view *text, struct bytes_view *out)
{
    const char *colon = text->len ? memrchr(text->data, ':', text->len) : NULL;
    size_t len = colon ? (size_t)(text->data + text->len - colon - 1) : 0;

    if (!len || !is_letter(colon[1]))
        return;
    *out = bytes_view_of(colon + 1, len);
    text->len -= len + 1;
}

/* PACKAGE[=VERSION][:ARCHITECTURE], and apt's PACKAGE:ARCHITECTURE=VERSION. */
static void parse(struct search *s, const char *text)
{
    const char *equals = strchr(text, '=');

    s->text = text;
    s->name = bytes_view_str(text);
    if (equals) {
        s->name.len = (size_t)(equals - text);
        s->version = bytes_view_str(equals + 1);
        take_architecture(&s->version, &s->architecture);
    }
    if (!s->architecture.len)
        take_architecture(&s->name, &s->architecture);
}

static bool is_same(struct bytes_view a, struct bytes_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static struct bytes_view file_name(struct bytes_view path)
{
    const char *slash = memrchr(path.data, '/', path.len);

    return slash ? bytes_view_of(slash + 1, (size_t)(path.data + path.len - slash - 1)) : path;
}

static enum fit judge(const struct search *s, const struct package_index_entry *entry)
{
    if (bytes_view_equals(entry->path, s->text))
        return FIT_PATH;
    if (bytes_view_equals(file_name(entry->path), s->text))
        return FIT_FILE;
    if (!is_same(entry->name, s->name) ||
        (s->version.len && package_name_compare_versions(entry->version, s->version) != 0))
        return FIT_NONE;
    if (s->architecture.len)
        return is_same(entry->architecture, s->architecture) ? FIT_NAME : FIT_NONE;
    /* Of a source package there are several files, and mostly another one is meant. */
    return bytes_view_equals(entry->architecture, "source") ? FIT_NONE : FIT_NAME;
}

/* ---- Candidates ----------------------------------------------------------------------------- */

static void clear(struct search *s)
{
    size_t i;

    for (i = 0; i < s->n_candidates; i++) {
        content_free(s->candidates[i].content);
        bytes_free(&s->candidates[i].others);
    }
    s->n_candidates = 0;
}

static void replace(struct candidate *c, const struct package_index_entry *entry)
{
    content_free(c->content);
    bytes_free(&c->others);
    c->content = content_of_package(entry);
    c->is_shared = false;
}

/* The same path again, in another index: it must be the same file. */
static bool check_again(const struct candidate *c, const struct package_index_entry *entry,
                        struct hallmark_error *err)
{
    const struct content *content = c->content;
    unsigned both = content->hashes & entry->hashes;

    if (content->package.size == entry->size &&
        (!(both & RELEASE_SHA256) ||
         memcmp(content->sha256, entry->sha256, sizeof entry->sha256) == 0) &&
        (!(both & RELEASE_SHA512) ||
         memcmp(content->sha512, entry->sha512, sizeof entry->sha512) == 0))
        return true;
    return error_set(err, HALLMARK_ERR_CONTENT, "%s: the indexes say two sizes or hashes of it",
                     content->package.path);
}

static bool weigh(struct candidate *c, const struct package_index_entry *entry, enum fit fit,
                  struct hallmark_error *err)
{
    int order;

    if (bytes_view_equals(entry->path, c->content->package.path))
        return check_again(c, entry, err);
    order = fit == FIT_NAME ? package_name_compare_versions(
                                  entry->version, bytes_view_str(c->content->package.version))
                            : 0;
    if (order > 0)
        replace(c, entry);
    if (order != 0)
        return true;
    c->is_shared = true;
    if (c->others.len < SHOWN_BYTES)
        bytes_printf(&c->others, ", %.*s", (int)entry->path.len, entry->path.data);
    return true;
}

static bool take(void *ctx, const struct package_index_entry *entry, struct hallmark_error *err)
{
    struct search *s = ctx;
    enum fit fit = judge(s, entry);
    struct candidate *c;
    size_t i;

    if (fit == FIT_NONE || fit < s->fit)
        return true;
    if (fit > s->fit)
        clear(s);
    s->fit = fit;
    for (i = 0; i < s->n_candidates; i++)
        if (bytes_view_equals(entry->architecture, s->candidates[i].content->package.architecture))
            return weigh(&s->candidates[i], entry, fit, err);
    if (s->n_candidates == ARCHITECTURES_MAX)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: more than %d architectures", s->text,
                         ARCHITECTURES_MAX);
    s->candidates = alloc_one_more(s->candidates, s->n_candidates, &s->cap, sizeof *s->candidates);
    c = &s->candidates[s->n_candidates++];
    *c = (struct candidate){.content = content_of_package(entry)};
    return true;
}

/* ---- The choice ----------------------------------------------------------------------------- */

static bool is_own(const struct search *s, const struct candidate *c)
{
    const char *architecture = c->content->package.architecture;

    return strcmp(architecture, s->own) == 0 || strcmp(architecture, "all") == 0;
}

static int compare_versions(const struct candidate *a, const struct candidate *b)
{
    return package_name_compare_versions(bytes_view_str(a->content->package.version),
                                         bytes_view_str(b->content->package.version));
}

/* Makes the newest for the own architecture and for all the only candidates, if there are any. */
static void prefer_own(struct search *s)
{
    const char *version = NULL;
    struct candidate *c, *best = NULL;
    size_t i, n = 0;

    for (i = 0; i < s->n_candidates; i++) {
        c = &s->candidates[i];
        if (is_own(s, c) && (!best || compare_versions(c, best) > 0))
            best = c;
    }
    if (!best)
        return;
    version = best->content->package.version;
    for (i = 0; i < s->n_candidates; i++) {
        c = &s->candidates[i];
        if (is_own(s, c) &&
            package_name_compare_versions(bytes_view_str(c->content->package.version),
                                          bytes_view_str(version)) == 0) {
            s->candidates[n++] = *c;
        } else {
            content_free(c->content);
            bytes_free(&c->others);
        }
    }
    s->n_candidates = n;
}

static bool set_ambiguous(const struct search *s, struct hallmark_error *err)
{
    struct bytes text = {0};
    size_t i;

    for (i = 0; i < s->n_candidates && i < SHOWN; i++)
        bytes_printf(&text, "%s%s%s", i ? ", " : "", s->candidates[i].content->package.path,
                     s->candidates[i].others.len ? s->candidates[i].others.data : "");
    error_set(err, HALLMARK_ERR_USAGE, "%s: several files answer to this name: %s%s", s->text,
              text.data, i < s->n_candidates ? ", ..." : "");
    bytes_free(&text);
    return false;
}

static const struct content *choose(struct search *s, struct hallmark_error *err)
{
    struct content *content;

    if (s->fit == FIT_NAME)
        prefer_own(s);
    if (s->n_candidates > 1 || s->candidates[0].is_shared) {
        set_ambiguous(s, err);
        return NULL;
    }
    content = s->candidates[0].content;
    s->candidates[0].content = NULL;
    return repository_keep(s->repository, content);
}

/* ---- Searching ------------------------------------------------------------------------------ */

static void forget(struct tier_memory *memory)
{
    index_table_free(memory->table);
    free(memory->own);
    memory->table = NULL;
    memory->own = NULL;
}

struct index_find_memory *index_find_new(void)
{
    return alloc_array(1, sizeof(struct index_find_memory));
}

void index_find_free(struct index_find_memory *memory)
{
    size_t i;

    for (i = 0; memory && i < sizeof memory->tiers / sizeof *memory->tiers; i++)
        forget(&memory->tiers[i]);
    free(memory);
}

/* Reads the indexes of a tier; gives their packages to SINK. */
static bool read_tier(const struct search *s, enum index_tier tier,
                      const struct package_index_sink *sink, struct tier_memory *out,
                      struct hallmark_error *err)
{
    struct index_walk walk = {
        .tier = tier,
        .architecture = s->own,
        .absence = tier == INDEX_TIER_OWN ? INDEX_MUST_BE_THERE : INDEX_MAY_BE_ABSENT,
        .sink = *sink,
    };
    bool ok = index_walk(s->repository, &walk, err);

    out->n_read = walk.n_read;
    out->n_absent = walk.n_absent;
    return ok;
}

/* Whoever looks for a second package may look for a thousand. What costs a server's time is kept
 * from the first time. */
static bool is_worth_keeping(const struct search *s, struct tier_memory *memory)
{
    return memory->n_searches++ > 0 || fetch_is_remote(s->repository->place.fetch);
}

static bool search(struct search *s, enum index_tier tier, struct hallmark_error *err)
{
    struct tier_memory *memory = &s->repository->found->tiers[tier], passing = {0};
    struct package_index_sink sink = {.take = take, .ctx = s}, keep = {.take = index_table_take};
    bool is_kept = memory->own && strcmp(memory->own, s->own) == 0, ok = true;

    if (!is_kept && !is_worth_keeping(s, memory)) {
        ok = read_tier(s, tier, &sink, &passing, err);
        memory = &passing;
    } else if (!is_kept) {
        forget(memory);
        keep.ctx = memory->table = index_table_new();
        ok = read_tier(s, tier, &keep, memory, err);
        if (ok)
            memory->own = alloc_strdup(s->own);
        else
            forget(memory); /* what an index said that was wrong in the end */
    }
    s->n_read += memory->n_read;
    s->n_absent += memory->n_absent;
    return ok &&
           (!memory->table || index_table_find(memory->table, s->name,
                                               file_name(bytes_view_str(s->text)), &sink, err));
}

/* The architecture that is looked through first; free(3) releases it. */
static char *own_architecture(const struct search *s)
{
    const struct strlist *wanted = &s->repository->architectures;

    if (s->architecture.len)
        return alloc_strndup(s->architecture.data, s->architecture.len);
    return alloc_strdup(wanted->n_items == 1 ? wanted->items[0] : location_architecture());
}

const struct content *index_find(const struct hallmark_repository *repository, const char *name,
                                 struct hallmark_error *err)
{
    struct search s = {.repository = repository};
    const struct content *found = NULL;
    char *own;
    bool is_source;

    parse(&s, name);
    is_source = bytes_view_equals(s.architecture, "source");
    s.own = own = own_architecture(&s);
    if ((!is_source && !search(&s, INDEX_TIER_OWN, err)) ||
        (!s.n_candidates && !is_source && !search(&s, INDEX_TIER_OTHERS, err)) ||
        (!s.n_candidates && !search(&s, INDEX_TIER_SOURCES, err)))
        goto out;
    if (s.n_candidates)
        found = choose(&s, err);
    else
        error_set(err, HALLMARK_ERR_NO_PACKAGE,
                  "%s: the repository lists no such package (in %zu indexes%s)", name, s.n_read,
                  s.n_absent ? "; others of the manifest are not here" : "");
out:
    clear(&s);
    free(s.candidates);
    free(own);
    return found;
}
