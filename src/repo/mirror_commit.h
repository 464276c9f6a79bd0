/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The switch to what is staged, what is remembered of it, and the late removal of what is of no use
 * any more. */
#ifndef REPO_MIRROR_COMMIT_H
#define REPO_MIRROR_COMMIT_H

#include "repo/mirror.h"

/* Before files are put into their places: remembers those that nothing has listed so far among what
 * is to be removed one day, since this run may fail, and no other one list them. mirror_commit()
 * takes those off again that are listed. */
bool mirror_commit_announce(struct mirror *mirror, struct hallmark_error *err);

/* What is added to OLD for that: the files that are missing, and that CACHE, which knows all that
 * are listed now, has not. */
void mirror_commit_expect(struct mirror_retired_list *out, const struct mirror_retired_list *old,
                          const struct digest_cache *cache, const struct mirror_files *files,
                          int64_t now);

/* With every file in its place or waiting: makes the staged manifests current in one step,
 * remembers what there is, and tidies up. */
bool mirror_commit(struct mirror *mirror, struct hallmark_error *err);

/* Removes the files and the generations whose time is over, and remembers the manifests as the
 * oldest that will be accepted. Writes nothing where there is nothing to do. */
bool mirror_commit_tidy(struct mirror *mirror, struct hallmark_error *err);

/* The files that OLD or CACHE (NULL: nothing) knows and FILES has not; NOW is the time of those
 * that OLD has not. */
void mirror_commit_retire(struct mirror_retired_list *out, const struct mirror_retired_list *old,
                          const struct digest_cache *cache, const struct mirror_files *files,
                          int64_t now);

#endif
