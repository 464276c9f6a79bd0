/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Generations of the published manifest in a served tree, of which one is current, switched by one
 * rename(2).
 *
 *   ROOT/.hallmark/00000012/{Release,Release.gpg,InRelease,by-hash/SHA256/...}
 *   ROOT/.hallmark/current -> 00000012
 *   ROOT/Release -> .hallmark/current/Release, ROOT/by-hash -> .hallmark/current/by-hash, and so on
 *   ROOT/dists -> .hallmark/current/dists
 *
 * What is below any by-hash is named by its content, and so can stay beside what is newer. The
 * caller holds the repository's lock.
 */
#ifndef SYSTEM_PUBLISH_H
#define SYSTEM_PUBLISH_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* A file of a generation. Two that are given the same memory become one file with two names. */
struct publish_file {
    const char *name; /* "InRelease", or below a directory: "by-hash/SHA256/..." */
    struct bytes_view data;
    int64_t mtime; /* what a web server calls Last-Modified; 0: the time of writing */
    /* Instead of DATA: the name of a file in the stage, which is moved; two that are given the same
     * one become one file with two names. Or the file of this name in the current generation. */
    const char *staged;
    bool is_carried;
};

/* Makes a new generation of FILES current: staged completely, synced, and switched to by one
 * rename, so that every reader, and every crash, sees all files of the old generation or all of the
 * new one; on return it is durable. Where plain files of these names (of another tool, or of
 * somebody's hand) stand at the root, they first become a generation of their own, which no reader
 * notices; a directory where we publish one (but by-hash) is exchanged with our link in one step,
 * and is in PUBLISH_TAKEN_OVER from then on. HALLMARK_ERR_USAGE where the file system cannot do
 * that, or there is one already. Links of ours at the root that the new generation has no file for
 * are removed. Below by-hash, the files of the generations that are still there are taken over:
 * those that are another name of a file of the generation that is not below by-hash. On failure
 * what is published is as before and nothing staged is left. */
#define PUBLISH_TAKEN_OVER ".hallmark/taken-over"
bool publish_commit(int rootfd, const struct publish_file *files, size_t n_files,
                    struct hallmark_error *err);

/* Finds out whether the links at the root and the current generation's link are in place for all
 * NAMES, and the current generation has them, so that what a reader gets is the current generation;
 * and none of our links leads nowhere. HALLMARK_ERR_IO where that cannot be found out. */
bool publish_check(int rootfd, const char *const *names, size_t n_names, bool *is_intact,
                   struct hallmark_error *err);

/* Removes what crashed runs left. Writes nothing where they left nothing. */
bool publish_clean(int rootfd, struct hallmark_error *err);

/* Removes what crashed runs left, and generations beyond the newest KEEP (the current one counts)
 * that were superseded more than KEEP_SECONDS before NOW, which is when the next one was made: a
 * reader who resolved the link just before the switch still finds his files. Never the current one.
 * *N_REMOVED counts. */
bool publish_prune(int rootfd, size_t keep, int64_t keep_seconds, int64_t now, size_t *n_removed,
                   struct hallmark_error *err);

#endif
