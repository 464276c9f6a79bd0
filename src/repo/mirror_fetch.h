/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files from upstream into the stage, and from there, verified, into the served tree. */
#ifndef REPO_MIRROR_FETCH_H
#define REPO_MIRROR_FETCH_H

#include "repo/mirror.h"

/* Compares all files with what is served, and counts what is missing. */
bool mirror_fetch_look(struct mirror *mirror, struct hallmark_error *err);

/* Fetches the files that are missing, and puts each one into its place as soon as it is verified:
 * no manifest that is served lists it yet. One that stands there with other bytes waits in the
 * stage, under the name that mirror_fetch_waiting() gives. */
bool mirror_fetch_missing(struct mirror *mirror, struct hallmark_error *err);

/* The name in the stage of what is to replace file INDEX; free(3) releases it. */
char *mirror_fetch_waiting(size_t index);

/* Copies the open file FD, which must be CONTENT, to NAME in the stage, where there is nothing left
 * on failure. */
bool mirror_fetch_copy(struct mirror *mirror, const struct content *content, int fd,
                       const char *name, struct hallmark_error *err);

/* Likewise out of FETCH. */
bool mirror_fetch_one(struct mirror *mirror, struct fetch *fetch, const struct content *content,
                      const char *name, struct hallmark_error *err);

#endif
