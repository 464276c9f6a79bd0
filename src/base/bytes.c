/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A growing buffer, and views of bytes. */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

char *bytes_reserve(struct bytes *b, size_t len)
{
    enum { FIRST_CAP = 256 };
    size_t need, cap;

    if (__builtin_add_overflow(b->len, len, &need) || __builtin_add_overflow(need, 1, &need))
        need = SIZE_MAX; /* which alloc_regrow cannot give */
    if (need > b->cap) {
        cap = b->cap > SIZE_MAX / 2 ? need : b->cap * 2;
        if (cap < need)
            cap = need;
        if (cap < FIRST_CAP)
            cap = FIRST_CAP;
        b->data = alloc_regrow(b->data, cap, 1);
        b->cap = cap;
    }
    return b->data + b->len;
}

void bytes_append(struct bytes *b, const void *data, size_t len)
{
    char *end = bytes_reserve(b, len);

    if (len)
        memcpy(end, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void bytes_append_str(struct bytes *b, const char *s)
{
    bytes_append(b, s, strlen(s));
}

void bytes_printf(struct bytes *b, const char *fmt, ...)
{
    va_list ap, again;
    int len;

    va_start(ap, fmt);
    va_copy(again, ap);
    len = vsnprintf(NULL, 0, fmt, ap);
    if (len > 0) {
        vsnprintf(bytes_reserve(b, (size_t)len), (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
    va_end(ap);
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}

void bytes_wipe(struct bytes *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    bytes_free(b);
}

struct bytes_view bytes_view(const struct bytes *b)
{
    return bytes_view_of(b->data ? b->data : "", b->len);
}

struct bytes_view bytes_view_str(const char *s)
{
    return bytes_view_of(s, strlen(s));
}

struct bytes_view bytes_view_of(const void *data, size_t len)
{
    return (struct bytes_view){.data = data, .len = len};
}

bool bytes_view_equals(struct bytes_view v, const char *s)
{
    return v.len == strlen(s) && (v.len == 0 || memcmp(v.data, s, v.len) == 0);
}

char bytes_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool bytes_view_equals_nocase(struct bytes_view a, struct bytes_view b)
{
    size_t i;

    if (a.len != b.len)
        return false;
    for (i = 0; i < a.len; i++)
        if (bytes_lower(a.data[i]) != bytes_lower(b.data[i]))
            return false;
    return true;
}

bool bytes_view_next_line(struct bytes_view *rest, struct bytes_view *line)
{
    const char *newline;

    if (rest->len == 0)
        return false;
    newline = memchr(rest->data, '\n', rest->len);
    line->data = rest->data;
    line->len = newline ? (size_t)(newline - rest->data) : rest->len;
    rest->data += line->len + (newline != NULL);
    rest->len -= line->len + (newline != NULL);
    return true;
}
