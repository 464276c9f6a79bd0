/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a flow tells the person who runs it, besides the outcome. */
#ifndef REPO_NOTE_H
#define REPO_NOTE_H

#include <stdarg.h>

#include "base/error.h"

typedef void note_fn(void *ctx, enum hallmark_note kind, const char *line);

/* Gives NOTE (NULL: nobody listens) one printable line: names in it may be anybody's. */
void note_tell(note_fn *note, void *ctx, enum hallmark_note kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

#endif
