/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of packages by path, and where their stanzas are. */
#include "repo/apt_pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "format/package_name.h"
#include "format/packages.h"
#include "repo/path_table.h"
#include "repo/spool.h"

enum { STEP = 256 * 1024, SPOOLED = 0 };

/* A published index. */
struct source {
    int fd;
    char *path;
    uint64_t size, base; /* BASE: where its copy starts in the spool */
    unsigned char sha256[RELEASE_SHA256_LEN];
    bool is_known; /* it has this hash */
};

struct apt_pool {
    unsigned hashes;
    bool is_trusted, is_secured;
    struct apt_package *packages;
    size_t n_packages, packages_cap;
    struct arena texts; /* of the packages; those that were replaced stay, too */
    struct path_table table;
    size_t last;            /* the package that was found last, which is often asked for again */
    struct source *sources; /* source N of a package is N - 1 here; SPOOLED is none of them */
    size_t n_sources, sources_cap;
    struct spool *spool;
    struct apt_package **order;
    size_t n_order;
    struct bytes text;
};

struct apt_pool *apt_pool_new(unsigned hashes, int spoolfd)
{
    struct apt_pool *pool = alloc_array(1, sizeof *pool);

    pool->hashes = hashes;
    pool->is_trusted = true;
    pool->spool = spoolfd >= 0 ? spool_new(spoolfd) : NULL;
    path_table_init(&pool->table);
    return pool;
}

void apt_pool_free(struct apt_pool *pool)
{
    size_t i;

    if (!pool)
        return;
    arena_free(&pool->texts);
    for (i = 0; i < pool->n_sources; i++) {
        file_close(&pool->sources[i].fd);
        free(pool->sources[i].path);
    }
    spool_free(pool->spool);
    free(pool->packages);
    path_table_free(&pool->table);
    free(pool->sources);
    free(pool->order);
    bytes_free(&pool->text);
    free(pool);
}

/* ---- The table ------------------------------------------------------------------------------ */

static const char *path_of(const void *ctx, size_t index)
{
    const struct apt_pool *pool = ctx;

    return pool->packages[index].path;
}

static struct apt_package *find(struct apt_pool *pool, const char *path)
{
    if ((pool->last < pool->n_packages && strcmp(pool->packages[pool->last].path, path) == 0) ||
        path_table_find(&pool->table, path, path_of, pool, &pool->last))
        return &pool->packages[pool->last];
    return NULL;
}

static bool has_suffix(const char *path, const char *suffix)
{
    size_t len = strlen(path), suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(path + len - suffix_len, suffix) == 0;
}

bool apt_pool_wants(const char *path)
{
    return has_suffix(path, ".deb") || has_suffix(path, ".udeb") || has_suffix(path, ".ddeb");
}

static char *put_text(char **to, struct bytes_view text)
{
    char *start = *to;

    memcpy(start, text.data, text.len);
    start[text.len] = '\0';
    *to += text.len + 1;
    return start;
}

/* Fills in what STANZA says. */
static void set_package(struct apt_pool *pool, struct apt_package *package,
                        const struct packages_stanza *stanza)
{
    bool has_sha512 = (stanza->hashes & RELEASE_SHA512) != 0;
    char *to = arena_reserve(&pool->texts, stanza->filename.len + stanza->package.len +
                                               stanza->version.len + stanza->architecture.len + 4 +
                                               (has_sha512 ? RELEASE_SHA512_LEN : 0));

    package->path = put_text(&to, stanza->filename);
    package->package = put_text(&to, stanza->package);
    package->version = put_text(&to, stanza->version);
    package->architecture = put_text(&to, stanza->architecture);
    package->sha512 = has_sha512 ? memcpy(to, stanza->sha512, RELEASE_SHA512_LEN) : NULL;
    package->size = stanza->size;
    memcpy(package->sha256, stanza->sha256, sizeof package->sha256);
    package->kind = has_suffix(package->path, ".udeb") ? APT_UDEB : APT_DEB;
}

