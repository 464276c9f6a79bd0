/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compression, as a stream into a sink. */
#include "system/compress.h"

#include <limits.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/alloc.h"
#include "system/libarchive.h"

enum {
    STEP = 256 * 1024,
    GZIP_LEVEL = 9,   /* an index is written once and fetched often */
    GZIP_MEMORY = 8,  /* zlib's own default */
    GZIP_HEADER = 16, /* added to the window's bits: a gzip header, in which zlib sets no time */
    XZ_PRESET = 6,
    XZ_DICTIONARY = 4 * 1024 * 1024, /* the writer needs 48 MiB for it, the reader 5 MiB */
};

static const char zstd_level[] = "12"; /* 19 needs 90 MiB */

struct compress {
    enum compress_method method;
    struct compress_sink sink;
    unsigned char *out; /* STEP bytes */
    z_stream gzip;
    lzma_stream xz;
    struct archive *zstd;
    struct hallmark_error *err; /* of the call under way */
};

/* ---- gzip ---- */

static bool run_gzip(struct compress *c, struct bytes_view data, int flush)
{
    int result;

    do {
        if (c->gzip.avail_in == 0) {
            c->gzip.next_in = (unsigned char *)(uintptr_t)data.data;
            c->gzip.avail_in = data.len < UINT_MAX ? (unsigned)data.len : UINT_MAX;
            data = bytes_view_of(data.data + c->gzip.avail_in, data.len - c->gzip.avail_in);
        }
        c->gzip.next_out = c->out;
        c->gzip.avail_out = STEP;
        result = deflate(&c->gzip, data.len ? Z_NO_FLUSH : flush);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return error_set(c->err, HALLMARK_ERR_IO, "zlib cannot compress (%d)", result);
        if (c->gzip.avail_out < STEP &&
            !c->sink.take(c->sink.ctx, bytes_view_of(c->out, STEP - c->gzip.avail_out), c->err))
            return false;
    } while (c->gzip.avail_in || data.len || (flush == Z_FINISH && result != Z_STREAM_END));
    return true;
}

/* ---- xz ---- */

static bool start_xz(struct compress *c)
{
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};

    if (lzma_lzma_preset(&options, XZ_PRESET))
        return false;
    options.dict_size = XZ_DICTIONARY;
    return lzma_stream_encoder(&c->xz, filters, LZMA_CHECK_CRC64) == LZMA_OK;
}

static bool run_xz(struct compress *c, struct bytes_view data, lzma_action action)
{
    lzma_ret result;

    c->xz.next_in = (const uint8_t *)data.data;
    c->xz.avail_in = data.len;
    do {
        c->xz.next_out = c->out;
        c->xz.avail_out = STEP;
        result = lzma_code(&c->xz, action);
        if (result != LZMA_OK && result != LZMA_STREAM_END)
            return error_set(c->err, HALLMARK_ERR_IO, "liblzma cannot compress (%d)", (int)result);
        if (c->xz.avail_out < STEP &&
            !c->sink.take(c->sink.ctx, bytes_view_of(c->out, STEP - c->xz.avail_out), c->err))
            return false;
    } while (c->xz.avail_in || (action == LZMA_FINISH && result != LZMA_STREAM_END));
    return true;
}

/* ---- zstd ---- */

static ssize_t take_zstd(struct archive *a, void *ctx, const void *data, size_t len)
{
    struct compress *c = ctx;

    (void)a;
    return c->sink.take(c->sink.ctx, bytes_view_of(data, len), c->err) ? (ssize_t)len : -1;
}

static bool start_zstd(struct compress *c)
{
    struct archive_entry *entry;
    bool ok;

    if (!libarchive_load(c->err))
        return false;
    entry = archive_entry_new();
    c->zstd = archive_write_new();
    ok = entry && c->zstd && archive_write_add_filter_zstd(c->zstd) == ARCHIVE_OK &&
         archive_write_set_format_raw(c->zstd) == ARCHIVE_OK &&
         archive_write_set_filter_option(c->zstd, "zstd", "compression-level", zstd_level) ==
             ARCHIVE_OK &&
         archive_write_set_bytes_per_block(c->zstd, STEP) == ARCHIVE_OK &&
         archive_write_set_bytes_in_last_block(c->zstd, 1) == ARCHIVE_OK &&
         archive_write_open(c->zstd, c, NULL, take_zstd, NULL) == ARCHIVE_OK;
    if (ok) {
        archive_entry_set_filetype(entry, S_IFREG);
        archive_entry_set_pathname(entry, "data");
        ok = archive_write_header(c->zstd, entry) == ARCHIVE_OK;
    }
    archive_entry_free(entry);
    return ok;
}

