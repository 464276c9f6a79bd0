/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cleartext signature framework of OpenPGP (RFC 4880 section 7, RFC 9580 section 7), taken apart
 * here so that the text is verified as detached data and gpg never sees this form.
 */
#ifndef FORMAT_CLEARSIGN_H
#define FORMAT_CLEARSIGN_H

#include "base/bytes.h"
#include "base/error.h"

struct clearsign {
    struct bytes_view text; /* inside the document: the signed lines, LF line ends, the last newline
                               included (the signature does not cover that one) */
    struct bytes signatures; /* binary packets */
    char digest[8];          /* of the Hash header: "SHA256", "SHA384" or "SHA512" */
};

/* Splits DOCUMENT. Refuses with HALLMARK_ERR_SIGNATURE whatever is not canonical: anything before the
 * BEGIN line or after the END line, other headers than exactly one Hash with exactly one strong digest, a
 * separating line that is not empty, an empty text, a text line that starts with "-" (escaped or not),
 * has blanks at its end, a control character (tab included), invalid or unprintable UTF-8, or more than
 * LIMITS_LINE_BYTES. Because no line starts with "-", the text needs no unescaping. */
bool clearsign_split(struct clearsign *out, struct bytes_view document, const char *what,
                     struct hallmark_error *err);
void clearsign_free(struct clearsign *split);

/* The text inside of DOCUMENT, whose signature nobody here judges: no line before, between or behind the
 * framework's own, Hash headers only, no text line that starts with "-", complete armor. What else the
 * lines hold is for the parser of the text. HALLMARK_ERR_MALFORMED. */
bool clearsign_unwrap(struct bytes_view *out, struct bytes_view document, const char *what,
                      struct hallmark_error *err);

/* Whether DOCUMENT starts like a clearsigned one. */
bool clearsign_is_clearsigned(struct bytes_view document);

/* Whether a detached document's text obeys the same rules; HALLMARK_ERR_SIGNATURE where not. */
bool clearsign_check_text(struct bytes_view text, const char *what, struct hallmark_error *err);

#endif
