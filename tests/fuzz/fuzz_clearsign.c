/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clearsign: an accepted document is its header, its text and its signature block, byte for byte.
 */
#include <stdint.h>

#include "format/armor.h"
#include "format/clearsign.h"
#include "invariant.h"

static void check_parts(const struct clearsign *split, struct bytes_view document)
{
    struct bytes_view rest;
    struct bytes head = {0}, signatures = {0};
    struct hallmark_error err = {0};

    bytes_printf(&head, "-----BEGIN PGP SIGNED MESSAGE-----\nHash: %s\n\n", split->digest);
    INVARIANT(document.len > head.len && memcmp(document.data, head.data, head.len) == 0);
    INVARIANT(split->text.data == document.data + head.len && split->text.len > 0);
    rest.data = split->text.data + split->text.len;
    INVARIANT(rest.data < document.data + document.len);
    rest.len = (size_t)(document.data + document.len - rest.data);
    INVARIANT(armor_decode(&rest, "SIGNATURE", "again", &signatures, &err));
    INVARIANT(rest.len == 0 && signatures.len == split->signatures.len);
    INVARIANT(clearsign_check_text(split->text, "again", &err));
    bytes_free(&head);
    bytes_free(&signatures);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_view document = bytes_view_of(data, size);
    struct clearsign split = {0};
    struct hallmark_error err = {0}, other = {0};
    bool ok = clearsign_split(&split, document, "fuzz", &err);

    invariant_error(ok, &err, HALLMARK_ERR_SIGNATURE, HALLMARK_ERR_SIGNATURE);
    if (ok)
        check_parts(&split, document);
    clearsign_free(&split);
    ok = clearsign_check_text(document, "fuzz", &other);
    invariant_error(ok, &other, HALLMARK_ERR_SIGNATURE, HALLMARK_ERR_SIGNATURE);
    return 0;
}
