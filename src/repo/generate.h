/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a directory of packages to the content of a Release: every file is hashed once, every
 * archive opened to its end; what the cache knows of unchanged files is believed.
 */
#ifndef REPO_GENERATE_H
#define REPO_GENERATE_H

#include "base/error.h"
#include "base/strlist.h"
#include "format/release.h"
#include "format/settings.h"
#include "repo/digest_cache.h"
#include "repo/apt_tree.h"
#include "repo/publication.h"

/* What becomes of a package that is broken. */
enum generate_broken { GENERATE_REFUSE, GENERATE_LEAVE_OUT };

struct generate_options {
    const struct hallmark_settings *settings;
    struct publication *before; /* what is published; as apt_tree_new() wants it */
    int spoolfd;                /* likewise */
    int statefd;                /* where the cache of lists of files is; -1: nowhere */
    enum generate_broken broken;
    enum hallmark_sandbox sandbox;
    const char *hash_backend;       /* as in struct hallmark_check_options */
    hallmark_progress_fn *progress; /* bytes hashed, of all bytes that have to be; may be NULL */
    void *ctx;
};

/* What came of it. */
struct generated {
    struct publication_suites suites; /* their releases, without dates */
    struct flat_index index;          /* in the layout plain; empty where there is no .deb */
    struct apt_tree *apt;       /* in the layout apt; what it has pending is not in the releases */
    struct digest_cache *cache; /* of this very tree */
    struct strlist skipped;     /* names that were left out, with the reason */
    size_t n_skipped;           /* all of them: the list is cut */
    struct strlist broken;      /* the reasons for which packages were left out */
    size_t n_broken;            /* likewise */
    uint64_t n_hashed, n_hashed_bytes;
};

/* Walks the tree at ROOTFD and hashes what OLD (may be NULL) does not know. HALLMARK_ERR_MALFORMED
 * for a name that cannot be published, for an archive that is not whole, and for what
 * control_parse() and packages_sort() refuse; HALLMARK_ERR_IO for
 * what cannot be read, or keeps changing while it is. Freed by generate_free(). */
bool generate_release(struct generated *out, int rootfd, struct digest_cache *old,
                      const struct generate_options *options, struct hallmark_error *err);
void generate_free(struct generated *generated);

#endif
