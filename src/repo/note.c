/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notes. */
#include "repo/note.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/encoding.h"

void note_tell(note_fn *note, void *ctx, enum hallmark_note kind, const char *fmt, va_list ap)
{
    struct bytes text = {0};
    char line[1024];

    if (!note)
        return;
    vsnprintf(line, sizeof line, fmt, ap);
    bytes_reserve(&text, 4 * sizeof line);
    encoding_escape(text.data, text.cap, line, strlen(line));
    note(ctx, kind, text.data);
    bytes_free(&text);
}
