/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cache is held as the bytes of its file, with the offsets of the records beside it; one that
 * follows another holds only those records that differ.
 */
#include "repo/digest_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/timestamp.h"
#include "crypto/checksum.h"

/* "version" also stands for what is_checked means: raise it when package_check() learns to refuse
 * more. */
enum { VERSION = 2, BYTE_ORDER_MARK = 0x01020304 };

static const char magic[8] = "hmcache\n";

struct digest_cache_header {
    char magic[sizeof magic];
    uint32_t version;
    uint32_t byte_order;
    uint64_t n_records;
    uint64_t file_len;
    uint64_t checksum; /* XXH3 of all behind this header */
};

enum { FLAG_SHA512 = 1, FLAG_CHECKED = 2, FLAGS_ALL = 3 };

struct digest_cache_fixed {
    uint64_t device, inode, size;
    int64_t mtime, ctime, hashed_at;
    uint64_t n_entries, n_bytes;
    unsigned char sha256[DIGEST_SHA256_LEN];
    uint16_t flags;
    uint16_t path_len; /* without the NUL */
    uint32_t zero;     /* makes the size the same everywhere */
};

_Static_assert(sizeof(struct digest_cache_header) == 40, "no padding");
_Static_assert(sizeof(struct digest_cache_fixed) == 104, "no padding");
_Static_assert(DIGEST_CACHE_MAX_BYTES <= INT32_MAX, "offsets have 31 bits");

/* In an offset: the record is in the cache that is followed. */
#define IN_BASE 0x80000000U

struct digest_cache {
    struct bytes file; /* starts with a header, which digest_cache_write() fills in */
    uint32_t *offsets; /* of the records in file */
    size_t n_records, offsets_cap;
    const struct digest_cache *base; /* lent; NULL: it follows none */
    size_t base_next;  /* the first record of that which is not before the last here */
    uint64_t base_len; /* of the records that are there */
    size_t next;       /* where the path that is asked for next is expected */
    bool *is_hidden;   /* of each record: its file is to be read again; NULL: of none */
};

struct digest_cache *digest_cache_new(void)
{
    static const struct digest_cache_header empty;
    struct digest_cache *cache = alloc_array(1, sizeof *cache);

    bytes_append(&cache->file, &empty, sizeof empty);
    return cache;
}

struct digest_cache *digest_cache_follow(const struct digest_cache *base)
{
    struct digest_cache *cache = digest_cache_new();

    cache->base = base;
    return cache;
}

void digest_cache_free(struct digest_cache *cache)
{
    if (!cache)
        return;
    bytes_free(&cache->file);
    free(cache->offsets);
    free(cache->is_hidden);
    free(cache);
}

size_t digest_cache_count(const struct digest_cache *cache)
{
    return cache->n_records;
}

/* ---- Records ---- */

/* The bytes of record I. */
static const char *record_at(const struct digest_cache *cache, size_t i)
{
    uint32_t offset = cache->offsets[i];

    return offset & IN_BASE ? cache->base->file.data + (offset & ~IN_BASE)
                            : cache->file.data + offset;
}

static void get_fixed(const struct digest_cache *cache, size_t i, struct digest_cache_fixed *out)
{
    memcpy(out, record_at(cache, i), sizeof *out);
}

/* What stands behind the fixed part. */
static size_t extra_len(const struct digest_cache_fixed *fixed)
{
    return fixed->flags & FLAG_SHA512 ? DIGEST_SHA512_LEN : 0;
}

static const char *get_path(const struct digest_cache *cache, size_t i)
{
    struct digest_cache_fixed fixed;

    get_fixed(cache, i, &fixed);
    return record_at(cache, i) + sizeof fixed + extra_len(&fixed);
}

const char *digest_cache_path(const struct digest_cache *cache, size_t index)
{
    return cache && index < cache->n_records ? get_path(cache, index) : NULL;
}

