/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A compressed file that is a sequence of blocks, each of which was compressed by itself and so can
 * be used again: members of gzip, frames of zstd, blocks of a single xz stream. The same text gives
 * the same bytes. There is at least one block, be it of no text.
 */
#ifndef SYSTEM_COMPRESS_BLOCK_H
#define SYSTEM_COMPRESS_BLOCK_H

#include "system/compress.h"

/* The text of a block has at most this many bytes: the dictionary of xz, for which its writer needs
 * twelve times as much. */
enum { COMPRESS_BLOCK_MAX = 2 * 1024 * 1024 };

/* What makes bytes out of text: another one may make others. One line. */
const char *compress_block_maker(void);

/* Appends the block of TEXT to OUT. Threads may do this at the same time. */
bool compress_block(enum compress_method method, struct bytes_view text, struct bytes *out,
                    struct hallmark_error *err);

/* What is around the blocks. */
struct compress_block_frame;

/* Starts a file; its first bytes are appended to OUT. */
struct compress_block_frame *compress_block_start(enum compress_method method, struct bytes *out,
                                                  struct hallmark_error *err);
/* BLOCK comes next. HALLMARK_ERR_MALFORMED where it is no block: nothing is noted then. */
bool compress_block_add(struct compress_block_frame *frame, struct bytes_view block,
                        struct hallmark_error *err);
/* Appends the last bytes to OUT. */
bool compress_block_end(struct compress_block_frame *frame, struct bytes *out,
                        struct hallmark_error *err);
void compress_block_free(struct compress_block_frame *frame);

#endif
