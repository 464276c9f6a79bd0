/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a publisher remembers of the compressed blocks of the indexes that it published: the file
 * "blocks" in the state directory. It has the hash of each block and of the text that the block was
 * made of, and where the block is in what is published; the bytes are taken from there, and only if
 * they have that hash. Whatever is wrong costs time and nothing else.
 *
 * The file: a line that names format and compressors, then one for each block: form, hash of the
 * text, hash of the block, offset, length, path below the root. In the order of paths and offsets.
 */
#ifndef REPO_BLOCK_CACHE_H
#define REPO_BLOCK_CACHE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/digest.h"

#define BLOCK_CACHE_FILE "blocks"

/* Of 100,000 indexes of one block each, or of one with 100 GB. */
#define BLOCK_CACHE_MAX_BYTES (32 * 1024 * 1024)

struct block_cache;

/* The cache in the state directory STATEFD, of what is published at ROOTFD; both stay open. An
 * empty one where there is none that can be used. */
struct block_cache *block_cache_load(int statefd, int rootfd);
void block_cache_free(struct block_cache *cache);

/* Appends to OUT the block of FORM that was made of the text with the hash KEY. False where it is
 * not known, or no longer what it was. */
bool block_cache_find(struct block_cache *cache, unsigned form,
                      const unsigned char key[DIGEST_SHA256_LEN], struct bytes *out);

/* Where a block is. */
struct block_cache_place {
    unsigned file; /* as block_cache_start() said */
    unsigned form;
    uint64_t offset;
};

/* The file at PATH is made anew: what it had is forgotten when this is saved. Gives its number. */
unsigned block_cache_start(struct block_cache *cache, const char *path);
/* Remembers that BLOCK is at PLACE. */
bool block_cache_add(struct block_cache *cache, const struct block_cache_place *place,
                     const unsigned char key[DIGEST_SHA256_LEN], struct bytes_view block,
                     struct hallmark_error *err);

/* To be called when the new files are published. Writes nothing where nothing was started. */
bool block_cache_save(struct block_cache *cache, struct hallmark_error *err);

/* For block_cache_load(): the records of TEXT. HALLMARK_ERR_MALFORMED. */
struct block_cache *block_cache_parse(struct bytes_view text, struct hallmark_error *err);

#endif
