/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* block_cache: lines are accepted or refused, and a block that is nowhere is not found. The input
 * is what follows the line that names format and compressors; and once more, all of the file. */
#include <stdint.h>

#include "invariant.h"
#include "repo/block_cache.h"
#include "system/compress_block.h"

static void check(struct bytes_view text)
{
    static const unsigned char key[DIGEST_SHA256_LEN];
    struct hallmark_error err = {0};
    struct block_cache *cache = block_cache_parse(text, &err);
    struct bytes out = {0};

    invariant_error(cache != NULL, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (cache)
        INVARIANT(!block_cache_find(cache, 0, key, &out) && out.len == 0);
    bytes_free(&out);
    block_cache_free(cache);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {0};

    check(bytes_view_of(data, size));
    bytes_printf(&text, "hallmark-blocks 1 %s\n", compress_block_maker());
    if (size)
        bytes_append(&text, data, size);
    check(bytes_view(&text));
    bytes_free(&text);
    return 0;
}
