/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packed lists of files, in a file that is mapped, and in a spool those that are new. */
#include "repo/contents_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "crypto/checksum.h"
#include "repo/spool.h"

enum { FILE_MODE = 0600, STEP = 256 * 1024 };

static const char magic[16] = "contents lists 1";
static const char staged[] = CONTENTS_CACHE_FILE ".new";

struct contents_cache {
    int dirfd;
    char *map; /* of the file; NULL: there is none */
    size_t map_len;
    struct contents_cache_record *records; /* in the map, ascending */
    size_t n_records;
    unsigned char *is_kept;              /* a byte for each of them */
    struct contents_cache_record *added; /* their offsets are those in the spool */
    size_t n_added, added_cap;
    struct spool *spool;
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST_SHA256_LEN); /* with which a record starts */
}

/* ---- The file ------------------------------------------------------------------------------- */

static void unmap(struct contents_cache *c)
{
    if (c->map)
        munmap(c->map, c->map_len);
    free(c->is_kept);
    c->map = NULL;
    c->records = NULL;
    c->is_kept = NULL;
    c->n_records = 0;
}

static bool check_records(const struct contents_cache *c,
                          const struct contents_cache_header *header)
{
    size_t i, start = sizeof *header + c->n_records * sizeof *c->records;
    const struct contents_cache_record *r = c->records;

    if (checksum_xxh3(bytes_view_of(r, c->n_records * sizeof *r)) != header->checksum)
        return false;
    for (i = 0; i < c->n_records; i++)
        if ((i && compare(&r[i - 1], &r[i]) >= 0) || r[i].offset < start ||
            r[i].offset > c->map_len || r[i].len > c->map_len - r[i].offset)
            return false;
    return true;
}

static bool read_header(struct contents_cache *c)
{
    struct contents_cache_header header;

    if (c->map_len < sizeof header)
        return false;
    memcpy(&header, c->map, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0 ||
        header.n_records > (c->map_len - sizeof header) / sizeof *c->records)
        return false;
    c->n_records = (size_t)header.n_records;
    c->records = (struct contents_cache_record *)(void *)(c->map + sizeof header);
    c->is_kept = alloc_array(c->n_records + 1, 1);
    return check_records(c, &header);
}

