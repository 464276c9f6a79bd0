/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * digest_cache: bytes are refused or are exactly what would be written for them. The input is taken
 * in three ways: as the file; as all behind a header that fits (its first byte: how many records);
 * as text that says what to put and which bytes to change: paths, one a line; an empty line; lines
 * of an offset and a value, in decimal.
 */
#include <stdint.h>
#include <stdio.h>

#include "crypto/checksum.h"
#include "invariant.h"
#include "repo/digest_cache.h"

enum { AT_N_RECORDS = 16, AT_FILE_LEN = 24, AT_CHECKSUM = 32, HEADER_LEN = 40 };

/* Parses DATA, which this frees. */
static void check_file(struct bytes *data)
{
    struct hallmark_error err = {0};
    struct bytes again = {0}, copy = {0};
    struct digest_cache *cache;

    bytes_append(&copy, data->data, data->len);
    cache = digest_cache_parse(data, &err);
    invariant_error(cache != NULL, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (cache) {
        digest_cache_write(cache, &again);
        INVARIANT(again.len == copy.len && memcmp(again.data, copy.data, copy.len) == 0);
        INVARIANT(digest_cache_count(cache) <= LIMITS_TREE_FILES);
        INVARIANT(digest_cache_compare(cache, cache) == DIGEST_CACHE_SAME);
    }
    digest_cache_free(cache);
    bytes_free(&again);
    bytes_free(&copy);
    bytes_free(data);
}

/* Makes the header fit what stands behind it. */
static void seal(struct bytes *file)
{
    uint64_t len = file->len;
    uint64_t checksum =
        checksum_xxh3(bytes_view_of(file->data + HEADER_LEN, file->len - HEADER_LEN));

    memcpy(file->data + AT_FILE_LEN, &len, sizeof len);
    memcpy(file->data + AT_CHECKSUM, &checksum, sizeof checksum);
}

static void check_as_file(const uint8_t *data, size_t size)
{
    struct bytes file = {0};

    bytes_append(&file, data, size);
    check_file(&file);
}

static void check_as_records(const uint8_t *data, size_t size)
{
    struct digest_cache *cache = digest_cache_new();
    struct bytes file = {0};
    uint64_t n_records = size ? data[0] : 0;

    digest_cache_write(cache, &file);
    digest_cache_free(cache);
    if (size)
        bytes_append(&file, data + 1, size - 1);
    memcpy(file.data + AT_N_RECORDS, &n_records, sizeof n_records);
    seal(&file);
    check_file(&file);
}

/* Puts the path LINE, with what else there is derived from it. */
static void put(struct digest_cache *cache, struct bytes_view line)
{
    char path[LIMITS_LINE_BYTES + 1];
    size_t len = line.len < sizeof path ? line.len : sizeof path - 1, count;
    struct digest_cache_record record = {.algorithms = DIGEST_SHA256}, found;
    bool is_put;

    memcpy(path, line.data, len);
    path[len] = '\0';
    record.stamp.size = len;
    record.hashed_at = len % 2 ? DIGEST_CACHE_RACY_NS : 0;
    record.is_checked = len % 3 == 1;
    record.totals.n_bytes = record.is_checked;
    if (len % 5 == 1)
        record.algorithms |= DIGEST_SHA512;
    count = digest_cache_count(cache);
    is_put = digest_cache_put(cache, path, &record);
    INVARIANT(digest_cache_count(cache) == count + is_put);
    if (is_put)
        INVARIANT(digest_cache_find(cache, path, &record.stamp, &found) == (len % 2 != 0));
}

static void check_as_text(const uint8_t *data, size_t size)
{
    struct digest_cache *cache = digest_cache_new();
    struct bytes_view rest = bytes_view_of(data, size), line;
    struct bytes file = {0};
    unsigned offset, value;
    char text[32];

    while (bytes_view_next_line(&rest, &line) && line.len)
        put(cache, line);
    digest_cache_write(cache, &file);
    digest_cache_free(cache);
    while (bytes_view_next_line(&rest, &line)) {
        snprintf(text, sizeof text, "%.*s", (int)(line.len < sizeof text ? line.len : 0),
                 line.data);
        if (sscanf(text, "%u %u", &offset, &value) == 2 && offset < file.len)
            file.data[offset] = (char)value;
    }
    seal(&file);
    check_file(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_as_file(data, size);
    check_as_records(data, size);
    check_as_text(data, size);
    return 0;
}
