/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * struct hallmark_repository: a repository whose manifest is verified. The public functions are in
 * hallmark.h; what is here is for the other flows.
 */
#ifndef REPO_REPOSITORY_H
#define REPO_REPOSITORY_H

#include "base/bytes.h"
#include "base/error.h"
#include "trust/release_trust.h"

/* Like hallmark_repository_open(), with the trusted keys as bytes (binary public keys) instead of
 * the policy's keyrings. */
struct hallmark_repository *repository_open(const char *location,
                                            const struct hallmark_policy *policy,
                                            struct bytes_view keyring, struct hallmark_error *err);

/* Lent. */
const struct verified_release *repository_release(const struct hallmark_repository *repository);

/* The number of files that the manifest lists, indexes included; and file INDEX as it is lent out,
 * NULL beyond them. hallmark_repository_package() counts packages only. */
size_t repository_count_files(const struct hallmark_repository *repository);
const struct hallmark_package *repository_file(const struct hallmark_repository *repository,
                                               size_t index);

/* Opens what ENTRY lists and compares its size; -1 with HALLMARK_ERR_CONTENT or HALLMARK_ERR_IO. */
int repository_open_package(const struct hallmark_repository *repository,
                            const struct release_entry *entry, struct hallmark_error *err);

/* Told how many bytes of a package have been read. False stops the reading. */
struct repository_sink {
    bool (*take)(void *ctx, const void *data, size_t len, struct hallmark_error *err);
    void *ctx;
};

/* Reads FD, of ENTRY, to its end, gives every byte to SINK, and compares size and hashes. */
bool repository_read_package(const struct hallmark_repository *repository, int fd,
                             const struct release_entry *entry, const struct repository_sink *sink,
                             struct hallmark_error *err);

/* The entry that PACKAGE was made of. */
const struct release_entry *repository_entry(const struct hallmark_repository *repository,
                                             const struct hallmark_package *package);

/* Fails with HALLMARK_ERR_STALE where the manifest has expired since it was opened. */
bool repository_check_fresh(const struct hallmark_repository *repository,
                            struct hallmark_error *err);

#endif
