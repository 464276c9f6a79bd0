/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes as text: pairs of hexadecimal digits, blanks and newlines between them, "#" for comments.
 */
#ifndef TESTS_UNIT_HEX_TEXT_H
#define TESTS_UNIT_HEX_TEXT_H

#include <string.h>

#include "base/bytes.h"
#include "base/encoding.h"

/* Appends the bytes that TEXT spells to OUT; false where it is something else. */
static inline bool hex_text_decode(struct bytes_view text, struct bytes *out)
{
    struct bytes_view line;
    unsigned char byte;

    while (bytes_view_next_line(&text, &line))
        for (; line.len && line.data[0] != '#'; line.data++, line.len--) {
            if (line.data[0] == ' ')
                continue;
            if (line.len < 2 || !encoding_unhex(&byte, 1, bytes_view_of(line.data, 2)))
                return false;
            bytes_append(out, &byte, 1);
            line.data++;
            line.len--;
        }
    return true;
}

#endif
