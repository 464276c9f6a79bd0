/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 of many files that will be asked for one after another: some thousand are hashed at once,
 * the largest first, by all processors. What it says of a file is a first opinion: who does not
 * like it, or gets none, reads the file as if there were none. When a function returns, no thread
 * is left.
 */
#ifndef REPO_HASH_AHEAD_H
#define REPO_HASH_AHEAD_H

#include "crypto/digest_batch.h"
#include "system/tree.h"

struct hash_ahead_file {
    size_t index;  /* the caller's number of it */
    uint64_t size; /* of another size, it is not hashed */
    bool is_hashed;
    struct tree_stamp stamp; /* from before it was read */
    int64_t hashed_at;       /* as in struct digest_cache_record */
    unsigned char sha256[DIGEST_SHA256_LEN];
};

struct hash_ahead_options {
    enum sha256_lanes_kind kind;
    int (*open)(void *ctx, size_t index);          /* in any thread; -1: it is left out */
    void (*progress)(void *ctx, uint64_t n_bytes); /* hashed in this turn; in the caller's thread */
    void *ctx;
};

struct hash_ahead;

struct hash_ahead *hash_ahead_new(const struct hash_ahead_options *options);
/* Files are added in ascending order of INDEX, before any is asked for. */
void hash_ahead_add(struct hash_ahead *ahead, size_t index, uint64_t size);
/* What is known of file INDEX; they are asked for in ascending order. NULL: nothing. Lent until the
 * next call. */
const struct hash_ahead_file *hash_ahead_find(struct hash_ahead *ahead, size_t index);
void hash_ahead_free(struct hash_ahead *ahead);

#endif
