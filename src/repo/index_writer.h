/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes one index of an apt repository, as a stream, into the stage of a publication: plain and in
 * the compressions that are wanted, each with its size and hashes. The files are durable.
 */
#ifndef REPO_INDEX_WRITER_H
#define REPO_INDEX_WRITER_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "repo/block_cache.h"
#include "system/tree.h"

/* The forms of an index; PLAIN is always written. */
enum index_form { INDEX_PLAIN, INDEX_XZ, INDEX_GZIP, INDEX_ZSTD, INDEX_FORMS };

/* "", ".xz", ".gz", ".zst". */
extern const char *const index_suffixes[INDEX_FORMS];

/* Where the text of an index goes. */
struct index_sink {
    bool (*take)(void *ctx, struct bytes_view text, struct hallmark_error *err);
    void *ctx;
};

struct index_writer_options {
    int stagefd;           /* the directory */
    unsigned forms;        /* a bit of each form beside INDEX_PLAIN */
    unsigned hashes;       /* of enum digest_algorithms */
    unsigned number;       /* that no other index of the stage has */
    const char *path;      /* where it will be published, below the root */
    const char *separator; /* what each unit of its text ends with: "\n", or "\n\n" of stanzas */
    struct block_cache *cache; /* NULL: none */
};

/* One file that was written. */
struct index_written {
    char name[32]; /* in the stage; "" where the form was not wanted */
    uint64_t size;
    struct digest_value digest;
    struct tree_stamp stamp; /* when it was whole */
};

struct index_writer;

struct index_writer *index_writer_open(const struct index_writer_options *options,
                                       struct hallmark_error *err);
bool index_writer_add(struct index_writer *writer, struct bytes_view text,
                      struct hallmark_error *err);
/* The same as a sink. */
struct index_sink index_writer_sink(struct index_writer *writer);
bool index_writer_finish(struct index_writer *writer, struct index_written out[INDEX_FORMS],
                         struct hallmark_error *err);
/* Leaves the files to who clears the stage. Accepts NULL. */
void index_writer_close(struct index_writer *writer);

#endif
