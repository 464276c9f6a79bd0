/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * struct bytes: a buffer that grows; a NUL that does not count stands behind its end.
 * struct bytes_view: a part of somebody else's bytes.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *data; /* NULL while empty and never written to */
    size_t len;
    size_t cap;
};

struct bytes_view {
    const char *data;
    size_t len;
};

void bytes_append(struct bytes *b, const void *data, size_t len);
void bytes_append_str(struct bytes *b, const char *s);
void bytes_printf(struct bytes *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for LEN more bytes behind the end; the caller fills it and adds to len. */
char *bytes_reserve(struct bytes *b, size_t len);

/* Releases the memory and makes *B empty. */
void bytes_free(struct bytes *b);

/* Likewise, overwriting what was in it: for secrets. */
void bytes_wipe(struct bytes *b);

struct bytes_view bytes_view(const struct bytes *b);
struct bytes_view bytes_view_str(const char *s);
struct bytes_view bytes_view_of(const void *data, size_t len);
bool bytes_view_equals(struct bytes_view v, const char *s);

/* The lower case of an ASCII letter; any other byte as it is, whatever the locale. */
char bytes_lower(char c);

/* Whether both are the same but for the case of ASCII letters. */
bool bytes_view_equals_nocase(struct bytes_view a, struct bytes_view b);

/* Takes the next line off *REST, without its newline, into *LINE. False when nothing is left. */
bool bytes_view_next_line(struct bytes_view *rest, struct bytes_view *line);

#endif
