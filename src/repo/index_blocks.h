/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cuts the text of an index into blocks at places that depend on what stands there, so that a
 * change in one place changes one block or two; and compresses those blocks that are not known
 * already, at the same time.
 */
#ifndef REPO_INDEX_BLOCKS_H
#define REPO_INDEX_BLOCKS_H

#include "repo/block_cache.h"
#include "system/compress_block.h"

/* What comes out, block by block, in the order of the text: the text itself, then each wanted form
 * of it. */
struct index_blocks_sink {
    bool (*take_text)(void *ctx, struct bytes_view text, struct hallmark_error *err);
    bool (*take_block)(void *ctx, unsigned form, const unsigned char key[DIGEST_SHA256_LEN],
                       struct bytes_view block, struct hallmark_error *err);
    void *ctx;
};

enum { INDEX_BLOCKS_FORMS = 4 };

struct index_blocks_options {
    unsigned forms; /* a bit for each wanted form */
    enum compress_method methods[INDEX_BLOCKS_FORMS];
    const char *separator;     /* what each unit of the text ends with; blocks are whole units */
    struct block_cache *cache; /* NULL: none */
    struct index_blocks_sink sink;
};

struct index_blocks;

struct index_blocks *index_blocks_open(const struct index_blocks_options *options,
                                       struct hallmark_error *err);
bool index_blocks_add(struct index_blocks *blocks, struct bytes_view text,
                      struct hallmark_error *err);
bool index_blocks_finish(struct index_blocks *blocks, struct hallmark_error *err);
void index_blocks_close(struct index_blocks *blocks);

#endif
