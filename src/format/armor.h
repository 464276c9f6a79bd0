/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ASCII armor of OpenPGP: RFC 4880 section 6, RFC 9580 section 6. Decoded here so that gpg only ever
 * sees binary packets.
 */
#ifndef FORMAT_ARMOR_H
#define FORMAT_ARMOR_H

#include "base/bytes.h"
#include "base/error.h"

/* Decodes the armored block of KIND ("SIGNATURE", "PUBLIC KEY BLOCK") at the very start of *TEXT,
 * appends its bytes to OUT, and moves *TEXT behind the newline of its last line. Strict: exact BEGIN and
 * END lines, headers "Name: value" of printable UTF-8, one empty line, base64 lines of at most 76
 * characters of which only the last is short, a right CRC-24 where there is one, LF line ends, no blanks
 * at line ends. HALLMARK_ERR_SIGNATURE with WHAT and the line. */
bool armor_decode(struct bytes_view *text, const char *kind, const char *what, struct bytes *out,
                  struct hallmark_error *err);

/* Appends the armored block of KIND that holds DATA, with a checksum, to OUT. */
void armor_encode(struct bytes_view data, const char *kind, struct bytes *out);

/* Whether TEXT starts like an armored block of any kind. */
bool armor_is_armored(struct bytes_view text);

#endif