/* Maps the file, where there is a sound one. */
static bool load(struct contents_cache *c, struct hallmark_error *why)
{
    int fd = file_open_at(c->dirfd, CONTENTS_CACHE_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    struct stat st;
    void *map = MAP_FAILED;

    if (fd < 0)
        return errno == ENOENT || error_set_errno(why, "%s", CONTENTS_CACHE_FILE);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    file_close(&fd);
    if (map != MAP_FAILED) {
        c->map = map;
        c->map_len = (size_t)st.st_size;
        if (read_header(c))
            return true;
    }
    unmap(c);
    return error_set(why, HALLMARK_ERR_MALFORMED, "%s: is damaged", CONTENTS_CACHE_FILE);
}

struct contents_cache *contents_cache_open(int dirfd, enum contents_cache_access access,
                                           struct hallmark_error *why)
{
    struct contents_cache *c = alloc_array(1, sizeof *c);

    c->dirfd = dirfd;
    if (dirfd >= 0 && access == CONTENTS_CACHE_WRITE)
        c->spool = spool_new(dirfd);
    if (dirfd >= 0)
        load(c, why);
    return c;
}

void contents_cache_free(struct contents_cache *c)
{
    if (!c)
        return;
    unmap(c);
    spool_free(c->spool);
    free(c->added);
    free(c);
}

/* ---- Records -------------------------------------------------------------------------------- */

static const struct contents_cache_record *find(const struct contents_cache *c,
                                                const unsigned char *sha256)
{
    return c->n_records ? bsearch(sha256, c->records, c->n_records, sizeof *c->records, compare)
                        : NULL;
}

bool contents_cache_has(struct contents_cache *c, const unsigned char *sha256)
{
    const struct contents_cache_record *record = find(c, sha256);

    if (record)
        c->is_kept[record - c->records] = 1;
    return record != NULL;
}

bool contents_cache_put(struct contents_cache *c, const unsigned char *sha256,
                        struct bytes_view list, struct hallmark_error *err)
{
    struct contents_cache_record record = {.len = (uint32_t)list.len};

    if (!c->spool)
        return true;
    memcpy(record.sha256, sha256, sizeof record.sha256);
    record.checksum = checksum_xxh3(list);
    if (!spool_add(c->spool, list, &record.offset, err))
        return false;
    c->added = alloc_one_more(c->added, c->n_added, &c->added_cap, sizeof *c->added);
    c->added[c->n_added++] = record;
    return true;
}

bool contents_cache_get(const struct contents_cache *c, const unsigned char *sha256,
                        struct bytes_view *out, struct hallmark_error *err)
{
    const struct contents_cache_record *record = find(c, sha256);

    if (record) {
        *out = bytes_view_of(c->map + record->offset, record->len);
        if (checksum_xxh3(*out) == record->checksum)
            return true;
    }
    unlinkat(c->dirfd, CONTENTS_CACHE_FILE, 0);
    return error_set(err, HALLMARK_ERR_IO,
                     "%s: is damaged, and was removed; the next run reads all packages again",
                     CONTENTS_CACHE_FILE);
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* What is written: a record, and where its list is now. */
struct item {
    struct contents_cache_record record;
    bool is_added;
};

/* All that is to be kept, ascending, each package once. */
static struct item *collect(const struct contents_cache *c, size_t *n_out)
{
    struct item *items = alloc_array(c->n_records + c->n_added + 1, sizeof *items);
    size_t i, n = 0, n_items = 0;

    for (i = 0; i < c->n_records; i++)
        if (c->is_kept[i])
            items[n++] = (struct item){.record = c->records[i]};
    for (i = 0; i < c->n_added; i++)
        items[n++] = (struct item){.record = c->added[i], .is_added = true};
    qsort(items, n, sizeof *items, compare);
    for (i = 0; i < n; i++)
        if (n_items == 0 || compare(&items[n_items - 1], &items[i]) != 0)
            items[n_items++] = items[i];
    *n_out = n_items;
    return items;
}

static bool write_table(int fd, const struct item *items, size_t n_items)
{
    struct contents_cache_header header = {.n_records = n_items};
    struct contents_cache_record *records = alloc_array(n_items + 1, sizeof *records);
    uint64_t offset = sizeof header + n_items * sizeof *records;
    size_t i;
    bool ok;

    for (i = 0; i < n_items; i++) {
        records[i] = items[i].record;
        records[i].offset = offset;
        offset += records[i].len;
    }
    memcpy(header.magic, magic, sizeof magic);
    header.checksum = checksum_xxh3(bytes_view_of(records, n_items * sizeof *records));
    ok = file_write_all(fd, &header, sizeof header) &&
         file_write_all(fd, records, n_items * sizeof *records);
    free(records);
    return ok;
}

static bool write_lists(const struct contents_cache *c, int fd, const struct item *items,
                        size_t n_items, struct hallmark_error *err)
{
    struct bytes buffer = {0};
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < n_items; i++) {
        char *to = bytes_reserve(&buffer, items[i].record.len);

        if (items[i].is_added)
            ok = spool_read(c->spool, items[i].record.offset, to, items[i].record.len, err);
        else
            memcpy(to, c->map + items[i].record.offset, items[i].record.len);
        buffer.len += items[i].record.len;
        if (ok && (buffer.len >= STEP || i + 1 == n_items)) {
            ok = file_write_all(fd, buffer.data, buffer.len) ||
                 error_set_errno(err, "%s: cannot write", staged);
            buffer.len = 0;
        }
    }
    bytes_free(&buffer);
    return ok;
}

static bool write_file(const struct contents_cache *c, int fd, struct hallmark_error *err)
{
    size_t n_items;
    struct item *items = collect(c, &n_items);
    bool ok = write_table(fd, items, n_items) || error_set_errno(err, "%s: cannot write", staged);

    ok = ok && write_lists(c, fd, items, n_items, err) && file_sync(fd, staged, err);
    free(items);
    return ok;
}

bool contents_cache_save(struct contents_cache *c, struct hallmark_error *err)
{
    int fd;
    bool ok;

    if (c->n_added == 0)
        return true;
    unlinkat(c->dirfd, staged, 0); /* of a run that was killed */
    fd = file_open_at(c->dirfd, staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return error_set_errno(err, "%s: cannot create", staged);
    ok = write_file(c, fd, err);
    file_close(&fd);
    if (ok && renameat(c->dirfd, staged, c->dirfd, CONTENTS_CACHE_FILE) < 0)
        ok = error_set_errno(err, "%s: cannot be renamed", staged);
    if (!ok) {
        unlinkat(c->dirfd, staged, 0);
        return false;
    }
    if (!file_sync(c->dirfd, ".", err))
        return false;
    c->n_added = 0;
    unmap(c);
    return load(c, err);
}
