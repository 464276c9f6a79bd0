/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gzip by zlib. */
#include "system/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"

struct gzip {
    z_stream stream;
};

struct gzip *gzip_new(void)
{
    enum { GZIP_ONLY = 16 };
    struct gzip *gzip = alloc_array(1, sizeof *gzip);

    if (inflateInit2(&gzip->stream, MAX_WBITS + GZIP_ONLY) == Z_OK)
        return gzip;
    free(gzip);
    return NULL;
}

void gzip_free(struct gzip *gzip)
{
    if (gzip)
        inflateEnd(&gzip->stream);
    free(gzip);
}

enum gzip_result gzip_next(struct gzip *gzip, struct bytes_view *in, unsigned char *out,
                           size_t out_len, size_t *n_out)
{
    z_stream *z = &gzip->stream;
    size_t len = in->len < UINT_MAX ? in->len : UINT_MAX;
    int result;

    z->next_in = (unsigned char *)(uintptr_t)in->data;
    z->avail_in = (unsigned)len;
    z->next_out = out;
    z->avail_out = (unsigned)(out_len < UINT_MAX ? out_len : UINT_MAX);
    result = inflate(z, Z_NO_FLUSH);
    *n_out = (size_t)(z->next_out - out);
    in->data += len - z->avail_in;
    in->len -= len - z->avail_in;
    if (result == Z_STREAM_END)
        return inflateReset(z) == Z_OK ? GZIP_END : GZIP_CORRUPT;
    return result == Z_OK || result == Z_BUF_ERROR ? GZIP_MORE : GZIP_CORRUPT;
}
