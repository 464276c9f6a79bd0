/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The .dsc files of a tree, the files that they list, and their stanzas. */
#include "repo/apt_sources.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "crypto/digest.h"
#include "format/sources.h"

/* A file that a .dsc lists. */
struct listed {
    char *path;
    bool is_there;
    struct release_entry entry; /* its path is borrowed from here */
};

/* An index that is published. */
struct published {
    struct bytes text;
    struct sources sources;
};

/* A source package of the tree. */
struct source {
    struct release_entry entry; /* of the .dsc */
    struct bytes text;          /* of the .dsc where it is new, then of its stanza */
    bool is_new, is_used;
    struct sources_stanza stanza;
    struct placed placed;
};

struct apt_sources {
    unsigned hashes;
    bool is_trusted;
    struct published *published;
    size_t n_published, published_cap;
    struct source *sources;
    size_t n_sources, sources_cap;
    struct listed *listed;
    size_t n_listed, listed_cap;
    bool is_sorted;      /* listed is */
    struct arena memory; /* what the entries of sources and listed lend */
};

struct apt_sources *apt_sources_new(unsigned hashes)
{
    struct apt_sources *s = alloc_array(1, sizeof *s);

    s->hashes = hashes;
    s->is_trusted = true;
    return s;
}

void apt_sources_free(struct apt_sources *s)
{
    size_t i;

    if (!s)
        return;
    for (i = 0; i < s->n_published; i++) {
        sources_free(&s->published[i].sources);
        bytes_free(&s->published[i].text);
    }
    for (i = 0; i < s->n_sources; i++)
        bytes_free(&s->sources[i].text);
    for (i = 0; i < s->n_listed; i++)
        free(s->listed[i].path);
    free(s->published);
    free(s->sources);
    free(s->listed);
    arena_free(&s->memory);
    free(s);
}

bool apt_sources_wants(const char *path)
{
    return dsc_is_path(bytes_view_str(path));
}

/* ---- What is published ---------------------------------------------------------------------- */

static bool is_listed(const struct bytes *text, const struct release_entry *entry, bool *out,
                      struct hallmark_error *err)
{
    struct digest_value digest;

    if (!digest_bytes(DIGEST_SHA256, bytes_view(text), &digest, err))
        return false;
    *out = memcmp(digest.sha256, entry->sha256, sizeof digest.sha256) == 0;
    return true;
}

bool apt_sources_load(struct apt_sources *s, int rootfd, const char *path,
                      const struct release_entry *entry, bool *is_intact,
                      struct hallmark_error *err)
{
    struct published published = {.text = {0}};
    bool is_right = false, ok = true;
    int fd = file_open_served(rootfd, path, err);

    if (fd >= 0 && entry->size <= LIMITS_SOURCES_BYTES)
        ok = file_read_fd(fd, path, LIMITS_SOURCES_BYTES, &published.text, err) &&
             is_listed(&published.text, entry, &is_right, err);
    else if (fd < 0)
        ok = errno == ENOENT || errno == ENOTDIR;
    file_close(&fd);
    if (!ok || !is_right || !sources_parse(&published.sources, bytes_view(&published.text), NULL)) {
        bytes_free(&published.text);
        *is_intact = false;
        return ok;
    }
    s->published =
        alloc_one_more(s->published, s->n_published, &s->published_cap, sizeof *s->published);
    s->published[s->n_published++] = published;
    return true;
}

void apt_sources_distrust(struct apt_sources *s)
{
    s->is_trusted = false;
}

static bool is_of(const struct apt_sources *s, const struct sources_stanza *stanza,
                  const struct release_entry *entry)
{
    return stanza->dsc.size == entry->size && stanza->hashes == s->hashes &&
           memcmp(stanza->dsc.sha256, entry->sha256, sizeof entry->sha256) == 0;
}

/* The published stanza of PATH, believed or not; NULL. */
static const struct sources_stanza *find_published(const struct apt_sources *s, const char *path)
{
    const struct sources_stanza *stanza = NULL;
    size_t i;

    for (i = 0; !stanza && i < s->n_published; i++)
        stanza = sources_find(&s->published[i].sources, path);
    return stanza;
}

static const struct sources_stanza *find_known(const struct apt_sources *s,
                                               const struct release_entry *entry)
{
    const struct sources_stanza *stanza = s->is_trusted ? find_published(s, entry->path) : NULL;

    return stanza && is_of(s, stanza, entry) ? stanza : NULL;
}

