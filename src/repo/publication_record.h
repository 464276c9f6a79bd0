/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file "state" of a publisher's state directory: what was published last.
 */
#ifndef REPO_PUBLICATION_RECORD_H
#define REPO_PUBLICATION_RECORD_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum { PUBLICATION_DOCUMENTS = 3 };

/* "Release", "Release.gpg", "InRelease". */
extern const char *const publication_record_documents[PUBLICATION_DOCUMENTS];

/* What was published. */
struct publication_record {
    int64_t date;                         /* 0: nothing */
    char *digests[PUBLICATION_DOCUMENTS]; /* SHA-256 of each document, hexadecimal */
    char *signed_by;
    char *packages; /* how many, in decimal; NULL: unknown */
};

/* The file. NEXT is written before what it records is published, so that a run that is killed in
 * between leaves nothing that is not known. */
enum { PUBLICATION_PUBLISHED, PUBLICATION_NEXT, PUBLICATION_RECORDS };

struct publication_state {
    struct publication_record records[PUBLICATION_RECORDS];
};

/* Reads the file; STATEFD -1, and no file, give an empty state. HALLMARK_ERR_MALFORMED. */
bool publication_record_state_load(int statefd, struct publication_state *out,
                                   struct hallmark_error *err);
bool publication_record_state_save(int statefd, const struct publication_state *state,
                                   struct hallmark_error *err);
void publication_record_state_free(struct publication_state *state);
void publication_record_free(struct publication_record *record);

/* Whether both have the same three digests; what has not all of them is not the same as anything.
 */
bool publication_record_is_same(const struct publication_record *a,
                                const struct publication_record *b);

/* The SHA-256 of DATA as text, which free(3) releases. */
char *publication_record_digest(struct bytes_view data, struct hallmark_error *err);

#endif
