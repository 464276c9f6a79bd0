/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading indexes: choose a compression, verify a private copy, decompress, verify, parse. */
#include "repo/index.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "crypto/digest.h"
#include "format/index_path.h"
#include "repo/failover.h"

/* From what is quick to read to what is slow. */
static const struct {
    const char *suffix;
    enum package_compression compression;
} variants[] = {{"", PACKAGE_PLAIN}, {".zst", PACKAGE_ZSTD},  {".gz", PACKAGE_GZIP},
                {".xz", PACKAGE_XZ}, {".lzma", PACKAGE_LZMA}, {".bz2", PACKAGE_BZIP2}};

enum { N_VARIANTS = sizeof variants / sizeof *variants };

/* One index while it is read. */
struct reading {
    const struct hallmark_repository *repository;
    const struct index_walk *walk;
    const struct release_entry *plain;
    struct fetch *fetch; /* of the location that is asked */
    enum package_compression compression;
    struct content *source; /* the file that is read */
    struct content *wanted; /* what it must decompress to */
    struct digest *digest;
    uint64_t n_bytes;
    struct package_index *index;
};

/* ---- Which indexes -------------------------------------------------------------------------- */

static bool view_in(struct bytes_view text, const struct strlist *list)
{
    size_t i;

    for (i = 0; i < list->n_items; i++)
        if (bytes_view_equals(text, list->items[i]))
            return true;
    return list->n_items == 0;
}

bool index_is_narrowed(const struct hallmark_repository *repository)
{
    return repository->components.n_items || repository->architectures.n_items;
}

bool index_exists(const struct hallmark_repository *repository)
{
    const struct release *release = &repository->verified->release;
    struct index_path index;
    size_t i;

    for (i = 0; i < release->n_entries; i++)
        if (index_path_parse(&index, release->entries[i].path) &&
            index.kind != INDEX_PATH_UNPACKED_SIZES)
            return true;
    return false;
}

bool index_is_archive(const struct release *release)
{
    struct index_path index;
    size_t i;

    for (i = 0; i < release->n_entries; i++)
        if (index_path_parse(&index, release->entries[i].path) && index.component.len)
            return true;
    return false;
}

/* Whether what is for all architectures has an index of its own, and only there. */
static bool has_index_for_all(const struct hallmark_repository *repository)
{
    static const char no[] = "\nNo-Support-for-Architecture-all: Packages\n";
    struct bytes_view text = repository->verified->text;

    /* As apt: Debian lists such indexes as well where it repeats these packages in all others. */
    return strlist_has(&repository->verified->release.architectures, "all") &&
           !memmem(text.data, text.len, no, sizeof no - 1);
}

bool index_is_wanted(const struct hallmark_repository *repository, const struct index_path *index)
{
    const struct strlist *components = &repository->components;
    size_t i;

    if (!index->component.len)
        return true;
    for (i = 0; i < components->n_items; i++)
        if (index_path_has_component(index, components->items[i]))
            break;
    if (i == components->n_items && i)
        return false;
    return view_in(index->architecture, &repository->architectures) ||
           (bytes_view_equals(index->architecture, "all") && has_index_for_all(repository));
}

static enum index_tier tier_of(const struct hallmark_repository *repository,
                               const struct index_path *index, const char *architecture)
{
    if (index->kind == INDEX_PATH_UNPACKED_SIZES)
        return INDEX_TIER_SIZES;
    if (index->kind == INDEX_PATH_SOURCES)
        return INDEX_TIER_SOURCES;
    if (index_path_is_installer(index))
        return INDEX_TIER_OTHERS;
    if (!index->component.len || bytes_view_equals(index->architecture, architecture))
        return INDEX_TIER_OWN;
    return bytes_view_equals(index->architecture, "all") && has_index_for_all(repository)
               ? INDEX_TIER_OWN
               : INDEX_TIER_OTHERS;
}

/* ---- One index ------------------------------------------------------------------------------ */

/* What RELEASE lists as PLAIN with SUFFIX behind it; NULL where it does not, or PRESENCE asks for a
 * file and there is none. */
static struct content *find_variant(const struct reading *r, const char *suffix)
{
    const struct hallmark_repository *repository = r->repository;
    char *name = alloc_printf("%s%s", r->plain->path, suffix), *path = NULL;
    const struct release_entry *entry = release_find(&repository->verified->release, name);
    struct content *content = NULL;

