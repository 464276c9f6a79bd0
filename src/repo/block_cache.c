/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of published indexes, by the hash of their text. */
#include "repo/block_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/strlist.h"
#include "system/compress_block.h"

enum { ONLY_OURS = 0600, FORM_MAX = 7, BLOCK_BYTES_MAX = 2 * COMPRESS_BLOCK_MAX };

static const char magic[] = "hallmark-blocks 1 ";

struct record {
    unsigned char key[DIGEST_SHA256_LEN], digest[DIGEST_SHA256_LEN];
    uint64_t offset;
    uint32_t len, file; /* an index into files */
    unsigned form;
};

enum file_state { FILE_KEPT, FILE_REPLACED, FILE_NEW };

struct file {
    char *path;
    enum file_state state;
};

struct block_cache {
    int statefd, rootfd;
    struct file *files;
    size_t n_files, files_cap;
    struct record *records; /* the old ones by form and key, then the new ones */
    size_t n_old, n_records, records_cap;
    int fd; /* of file number OPEN, the one read last; -1: none */
    uint32_t open;
    struct digest *digest;
};

static struct block_cache *new_cache(void)
{
    struct block_cache *cache = alloc_array(1, sizeof *cache);

    cache->statefd = cache->rootfd = cache->fd = -1;
    return cache;
}

void block_cache_free(struct block_cache *cache)
{
    size_t i;

    if (!cache)
        return;
    for (i = 0; i < cache->n_files; i++)
        free(cache->files[i].path);
    file_close(&cache->fd);
    free(cache->files);
    free(cache->records);
    digest_free(cache->digest);
    free(cache);
}

static void add_file(struct block_cache *cache, struct bytes_view path, enum file_state state)
{
    cache->files =
        alloc_one_more(cache->files, cache->n_files, &cache->files_cap, sizeof *cache->files);
    cache->files[cache->n_files++] =
        (struct file){.path = alloc_strndup(path.data, path.len), .state = state};
}

static struct record *add_record(struct block_cache *cache)
{
    cache->records = alloc_one_more(cache->records, cache->n_records, &cache->records_cap,
                                    sizeof *cache->records);
    return &cache->records[cache->n_records++];
}

/* ---- The file ------------------------------------------------------------------------------- */

static bool take_word(struct bytes_view *rest, struct bytes_view *word)
{
    const char *end = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;

    if (!end)
        return false;
    *word = bytes_view_of(rest->data, (size_t)(end - rest->data));
    *rest = bytes_view_of(end + 1, rest->len - word->len - 1);
    return true;
}

static bool take_number(struct bytes_view *rest, uint64_t max, uint64_t *out)
{
    struct bytes_view word;

    return take_word(rest, &word) && encoding_parse_size(word, out) && *out <= max;
}

static bool take_hash(struct bytes_view *rest, unsigned char out[DIGEST_SHA256_LEN])
{
    struct bytes_view word;

    return take_word(rest, &word) && encoding_unhex(out, DIGEST_SHA256_LEN, word);
}

static bool parse_line(struct block_cache *cache, struct bytes_view line)
{
    struct record record;
    uint64_t form, len;

    if (!take_number(&line, FORM_MAX, &form) || !take_hash(&line, record.key) ||
        !take_hash(&line, record.digest) || !take_number(&line, INT64_MAX / 2, &record.offset) ||
        !take_number(&line, BLOCK_BYTES_MAX, &len) || !path_check(line, BLOCK_CACHE_FILE, NULL))
        return false;
    if (cache->n_files == 0 || !bytes_view_equals(line, cache->files[cache->n_files - 1].path))
        add_file(cache, line, FILE_KEPT);
    record.form = (unsigned)form;
    record.len = (uint32_t)len;
    record.file = (uint32_t)cache->n_files - 1;
    *add_record(cache) = record;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    int order = memcmp(x->key, y->key, sizeof x->key);

    return order ? order : (x->form > y->form) - (x->form < y->form);
}

struct block_cache *block_cache_parse(struct bytes_view text, struct hallmark_error *err)
{
    struct block_cache *cache = new_cache();
    const char *maker = compress_block_maker();
    struct bytes_view line;
    size_t magic_len = strlen(magic), n_line = 1;
    bool ok = bytes_view_next_line(&text, &line) && line.len == magic_len + strlen(maker) &&
              memcmp(line.data, magic, magic_len) == 0 &&
              memcmp(line.data + magic_len, maker, strlen(maker)) == 0;

    while (ok && bytes_view_next_line(&text, &line)) {
        n_line++;
        ok = parse_line(cache, line);
    }
    if (!ok) {
        error_set(err, HALLMARK_ERR_MALFORMED, "%s: line %zu: %s", BLOCK_CACHE_FILE, n_line,
                  n_line == 1 ? "is of another version, or of other compressors"
                              : "does not describe a block");
        block_cache_free(cache);
        return NULL;
    }
    cache->n_old = cache->n_records;
    if (cache->n_old > 1)
        qsort(cache->records, cache->n_old, sizeof *cache->records, compare);
    return cache;
}

/* Reads the file, of which nobody but this user (or root) may have written a byte: what it calls
 * the block of a text is published as that. */
static struct block_cache *load(int statefd)
{
    struct block_cache *cache = NULL;
    struct bytes text = {0};
    struct stat st;
    int fd = file_open_beneath(statefd, BLOCK_CACHE_FILE, NULL);

    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0) &&
        !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
        file_read_fd(fd, BLOCK_CACHE_FILE, BLOCK_CACHE_MAX_BYTES, &text, NULL))
        cache = block_cache_parse(bytes_view(&text), NULL);
    file_close(&fd);
    bytes_free(&text);
    return cache;
}

