/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a publisher has published: the manifest that is current in the served tree, and the record
 * of it in the state directory.
 */
#ifndef REPO_PUBLICATION_H
#define REPO_PUBLICATION_H

#include "base/error.h"
#include "base/strlist.h"
#include "crypto/openpgp.h"
#include "format/release.h"
#include "repo/flat_index.h"

struct publication {
    struct release release; /* what Release at the root says; empty where there is none */
    bool has_release;       /* there is one, and it can be parsed */
    struct flat_index index; /* that it lists; empty unless is_intact */
    bool is_intact;  /* all three files and the indexes are what was published last, and in place */
    bool is_settled; /* the record is complete: no run was killed before it was */
    int64_t last_date;      /* the newest Date published ever, as far as is known; 0: none */
    char *signed_by;        /* the fingerprints that signed it, blanks between; NULL: unknown */
};

/* Reads the publication of the served tree ROOTFD and the state directory STATEFD (-1: there is no
 * state yet). Trusts nothing of it: a Release that cannot be parsed counts as none. */
bool publication_load(int rootfd, int statefd, struct publication *out, struct hallmark_error *err);
void publication_free(struct publication *publication);

/* Completes the record of an intact publication after a run that was killed. */
bool publication_settle(int rootfd, int statefd, struct hallmark_error *err);

/* Where and with what a release is published. */
struct publication_target {
    int rootfd, statefd;
    const struct openpgp_signer *signer;
    struct bytes_view keyring; /* SIGNER's public keys, binary */
    int64_t now;               /* the clock, by which the signatures are verified */
};

/* What is published. */
struct publication_content {
    struct release *release;
    const struct flat_index *index; /* that RELEASE lists; empty for none */
};

/* Signs CONTENT's release, verifies the result as a client would who trusts exactly the signer's keys, makes
 * it current, and records it. HALLMARK_ERR_SIGNATURE where signing fails; on any failure what is
 * published stays. */
bool publication_publish(const struct publication_target *target,
                         const struct publication_content *content, struct hallmark_error *err);

#endif
