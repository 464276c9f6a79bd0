/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XXH3, through the xxHash library. */
#include "crypto/checksum.h"

#include <xxhash.h>

uint64_t checksum_xxh3(struct bytes_view data)
{
    return XXH3_64bits(data.data, data.len);
}
