/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A part of a file, decompressed: exactly one compressor, never guessed, checked to the last byte,
 * and never expanding beyond LIMITS_ARCHIVE_RATIO. For the reader process.
 */
#ifndef SYSTEM_DECOMPRESS_H
#define SYSTEM_DECOMPRESS_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "system/package.h"

/* LEN bytes of FD from OFFSET on. */
struct decompress_window {
    int fd;
    uint64_t offset, len;
};

struct decompress;

/* Starts reading. HALLMARK_ERR_MALFORMED where the window does not start as the compressor's data
 * do. ERR is kept, for what goes wrong later. */
struct decompress *decompress_open(const struct decompress_window *window,
                                   enum package_compression compression,
                                   struct hallmark_error *err);
void decompress_close(struct decompress *decompress);

/* The next bytes, lent until the next call; none at the end, where the whole window was read.
 * HALLMARK_ERR_MALFORMED, HALLMARK_ERR_IO. */
bool decompress_next(struct decompress *decompress, struct bytes_view *out);

/* Bytes of the window that were read so far, and bytes that came out. */
uint64_t decompress_n_in(const struct decompress *decompress);
uint64_t decompress_n_out(const struct decompress *decompress);

/* "gzip" and so on. */
const char *decompress_name(enum package_compression compression);

#endif
