/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts that are collected in a run: in memory while they are few, then in a file without a name,
 * which nobody else can open.
 */
#ifndef REPO_SPOOL_H
#define REPO_SPOOL_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

struct spool;

/* The file will be in the directory DIRFD, which must stay open. */
struct spool *spool_new(int dirfd);
void spool_free(struct spool *spool);

/* Appends TEXT; *OFFSET tells where it is. */
bool spool_add(struct spool *spool, struct bytes_view text, uint64_t *offset,
               struct hallmark_error *err);
bool spool_read(struct spool *spool, uint64_t offset, char *to, size_t len,
                struct hallmark_error *err);
/* Lends LEN bytes at OFFSET until the next call, fast where those behind are wanted next. NULL with
 * an error. */
const char *spool_lend(struct spool *spool, uint64_t offset, size_t len,
                       struct hallmark_error *err);

#endif
