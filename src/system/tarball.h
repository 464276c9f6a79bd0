/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tar archive (ustar, pax, GNU and what was before them) in one compression, read by libarchive
 * to the last byte. For the reader process.
 */
#ifndef SYSTEM_TARBALL_H
#define SYSTEM_TARBALL_H

#include "system/decompress.h"
#include "system/entry.h"
#include "system/package.h"

/* What is done with what is read; any of the functions may be NULL. False (with an error, or
 * without where the reason is known elsewhere) ends it. */
struct tarball_sink {
    bool (*entry)(void *ctx, const struct entry *entry, struct hallmark_error *err);
    bool (*data)(void *ctx, uint64_t offset, struct bytes_view data, struct hallmark_error *err);
    void (*progress)(void *ctx, uint64_t n_in, uint64_t n_out); /* of decompress.h */
    void *ctx;
};

/* Reads the archive. HALLMARK_ERR_MALFORMED where it is anything but a complete tar in this
 * compression that ends with two blocks of zeros, and nothing but more zeros behind. TOTALS is
 * added to. */
bool tarball_read(const struct decompress_window *window, enum package_compression compression,
                  const struct tarball_sink *sink, struct package_totals *totals,
                  struct hallmark_error *err);

#endif