bool apt_sources_knows(const struct apt_sources *s, const struct release_entry *entry)
{
    return find_known(s, entry) != NULL;
}

/* ---- What is there now ---------------------------------------------------------------------- */

/* The path of a file beside the .dsc. */
static char *path_beside(const char *dsc, struct bytes_view name)
{
    return alloc_printf("%.*s%.*s", (int)(path_basename(dsc) - dsc), dsc, (int)name.len, name.data);
}

static void list_files(struct apt_sources *s, const char *dsc, const struct dsc_file *files,
                       size_t n_files)
{
    size_t i;

    for (i = 0; i < n_files; i++) {
        s->listed = alloc_one_more(s->listed, s->n_listed, &s->listed_cap, sizeof *s->listed);
        s->listed[s->n_listed++] = (struct listed){.path = path_beside(dsc, files[i].name)};
    }
    s->is_sorted = false;
}

/* ENTRY with the name PATH, and a copy of its SHA512. */
static struct release_entry keep_entry(struct apt_sources *s, const struct release_entry *entry,
                                       const char *path)
{
    struct release_entry out = *entry;

    out.path = path;
    if (entry->sha512)
        out.sha512 = memcpy(arena_reserve(&s->memory, RELEASE_SHA512_LEN), entry->sha512,
                            RELEASE_SHA512_LEN);
    return out;
}

/* Appends a source without text or stanza. */
static struct source *add_source(struct apt_sources *s, const struct release_entry *entry)
{
    struct source *source;

    s->sources = alloc_one_more(s->sources, s->n_sources, &s->sources_cap, sizeof *s->sources);
    source = &s->sources[s->n_sources++];
    *source = (struct source){.entry = keep_entry(s, entry, arena_strdup(&s->memory, entry->path)),
                              .is_used = true};
    return source;
}

static bool add_new(struct apt_sources *s, const struct release_entry *entry,
                    struct bytes_view text, struct hallmark_error *err)
{
    struct source *source;
    struct dsc dsc;

    if (!dsc_parse(&dsc, text, entry->path, err))
        return false;
    source = add_source(s, entry);
    source->is_new = true;
    bytes_append(&source->text, text.data, text.len);
    list_files(s, entry->path, dsc.files, dsc.n_files);
    dsc_free(&dsc);
    return true;
}

bool apt_sources_add(struct apt_sources *s, const struct release_entry *entry,
                     struct bytes_view text, struct hallmark_error *err)
{
    const struct sources_stanza *known = find_known(s, entry);
    struct dsc_file *files;
    size_t n_files;

    if (s->n_sources == LIMITS_TREE_FILES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "more than %d source packages",
                         LIMITS_TREE_FILES);
    if (!known)
        return add_new(s, entry, text, err);
    if (!sources_parse_files(known, &files, &n_files, err))
        return false;
    add_source(s, entry)->stanza = *known;
    list_files(s, entry->path, files, n_files);
    free(files);
    return true;
}

