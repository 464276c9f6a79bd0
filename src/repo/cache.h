/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What servers have sent before, in the directory "cache" of a state directory: manifests with
 * their ETags, indexes by their hashes. Nothing in it is trusted: whatever comes out is verified
 * like what comes from a server. What cannot be read or written there only costs time, and is no
 * error.
 */
#ifndef REPO_CACHE_H
#define REPO_CACHE_H

#include "repo/content.h"

struct cache;

/* The cache in STATE_DIR; NULL (which all others accept): nothing is kept. */
struct cache *cache_new(const char *state_dir);
void cache_free(struct cache *cache);

/* A manifest that came from URL: its bytes, appended to OUT, and its validator.
 * False where there is none, or it is damaged. */
bool cache_find_document(const struct cache *cache, const char *url, struct bytes *out,
                         char etag[FETCH_ETAG_LEN]);

/* An open file of the bytes of CONTENT, not verified; -1. */
int cache_find(const struct cache *cache, const struct content *content);

/* Remembers what is to be kept; FD is copied, and nobody changes the file. Nothing is written. */
void cache_add_document(struct cache *cache, const char *url, const char *etag,
                        struct bytes_view text);
void cache_add(struct cache *cache, const struct content *content, int fd);

/* Writes what was added, and removes the oldest files beyond LIMITS_CACHE_BYTES. */
void cache_save(struct cache *cache);

#endif
