/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The headers of a bundle: POSIX.1-1988 ustar, of which a bundle has regular files only. One spelling
 * of each, so that the same files are the same bytes; anything else is refused.
 */
#ifndef FORMAT_USTAR_H
#define FORMAT_USTAR_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum {
    USTAR_BLOCK = 512,
    USTAR_PATH_LEN = 255, /* without NUL: a prefix of 155 bytes, "/", and a name of 100 */
};

struct ustar_file {
    char path[USTAR_PATH_LEN + 1]; /* path_check() accepts it */
    uint64_t size;                 /* less than 8 GiB */
};

/* The number of bytes that fill the last block of SIZE bytes. */
size_t ustar_padding(uint64_t size);

/* Whether BLOCK begins with what a header of ours has, so that it may be a bundle. */
bool ustar_is_header(struct bytes_view block);

/* Parses the header BLOCK, of USTAR_BLOCK bytes. HALLMARK_ERR_MALFORMED where it is not exactly what
 * ustar_write() makes of the same file. */
bool ustar_parse(struct ustar_file *out, struct bytes_view block, struct hallmark_error *err);

/* Makes the header of FILE. HALLMARK_ERR_USAGE where its path is too long, or it is too large. */
bool ustar_write(const struct ustar_file *file, char out[USTAR_BLOCK], struct hallmark_error *err);

#endif
