/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* armor: decoding moves forward or changes nothing. */
#include <stdint.h>

#include "format/armor.h"
#include "invariant.h"

static void check(const char *kind, const uint8_t *data, size_t size)
{
    struct bytes_view text = bytes_view_of(data, size);
    struct bytes out = {0};
    bool ok = true;

    bytes_append_str(&out, "before");
    while (ok && text.len) {
        struct bytes_view before = text;
        struct hallmark_error err = {0};
        size_t len = out.len;

        ok = armor_decode(&text, kind, "fuzz", &out, &err);
        invariant_error(ok, &err, HALLMARK_ERR_SIGNATURE, HALLMARK_ERR_SIGNATURE);
        INVARIANT(ok ? out.len > len : out.len == len);
        INVARIANT(ok ? text.len < before.len : text.len == before.len);
        INVARIANT(text.data + text.len == before.data + before.len);
        INVARIANT(out.len - len <= before.len);
        INVARIANT(!ok || armor_is_armored(before));
    }
    INVARIANT(memcmp(out.data, "before", 6) == 0);
    bytes_free(&out);
}

/* Any bytes can be encoded, and decoded again. */
static void check_encoded(struct bytes_view data)
{
    struct bytes text = {0}, out = {0};
    struct bytes_view rest;

    armor_encode(data, "SIGNATURE", &text);
    rest = bytes_view(&text);
    INVARIANT(armor_decode(&rest, "SIGNATURE", "fuzz", &out, NULL) && rest.len == 0);
    INVARIANT(out.len == data.len && memcmp(out.data, data.data, data.len) == 0);
    bytes_free(&text);
    bytes_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check("SIGNATURE", data, size);
    check("PUBLIC KEY BLOCK", data, size);
    if (size)
        check_encoded(bytes_view_of(data, size));
    return 0;
}
