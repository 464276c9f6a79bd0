/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keyring files, put together. */
#include "trust/keyring.h"

#include "base/limits.h"
#include "format/armor.h"
#include "format/packet.h"

/* The blocks of an armoured file, which blank lines may separate. */
static bool decode_all(struct bytes *out, struct bytes_view file, const char *what,
                       struct hallmark_error *err)
{
    while (file.len) {
        if (file.data[0] == '\n') {
            file.data++;
            file.len--;
        } else if (!armor_decode(&file, "PUBLIC KEY BLOCK", what, out, err)) {
            if (err && err->code == HALLMARK_ERR_SIGNATURE)
                err->code = HALLMARK_ERR_USAGE; /* a keyring is configuration */
            return false;
        }
    }
    return true;
}

bool keyring_add(struct bytes *keyring, struct bytes_view file, const char *what,
                 struct hallmark_error *err)
{
    struct bytes decoded = {0};
    size_t n_keys;
    bool ok = false;

    if (file.len == 0) {
        error_set(err, HALLMARK_ERR_USAGE, "%s: is empty, a keyring was expected", what);
        goto out;
    }
    if (armor_is_armored(file)) {
        if (!decode_all(&decoded, file, what, err))
            goto out;
        file = bytes_view(&decoded);
    }
    if (!packet_walk_keyring(file, what, &n_keys, err))
        goto out;
    if (file.len > LIMITS_KEYRING_BYTES - keyring->len) {
        error_set(err, HALLMARK_ERR_USAGE, "%s: all keyrings together are larger than %d bytes",
                  what, LIMITS_KEYRING_BYTES);
        goto out;
    }
    bytes_append(keyring, file.data, file.len);
    ok = true;
out:
    bytes_free(&decoded);
    return ok;
}
