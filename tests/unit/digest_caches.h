/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Caches of digests for the tests. */
#ifndef TESTS_UNIT_DIGEST_CACHES_H
#define TESTS_UNIT_DIGEST_CACHES_H

#include <string.h>

#include "repo/digest_cache.h"

static const int64_t hour = 3600 * 1000000000LL;
static const int64_t noon = 1700000000 * 1000000000LL;

/* A record of a file that had not changed for an hour when it was hashed. */
static inline struct digest_cache_record record_of(unsigned char seed)
{
    struct digest_cache_record record = {
        .stamp = {.device = 1, .inode = seed, .size = seed * 1000U, .mtime = noon, .ctime = noon},
        .hashed_at = noon + hour,
        .algorithms = DIGEST_SHA256,
    };

    memset(record.digest.sha256, seed, sizeof record.digest.sha256);
    return record;
}

static inline void put(struct digest_cache *cache, const char *path, unsigned char seed)
{
    struct digest_cache_record record = record_of(seed);

    assert_true(digest_cache_put(cache, path, &record));
}

static inline struct digest_cache *three(void)
{
    struct digest_cache *cache = digest_cache_new();

    put(cache, "a", 1);
    put(cache, "b/c", 2);
    put(cache, "d", 3);
    return cache;
}

static inline bool finds(struct digest_cache *cache, const char *path, unsigned char seed)
{
    struct digest_cache_record wanted = record_of(seed), found;

    return digest_cache_find(cache, path, &wanted.stamp, &found) &&
           memcmp(found.digest.sha256, wanted.digest.sha256, sizeof found.digest.sha256) == 0;
}

#endif