struct block_cache *block_cache_load(int statefd, int rootfd)
{
    struct block_cache *cache = load(statefd);

    if (!cache)
        cache = new_cache();
    cache->statefd = statefd;
    cache->rootfd = rootfd;
    return cache;
}

/* ---- Finding -------------------------------------------------------------------------------- */

static bool read_at(int fd, uint64_t offset, char *to, size_t len)
{
    ssize_t n;

    for (; len; to += n, offset += (uint64_t)n, len -= (size_t)n) {
        do
            n = pread(fd, to, len, (off_t)offset);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return false;
    }
    return true;
}

static bool hash(struct block_cache *cache, struct bytes_view data, struct digest_value *out,
                 struct hallmark_error *err)
{
    if (!cache->digest)
        cache->digest = digest_new(DIGEST_SHA256, err);
    return cache->digest && digest_update(cache->digest, data.data, data.len, err) &&
           digest_final(cache->digest, out, err);
}

/* Reads the block of RECORD; its hash is compared over what was read. */
static bool read_block(struct block_cache *cache, const struct record *record, struct bytes *out)
{
    struct digest_value value;
    char *to;

    if (cache->fd < 0 || cache->open != record->file) {
        file_close(&cache->fd);
        cache->fd = file_open_served(cache->rootfd, cache->files[record->file].path, NULL);
        cache->open = record->file;
    }
    if (cache->fd < 0)
        return false;
    to = bytes_reserve(out, record->len);
    if (!read_at(cache->fd, record->offset, to, record->len) ||
        !hash(cache, bytes_view_of(to, record->len), &value, NULL) ||
        memcmp(value.sha256, record->digest, sizeof value.sha256) != 0)
        return false;
    out->len += record->len;
    return true;
}

bool block_cache_find(struct block_cache *cache, unsigned form,
                      const unsigned char key[DIGEST_SHA256_LEN], struct bytes *out)
{
    struct record wanted = {.form = form};
    const struct record *found;

    memcpy(wanted.key, key, sizeof wanted.key);
    found = cache->n_old ? bsearch(&wanted, cache->records, cache->n_old, sizeof wanted, compare)
                         : NULL;
    return found && read_block(cache, found, out);
}

/* ---- Making --------------------------------------------------------------------------------- */

unsigned block_cache_start(struct block_cache *cache, const char *path)
{
    size_t i;

    for (i = 0; i < cache->n_files; i++)
        if (cache->files[i].state == FILE_KEPT && strcmp(cache->files[i].path, path) == 0)
            cache->files[i].state = FILE_REPLACED;
    add_file(cache, bytes_view_str(path), FILE_NEW);
    return (unsigned)cache->n_files - 1;
}

bool block_cache_add(struct block_cache *cache, const struct block_cache_place *place,
                     const unsigned char key[DIGEST_SHA256_LEN], struct bytes_view block,
                     struct hallmark_error *err)
{
    struct digest_value value;
    struct record *record;

    if (!hash(cache, block, &value, err))
        return false;
    record = add_record(cache);
    *record = (struct record){.offset = place->offset,
                              .len = (uint32_t)block.len,
                              .file = place->file,
                              .form = place->form};
    memcpy(record->key, key, sizeof record->key);
    memcpy(record->digest, value.sha256, sizeof record->digest);
    return true;
}

static void write_record(const struct block_cache *cache, const struct record *record,
                         struct bytes *out)
{
    char key[2 * DIGEST_SHA256_LEN + 1], digest[2 * DIGEST_SHA256_LEN + 1];

    encoding_hex(key, record->key, sizeof record->key);
    encoding_hex(digest, record->digest, sizeof record->digest);
    bytes_printf(out, "%u %s %s %ju %u %s\n", record->form, key, digest, (uintmax_t)record->offset,
                 record->len, cache->files[record->file].path);
}

static int compare_places(const void *a, const void *b)
{
    const struct record *x = a, *y = b;

    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Whether records of FILE are worth keeping: it is published. */
static bool is_kept(const struct block_cache *cache, const struct file *file)
{
    struct stat st;

    return file->state != FILE_REPLACED && fstatat(cache->rootfd, file->path, &st, 0) == 0;
}

bool block_cache_save(struct block_cache *cache, struct hallmark_error *err)
{
    const struct record *record = cache->records, *end = record + cache->n_records;
    struct bytes text = {0};
    uint32_t file = UINT32_MAX;
    bool keep = false, ok;

    if (cache->n_files == 0 || cache->files[cache->n_files - 1].state == FILE_KEPT)
        return true;
    if (cache->n_records > 1)
        qsort(cache->records, cache->n_records, sizeof *cache->records, compare_places);
    cache->n_old = 0; /* no longer in the order in which they are found */
    bytes_printf(&text, "%s%s\n", magic, compress_block_maker());
    for (; cache->n_records && record < end; record++) {
        if (record->file != file)
            keep = is_kept(cache, &cache->files[record->file]);
        file = record->file;
        if (keep)
            write_record(cache, record, &text);
    }
    ok = file_replace(cache->statefd, BLOCK_CACHE_FILE, bytes_view(&text), ONLY_OURS, err);
    bytes_free(&text);
    return ok;
}