/* Adds the package that STANZA describes, which is not there yet; NULL where there are too many. */
static struct apt_package *add_package(struct apt_pool *pool, const struct packages_stanza *stanza,
                                       struct hallmark_error *err)
{
    struct apt_package *package;

    if (pool->n_packages >= 2 * LIMITS_TREE_FILES) { /* published and new */
        error_set(err, HALLMARK_ERR_MALFORMED, "more than %d packages", 2 * LIMITS_TREE_FILES);
        return NULL;
    }
    pool->packages = alloc_one_more(pool->packages, pool->n_packages, &pool->packages_cap,
                                    sizeof *pool->packages);
    package = &pool->packages[pool->n_packages];
    *package = (struct apt_package){.path = NULL};
    set_package(pool, package, stanza);
    path_table_add(&pool->table, package->path, pool->n_packages++);
    return package;
}

/* ---- What is published ---------------------------------------------------------------------- */

/* One index that is being read. */
struct reading {
    struct apt_pool *pool;
    struct source *source;
    struct digest *digest;
    struct bytes buffer;
    uint64_t offset; /* of the buffer's start */
    bool is_sound;   /* as far as it was read */
};

/* Adds one stanza, unless its package is known from another index. */
static bool take_stanza(struct reading *r, struct bytes_view text, uint64_t offset,
                        struct hallmark_error *err)
{
    struct packages one = {0};
    char name[LIMITS_PATH_BYTES + 1];
    struct apt_package *package;
    struct bytes_view filename;
    bool ok = true;

    r->is_sound = packages_add(&one, text, r->source->path, NULL) &&
                  one.stanzas[0].filename.len <= LIMITS_PATH_BYTES;
    if (r->is_sound) {
        filename = one.stanzas[0].filename;
        memcpy(name, filename.data, filename.len);
        name[filename.len] = '\0';
        if (!find(r->pool, name)) {
            package = add_package(r->pool, &one.stanzas[0], err);
            ok = package != NULL;
            if (ok) {
                package->offset = offset;
                package->len = (uint32_t)text.len;
                package->source = (uint32_t)r->pool->n_sources;
                package->is_published = true;
            }
        }
    }
    packages_free(&one);
    return ok;
}

/* The newline before the first empty line, or NULL. By lines: memmem(3) goes byte by byte. */
static const char *find_gap(const char *start, const char *end)
{
    const char *line = start;

    while (line < end && (line = memchr(line, '\n', (size_t)(end - line))) != NULL)
        if (++line < end && *line == '\n')
            return line - 1;
    return NULL;
}

/* Takes all whole stanzas off the buffer. */
static bool take_stanzas(struct reading *r, struct hallmark_error *err)
{
    const char *start = r->buffer.data, *end = start + r->buffer.len, *gap;
    bool ok = true;

    while (ok && r->is_sound && start < end && (gap = find_gap(start, end)) != NULL) {
        ok = take_stanza(r, bytes_view_of(start, (size_t)(gap + 1 - start)),
                         r->offset + (uint64_t)(start - r->buffer.data), err);
        start = gap + 2;
    }
    r->offset += (uint64_t)(start - r->buffer.data);
    r->buffer.len = (size_t)(end - start);
    if (r->buffer.len)
        memmove(r->buffer.data, start, r->buffer.len);
    if (r->buffer.len > LIMITS_STANZA_BYTES)
        r->is_sound = false;
    return ok;
}

static bool read_index(struct reading *r, struct hallmark_error *err)
{
    ssize_t n;

    while ((n = file_read_some(r->source->fd, bytes_reserve(&r->buffer, STEP), STEP)) > 0) {
        if (r->digest && !digest_update(r->digest, r->buffer.data + r->buffer.len, (size_t)n, err))
            return false;
        r->buffer.len += (size_t)n;
        if (!take_stanzas(r, err))
            return false;
        if (!r->is_sound)
            r->buffer.len = 0;
    }
    if (r->buffer.len)
        r->is_sound = false;
    return n == 0 || error_set_errno(err, "%s", r->source->path);
}

