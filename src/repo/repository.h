/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * struct hallmark_repository: a repository whose manifest is verified. The public functions are in
 * hallmark.h; what is here is for the other flows.
 */
#ifndef REPO_REPOSITORY_H
#define REPO_REPOSITORY_H

#include <time.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/strlist.h"
#include "repo/bundle.h"
#include "repo/cache.h"
#include "repo/content.h"
#include "repo/failover.h"
#include "repo/place.h"
#include "system/package.h"
#include "trust/release_trust.h"

struct index_find_memory;

struct contents {
    struct content **items;
    size_t n_items, cap;
};

struct hallmark_repository {
    struct place place;
    struct failover *failover; /* the other locations, and that one */
    struct bundle *bundle;     /* where it is one; else NULL */
    struct cache *cache;       /* of what came over a network; NULL: nothing is kept */
    struct strlist remembered; /* the URLs under which the manifest is remembered */
    struct strlist revoked;    /* keys that were seen revoked at any time */
    struct verified_release *verified;
    struct bytes document,
        signature; /* as the server has them: InRelease, or Release and its own */
    struct hallmark_manifest manifest;
    struct hallmark_signature *signatures;
    char user_ids[LIMITS_SIGNATURES][512]; /* escaped */
    bool is_archive;                       /* indexes alone say where packages are */
    bool has_indexes;                      /* of packages */
    struct strlist components;             /* which indexes are wanted; none: all */
    struct strlist architectures;
    struct content **files;          /* of each entry of the release, made when first asked for */
    struct contents *lent;           /* packages of indexes that were lent out */
    struct index_find_memory *found; /* of indexes that packages were looked for in */
    struct package_reader *reader;   /* decompresses indexes */
    char *state_dir;                 /* NULL: nothing is remembered */
    int64_t now;                     /* of the policy, when the repository was opened */
    struct timespec opened;          /* at that moment, CLOCK_MONOTONIC */
};

/* Like hallmark_repository_open(), with the trusted keys as bytes (binary public keys) instead of
 * the policy's keyrings, and the manifest from LOCATION alone. */
struct hallmark_repository *repository_open(const char *location,
                                            const struct hallmark_policy *policy,
                                            struct bytes_view keyring, struct hallmark_error *err);

/* Keys that several repositories are opened with, by one clock: the policies have the same now and
 * clock_skew. */
struct repository_keys {
    struct bytes_view keyring;
    struct openpgp *session; /* NULL: opened when it is needed; openpgp_close() is the caller's */
    bool remembers;          /* copies of the same manifest will be opened (openpgp_remember()) */
};
struct hallmark_repository *repository_open_with(const char *location,
                                                 const struct hallmark_policy *policy,
                                                 struct repository_keys *keys,
                                                 struct hallmark_error *err);

/* Lent. */
const struct verified_release *repository_release(const struct hallmark_repository *repository);

/* The number of files that the manifest lists, indexes included; and file INDEX as it is lent out,
 * NULL beyond them. */
size_t repository_count_files(const struct hallmark_repository *repository);
const struct content *repository_file(const struct hallmark_repository *repository, size_t index);

/* File INDEX, which is there, for content_free(); and what it is, without making it. */
struct content *repository_make_file(const struct hallmark_repository *repository, size_t index);
enum content_kind repository_file_kind(const struct hallmark_repository *repository, size_t index);

/* Takes CONTENT over and lends it out until the repository is closed. */
const struct content *repository_keep(const struct hallmark_repository *repository,
                                      struct content *content);

/* Fails with HALLMARK_ERR_STALE where the manifest has expired since it was opened. */
bool repository_check_fresh(const struct hallmark_repository *repository,
                            struct hallmark_error *err);

#endif
