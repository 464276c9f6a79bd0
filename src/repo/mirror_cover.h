/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of the files that a manifest lists a mirror holds: all of them, or those of some components
 * and architectures; and which names it writes at all.
 */
#ifndef REPO_MIRROR_COVER_H
#define REPO_MIRROR_COVER_H

#include "repo/repository.h"

/* Whether the file at PATH, relative to the manifest, is of the components and architectures that
 * REPOSITORY was opened with. An index is where index_walk() would read it; any other file unless
 * its path names a component or an architecture of the manifest that is not wanted. Never the index
 * of patches to an index (Packages.diff/Index), for the patches are not listed. */
bool mirror_cover_has(const struct hallmark_repository *repository, const char *path);

/* Whether PATH, below the root, may be written: HALLMARK_ERR_MALFORMED where a component of it
 * starts with ".", which is for web servers and for what is ours. */
bool mirror_cover_check_path(const char *path, struct hallmark_error *err);

#endif