    if (entry) {
        path = place_path(&repository->place, name);
        content = content_of_entry(&repository->verified->release, entry, path, CONTENT_METADATA);
    }
    free(name);
    free(path);
    return content;
}

/* Takes the variant V if there is a file of it under NAME. */
static bool take_variant(struct reading *r, size_t v, enum content_name name)
{
    r->source = find_variant(r, variants[v].suffix);
    r->compression = variants[v].compression;
    if (r->source && content_has(r->source, r->fetch, name))
        return true;
    content_free(r->source);
    r->source = NULL;
    return false;
}

/* The variants in the order in which they are asked for: those that are quick to read first; over a
 * network, or where the plain one, the first, is too large to be copied, those that are small. */
static void order_variants(const struct reading *r, size_t order[N_VARIANTS])
{
    uint64_t sizes[N_VARIANTS] = {0};
    size_t i, k, swap;

    for (i = 0; i < N_VARIANTS; i++) {
        struct content *content = find_variant(r, variants[i].suffix);

        sizes[i] = content ? content->package.size : UINT64_MAX;
        order[i] = i;
        content_free(content);
    }
    if (!fetch_is_remote(r->fetch) && sizes[0] <= LIMITS_PACKAGES_BYTES)
        return;
    for (i = 1; i < N_VARIANTS; i++)
        for (k = i; k > 0 && sizes[order[k]] < sizes[order[k - 1]]; k--) {
            swap = order[k];
            order[k] = order[k - 1];
            order[k - 1] = swap;
        }
}

/* The first compression of which there is a file under its hash, or under its name. */
static bool choose_name(struct reading *r, const size_t order[N_VARIANTS], enum content_name name)
{
    size_t i;

    for (i = 0; i < N_VARIANTS; i++)
        if (take_variant(r, order[i], name))
            return true;
    return false;
}

/* Likewise over a network: one after another, since each question takes its time. */
static bool choose_remote(struct reading *r, const size_t order[N_VARIANTS])
{
    size_t i;

    for (i = 0; i < N_VARIANTS; i++) {
        if (take_variant(r, order[i], CONTENT_BY_HASH))
            return true;
        if (take_variant(r, order[i], CONTENT_BY_NAME)) {
            free(r->source->by_hash); /* need not be asked for again */
            r->source->by_hash = NULL;
            return true;
        }
    }
    return false;
}

/* By its hash an index stays what this manifest means, while its name may have a newer one already.
 */
static bool choose(struct reading *r)
{
    size_t order[N_VARIANTS];

    order_variants(r, order);
    if (fetch_is_remote(r->fetch))
        return choose_remote(r, order);
    return choose_name(r, order, CONTENT_BY_HASH) || choose_name(r, order, CONTENT_BY_NAME);
}

static bool copy(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    const int *fd = ctx;

    return file_write_all(*fd, data, len) ||
           error_set_errno(err, "cannot write the private copy of an index");
}

static bool copy_again(void *ctx, struct hallmark_error *err)
{
    const int *fd = ctx;

    return (ftruncate(*fd, 0) == 0 && lseek(*fd, 0, SEEK_SET) == 0) ||
           error_set_errno(err, "cannot write the private copy of an index");
}

/* A private copy of a file that was kept from another time, verified; -1 where there is none, or it
 * is damaged: it is written anew then. */
static int copy_kept(struct reading *r)
{
    size_t order[N_VARIANTS], i;
    int fd = -1, kept;
    struct content_sink sink = {.take = copy, .ctx = &fd};

    order_variants(r, order);
    for (i = 0; i < N_VARIANTS; i++) {
        r->source = find_variant(r, variants[order[i]].suffix);
        r->compression = variants[order[i]].compression;
        kept = r->source ? cache_find(r->repository->cache, r->source) : -1;
        if (kept >= 0 && r->source->package.size <= LIMITS_PACKAGES_BYTES)
            fd = file_open_memory("index", NULL);
        if (fd >= 0 && (!content_read(r->source, kept, &sink, NULL) || lseek(fd, 0, SEEK_SET) < 0))
            file_close(&fd);
        file_close(&kept);
        if (fd >= 0)
            return fd;
        content_free(r->source);
        r->source = NULL;
    }
    return -1;
}