static void get_record(const struct digest_cache *cache, size_t i, struct digest_cache_record *out)
{
    struct digest_cache_fixed fixed;

    get_fixed(cache, i, &fixed);
    *out = (struct digest_cache_record){
        .stamp = {fixed.device, fixed.inode, fixed.size, fixed.mtime, fixed.ctime},
        .hashed_at = fixed.hashed_at,
        .algorithms = DIGEST_SHA256 | (fixed.flags & FLAG_SHA512 ? DIGEST_SHA512 : 0U),
        .is_checked = (fixed.flags & FLAG_CHECKED) != 0,
        .totals = {.n_entries = fixed.n_entries, .n_bytes = fixed.n_bytes},
    };
    memcpy(out->digest.sha256, fixed.sha256, sizeof fixed.sha256);
    memcpy(out->digest.sha512, record_at(cache, i) + sizeof fixed, extra_len(&fixed));
}

static void add_offset(struct digest_cache *cache, size_t offset)
{
    cache->offsets = alloc_one_more(cache->offsets, cache->n_records, &cache->offsets_cap,
                                    sizeof *cache->offsets);
    cache->offsets[cache->n_records++] = (uint32_t)offset;
}

static bool is_same_record(const struct digest_cache_record *a, const struct digest_cache_record *b)
{
    return tree_stamp_is_equal(&a->stamp, &b->stamp) && a->algorithms == b->algorithms &&
           a->is_checked == b->is_checked && a->totals.n_entries == b->totals.n_entries &&
           a->totals.n_bytes == b->totals.n_bytes &&
           memcmp(a->digest.sha256, b->digest.sha256, sizeof a->digest.sha256) == 0 &&
           memcmp(a->digest.sha512, b->digest.sha512, sizeof a->digest.sha512) == 0;
}

/* Whether the cache that is followed has RECORD of PATH, where LEN bytes are it: then it is put. */
static bool put_from_base(struct digest_cache *cache, const char *path,
                          const struct digest_cache_record *record, size_t len)
{
    const struct digest_cache *base = cache->base;
    struct digest_cache_record known;
    int order = -1;

    while (base && cache->base_next < base->n_records &&
           (order = strcmp(get_path(base, cache->base_next), path)) < 0)
        cache->base_next++;
    if (order != 0)
        return false;
    get_record(base, cache->base_next, &known);
    if (known.hashed_at != record->hashed_at || !is_same_record(&known, record))
        return false;
    add_offset(cache, base->offsets[cache->base_next++] | IN_BASE);
    cache->base_len += len;
    return true;
}

bool digest_cache_put(struct digest_cache *cache, const char *path,
                      const struct digest_cache_record *record)
{
    size_t path_len = strlen(path), len;
    const struct tree_stamp *stamp = &record->stamp;
    struct digest_cache_fixed fixed = {
        .device = stamp->device,
        .inode = stamp->inode,
        .size = stamp->size,
        .mtime = stamp->mtime,
        .ctime = stamp->ctime,
        .hashed_at = record->hashed_at,
        .flags = (uint16_t)((record->algorithms & DIGEST_SHA512 ? FLAG_SHA512 : 0) |
                            (record->is_checked ? FLAG_CHECKED : 0)),
    };

    len = sizeof fixed + extra_len(&fixed) + path_len + 1;
    if (path_len == 0 || path_len > LIMITS_PATH_BYTES || cache->n_records >= LIMITS_TREE_FILES ||
        cache->file.len + cache->base_len + len > DIGEST_CACHE_MAX_BYTES ||
        !(record->algorithms & DIGEST_SHA256) ||
        (cache->n_records && strcmp(get_path(cache, cache->n_records - 1), path) >= 0))
        return false;
    if (put_from_base(cache, path, record, len))
        return true;
    fixed.path_len = (uint16_t)path_len;
    if (record->is_checked) {
        fixed.n_entries = record->totals.n_entries;
        fixed.n_bytes = record->totals.n_bytes;
    }
    memcpy(fixed.sha256, record->digest.sha256, sizeof fixed.sha256);
    add_offset(cache, cache->file.len);
    bytes_append(&cache->file, &fixed, sizeof fixed);
    bytes_append(&cache->file, record->digest.sha512, extra_len(&fixed));
    bytes_append(&cache->file, path, path_len + 1);
    return true;
}

