/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* struct hallmark_error: the one way in which anything here fails. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"

#undef error_set
#undef error_set_errno
#undef error_prefix

/* As much as the caller can take. */
enum { TEXT_ROOM = sizeof((struct hallmark_error *)0)->text };

static void set_text(struct hallmark_error *err, const char *text)
{
    encoding_escape(err->text, sizeof err->text, text, strlen(text));
}

bool error_set(struct hallmark_error *err, enum hallmark_errcode code, const char *fmt, ...)
{
    char text[TEXT_ROOM];
    va_list ap;

    if (!err || err->code != HALLMARK_OK)
        return false;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err->code = code;
    set_text(err, text);
    return false;
}

bool error_set_errno(struct hallmark_error *err, const char *fmt, ...)
{
    int saved = errno;
    char text[TEXT_ROOM];
    va_list ap;

    if (!err || err->code != HALLMARK_OK)
        return false;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return error_set(err, HALLMARK_ERR_IO, "%s: %s", text, strerror(saved));
}

bool error_prefix(struct hallmark_error *err, const char *fmt, ...)
{
    char text[TEXT_ROOM];
    va_list ap;
    size_t len;

    if (!err || err->code == HALLMARK_OK)
        return false;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    len = strlen(text);
    /* The old text is escaped already and holds nothing that a second escape would change. */
    if (snprintf(text + len, sizeof text - len, ": %s", err->text) < 0)
        text[len] = '\0';
    set_text(err, text);
    return false;
}

void error_clear(struct hallmark_error *err)
{
    if (err) {
        err->code = HALLMARK_OK;
        err->text[0] = '\0';
    }
}
