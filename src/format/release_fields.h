/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of a Release that are one line of text, or mean something with one value only. For
 * release.c.
 */
#ifndef FORMAT_RELEASE_FIELDS_H
#define FORMAT_RELEASE_FIELDS_H

#include "format/deb822.h"
#include "format/release.h"

bool release_fields_parse(struct release *release, const struct deb822 *stanza,
                          struct hallmark_error *err);

/* The line of text of NAME, NULL where there is none; free(3) releases it. */
bool release_fields_get_text(const struct deb822 *stanza, const char *name, char **out,
                             struct hallmark_error *err);

/* The text but Description, which comes last in a manifest; and the others. */
void release_fields_write(const struct release *release, struct bytes *out);
void release_fields_write_flags(const struct release *release, struct bytes *out);

bool release_fields_is_same(const struct release *a, const struct release *b);
void release_fields_free(struct release *release);

#endif