/* ---- Asking ---- */

/* Whether the file could have changed after its hashing without its stamp telling. */
static bool is_racy(const struct digest_cache_record *record)
{
    int64_t settled;

    return __builtin_sub_overflow(record->hashed_at, DIGEST_CACHE_RACY_NS, &settled) ||
           record->stamp.mtime > settled || record->stamp.ctime > settled;
}

/* The index of PATH, or n_records. */
static size_t find_index(const struct digest_cache *cache, const char *path)
{
    size_t low = 0, high = cache->n_records, middle;
    int order;

    /* One comparison where every path is asked for in turn. */
    if (cache->next < high) {
        order = strcmp(get_path(cache, cache->next), path);
        if (order == 0)
            return cache->next;
        if (order < 0)
            low = cache->next + 1;
        else
            high = cache->next;
    }
    while (low < high) {
        middle = low + (high - low) / 2;
        order = strcmp(get_path(cache, middle), path);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return cache->n_records;
}

bool digest_cache_find(struct digest_cache *cache, const char *path, const struct tree_stamp *stamp,
                       struct digest_cache_record *out)
{
    struct digest_cache_record record;
    size_t i = cache ? find_index(cache, path) : 0;

    if (!cache || i >= cache->n_records)
        return false;
    cache->next = i + 1;
    get_record(cache, i, &record);
    if (!tree_stamp_is_equal(&record.stamp, stamp) || is_racy(&record) ||
        (cache->is_hidden && cache->is_hidden[i]))
        return false;
    *out = record;
    return true;
}

/* ---- Scrubbing ---- */

struct age {
    int64_t hashed_at;
    size_t index;
};

static int compare_ages(const void *a, const void *b)
{
    const struct age *x = a, *y = b;

    if (x->hashed_at != y->hashed_at)
        return x->hashed_at < y->hashed_at ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

void digest_cache_scrub(struct digest_cache *cache, unsigned percent)
{
    enum { WHOLE = 100 };
    struct digest_cache_fixed fixed;
    struct age *ages;
    size_t i, n;

    if (cache->n_records == 0)
        return;
    ages = alloc_array(cache->n_records, sizeof *ages);
    for (i = 0; i < cache->n_records; i++) {
        get_fixed(cache, i, &fixed);
        ages[i] = (struct age){fixed.hashed_at, i};
    }
    qsort(ages, cache->n_records, sizeof *ages, compare_ages);
    n = (cache->n_records * percent + WHOLE - 1) / WHOLE;
    free(cache->is_hidden);
    cache->is_hidden = alloc_array(cache->n_records, sizeof *cache->is_hidden);
    for (i = 0; i < n && i < cache->n_records; i++)
        cache->is_hidden[ages[i].index] = true;
    free(ages);
}

bool digest_cache_check(const struct digest_cache *cache, const char *path,
                        const struct digest_cache_record *record, struct hallmark_error *err)
{
    size_t i = cache ? find_index(cache, path) : 0;
    struct digest_cache_record before;
    char when[TIMESTAMP_TEXT_LEN];

    if (!cache || i >= cache->n_records)
        return true;
    get_record(cache, i, &before);
    if (!tree_stamp_is_equal(&before.stamp, &record->stamp) || is_racy(&before) ||
        memcmp(before.digest.sha256, record->digest.sha256, sizeof before.digest.sha256) == 0)
        return true;
    timestamp_write_rfc1123(before.hashed_at / 1000000000, when);
    return error_set(err, HALLMARK_ERR_CONTENT,
                     "%s: has other bytes than on %s, though it was not written to since: a fault "
                     "of the disk or the memory; restore it from elsewhere, or if it is right as "
                     "it is, touch(1) it",
                     path, when);
}

enum digest_cache_difference digest_cache_compare(const struct digest_cache *old,
                                                  const struct digest_cache *new)
{
    enum digest_cache_difference difference = DIGEST_CACHE_SAME;
    struct digest_cache_record a, b;
    size_t i;

    /* When a file was hashed decides when it is read again. */
    if (!old || old->is_hidden || old->n_records != new->n_records)
        return DIGEST_CACHE_CHANGED;
    for (i = 0; i < old->n_records; i++) {
        if (record_at(old, i) == record_at(new, i))
            continue;
        get_record(old, i, &a);
        get_record(new, i, &b);
        if (strcmp(get_path(old, i), get_path(new, i)) != 0 || !is_same_record(&a, &b))
            return DIGEST_CACHE_CHANGED;
        if (is_racy(&a) && !is_racy(&b))
            difference = DIGEST_CACHE_FRESHER;
    }
    return difference;
}

/* ---- The file ---- */

static struct bytes_view body_of(const struct bytes *file)
{
    return bytes_view_of(file->data + sizeof(struct digest_cache_header),
                         file->len - sizeof(struct digest_cache_header));
}

/* The bytes of record I. */
static struct bytes_view record_bytes(const struct digest_cache *cache, size_t i)
{
    struct digest_cache_fixed fixed;

    get_fixed(cache, i, &fixed);
    return bytes_view_of(record_at(cache, i),
                         sizeof fixed + extra_len(&fixed) + fixed.path_len + 1U);
}

/* What the file consists of, to be freed: the header, which is not filled in, and the records,
 * those that stand side by side as one part. */
static struct bytes_view *list_parts(const struct digest_cache *cache, size_t *n)
{
    size_t i, cap = 0;
    struct bytes_view *parts = alloc_one_more(NULL, 0, &cap, sizeof *parts), record;

    parts[0] = bytes_view_of(cache->file.data, sizeof(struct digest_cache_header));
    *n = 1;
    for (i = 0; i < cache->n_records; i++) {
        record = record_bytes(cache, i);
        if (*n > 1 && parts[*n - 1].data + parts[*n - 1].len == record.data) {
            parts[*n - 1].len += record.len;
            continue;
        }
        parts = alloc_one_more(parts, *n, &cap, sizeof *parts);
        parts[(*n)++] = record;
    }
    return parts;
}

/* Fills in the header, which is the first of N PARTS. */
static void seal(struct digest_cache *cache, const struct bytes_view *parts, size_t n)
{
    struct digest_cache_header header = {
        .version = VERSION,
        .byte_order = BYTE_ORDER_MARK,
        .n_records = cache->n_records,
        .checksum = checksum_xxh3_parts(parts + 1, n - 1),
    };
    size_t i;

    for (i = 0; i < n; i++)
        header.file_len += parts[i].len;
    memcpy(header.magic, magic, sizeof magic);
    memcpy(cache->file.data, &header, sizeof header);
}

void digest_cache_write(struct digest_cache *cache, struct bytes *out)
{
    size_t i, n;
    struct bytes_view *parts = list_parts(cache, &n);

    seal(cache, parts, n);
    for (i = 0; i < n; i++)
        bytes_append(out, parts[i].data, parts[i].len);
    free(parts);
}

bool digest_cache_save(struct digest_cache *cache, int dirfd, struct hallmark_error *err)
{
    enum { ONLY_OURS = 0600 };
    struct file_parts parts;
    struct bytes_view *list = list_parts(cache, &parts.n_parts);
    bool ok;

    seal(cache, list, parts.n_parts);
    parts.parts = list;
    ok = file_replace_parts(dirfd, DIGEST_CACHE_FILE, &parts, ONLY_OURS, err);
    free(list);
    return ok;
}

/* What is wrong with the header, NULL for nothing. */
static const char *header_fault(const struct bytes *file, size_t *n_records)
{
    struct digest_cache_header header;

    if (file->len < sizeof header)
        return "is truncated";
    memcpy(&header, file->data, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0)
        return "is no digest cache";
    if (header.byte_order != BYTE_ORDER_MARK)
        return "was written on a machine with another byte order";
    if (header.version != VERSION)
        return "is of another version";
    if (header.file_len != file->len)
        return "is truncated or too long";
    if (header.n_records > LIMITS_TREE_FILES ||
        header.n_records > file->len / sizeof(struct digest_cache_fixed))
        return "holds too many records";
    if (header.checksum != checksum_xxh3(body_of(file)))
        return "is damaged: its checksum differs";
    *n_records = (size_t)header.n_records;
    return NULL;
}

/* What is wrong with the record at the end of those already accepted, at *OFFSET, which is moved
 * on. */
static const char *record_fault(const struct digest_cache *cache, const struct bytes *file,
                                size_t *offset)
{
    struct digest_cache_fixed fixed;
    size_t left = file->len - *offset;
    const char *path;

    if (left < sizeof fixed)
        return "ends within a record";
    memcpy(&fixed, file->data + *offset, sizeof fixed);
    if (fixed.zero || fixed.flags & ~FLAGS_ALL ||
        (!(fixed.flags & FLAG_CHECKED) && (fixed.n_entries || fixed.n_bytes)))
        return "holds a record with unknown flags";
    if (fixed.path_len == 0 || fixed.path_len > LIMITS_PATH_BYTES)
        return "holds a path of a wrong length";
    if (left - sizeof fixed < extra_len(&fixed) + fixed.path_len + 1)
        return "ends within a record";
    path = file->data + *offset + sizeof fixed + extra_len(&fixed);
    if (strnlen(path, (size_t)fixed.path_len + 1) != fixed.path_len)
        return "holds a path with a NUL, or without one at its end";
    if (cache->n_records && strcmp(get_path(cache, cache->n_records - 1), path) >= 0)
        return "holds paths out of order";
    *offset += sizeof fixed + extra_len(&fixed) + fixed.path_len + 1;
    return NULL;
}

struct digest_cache *digest_cache_parse(struct bytes *data, struct hallmark_error *err)
{
    struct digest_cache cache = {.file = *data}, *out;
    size_t n_records = 0, offset = sizeof(struct digest_cache_header), start;
    const char *fault = header_fault(data, &n_records);

    if (!fault) {
        cache.offsets = alloc_array(n_records, sizeof *cache.offsets);
        cache.offsets_cap = n_records;
    }
    while (!fault && cache.n_records < n_records) {
        start = offset;
        fault = record_fault(&cache, data, &offset);
        if (!fault)
            add_offset(&cache, start);
    }
    if (!fault && offset != data->len)
        fault = "holds something behind its last record";
    if (fault) {
        free(cache.offsets);
        error_set(err, HALLMARK_ERR_MALFORMED, "%s: %s", DIGEST_CACHE_FILE, fault);
        return NULL;
    }
    out = alloc_array(1, sizeof *out);
    *out = cache;
    *data = (struct bytes){0};
    return out;
}

/* Reads the whole file FD, of which nobody but this user (or root) may have written a byte: a
 * digest in it becomes a signed one. */
static bool read_file(int fd, struct bytes *out, struct hallmark_error *why)
{
    enum { ROOM_BEHIND = 128 * 1024 }; /* for the read that finds the end */
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set_errno(why, "%s", DIGEST_CACHE_FILE);
    if ((st.st_uid != geteuid() && st.st_uid != 0) || st.st_mode & (S_IWGRP | S_IWOTH))
        return error_set(why, HALLMARK_ERR_MALFORMED, "%s: other users can write to it",
                         DIGEST_CACHE_FILE);
    if (st.st_size > DIGEST_CACHE_MAX_BYTES)
        return error_set(why, HALLMARK_ERR_MALFORMED, "%s: is larger than %ld bytes",
                         DIGEST_CACHE_FILE, (long)DIGEST_CACHE_MAX_BYTES);
    bytes_reserve(out, (size_t)st.st_size + ROOM_BEHIND); /* at once, not in steps */
    return file_read_fd(fd, DIGEST_CACHE_FILE, DIGEST_CACHE_MAX_BYTES, out, why);
}

struct digest_cache *digest_cache_load(int dirfd, struct hallmark_error *why)
{
    struct digest_cache *cache = NULL;
    struct bytes data = {0};
    int fd = file_open_beneath(dirfd, DIGEST_CACHE_FILE, why);

    if (fd >= 0 && read_file(fd, &data, why))
        cache = digest_cache_parse(&data, why);
    bytes_free(&data);
    file_close(&fd);
    return cache;
}
