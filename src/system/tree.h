/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files below a directory, found without following a link. Decides nothing about them.
 */
#ifndef SYSTEM_TREE_H
#define SYSTEM_TREE_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/strlist.h"

/* What tells one state of a file from another. Nanoseconds since 1970-01-01. */
struct tree_stamp {
    uint64_t device, inode, size;
    int64_t mtime, ctime;
};

/* How many skipped names are kept for a report that a person reads. */
enum { TREE_SKIPPED_MAX = 1000 };

struct tree_file {
    char *path; /* relative to the root; path_check() has accepted it */
    struct tree_stamp stamp;
};

struct tree {
    struct tree_file *files; /* regular files, sorted by the bytes of path */
    size_t n_files, files_cap;
    struct arena paths;      /* what these point into */
    struct strlist skipped; /* hidden, excluded, and symbolic links, with the reason, escaped:
                               "a (hidden)"; the first TREE_SKIPPED_MAX of them */
    size_t n_skipped;       /* all of them */
};

struct tree_options {
    const char *below;             /* the one directory at the root to walk; NULL: the root */
    const struct strlist *exclude; /* glob(7) patterns (fnmatch(3) with FNM_PATHNAME) for paths; a
                                      pattern without "/" is for the last component, one that fits a
                                      directory for all below it; may be NULL, like the others */
    const char *const *reserved;   /* NULL-terminated names that nothing at the root may have in any
                                      case of its letters, other than as WRITTEN says:
                                      HALLMARK_ERR_MALFORMED */
    const char *const
        *written;     /* NULL-terminated names at the root that are passed over silently */
    size_t max_files; /* 0: LIMITS_TREE_FILES */
};

/* Walks the tree at ROOTFD, or the directory BELOW in it, which need not be there; paths are
 * relative to ROOTFD. Skips names that start with ".", before any check, then what is excluded, and
 * symbolic links; what disappears meanwhile is not there. HALLMARK_ERR_MALFORMED, naming it: a name
 * that path_check() refuses, a reserved name, something that is neither file, directory nor link,
 * LIMITS_DEPTH, MAX_FILES. HALLMARK_ERR_IO, naming it: what cannot be read,
 * HALLMARK_ERR_USAGE: a pattern that fnmatch(3) cannot use. The walk is in the order of names, so
 * the same tree gives the same error. Another file system's directory is walked like any other.
 * *OUT is empty, or was freed, before the call. */
bool tree_scan(struct tree *out, int rootfd, const struct tree_options *options,
               struct hallmark_error *err);
void tree_free(struct tree *tree);

/* The stamp out of what fstat(2) gave. */
void tree_stamp_from(struct tree_stamp *out, const struct stat *st);
bool tree_stamp_is_equal(const struct tree_stamp *a, const struct tree_stamp *b);

#endif
