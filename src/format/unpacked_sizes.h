/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index Unpacked-Sizes (hallmark-repository(5), "UNPACKED SIZES"): for each archive how much
 * comes out of it. Written here; package_index.h reads it.
 */
#ifndef FORMAT_UNPACKED_SIZES_H
#define FORMAT_UNPACKED_SIZES_H

#include <stdint.h>

#include "base/bytes.h"

/* Appends the stanza of the archive at PATH, with the empty line behind it, to OUT. */
void unpacked_sizes_write(const char *path, uint64_t n_entries, uint64_t n_bytes,
                          struct bytes *out);

#endif