static bool load(struct apt_pool *pool, struct source *source, bool *is_intact,
                 struct hallmark_error *err)
{
    struct reading r = {.pool = pool, .source = source, .is_sound = true};
    struct digest_value digest;
    bool ok;

    r.digest = source->is_known ? NULL : digest_new(DIGEST_SHA256, err);
    ok = (r.digest || source->is_known) && read_index(&r, err) &&
         (!r.digest || digest_final(r.digest, &digest, err));
    if (ok && r.digest && memcmp(digest.sha256, source->sha256, sizeof digest.sha256) != 0)
        r.is_sound = false;
    if (ok && !r.is_sound)
        *is_intact = false;
    digest_free(r.digest);
    bytes_free(&r.buffer);
    return ok;
}

bool apt_pool_load(struct apt_pool *pool, const struct apt_pool_index *index, bool *is_intact,
                   struct hallmark_error *err)
{
    struct source *source;
    int fd = file_open_served(index->rootfd, index->path, err);

    if (fd < 0) {
        *is_intact = false;
        return errno == ENOENT || errno == ENOTDIR;
    }
    pool->sources =
        alloc_one_more(pool->sources, pool->n_sources, &pool->sources_cap, sizeof *pool->sources);
    source = &pool->sources[pool->n_sources++];
    *source = (struct source){.fd = fd,
                              .path = alloc_strdup(index->path),
                              .size = index->entry->size,
                              .is_known = index->is_known};
    memcpy(source->sha256, index->entry->sha256, sizeof source->sha256);
    return load(pool, source, is_intact, err);
}

void apt_pool_distrust(struct apt_pool *pool)
{
    pool->is_trusted = false;
}

/* ---- What is there now ---------------------------------------------------------------------- */

static bool is_same_file(const struct apt_package *package, const struct release_entry *entry)
{
    return package->size == entry->size &&
           memcmp(package->sha256, entry->sha256, sizeof package->sha256) == 0;
}

bool apt_pool_knows(struct apt_pool *pool, const struct release_entry *entry)
{
    const struct apt_package *package = pool->is_trusted ? find(pool, entry->path) : NULL;

    if (!package || !is_same_file(package, entry))
        return false;
    if (!(pool->hashes & RELEASE_SHA512))
        return package->sha512 == NULL;
    return package->sha512 && memcmp(package->sha512, entry->sha512, RELEASE_SHA512_LEN) == 0;
}

/* Adds the new STANZA, or puts it into the place of a published one. */
static bool add_stanza(struct apt_pool *pool, const struct packages_stanza *stanza,
                       const struct release_entry *entry, struct hallmark_error *err)
{
    struct apt_package *package = find(pool, entry->path);

    if (package) {
        package->is_changed = !is_same_file(package, entry);
        set_package(pool, package, stanza);
    } else {
        package = add_package(pool, stanza, err);
    }
    if (!package)
        return false;
    package->is_used = true;
    package->source = SPOOLED;
    package->len = (uint32_t)stanza->text.len;
    return !pool->spool || spool_add(pool->spool, stanza->text, &package->offset, err);
}

static bool add_new(struct apt_pool *pool, const struct release_entry *entry,
                    struct bytes_view text, struct hallmark_error *err)
{
    char *what = alloc_printf("%s: control", entry->path);
    struct packages one = {0};
    struct bytes stanza = {0};
    struct control control;
    bool ok = control_parse(&control, text, what, err);

    if (ok) {
        packages_write_stanza(&control, entry, pool->hashes, &stanza);
        control_free(&control);
        ok = packages_add(&one, bytes_view(&stanza), what, err) &&
             add_stanza(pool, &one.stanzas[0], entry, err);
    }
    packages_free(&one);
    bytes_free(&stanza);
    free(what);
    return ok;
}

