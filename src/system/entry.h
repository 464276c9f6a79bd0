/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One entry of an archive, and what hallmark-repository(5), "Unpacking", says about it by itself:
 * which types, names, targets and modes there may be. No I/O; the process that writes asks this
 * again about everything that the process that reads tells it.
 */
#ifndef SYSTEM_ENTRY_H
#define SYSTEM_ENTRY_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum entry_kind {
    ENTRY_FILE = 1,
    ENTRY_DIRECTORY,
    ENTRY_SYMLINK,
    ENTRY_HARDLINK,
    ENTRY_DEVICE,
    ENTRY_FIFO,
    ENTRY_SOCKET,
    ENTRY_OTHER,
};

struct entry {
    enum entry_kind kind;
    unsigned mode; /* permission bits */
    int64_t mtime; /* seconds since 1970-01-01 */
    uint32_t mtime_nsec;
    uint64_t size; /* of the file, holes included */
    struct bytes_view path;
    struct bytes_view target; /* of a link */
};

/* Checks the entry and brings it into the form in which it is written: paths (and hard links'
 * targets) without leading "./" and a directory's final "/" (the root itself becomes ""), the mode
 * without what is not granted and with what the owner needs, the mtime within what file systems
 * hold. HALLMARK_ERR_UNSAFE, with the name and the reason: other types than file, directory and
 * link; a size where there is no file; a path that is empty, absolute, has an empty component, "."
 * or "..", is not printable UTF-8 or breaks LIMITS_PATH_BYTES, LIMITS_COMPONENT_BYTES or
 * LIMITS_DEPTH; a link without a target; with HALLMARK_LINKS_INSIDE, a symbolic link that is
 * absolute or leads out of the tree. */
bool entry_check(struct entry *entry, enum hallmark_links links, struct hallmark_error *err);

/* A symbolic link's target that goes down and up again ("a/../b") stays inside only where "a" is a
 * directory and no link, which is for the caller to find out: entry_walk_next() stops at each such
 * directory, path being relative to the tree. False when there is none left. */
struct entry_walk {
    struct bytes path;
    struct bytes_view rest;
    unsigned n_down;
    bool at_crossing;
};

void entry_walk_start(struct entry_walk *walk, const struct entry *entry);
bool entry_walk_next(struct entry_walk *walk);
void entry_walk_end(struct entry_walk *walk);

/* The directory that a path is in: "a/b" of "a/b/c", "" of "c". */
struct bytes_view entry_parent(struct bytes_view path);

#endif
