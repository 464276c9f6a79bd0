/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compression into memory. */
#include "system/compress.h"

#include <limits.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>

enum {
    STEP = 256 * 1024,
    GZIP_LEVEL = 9,   /* an index is written once and fetched often */
    GZIP_MEMORY = 8,  /* zlib's own default */
    GZIP_HEADER = 16, /* added to the window's bits: a gzip header, in which zlib sets no time */
    XZ_PRESET = 6,    /* the reader needs 9 MiB for it */
};

static bool run_deflate(z_stream *z, struct bytes_view data, struct bytes *out)
{
    int result;

    do {
        if (z->avail_in == 0) {
            z->next_in = (unsigned char *)(uintptr_t)data.data;
            z->avail_in = data.len < UINT_MAX ? (unsigned)data.len : UINT_MAX;
            data = bytes_view_of(data.data + z->avail_in, data.len - z->avail_in);
        }
        z->next_out = (unsigned char *)bytes_reserve(out, STEP);
        z->avail_out = STEP;
        result = deflate(z, data.len ? Z_NO_FLUSH : Z_FINISH);
        out->len += STEP - z->avail_out;
    } while (result == Z_OK);
    return result == Z_STREAM_END;
}

bool compress_gzip(struct bytes_view data, struct bytes *out, struct hallmark_error *err)
{
    z_stream z = {0};
    bool ok = false;

    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, MAX_WBITS + GZIP_HEADER, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) == Z_OK) {
        ok = run_deflate(&z, data, out);
        deflateEnd(&z);
    }
    return ok || error_set(err, HALLMARK_ERR_IO, "zlib cannot compress");
}

bool compress_xz(struct bytes_view data, struct bytes *out, struct hallmark_error *err)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    lzma_ret result = lzma_easy_encoder(&stream, XZ_PRESET, LZMA_CHECK_CRC64);

    stream.next_in = (const uint8_t *)data.data;
    stream.avail_in = data.len;
    while (result == LZMA_OK) {
        stream.next_out = (uint8_t *)bytes_reserve(out, STEP);
        stream.avail_out = STEP;
        result = lzma_code(&stream, LZMA_FINISH);
        out->len += STEP - stream.avail_out;
    }
    lzma_end(&stream);
    return result == LZMA_STREAM_END ||
           error_set(err, HALLMARK_ERR_IO, "liblzma cannot compress (%d)", (int)result);
}