static int compare_listed(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* Sorts the listed files; two packages may have one in common. */
static void sort_listed(struct apt_sources *s)
{
    size_t i, n = 0;

    if (s->n_listed > 1)
        qsort(s->listed, s->n_listed, sizeof *s->listed, compare_listed);
    for (i = 0; i < s->n_listed; i++) {
        if (n && strcmp(s->listed[n - 1].path, s->listed[i].path) == 0)
            free(s->listed[i].path);
        else
            s->listed[n++] = s->listed[i];
    }
    s->n_listed = n;
    s->is_sorted = true;
}

static int compare_path(const void *path, const void *listed)
{
    return strcmp(path, ((const struct listed *)listed)->path);
}

static struct listed *find_listed(struct apt_sources *s, const char *path)
{
    if (!s->is_sorted)
        sort_listed(s);
    return s->n_listed ? bsearch(path, s->listed, s->n_listed, sizeof *s->listed, compare_path)
                       : NULL;
}

bool apt_sources_lists(struct apt_sources *s, const char *path)
{
    return find_listed(s, path) != NULL;
}

void apt_sources_add_file(struct apt_sources *s, const struct release_entry *entry)
{
    struct listed *listed = find_listed(s, entry->path);

    if (!listed)
        return;
    listed->is_there = true;
    listed->entry = keep_entry(s, entry, listed->path);
}

/* ---- The plan ------------------------------------------------------------------------------- */

/* Compares a file with what the .dsc of SOURCE says of it. */
static bool check_file(struct apt_sources *s, const struct source *source,
                       const struct dsc_file *file, struct release_entry *out,
                       struct hallmark_error *err)
{
    char *path = path_beside(source->entry.path, file->name);
    char said[2 * RELEASE_SHA256_LEN + 1], is[2 * RELEASE_SHA256_LEN + 1];
    const struct listed *listed = find_listed(s, path);
    bool ok;

    if (!listed || !listed->is_there) {
        ok = error_set(err, HALLMARK_ERR_CONTENT, "%s: lists %s, which is not there",
                       source->entry.path, path);
    } else if (listed->entry.size != file->size) {
        ok = error_set(err, HALLMARK_ERR_CONTENT,
                       "%s: says that %s has %" PRIu64 " bytes, but it has %" PRIu64,
                       source->entry.path, path, file->size, listed->entry.size);
    } else {
        encoding_hex(said, file->sha256, sizeof file->sha256);
        encoding_hex(is, listed->entry.sha256, sizeof listed->entry.sha256);
        ok =
            strcmp(said, is) == 0 || error_set(err, HALLMARK_ERR_CONTENT,
                                               "%s: says that the SHA256 of %s is %s, but it is %s",
                                               source->entry.path, path, said, is);
        *out = listed->entry;
    }
    free(path);
    return ok;
}

/* The entries of the .dsc and of its files; free(3) releases them. */
static struct release_entry *check_files(struct apt_sources *s, const struct source *source,
                                         const struct dsc_file *files, size_t n_files,
                                         struct hallmark_error *err)
{
    struct release_entry *entries = alloc_array(n_files + 1, sizeof *entries);
    const char *name = path_basename(source->entry.path);
    size_t i;

    entries[0] = source->entry;
    for (i = 0; i < n_files; i++) {
        /* A published stanza lists the .dsc itself as well. */
        if (!source->is_new && bytes_view_equals(files[i].name, name))
            continue;
        if (!check_file(s, source, &files[i], &entries[i + 1], err)) {
            free(entries);
            return NULL;
        }
    }
    return entries;
}

static bool check_known(struct apt_sources *s, struct source *source, struct hallmark_error *err)
{
    struct release_entry *entries;
    struct dsc_file *files;
    size_t n_files;

    if (!sources_parse_files(&source->stanza, &files, &n_files, err))
        return false;
    entries = check_files(s, source, files, n_files, err);
    free(files);
    free(entries);
    return entries != NULL;
}

/* Replaces the text of the .dsc by its stanza. */
static bool make_stanza(struct apt_sources *s, struct source *source, struct hallmark_error *err)
{
    struct sources one = {0};
    struct bytes text = {0};
    struct release_entry *entries;
    struct dsc dsc;
    bool ok;

    if (!dsc_parse(&dsc, bytes_view(&source->text), source->entry.path, err))
        return false;
    entries = check_files(s, source, dsc.files, dsc.n_files, err);
    ok = entries != NULL;
    if (ok)
        sources_write_stanza(&dsc, entries, s->hashes, &text);
    free(entries);
    dsc_free(&dsc);
    bytes_free(&source->text);
    source->text = text;
    ok = ok && sources_add(&one, bytes_view(&source->text), source->entry.path, err);
    if (ok)
        source->stanza = one.stanzas[0];
    sources_free(&one);
    return ok;
}

/* Where SOURCE goes, and whether it may. */
static bool place(struct apt_sources *s, const struct placement *placement, struct source *source,
                  struct hallmark_error *err)
{
    struct placement_package what = {.path = source->entry.path, .architecture = "source"};
    char *package, *version;
    bool ok = source->is_new ? make_stanza(s, source, err) : check_known(s, source, err);

    if (!ok)
        return false;
    what.package = package = alloc_strndup(source->stanza.package.data, source->stanza.package.len);
    what.version = version = alloc_strndup(source->stanza.version.data, source->stanza.version.len);
    ok = placement_find(placement, &what, &source->placed, err);
    free(package);
    free(version);
    return ok;
}

static bool leave_out(const struct apt_pool_broken *broken, struct source *source,
                      const struct hallmark_error *why, struct hallmark_error *err)
{
    source->is_used = false;
    return broken->leave_out(broken->ctx, source->entry.path, why) ||
           error_set(err, why->code, "%s", why->text);
}

static int compare_sources(const void *a, const void *b)
{
    const struct source *x = a, *y = b;

    if (x->is_used != y->is_used)
        return x->is_used ? -1 : 1;
    return x->is_used ? sources_compare(&x->stanza, &y->stanza) : 0;
}

/* Judges those from FIRST to before END, which are the same version of a package. */
static bool check_twins(struct apt_sources *s, size_t first, size_t end,
                        const struct apt_pool_broken *broken, struct hallmark_error *err)
{
    const struct source *a = &s->sources[first], *b = NULL;
    struct hallmark_error why = {0};
    size_t i;

    for (i = first + 1; i < end && !b; i++)
        if (memcmp(a->entry.sha256, s->sources[i].entry.sha256, sizeof a->entry.sha256) != 0)
            b = &s->sources[i];
    if (!b)
        return true;
    error_set(&why, HALLMARK_ERR_MALFORMED,
              "%s and %s: both are the source of %.*s %.*s, but their content differs",
              a->entry.path, b->entry.path, (int)a->stanza.package.len, a->stanza.package.data,
              (int)a->stanza.version.len, a->stanza.version.data);
    for (i = first; i < end; i++)
        if (!leave_out(broken, &s->sources[i], &why, err))
            return false;
    return true;
}

static bool sort(struct apt_sources *s, const struct apt_pool_broken *broken,
                 struct hallmark_error *err)
{
    size_t i, end;

    if (s->n_sources > 1)
        qsort(s->sources, s->n_sources, sizeof *s->sources, compare_sources);
    for (i = 0; i < s->n_sources && s->sources[i].is_used; i = end) {
        for (end = i + 1; end < s->n_sources && s->sources[end].is_used &&
                          sources_is_same_version(&s->sources[i].stanza, &s->sources[end].stanza);
             end++)
            ;
        if (end > i + 1 && !check_twins(s, i, end, broken, err))
            return false;
    }
    return true;
}

bool apt_sources_plan(struct apt_sources *s, const struct placement *placement,
                      const struct apt_pool_broken *broken, struct hallmark_error *err)
{
    struct hallmark_error why;
    size_t i;

    for (i = 0; i < s->n_sources; i++) {
        why = (struct hallmark_error){0};
        if (!place(s, placement, &s->sources[i], &why) &&
            !leave_out(broken, &s->sources[i], &why, err))
            return false;
    }
    return sort(s, broken, err);
}

bool apt_sources_has_any(const struct apt_sources *s)
{
    size_t i;

    for (i = 0; i < s->n_sources; i++)
        if (s->sources[i].is_used && s->sources[i].placed.suites)
            return true;
    return false;
}

bool apt_sources_write(const struct apt_sources *s, size_t suite, size_t component,
                       const struct index_sink *sink, struct hallmark_error *err)
{
    const struct source *source;
    size_t i;

    for (i = 0; i < s->n_sources; i++) {
        source = &s->sources[i];
        if (source->is_used && source->placed.component == component &&
            (source->placed.suites >> suite & 1) &&
            (!sink->take(sink->ctx, source->stanza.text, err) ||
             !sink->take(sink->ctx, bytes_view_str("\n"), err)))
            return false;
    }
    return true;
}

/* How many .dsc files are published; one may be in several indexes. */
static size_t count_published(const struct apt_sources *s)
{
    const struct sources_stanza *stanza;
    size_t i, k, n = 0;
    char *path;

    for (i = 0; i < s->n_published; i++) {
        for (k = 0; k < s->published[i].sources.n_stanzas; k++) {
            stanza = &s->published[i].sources.stanzas[k];
            path =
                bytes_view_equals(stanza->directory, ".")
                    ? path_beside("", stanza->dsc.name)
                    : alloc_printf("%.*s/%.*s", (int)stanza->directory.len, stanza->directory.data,
                                   (int)stanza->dsc.name.len, stanza->dsc.name.data);
            n += find_published(s, path) == stanza;
            free(path);
        }
    }
    return n;
}

void apt_sources_count(const struct apt_sources *s, struct apt_pool_counts *out)
{
    const struct sources_stanza *stanza;
    size_t i, n_before = count_published(s), n_kept = 0;

    for (i = 0; i < s->n_sources; i++) {
        if (!s->sources[i].is_used)
            continue;
        stanza = find_published(s, s->sources[i].entry.path);
        out->n_packages++;
        out->n_added += !stanza;
        out->n_changed += stanza && !is_of(s, stanza, &s->sources[i].entry);
        n_kept += stanza != NULL;
    }
    out->n_before += n_before;
    out->n_removed += n_before - n_kept;
}
