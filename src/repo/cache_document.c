/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents of the cache. */
#include "repo/cache_document.h"

#include <string.h>

#include "base/encoding.h"
#include "crypto/digest.h"

enum { HASH_LEN = 2 * DIGEST_SHA256_LEN };

static bool hash(struct bytes_view text, char out[HASH_LEN + 1])
{
    struct digest_value digest;

    if (!digest_bytes(DIGEST_SHA256, text, &digest, NULL))
        return false;
    encoding_hex(out, digest.sha256, sizeof digest.sha256);
    return true;
}

bool cache_document_parse(struct bytes_view data, char etag[FETCH_ETAG_LEN],
                          struct bytes_view *text)
{
    struct bytes_view first, sum;
    char hex[HASH_LEN + 1];

    if (!bytes_view_next_line(&data, &first) || !bytes_view_next_line(&data, &sum) ||
        !fetch_is_validator(first) || !hash(data, hex) || !bytes_view_equals(sum, hex))
        return false;
    memcpy(etag, first.data, first.len);
    etag[first.len] = '\0';
    *text = data;
    return true;
}

bool cache_document_write(struct bytes *out, const char *etag, struct bytes_view text)
{
    char hex[HASH_LEN + 1];

    if (!fetch_is_validator(bytes_view_str(etag)) || !hash(text, hex))
        return false;
    bytes_printf(out, "%s\n%s\n", etag, hex);
    bytes_append(out, text.data, text.len);
    return true;
}
