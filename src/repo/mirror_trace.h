/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file project/trace/NAME, by which mirrors of Debian tell when they were updated, and from
 * where: a date as date(1) writes it, then fields. The names of most fields are those of Debian's
 * ftpsync.
 */
#ifndef REPO_MIRROR_TRACE_H
#define REPO_MIRROR_TRACE_H

#include "repo/mirror.h"

/* Whether the file that the options ask for, if any, can be written: HALLMARK_ERR_USAGE for a name
 * that is no name, and where the source has a file of that path. */
bool mirror_trace_check(const struct mirror *mirror, struct hallmark_error *err);

/* Writes it, if it is asked for. */
bool mirror_trace_write(const struct mirror *mirror, struct hallmark_error *err);

/* The same as text. URL is that of the source, of which a password is left out. */
void mirror_trace_text(const struct mirror *mirror, const char *url, int64_t now,
                       struct bytes *out);

#endif
