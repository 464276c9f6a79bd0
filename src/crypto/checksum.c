/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XXH3, through the xxHash library. */
#include "crypto/checksum.h"

#include <xxhash.h>

#include "base/alloc.h"

uint64_t checksum_xxh3(struct bytes_view data)
{
    return XXH3_64bits(data.data, data.len);
}

uint64_t checksum_xxh3_parts(const struct bytes_view *parts, size_t n)
{
    XXH3_state_t *state = XXH3_createState();
    uint64_t sum;
    size_t i;

    if (!state)
        alloc_fail();
    XXH3_64bits_reset(state);
    for (i = 0; i < n; i++)
        XXH3_64bits_update(state, parts[i].data, parts[i].len);
    sum = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return sum;
}