static bool fail_zstd(struct compress *c)
{
    if (c->err && c->err->code != HALLMARK_OK)
        return false;
    return error_set(c->err, HALLMARK_ERR_IO, "libarchive cannot compress: %s",
                     archive_error_string(c->zstd));
}

static bool add_zstd(struct compress *c, struct bytes_view data)
{
    la_ssize_t n;

    while (data.len) {
        n = archive_write_data(c->zstd, data.data, data.len);
        if (n <= 0)
            return fail_zstd(c);
        data = bytes_view_of(data.data + n, data.len - (size_t)n);
    }
    return true;
}

/* ---- The contract ---- */

struct compress *compress_start(enum compress_method method, const struct compress_sink *sink,
                                struct hallmark_error *err)
{
    struct compress *c = alloc_array(1, sizeof *c);
    bool ok = false;

    c->method = method;
    c->sink = *sink;
    c->out = alloc_array(STEP, 1);
    c->err = err;
    c->xz = (lzma_stream)LZMA_STREAM_INIT;
    switch (method) {
    case COMPRESS_GZIP:
        ok = deflateInit2(&c->gzip, GZIP_LEVEL, Z_DEFLATED, MAX_WBITS + GZIP_HEADER, GZIP_MEMORY,
                          Z_DEFAULT_STRATEGY) == Z_OK;
        break;
    case COMPRESS_XZ:
        ok = start_xz(c);
        break;
    case COMPRESS_ZSTD:
        ok = start_zstd(c);
        break;
    }
    if (ok)
        return c;
    compress_free(c);
    error_set(err, HALLMARK_ERR_IO, "the library cannot start to compress");
    return NULL;
}

bool compress_add(struct compress *c, struct bytes_view data, struct hallmark_error *err)
{
    c->err = err;
    if (data.len == 0)
        return true;
    if (c->method == COMPRESS_GZIP)
        return run_gzip(c, data, Z_NO_FLUSH);
    return c->method == COMPRESS_XZ ? run_xz(c, data, LZMA_RUN) : add_zstd(c, data);
}

bool compress_end(struct compress *c, struct hallmark_error *err)
{
    c->err = err;
    if (c->method == COMPRESS_GZIP)
        return run_gzip(c, bytes_view_of("", 0), Z_FINISH);
    if (c->method == COMPRESS_XZ)
        return run_xz(c, bytes_view_of("", 0), LZMA_FINISH);
    return archive_write_close(c->zstd) == ARCHIVE_OK || fail_zstd(c);
}

void compress_free(struct compress *c)
{
    struct hallmark_error ignored = {0};

    if (!c)
        return;
    c->err = &ignored; /* cppcheck-suppress autoVariables ; C goes as well */
    deflateEnd(&c->gzip);
    lzma_end(&c->xz);
    if (c->zstd)
        archive_write_free(c->zstd);
    free(c->out);
    free(c);
}

static bool append(void *ctx, struct bytes_view data, struct hallmark_error *err)
{
    (void)err;
    bytes_append(ctx, data.data, data.len);
    return true;
}

bool compress_whole(enum compress_method method, struct bytes_view data, struct bytes *out,
                    struct hallmark_error *err)
{
    struct compress_sink sink = {.take = append, .ctx = out};
    struct compress *compress = compress_start(method, &sink, err);
    bool ok = compress && compress_add(compress, data, err) && compress_end(compress, err);

    compress_free(compress);
    return ok;
}

bool compress_gzip(struct bytes_view data, struct bytes *out, struct hallmark_error *err)
{
    return compress_whole(COMPRESS_GZIP, data, out, err);
}

bool compress_xz(struct bytes_view data, struct bytes *out, struct hallmark_error *err)
{
    return compress_whole(COMPRESS_XZ, data, out, err);
}
