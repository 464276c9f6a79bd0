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

/* Unwrapping looks at less: the text is in its frame, and nothing in it could be one. */
static void check_unwrapped(struct bytes_view document, const struct clearsign *split,
                            bool is_split)
{
    struct bytes_view text = {NULL, 0}, rest, line;
    struct hallmark_error err = {0};
    bool ok = clearsign_unwrap(&text, document, "fuzz", &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    INVARIANT(!is_split || (ok && text.data == split->text.data && text.len == split->text.len));
    INVARIANT(!ok || (text.len > 0 && text.data[text.len - 1] == '\n'));
    rest = text;
    while (bytes_view_next_line(&rest, &line))
        INVARIANT((line.len == 0 || line.data[0] != '-') && !memchr(line.data, '\r', line.len));
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
    check_unwrapped(document, &split, ok);
    clearsign_free(&split);
    ok = clearsign_check_text(document, "fuzz", &other);
    invariant_error(ok, &other, HALLMARK_ERR_SIGNATURE, HALLMARK_ERR_SIGNATURE);
    return 0;
}
