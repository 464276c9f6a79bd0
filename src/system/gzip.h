/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gzip files (RFC 1952) of one or more members, whose checksums are compared: libarchive reads gzip
 * too, but passes over the checksums.
 */
#ifndef SYSTEM_GZIP_H
#define SYSTEM_GZIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct gzip;

struct gzip *gzip_new(void);
void gzip_free(struct gzip *gzip);

enum gzip_result {
    GZIP_MORE,    /* *IN is used up, or OUT is full */
    GZIP_END,     /* a member ended; what is left of *IN is another one, if anything */
    GZIP_CORRUPT, /* what *IN holds is no gzip data, or its checksum is wrong */
};

/* Decompresses from *IN, taking off what was used, into OUT; *N_OUT is how many bytes came out. */
enum gzip_result gzip_next(struct gzip *gzip, struct bytes_view *in, unsigned char *out,
                           size_t out_len, size_t *n_out);

#endif
