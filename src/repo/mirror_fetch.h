/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files from upstream into the stage, and from there, verified, into the served tree. */
#ifndef REPO_MIRROR_FETCH_H
#define REPO_MIRROR_FETCH_H

#include "crypto/digest.h"
#include "repo/mirror.h"
#include "repo/mirror_tree.h"

/* Files that are wanted from upstream, and what becomes of each. */
struct mirror_batch {
    struct mirror *mirror;
    struct fetch *fetch;
    const struct fetch_item *items;
    const unsigned *hashes; /* of enum digest_algorithms, of each */
    size_t n_items;
    /* All bytes of item I are in FILE, with the hashes FOUND: compares them, and moves the file to
     * where it belongs. HALLMARK_ERR_CONTENT is told to FAILED, any other failure ends the batch.
     */
    bool (*arrived)(void *ctx, size_t i, const struct mirror_loose *file,
                    const struct digest_value *found, struct hallmark_error *err);
    /* Item I cannot be had; false ends the batch. */
    bool (*failed)(void *ctx, size_t i, const struct hallmark_error *why,
                   struct hallmark_error *err);
    void *ctx;
};

/* Fetches a batch, in any order and as parallel as the transport. */
bool mirror_fetch_batch(const struct mirror_batch *batch, struct hallmark_error *err);

/* Compares all files with what is served, and counts what is missing. */
bool mirror_fetch_look(struct mirror *mirror, struct hallmark_error *err);

/* Fetches the files that are missing, and puts each one into its place as soon as it is verified:
 * no manifest that is served lists it yet. One that stands there with other bytes waits in the
 * stage, under the name that mirror_fetch_waiting() gives. Fails with the first file that cannot be
 * had, after all others. */
bool mirror_fetch_missing(struct mirror *mirror, struct hallmark_error *err);

/* The name in the stage of what is to replace FILE, the same in every run; free(3) releases it. */
char *mirror_fetch_waiting(const struct mirror_file *file, struct hallmark_error *err);

/* Copies the open file FD, which must be CONTENT, to NAME in the stage, where there is nothing left
 * on failure. */
bool mirror_fetch_copy(struct mirror *mirror, const struct content *content, int fd,
                       const char *name, struct hallmark_error *err);

#endif
