/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Decompression: zlib for gzip, libarchive's filters, each named and none guessed, for the others.
 */
#include "system/decompress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "system/gzip.h"
#include "system/libarchive.h"

enum { IN_LEN = 128 * 1024, OUT_LEN = 256 * 1024 };

struct decompress {
    struct decompress_window window;
    enum package_compression compression;
    struct hallmark_error *err;
    uint64_t n_in, n_out;
    struct bytes_view pending; /* read, not yet used */
    struct gzip *gzip;
    bool between_members;
    struct archive *raw;
    unsigned char *in, *out;
};

static const struct {
    const char *name;
    int filter;        /* of libarchive */
    const char *magic; /* what the data start with */
    size_t magic_len;
} compressors[] = {
    [PACKAGE_PLAIN] = {"plain", ARCHIVE_FILTER_NONE, "", 0},
    [PACKAGE_GZIP] = {"gzip", ARCHIVE_FILTER_GZIP, "\x1f\x8b\x08", 3},
    [PACKAGE_BZIP2] = {"bzip2", ARCHIVE_FILTER_BZIP2, "BZh", 3},
    [PACKAGE_XZ] = {"xz", ARCHIVE_FILTER_XZ,
                    "\xfd"
                    "7zXZ\0",
                    6},
    [PACKAGE_LZMA] = {"lzma", ARCHIVE_FILTER_LZMA, "\x5d\0\0", 3},
    [PACKAGE_ZSTD] = {"zstd", ARCHIVE_FILTER_ZSTD, "\x28\xb5\x2f\xfd", 4},
};

const char *decompress_name(enum package_compression compression)
{
    return compressors[compression].name;
}

uint64_t decompress_n_in(const struct decompress *decompress)
{
    return decompress->n_in;
}

uint64_t decompress_n_out(const struct decompress *decompress)
{
    return decompress->n_out;
}

/* Reads the next part of the window into D->in; *OUT is empty at its end. */
static bool read_window(struct decompress *d, struct bytes_view *out)
{
    uint64_t left = d->window.len - d->n_in;
    ssize_t n = 0;

    if (left) {
        do
            n = pread(d->window.fd, d->in, left < IN_LEN ? (size_t)left : IN_LEN,
                      (off_t)(d->window.offset + d->n_in));
        while (n < 0 && errno == EINTR);
        if (n < 0)
            return error_set_errno(d->err, "cannot read");
        if (n == 0)
            return error_set(d->err, HALLMARK_ERR_IO, "became shorter while it was read");
    }
    d->n_in += (uint64_t)n;
    *out = bytes_view_of(d->in, (size_t)n);
    return true;
}

static la_ssize_t feed(struct archive *a, void *ctx, const void **out)
{
    struct decompress *d = ctx;
    struct bytes_view part = d->pending;

    d->pending.len = 0;
    if (part.len == 0 && !read_window(d, &part)) {
        archive_set_error(a, EIO, "%s", "cannot read");
        return -1;
    }
    *out = part.data;
    return (la_ssize_t)part.len;
}

static bool set_corrupt(struct decompress *d)
{
    const char *why = d->raw ? archive_error_string(d->raw) : NULL;

    return error_set(d->err, HALLMARK_ERR_MALFORMED, "the %s data are truncated or corrupt%s%s%s",
                     compressors[d->compression].name, why ? " (" : "", why ? why : "",
                     why ? ")" : "");
}

static bool open_filter(struct decompress *d)
{
    struct archive_entry *entry;

    if (d->compression == PACKAGE_PLAIN)
        return true;
    if (d->compression == PACKAGE_GZIP) {
        d->gzip = gzip_new();
        return d->gzip || error_set(d->err, HALLMARK_ERR_IO, "cannot start zlib");
    }
    if (!libarchive_load(d->err))
        return false;
    d->raw = archive_read_new();
    if (!d->raw ||
        archive_read_append_filter(d->raw, compressors[d->compression].filter) != ARCHIVE_OK ||
        archive_read_support_format_raw(d->raw) != ARCHIVE_OK)
        return error_set(d->err, HALLMARK_ERR_IO, "this system's libarchive cannot read %s",
                         compressors[d->compression].name);
    if (archive_read_open(d->raw, d, NULL, feed, NULL) != ARCHIVE_OK ||
        archive_read_next_header(d->raw, &entry) != ARCHIVE_OK)
        return set_corrupt(d);
    return true;
}

