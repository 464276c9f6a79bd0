/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of a repository that is not on this machine, compared with what is signed: many are fetched
 * at the same time, hashed while they come, and kept nowhere. One that a location does not have right
 * is asked of the next one.
 */
#ifndef REPO_CHECK_REMOTE_H
#define REPO_CHECK_REMOTE_H

#include "repo/repository.h"

struct check_remote_options {
    const struct hallmark_repository *repository;
    /* Told each file once, in the order in which they were added; PROBLEM is NULL where it is good. */
    void (*each)(void *ctx, const struct content *content, const struct hallmark_error *problem);
    /* Told the bytes that came; a negative number is void. */
    void (*progress)(void *ctx, int64_t n_bytes);
    void *ctx;
};

struct check_remote;

struct check_remote *check_remote_new(const struct check_remote_options *options);
/* CONTENT is copied. It may be fetched now or later. */
void check_remote_add(struct check_remote *remote, const struct content *content);
/* Fetches what was added and was not fetched yet. */
void check_remote_flush(struct check_remote *remote);
void check_remote_free(struct check_remote *remote);

#endif