bool apt_pool_add(struct apt_pool *pool, const struct release_entry *entry,
                  struct bytes_view control, const struct package_totals *totals,
                  struct hallmark_error *err)
{
    struct apt_package *package;

    /* One that was read again, though nothing has changed, says what it has said before. */
    if (!apt_pool_knows(pool, entry)) {
        if (!control.len)
            return error_set(err, HALLMARK_ERR_MALFORMED, "%s: its control file is empty",
                             entry->path);
        if (!add_new(pool, entry, control, err))
            return false;
    }
    package = find(pool, entry->path);
    package->is_used = true;
    package->totals = *totals;
    return true;
}

/* By what apt and dpkg tell packages apart. */
static int compare_identities(const struct apt_package *a, const struct apt_package *b)
{
    int order = strcmp(a->package, b->package);

    if (order == 0)
        order =
            package_name_compare_versions(bytes_view_str(a->version), bytes_view_str(b->version));
    if (order == 0)
        order = strcmp(a->architecture, b->architecture);
    return order ? order : (a->kind > b->kind) - (a->kind < b->kind);
}

static int compare_packages(const void *a, const void *b)
{
    const struct apt_package *x = *(struct apt_package *const *)a;
    const struct apt_package *y = *(struct apt_package *const *)b;
    int order = compare_identities(x, y);

    return order ? order : strcmp(x->path, y->path);
}

static bool is_sorted(struct apt_package **order, size_t n)
{
    size_t i;

    for (i = 1; i < n && compare_packages(&order[i - 1], &order[i]) < 0; i++)
        ;
    return i >= n;
}

