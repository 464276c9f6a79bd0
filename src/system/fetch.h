/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a repository's bytes come from. Today a local directory or a file:// URL (RFC 8089); other
 * transports join here. Nothing that comes out of it is trusted.
 */
#ifndef SYSTEM_FETCH_H
#define SYSTEM_FETCH_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

struct fetch;

/* Opens LOCATION: a directory, or a regular file in one (then fetch_file() names it).
 * HALLMARK_ERR_USAGE for a URL that is not supported or not well formed, HALLMARK_ERR_IO where
 * there is nothing. */
struct fetch *fetch_open(const char *location, struct hallmark_error *err);
void fetch_close(struct fetch *fetch);

/* The canonical URL of the directory: the same for every way to write it. Lent. */
const char *fetch_url(const struct fetch *fetch);

/* The name of the file that LOCATION meant; NULL where it was a directory. Lent. */
const char *fetch_file(const struct fetch *fetch);

/* Reads the document NAME of at most MAX_LEN bytes. Where there is none, *EXISTS becomes false and
 * the call succeeds. */
bool fetch_document(struct fetch *fetch, const char *name, size_t max_len, struct bytes *out,
                    bool *exists, struct hallmark_error *err);

/* Whether there is a regular file NAME. */
bool fetch_has(struct fetch *fetch, const char *name);

/* The names of the directories in the directory NAME, in no order, without those that start with
 * "."; none where there is no such directory. HALLMARK_ERR_IO. */
bool fetch_list(struct fetch *fetch, const char *name, struct strlist *out,
                struct hallmark_error *err);

/* Opens the index NAME, which may be a link like the manifest itself; where BY_HASH is not NULL,
 * under that name if it is there: it stays the same when a newer index is published. Errors as
 * below. */
int fetch_index(struct fetch *fetch, const char *name, const char *by_hash,
                struct hallmark_error *err);

/* Opens the file at PATH, which path_check() has accepted, for reading; no link is followed.
 * HALLMARK_ERR_CONTENT where it is missing or no regular file: a manifest lists it. */
int fetch_package(struct fetch *fetch, const char *path, struct hallmark_error *err);

#endif
