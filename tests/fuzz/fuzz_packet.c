/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* packet: both walkers, over bytes that are spelled in hexadecimal or given as they are. */
#include <stdint.h>

#include "../unit/hex_text.h"
#include "format/packet.h"
#include "invariant.h"

static void check(struct bytes_view packets)
{
    struct packet_signatures found = {0};
    struct hallmark_error err = {0}, other = {0};
    size_t n_keys = 0, i;
    bool ok = packet_walk_signatures(&found, packets, "fuzz", &err);

    invariant_error(ok, &err, HALLMARK_ERR_SIGNATURE, HALLMARK_ERR_SIGNATURE);
    INVARIANT(ok ? found.n_items >= 1 && found.n_items <= LIMITS_SIGNATURES : found.n_items == 0);
    for (i = 0; i < found.n_items; i++) {
        size_t len = strlen(found.items[i].issuer);

        INVARIANT(len == 40 || len == 16);
        INVARIANT(strspn(found.items[i].issuer, "0123456789ABCDEF") == len);
        INVARIANT(found.items[i].type < 256 && found.items[i].digest < 256);
        INVARIANT(packet_digest_name(found.items[i].digest)[0] != '\0');
    }
    ok = packet_walk_keyring(packets, "fuzz", &n_keys, &other);
    invariant_error(ok, &other, HALLMARK_ERR_USAGE, HALLMARK_ERR_USAGE);
    INVARIANT(ok ? n_keys >= 1 && n_keys <= packets.len / 2 : n_keys == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_view text = bytes_view_of(data, size);
    struct bytes packets = {0};

    if (hex_text_decode(text, &packets))
        check(bytes_view(&packets));
    check(text);
    bytes_free(&packets);
    return 0;
}
