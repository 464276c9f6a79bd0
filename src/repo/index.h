/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The indexes that a verified manifest lists: which ones are wanted, and what they hold. What is
 * decompressed was compared with its hash before, and what comes out is compared as well.
 */
#ifndef REPO_INDEX_H
#define REPO_INDEX_H

#include "format/index_path.h"
#include "repo/repository.h"

/* Which indexes a walk reads; those of the user's components and architectures among them. */
enum index_tier {
    INDEX_TIER_OWN, /* at the root, and of the architectures that packages are looked for first */
    INDEX_TIER_OTHERS, /* of other architectures */
    INDEX_TIER_SOURCES,
    INDEX_TIER_PACKAGES, /* all three */
    INDEX_TIER_SIZES,    /* Unpacked-Sizes, which lists no packages */
};

/* What to do where no file of a wanted index is there. */
enum index_absence { INDEX_MUST_BE_THERE, INDEX_MAY_BE_ABSENT };

struct index_walk {
    enum index_tier tier;
    const char *architecture; /* that of INDEX_TIER_OWN */
    const char *beside; /* a path below the root: only those in its directory; NULL: all */
    enum index_absence absence;
    struct package_index_sink sink; /* given each package of the wanted architectures */
    /* Told of an index that is not good; the walk goes on. NULL: it fails. */
    void (*problem)(void *ctx, const struct content *index, const struct hallmark_error *err);
    void *problem_ctx;
    size_t n_read, n_absent; /* indexes; filled in */
};

/* Reads the wanted indexes one after another. Fails with the first that is not good: what the sink
 * took of it is not to be used then. HALLMARK_ERR_CONTENT: missing, or another size or hash, before
 * or after decompression; HALLMARK_ERR_MALFORMED: cannot be decompressed or parsed, or is listed
 * only compressed; HALLMARK_ERR_IO; what the sink sets. */
bool index_walk(const struct hallmark_repository *repository, struct index_walk *walk,
                struct hallmark_error *err);

/* Whether the manifest lists any index of packages. */
bool index_exists(const struct hallmark_repository *repository);

/* Whether INDEX is of a wanted component and architecture. */
bool index_is_wanted(const struct hallmark_repository *repository, const struct index_path *index);

/* Whether an option narrows what is wanted. */
bool index_is_narrowed(const struct hallmark_repository *repository);

/* Whether RELEASE is the manifest of an archive: it lists an index that is not at the root. */
bool index_is_archive(const struct release *release);

#endif
