/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The served tree of a mirror, into which files are put one by one: no link in it is followed. */
#ifndef REPO_MIRROR_TREE_H
#define REPO_MIRROR_TREE_H

#include "base/error.h"
#include "system/tree.h"

/* Opens the directory that holds the last component of PATH (which path_check() has accepted) below
 * ROOTFD, making those that are missing, mode 0755. HALLMARK_ERR_USAGE where something else is in
 * the way. */
int mirror_tree_open_parent(int rootfd, const char *path, struct hallmark_error *err);

/* A file that is not in its place yet: NAME in DIRFD; or FD, which has no name
 * (file_open_nameless()), and may have that one for a moment. */
struct mirror_loose {
    int dirfd;
    const char *name;
    int fd; /* -1: it has that name */
};

/* Moves the file to PATH, replacing what is there, and tells its stamp there. */
bool mirror_tree_place(int rootfd, const struct mirror_loose *file, const char *path,
                       struct tree_stamp *out, struct hallmark_error *err);

/* Likewise, where PARENT is the directory that it goes into. */
bool mirror_tree_place_in(int parent, const struct mirror_loose *file, const char *path,
                          struct tree_stamp *out, struct hallmark_error *err);

/* Removes the regular file at PATH, if there is one, and the directories above it that are empty
 * then. *REMOVED says whether there was one. HALLMARK_ERR_IO where it cannot be removed, or looked
 * at. */
bool mirror_tree_remove(int rootfd, const char *path, bool *removed, struct hallmark_error *err);

#endif
