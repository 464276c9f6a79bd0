/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cache_document: what is accepted is what is written of it, but for the end of its lines. */
#include <stdint.h>
#include <string.h>

#include "invariant.h"
#include "repo/cache_document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_view all = bytes_view_of(data, size), text, again;
    char etag[FETCH_ETAG_LEN], same[FETCH_ETAG_LEN];
    struct bytes written = {0};

    if (cache_document_parse(all, etag, &text)) {
        INVARIANT(strlen(etag) >= strlen("@1") && text.len < all.len);
        INVARIANT(!text.len || text.data + text.len == all.data + all.len);
        INVARIANT(cache_document_write(&written, etag, text));
        INVARIANT(cache_document_parse(bytes_view(&written), same, &again));
        INVARIANT(strcmp(etag, same) == 0 && again.len == text.len);
        INVARIANT(!text.len || memcmp(again.data, text.data, text.len) == 0);
    }
    bytes_free(&written);
    return 0;
}
