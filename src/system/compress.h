/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compression of what is published: gzip (RFC 1952) by zlib, xz by liblzma, zstd by libarchive. The
 * same bytes give the same bytes, whenever and wherever: one level, no time, no name.
 */
#ifndef SYSTEM_COMPRESS_H
#define SYSTEM_COMPRESS_H

#include "base/bytes.h"
#include "base/error.h"

enum compress_method { COMPRESS_GZIP, COMPRESS_XZ, COMPRESS_ZSTD };

/* Where compressed bytes go. False, with an error, ends the compression. */
struct compress_sink {
    bool (*take)(void *ctx, struct bytes_view data, struct hallmark_error *err);
    void *ctx;
};

/* A compression under way. */
struct compress;

/* Starts one; NULL with HALLMARK_ERR_IO where the library cannot. */
struct compress *compress_start(enum compress_method method, const struct compress_sink *sink,
                                struct hallmark_error *err);
bool compress_add(struct compress *compress, struct bytes_view data, struct hallmark_error *err);
/* Writes what is held back still. Nothing can be added after that. */
bool compress_end(struct compress *compress, struct hallmark_error *err);
void compress_free(struct compress *compress);

/* All at once: appends DATA, compressed, to OUT. HALLMARK_ERR_IO where the library cannot. */
bool compress_whole(enum compress_method method, struct bytes_view data, struct bytes *out,
                    struct hallmark_error *err);
bool compress_gzip(struct bytes_view data, struct bytes *out, struct hallmark_error *err);
bool compress_xz(struct bytes_view data, struct bytes *out, struct hallmark_error *err);

#endif
