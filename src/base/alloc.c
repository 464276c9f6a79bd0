/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allocation that does not fail. */
#include "base/alloc.h"

#include <hallmark.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void alloc_fail(void)
{
    static const char text[] = "hallmark: out of memory\n";

    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(HALLMARK_ERR_IO);
    _exit(HALLMARK_ERR_IO);
}

void *alloc_array(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        alloc_fail();
    return p;
}

void *alloc_regrow(void *p, size_t n, size_t size)
{
    void *q = reallocarray(p, n ? n : 1, size ? size : 1);

    if (!q)
        alloc_fail();
    return q;
}

void *alloc_one_more(void *array, size_t n_used, size_t *cap, size_t size)
{
    enum { FIRST_CAP = 8 };

    if (n_used < *cap)
        return array;
    if (*cap > SIZE_MAX / 2)
        alloc_fail();
    *cap = *cap ? *cap * 2 : FIRST_CAP;
    return alloc_regrow(array, *cap, size);
}

char *alloc_strdup(const char *s)
{
    return alloc_strndup(s, strlen(s));
}

char *alloc_strndup(const char *s, size_t len)
{
    char *p = alloc_array(len + 1, 1);

    if (len)
        memcpy(p, s, len);
    return p;
}

char *alloc_printf(const char *fmt, ...)
{
    va_list ap;
    char *p;
    int len;

    va_start(ap, fmt);
    len = vasprintf(&p, fmt, ap);
    va_end(ap);
    if (len < 0)
        alloc_fail();
    return p;
}