struct decompress *decompress_open(const struct decompress_window *window,
                                   enum package_compression compression, struct hallmark_error *err)
{
    struct decompress *d = alloc_array(1, sizeof *d);
    size_t magic_len = compressors[compression].magic_len;

    d->window = *window;
    d->compression = compression;
    d->err = err;
    d->in = alloc_array(IN_LEN, 1);
    d->out = alloc_array(OUT_LEN, 1);
    if (!read_window(d, &d->pending))
        goto fail;
    if (d->pending.len < magic_len || d->pending.len == 0 ||
        memcmp(d->pending.data, compressors[compression].magic, magic_len) != 0) {
        error_set(err, HALLMARK_ERR_MALFORMED, "%s, %s data were expected",
                  d->pending.len ? "is in another compression" : "is empty",
                  compressors[compression].name);
        goto fail;
    }
    if (open_filter(d))
        return d;
fail:
    decompress_close(d);
    return NULL;
}

void decompress_close(struct decompress *d)
{
    if (!d)
        return;
    gzip_free(d->gzip);
    if (d->raw)
        archive_read_free(d->raw);
    free(d->in);
    free(d->out);
    free(d);
}

static bool next_plain(struct decompress *d, struct bytes_view *out)
{
    if (d->pending.len == 0)
        return read_window(d, out);
    *out = d->pending;
    d->pending.len = 0;
    return true;
}

static bool next_gzip(struct decompress *d, struct bytes_view *out)
{
    size_t n = 0;

    while (n == 0) {
        if (d->pending.len == 0) {
            if (!read_window(d, &d->pending))
                return false;
            if (d->pending.len == 0) {
                *out = d->pending;
                return d->between_members || set_corrupt(d);
            }
        }
        switch (gzip_next(d->gzip, &d->pending, d->out, OUT_LEN, &n)) {
        case GZIP_MORE:
            d->between_members = false;
            break;
        case GZIP_END:
            d->between_members = true;
            break;
        case GZIP_CORRUPT:
            return set_corrupt(d);
        }
    }
    *out = bytes_view_of(d->out, n);
    return true;
}

static bool next_filter(struct decompress *d, struct bytes_view *out)
{
    const void *data;
    la_int64_t offset;
    int result;

    *out = bytes_view_of("", 0);
    do {
        result = archive_read_data_block(d->raw, &data, &out->len, &offset);
        if (result == ARCHIVE_EOF) {
            out->len = 0;
            /* Bytes that the filter did not want are no part of its data. */
            return (uint64_t)archive_filter_bytes(d->raw, -1) == d->window.len ||
                   error_set(d->err, HALLMARK_ERR_MALFORMED, "something follows the %s data",
                             compressors[d->compression].name);
        }
        if (result != ARCHIVE_OK)
            return set_corrupt(d);
    } while (out->len == 0);
    out->data = data;
    return true;
}

bool decompress_next(struct decompress *d, struct bytes_view *out)
{
    bool ok;

    if (d->gzip)
        ok = next_gzip(d, out);
    else
        ok = d->raw ? next_filter(d, out) : next_plain(d, out);
    if (!ok)
        return false;
    d->n_out += out->len;
    if (d->n_out > LIMITS_RATIO_FREE_BYTES && d->n_out / LIMITS_ARCHIVE_RATIO > d->n_in)
        return error_set(d->err, HALLMARK_ERR_MALFORMED, "expands to more than %llu times its size",
                         LIMITS_ARCHIVE_RATIO);
    return true;
}
