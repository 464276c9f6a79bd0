/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index Contents-ARCH of an apt repository (wiki.debian.org/DebianRepository/Format): for each
 * path the packages that hold it. Made by merging lists of files, one for each package, that are
 * packed: sorted, each path as what it has in common with the one before and the rest.
 */
#ifndef FORMAT_CONTENTS_H
#define FORMAT_CONTENTS_H

#include "base/bytes.h"
#include "base/error.h"

/* Appends the packed list of PATHS, each ended by a newline, in any order, to OUT. "./" and "/" at
 * the start of a path are left off. A path that cannot stand in a line of text (controls, no
 * UTF-8), is empty, or has more than LIMITS_PATH_BYTES is left out, one that is there twice counts
 * once. HALLMARK_ERR_MALFORMED, with WHAT: LIMITS_CONTENTS_BYTES, LIMITS_ARCHIVE_ENTRIES. */
bool contents_pack(struct bytes_view paths, const char *what, struct bytes *out,
                   struct hallmark_error *err);

/* A packed list that is being read. */
struct contents_cursor {
    struct bytes_view rest; /* the packed list; then what follows the path */
    struct bytes path;      /* the current one; bytes_free() releases it at the end */
};

/* Goes on to the next path. False at the end; rest is not empty then if the list is damaged: paths
 * that contents_pack() would have left out, or not in the order of their bytes. */
bool contents_next(struct contents_cursor *cursor);

/* Appends "SECTION/PACKAGE" to OUT, or "PACKAGE" where SECTION is empty or holds something else
 * than letters, digits and "+-._/". */
void contents_label(struct bytes_view section, struct bytes_view package, struct bytes *out);

/* The lists of an index that is being made. */
struct contents;

struct contents *contents_new(void);
void contents_free(struct contents *contents);

/* Adds a package: its label and its packed list, both of which must outlive CONTENTS. */
void contents_add(struct contents *contents, struct bytes_view label, struct bytes_view list);

/* Takes a part of the text; false, with an error, ends the writing. */
typedef bool contents_sink_fn(void *ctx, struct bytes_view part, struct hallmark_error *err);

/* Hands the index to SINK, part by part: lines of a path, blanks, and the labels, sorted, with
 * commas between, in the order of the bytes of the paths. Uses up what was added. HALLMARK_ERR_IO
 * where a packed list is damaged. */
bool contents_write(struct contents *contents, contents_sink_fn *sink, void *ctx,
                    struct hallmark_error *err);

#endif
