/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hexadecimal, base64 (RFC 4648 section 4), and text that is safe to show. */
#ifndef BASE_ENCODING_H
#define BASE_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* LEN bytes as 2*LEN lower-case digits and a NUL in OUT. */
void encoding_hex(char *out, const void *data, size_t len);

/* Exactly 2*LEN lower-case digits of TEXT into OUT; false for any other length or digit. */
bool encoding_unhex(unsigned char *out, size_t len, struct bytes_view text);

/* Appends what TEXT encodes; TEXT is whole groups of four characters with canonical padding. */
bool encoding_unbase64(struct bytes *out, struct bytes_view text);

/* Appends DATA as base64 with padding, on one line. */
void encoding_base64(struct bytes *out, struct bytes_view data);

/* Copies TEXT to OUT, cut at OUT_LEN and always NUL-terminated, with everything that a terminal or
 * a log could obey written as \xNN: controls, invalid UTF-8, direction and zero-width characters.
 */
void encoding_escape(char *out, size_t out_len, const char *text, size_t len);

/* The length of the well-formed UTF-8 character (RFC 3629) at the start of TEXT, 0 for none; its
 * code point goes to *CODE. */
size_t encoding_utf8(struct bytes_view text, unsigned *code);

/* Whether a code point may be shown: no control, no direction, zero-width or separator character.
 */
bool encoding_is_printable(unsigned code);

/* A size in decimal, in its one spelling: no sign, no leading zero, below 2^63. */
bool encoding_parse_size(struct bytes_view text, uint64_t *out);

/* How many characters at the start of TEXT are printable ASCII: no other need be looked at one by
 * one. */
size_t encoding_count_plain(struct bytes_view text);

/* Whether TEXT is well-formed UTF-8, all of it printable. */
bool encoding_is_printable_text(struct bytes_view text);

#endif