static bool is_same_bytes(const struct apt_package *a, const struct apt_package *b)
{
    return a->size == b->size && memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

static bool leave_out(const struct apt_pool_broken *broken, struct apt_package *package,
                      const struct hallmark_error *why)
{
    if (!broken->leave_out(broken->ctx, package->path, why))
        return false;
    package->is_used = false;
    return true;
}

/* Judges those from FIRST to before END, which are the same version of a package. */
static bool check_twins(struct apt_package **order, size_t first, size_t end,
                        const struct apt_pool_broken *broken, struct hallmark_error *err)
{
    const struct apt_package *a = order[first], *b = NULL;
    struct hallmark_error why = {0};
    size_t i;

    for (i = first + 1; i < end && !b; i++)
        if (!is_same_bytes(a, order[i]))
            b = order[i];
    if (!b)
        return true;
    error_set(&why, HALLMARK_ERR_MALFORMED,
              "%s and %s: both are %s %s for %s, but their content differs", a->path, b->path,
              a->package, a->version, a->architecture);
    for (i = first; i < end; i++)
        if (!leave_out(broken, order[i], &why))
            return error_set(err, why.code, "%s", why.text);
    return true;
}

bool apt_pool_sort(struct apt_pool *pool, const struct apt_pool_broken *broken,
                   struct hallmark_error *err)
{
    size_t i, end, n = 0;

    free(pool->order);
    pool->order = alloc_array(pool->n_packages, sizeof *pool->order);
    for (i = 0; i < pool->n_packages; i++)
        if (pool->packages[i].is_used)
            pool->order[n++] = &pool->packages[i];
    pool->n_order = n;
    if (!is_sorted(pool->order, n)) /* as they are where nothing has changed */
        qsort(pool->order, n, sizeof *pool->order, compare_packages);
    for (i = 0; i < n; i = end) {
        for (end = i + 1; end < n && !compare_identities(pool->order[i], pool->order[end]); end++)
            ;
        if (end > i + 1 && !check_twins(pool->order, i, end, broken, err))
            return false;
    }
    return true;
}

struct apt_package *apt_pool_package(struct apt_pool *pool, size_t index)
{
    return index < pool->n_order ? pool->order[index] : NULL;
}

bool apt_pool_is_new(const struct apt_package *package)
{
    return package->source == SPOOLED;
}

bool apt_pool_follows(const struct apt_package *before, const struct apt_package *package)
{
    if (apt_pool_is_new(package))
        return false;
    if (!before)
        return package->offset == 0;
    return package->source == before->source &&
           package->offset == before->offset + before->len + 1; /* an empty line */
}

bool apt_pool_is_whole(const struct apt_pool *pool, const struct apt_package *last,
                       const struct release_entry *entry)
{
    const struct source *source = &pool->sources[last->source - 1];

    return pool->is_trusted && source->size == entry->size &&
           last->offset + last->len + 1 == source->size &&
           memcmp(source->sha256, entry->sha256, sizeof source->sha256) == 0;
}

/* ---- Texts ---------------------------------------------------------------------------------- */

static bool read_at(const struct source *source, uint64_t offset, char *to, size_t len,
                    struct hallmark_error *err)
{
    ssize_t n;

    while (len) {
        n = pread(source->fd, to, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, "%s", source->path);
        if (n == 0)
            return error_set(err, HALLMARK_ERR_CONTENT, "%s: has become shorter meanwhile",
                             source->path);
        to += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

static bool copy_source(struct apt_pool *pool, struct source *source, struct digest *digest,
                        struct hallmark_error *err)
{
    uint64_t offset, at, n;
    struct digest_value value;

    for (offset = 0; offset < source->size; offset += n) {
        n = source->size - offset < STEP ? source->size - offset : STEP;
        pool->text.len = 0;
        if (!read_at(source, offset, bytes_reserve(&pool->text, n), n, err))
            return false;
        pool->text.len = n;
        if (!digest_update(digest, pool->text.data, n, err) ||
            !spool_add(pool->spool, bytes_view(&pool->text), &at, err))
            return false;
        if (offset == 0)
            source->base = at;
    }
    return digest_final(digest, &value, err) &&
           (memcmp(value.sha256, source->sha256, sizeof value.sha256) == 0 ||
            error_set(err, HALLMARK_ERR_CONTENT, "%s: was changed meanwhile; try again",
                      source->path));
}

bool apt_pool_secure(struct apt_pool *pool, struct hallmark_error *err)
{
    struct digest *digest = digest_new(DIGEST_SHA256, err);
    bool ok = digest != NULL;
    size_t i;

    for (i = 0; ok && pool->is_trusted && i < pool->n_sources; i++)
        ok = copy_source(pool, &pool->sources[i], digest, err);
    digest_free(digest);
    pool->is_secured = ok;
    return ok;
}

bool apt_pool_write(struct apt_pool *pool, const struct apt_package *package,
                    const struct index_sink *sink, struct hallmark_error *err)
{
    const struct source *source =
        apt_pool_is_new(package) ? NULL : &pool->sources[package->source - 1];
    const char *text;
    bool ok;

    if (source && pool->is_secured) { /* there as well, an empty line follows */
        text = spool_lend(pool->spool, source->base + package->offset, package->len + 1U, err);
        return text && sink->take(sink->ctx, bytes_view_of(text, package->len + 1U), err);
    }
    pool->text.len = 0;
    bytes_reserve(&pool->text, package->len + 1);
    if (!source)
        ok = spool_read(pool->spool, package->offset, pool->text.data, package->len, err);
    else
        ok = read_at(source, package->offset, pool->text.data, package->len, err);
    if (!ok)
        return false;
    pool->text.len = package->len;
    bytes_append_str(&pool->text, "\n");
    return sink->take(sink->ctx, bytes_view(&pool->text), err);
}

void apt_pool_count(const struct apt_pool *pool, struct apt_pool_counts *out)
{
    const struct apt_package *package;
    size_t i;

    *out = (struct apt_pool_counts){.n_packages = 0};
    for (i = 0; i < pool->n_packages; i++) {
        package = &pool->packages[i];
        out->n_packages += package->is_used;
        out->n_before += package->is_published;
        out->n_added += package->is_used && !package->is_published;
        out->n_changed += package->is_used && package->is_changed;
        out->n_removed += package->is_published && !package->is_used;
    }
}
