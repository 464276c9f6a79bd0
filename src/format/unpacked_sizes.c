/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing Unpacked-Sizes. */
#include "format/unpacked_sizes.h"

void unpacked_sizes_write(const char *path, uint64_t n_entries, uint64_t n_bytes, struct bytes *out)
{
    bytes_printf(out, "Filename: %s\nEntries: %ju\nUnpacked-Size: %ju\n\n", path,
                 (uintmax_t)n_entries, (uintmax_t)n_bytes);
}