/* A private copy of the file, verified: nobody can change it any more. */
static int copy_verified(const struct reading *r, struct hallmark_error *err)
{
    int fd = -1;
    struct content_sink sink = {.take = copy, .restart = copy_again, .ctx = &fd};

    if (r->source->package.size > LIMITS_PACKAGES_BYTES)
        error_set(err, HALLMARK_ERR_MALFORMED, "%s: has more than %d bytes",
                  r->source->package.path, LIMITS_PACKAGES_BYTES);
    else
        fd = file_open_memory("index", err);
    if (fd >= 0 &&
        (!content_get(r->source, r->fetch, &sink, err) ||
         (lseek(fd, 0, SEEK_SET) < 0 && !error_set_errno(err, "cannot read an index again"))))
        file_close(&fd);
    return fd;
}

/* Bytes of the index, decompressed. */
static bool take(void *ctx, struct bytes_view data, struct hallmark_error *err)
{
    struct reading *r = ctx;

    r->n_bytes += data.len;
    if (r->n_bytes > r->wanted->package.size)
        return error_set(err, HALLMARK_ERR_CONTENT,
                         "decompresses to more than the %ju bytes of %s that the manifest says",
                         (uintmax_t)r->wanted->package.size, r->wanted->package.path);
    return digest_update(r->digest, data.data, data.len, err) &&
           package_index_feed(r->index, data, err);
}

static bool take_plain(struct reading *r, int fd, struct hallmark_error *err)
{
    enum { STEP = 256 * 1024 };
    char *buf = alloc_array(STEP, 1);
    ssize_t n = 1;
    bool ok = true;

    while (ok && n > 0) {
        n = file_read_some(fd, buf, STEP);
        ok = n >= 0 ? n == 0 || take(r, bytes_view_of(buf, (size_t)n), err)
                    : error_set_errno(err, "cannot read");
    }
    free(buf);
    return ok;
}

static bool finish(struct reading *r, struct hallmark_error *err)
{
    struct digest_value found;

    if (r->n_bytes != r->wanted->package.size)
        return error_set(
            err, HALLMARK_ERR_CONTENT, "decompresses to %ju bytes, the manifest says %ju of %s",
            (uintmax_t)r->n_bytes, (uintmax_t)r->wanted->package.size, r->wanted->package.path);
    return digest_final(r->digest, &found, err) && content_compare(r->wanted, &found, err) &&
           package_index_finish(r->index, err);
}

/* Passes on what is of a wanted architecture. */
static bool filter(void *ctx, const struct package_index_entry *entry, struct hallmark_error *err)
{
    const struct reading *r = ctx;
    const struct strlist *wanted = &r->repository->architectures;

    if (entry->architecture.len && !view_in(entry->architecture, wanted) &&
        !bytes_view_equals(entry->architecture, "all"))
        return true;
    return r->walk->sink.take(r->walk->sink.ctx, entry, err);
}

/* Reads the verified copy FD, which is closed. */
static bool read_index(struct reading *r, enum index_path_kind kind, int fd,
                       struct hallmark_error *err)
{
    struct package_index_sink filtered = {.take = filter, .ctx = r};
    struct package_sink sink = {.take = take, .ctx = r};
    bool ok = false;

    r->index = package_index_new(kind, r->source->package.path, &filtered);
    r->digest = digest_new(r->wanted->hashes, err);
    if (r->digest && r->compression == PACKAGE_PLAIN)
        ok = take_plain(r, fd, err);
    else if (r->digest)
        ok = package_expand(r->repository->reader, fd, r->compression, &sink, err);
    ok = ok && finish(r, err);
    if (!ok && err &&
        strncmp(err->text, r->source->package.path, strlen(r->source->package.path)) != 0)
        error_prefix(err, "%s", r->source->package.path);
    file_close(&fd);
    digest_free(r->digest);
    package_index_free(r->index);
    return ok;
}

/* ---- All of them ---------------------------------------------------------------------------- */

static bool set_absent(const struct reading *r, struct index_walk *walk, struct hallmark_error *err)
{
    walk->n_absent++;
    /* A bundle has those that its packages need. What limits unpacking must not be left out. */
    if (walk->absence == INDEX_MAY_BE_ABSENT ||
        (r->repository->bundle && walk->tier != INDEX_TIER_SIZES))
        return true;
    return error_set(err, HALLMARK_ERR_CONTENT,
                     "%s: is missing in every compression (of a copy of some components or "
                     "architectures only, --component and --arch say which)",
                     r->wanted->package.path);
}

/* A verified copy from the first location that has one; -1 with an error, and without one where all
 * are without the index. */
