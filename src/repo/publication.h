/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a publisher has published: the manifests that are current in the served tree, and the record
 * of them in the state directory. The layout plain has one manifest, at the root, the layout apt
 * one for each suite, below dists/; all of them change at once.
 */
#ifndef REPO_PUBLICATION_H
#define REPO_PUBLICATION_H

#include "base/error.h"
#include "base/strlist.h"
#include "crypto/openpgp.h"
#include "format/release.h"
#include "format/settings.h"
#include "repo/flat_index.h"
#include "repo/index_stamps.h"
#include "system/publish.h"

struct publication_suite {
    char *name;             /* "" in the layout plain */
    char *directory;        /* "" or "dists/NAME" */
    struct release release; /* what its Release says; empty where there is none */
    bool has_release;       /* there is one, and it can be parsed */
};

struct publication_suites {
    struct publication_suite *suites;
    size_t n_suites;
};

/* Appends the suite NAME without a release; lent. */
struct publication_suite *publication_add_suite(struct publication_suites *suites,
                                                const char *name);
/* Lent; NULL where there is none. */
const struct publication_suite *publication_find_suite(const struct publication_suites *suites,
                                                       const char *name);
void publication_suites_free(struct publication_suites *suites);

/* Whether both say the same of the same suites but for the dates. */
bool publication_is_same_content(const struct publication_suites *a,
                                 const struct publication_suites *b);

struct publication {
    struct publication_suites suites;
    bool has_release;            /* the first suite has one; they all have the same dates */
    struct flat_index index;     /* of the layout plain; empty unless is_intact */
    struct index_stamps *stamps; /* in the layout apt: of the files that the releases list */
    bool is_intact;  /* all three files of each suite, and in the layout plain the indexes, are what
                        was  published last, and in place */
    bool is_settled; /* the record is complete: no run was killed before it was */
    int64_t last_date; /* the newest Date published ever, as far as is known; 0: none */
    char *signed_by;   /* the fingerprints that signed it, blanks between; NULL: unknown */
    char *packages;    /* how many, in decimal; NULL: unknown */
};

/* Reads the publication of the served tree ROOTFD and the state directory STATEFD (-1: there is no
 * state yet), as SETTINGS lay it out. Trusts nothing of it: a Release that cannot be parsed counts
 * as none. */
bool publication_load(int rootfd, int statefd, const struct hallmark_settings *settings,
                      struct publication *out, struct hallmark_error *err);
void publication_free(struct publication *publication);

/* The release of the first suite. */
const struct release *publication_release(const struct publication *publication);

/* Completes the record of an intact publication after a run that was killed. */
bool publication_settle(int rootfd, int statefd, const struct publication *publication,
                        struct hallmark_error *err);

/* Where and with what a release is published. */
struct publication_target {
    int rootfd, statefd;
    const struct openpgp_signer *signer;
    struct openpgp_signing *signing; /* by SIGNER */
    struct openpgp *keys;            /* SIGNER's public keys */
    int64_t now; /* the clock, by which the signatures are verified, and of KEYS */
};

/* What is published. */
struct publication_content {
    struct publication_suites *suites;
    const struct publish_file *files; /* all that their releases list but packages */
    size_t n_files;
    size_t n_packages; /* for the record */
};

/* Ends what signs and what verifies, if it has not been. */
void publication_target_close(struct publication_target *target);

/* Signs CONTENT's releases, verifies the result as a client would who trusts exactly the signer's
 * keys, closes TARGET, makes the result current, and records it. HALLMARK_ERR_SIGNATURE where
 * signing fails; on any failure what is published stays. */
bool publication_publish(struct publication_target *target,
                         const struct publication_content *content, struct hallmark_error *err);

#endif
