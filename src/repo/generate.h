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
#include "repo/flat_index.h"

struct generate_options {
    const struct hallmark_settings *settings;
    const struct flat_index *published; /* what was published last; may be empty */
    enum hallmark_sandbox sandbox;
    hallmark_progress_fn *progress; /* bytes hashed, of all bytes that have to be; may be NULL */
    void *ctx;
};

/* What came of it. */
struct generated {
    struct release release;     /* without dates */
    struct flat_index index;    /* that it lists; empty where there is no .deb */
    struct digest_cache *cache; /* of this very tree */
    struct strlist skipped;     /* names that were left out, with the reason */
    size_t n_skipped;           /* all of them: the list is cut */
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