static int obtain(struct reading *r, struct hallmark_error *err)
{
    struct failover_walk walk = {.repository = r->repository};
    bool is_somewhere = false;
    int fd;

    r->fetch = r->repository->place.fetch;
    fd = r->repository->cache ? copy_kept(r) : -1;
    if (fd >= 0)
        return fd;
    while (failover_next(&walk, &r->fetch)) {
        struct hallmark_error why = {0};

        content_free(r->source);
        r->source = NULL;
        if (!choose(r)) {
            error_set(&why, HALLMARK_ERR_CONTENT, "%s: is missing in every compression",
                      r->wanted->package.path);
        } else {
            is_somewhere = true;
            fd = copy_verified(r, &why);
            if (fd >= 0 && fetch_is_remote(r->fetch))
                cache_add(r->repository->cache, r->source, fd);
            if (fd >= 0)
                return fd;
        }
        failover_fail(&walk, &why);
    }
    if (is_somewhere || walk.worst.code != HALLMARK_ERR_CONTENT)
        error_set(err, walk.worst.code, "%s", walk.worst.text);
    return -1;
}

static bool walk_one(struct reading *r, const struct index_path *index, struct index_walk *walk,
                     struct hallmark_error *err)
{
    struct hallmark_error why = {0};
    bool ok = true;
    int fd;

    if (!r->wanted)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: the manifest lists it, but not what it decompresses to",
                         r->plain->path);
    if (r->wanted->package.size == 0) {
        walk->n_read++; /* there is nothing to read, whether it is served or not */
        return true;
    }
    fd = obtain(r, &why);
    if (fd < 0 && why.code == HALLMARK_OK)
        return set_absent(r, walk, err);
    ok = fd >= 0 ? read_index(r, index->kind, fd, err) : error_set(err, why.code, "%s", why.text);
    walk->n_read += ok;
    return ok;
}

static bool is_in_tier(const struct hallmark_repository *repository, const struct index_path *index,
                       const struct index_walk *walk)
{
    enum index_tier tier = tier_of(repository, index, walk->architecture);

    return walk->tier == INDEX_TIER_PACKAGES ? tier != INDEX_TIER_SIZES : tier == walk->tier;
}

/* Whether the index NAME is where the walk wants it. */
static bool is_beside(const struct hallmark_repository *repository, const char *name,
                      const struct index_walk *walk)
{
    struct bytes_view wanted, found;
    char *path;
    bool is_same;

    if (!walk->beside)
        return true;
    path = place_path(&repository->place, name);
    found = index_path_directory(path);
    wanted = index_path_directory(walk->beside);
    is_same = found.len == wanted.len && memcmp(found.data, wanted.data, found.len) == 0;
    free(path);
    return is_same;
}

/* Whether I is where the walk reads the index that entry I of RELEASE belongs to: at its plain
 * name, or at the first of its compressed names where the plain one is not listed. */
static bool is_first(const struct release *release, size_t i, const struct index_path *index)
{
    const char *path = release->entries[i].path;
    struct index_path before;

    if (index->plain.len == strlen(path))
        return true;
    /* The plain name would stand before all others, and these side by side or nearly so. */
    while (i-- > 0 && strncmp(release->entries[i].path, path, index->plain.len) == 0)
        if (index_path_parse(&before, release->entries[i].path) &&
            before.plain.len == index->plain.len)
            return false;
    return true;
}

bool index_walk(const struct hallmark_repository *repository, struct index_walk *walk,
                struct hallmark_error *err)
{
    const struct release *release = &repository->verified->release;
    struct hallmark_error why;
    struct index_path index;
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < release->n_entries; i++) {
        struct reading r = {.repository = repository, .walk = walk, .plain = &release->entries[i]};

        if (!index_path_parse(&index, r.plain->path) || !index_is_wanted(repository, &index) ||
            !is_first(release, i, &index) || !is_in_tier(repository, &index, walk) ||
            !is_beside(repository, r.plain->path, walk))
            continue;
        if (index.plain.len == strlen(r.plain->path))
            r.wanted = find_variant(&r, "");
        error_clear(&why);
        ok = walk_one(&r, &index, walk, &why);
        if (!ok && walk->problem) {
            walk->problem(walk->problem_ctx, r.wanted ? r.wanted : repository_file(repository, i),
                          &why);
            ok = true;
        } else if (!ok) {
            error_set(err, why.code, "%s", why.text);
        }
        content_free(r.wanted);
        content_free(r.source);
    }
    return ok;
}
