/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * deb822(5): fields "Name: value" with continuation lines that start with a blank. One stanza at a
 * time, strictly: what dpkg would guess about is refused.
 */
#ifndef FORMAT_DEB822_H
#define FORMAT_DEB822_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

struct deb822_field {
    struct bytes_view name;  /* printable ASCII without blank and colon, not starting with "#" or "-" */
    struct bytes_view value; /* from behind the colon and its blanks, continuation lines included: each
                                begins with its blank; no newline at the end */
    size_t line;             /* of the name, counted from 1 */
};

/* The fields in their order. The views point into the parsed text, which must outlive this. */
struct deb822 {
    struct deb822_field *fields;
    size_t n_fields;
    const char *what; /* the document's name, for messages; borrowed */
};

enum deb822_style {
    DEB822_STRICT,   /* manifests and state: nothing but fields */
    DEB822_COMMENTS, /* settings: lines that start with "#", and blank lines at either end, too */
    DEB822_CONTROL,  /* packages: lines up to LIMITS_CONTROL_BYTES, blank lines at either end, blanks
                        at the ends of lines (no part of a value, but where the value goes on), and
                        continuations that start with a tab */
};

/* Parses exactly one stanza. HALLMARK_ERR_MALFORMED, with line number: a second stanza, a field twice
 * (names compare without case), a line that is none, a carriage return, NUL or other control character
 * except tab inside a value, invalid UTF-8, blanks at a line's end, a continuation of nothing, a
 * missing newline at the end, LIMITS_LINE_BYTES, LIMITS_FIELDS. A tab may not begin a line. */
bool deb822_parse(struct deb822 *out, struct bytes_view text, enum deb822_style style,
                  const char *what, struct hallmark_error *err);
void deb822_free(struct deb822 *stanza);

/* The field NAME (compared without case), lent; NULL where there is none. */
const struct deb822_field *deb822_find(const struct deb822 *stanza, const char *name);

/* The one-line value of NAME into *OUT (free(3) releases it), NULL where the field is missing.
 * HALLMARK_ERR_MALFORMED where it is empty or has continuation lines. */
bool deb822_get_line(const struct deb822 *stanza, const char *name, char **out,
                     struct hallmark_error *err);

/* Appends "NAME: VALUE\n", or nothing where VALUE is NULL or "". VALUE is one line. */
void deb822_write(struct bytes *out, const char *name, const char *value);

/* Appends FIELD as it was in the text, but for blanks at the ends of its lines. */
void deb822_write_field(struct bytes *out, const struct deb822_field *field);

#endif
