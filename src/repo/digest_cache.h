/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a publisher remembers of the files it hashed, so that it need not read them again: the file
 * "cache" in the state directory. Whatever is wrong with that file, it is ignored and everything is
 * hashed again. A new cache is built in each run, so vanished paths drop out.
 *
 * The file, in the machine's byte order: struct digest_cache_header, then the records, each of
 * struct digest_cache_fixed, the SHA-512 where there is one, the path, and a NUL; ascending by
 * path.
 */
#ifndef REPO_DIGEST_CACHE_H
#define REPO_DIGEST_CACHE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "system/package.h"
#include "system/tree.h"

#define DIGEST_CACHE_FILE "cache"

/* A file can change once more without a change of its stamp while the file system's clock stands
 * still: one tick (up to 10 ms) on most, 2 s on FAT. So what had changed less than this before its
 * hashing began is not believed: git's "racy" problem. */
#define DIGEST_CACHE_RACY_NS 2000000000LL

/* Records of at most 200 bytes each, and paths of 100 on average. */
#define DIGEST_CACHE_MAX_BYTES (LIMITS_TREE_FILES * 300L)

/* What is known of one file. */
struct digest_cache_record {
    struct tree_stamp stamp;
    int64_t hashed_at;   /* CLOCK_REALTIME when hashing began, nanoseconds since 1970-01-01 */
    unsigned algorithms; /* of enum digest_algorithms: DIGEST_SHA256 at least */
    struct digest_value digest;
    bool is_checked;              /* the package was read to its end and is whole */
    struct package_totals totals; /* zero unless it is */
};

/* Two caches compared. */
enum digest_cache_difference {
    DIGEST_CACHE_SAME,    /* but for the times of hashing, which serve nothing */
    DIGEST_CACHE_FRESHER, /* likewise, and the new one believes more: files that were too new before
                           */
    DIGEST_CACHE_CHANGED, /* other files, stamps, or digests */
};

struct digest_cache;

/* An empty cache to put records into. */
struct digest_cache *digest_cache_new(void);
/* Likewise, which keeps only those records in memory that differ from those of BASE (NULL: none),
 * and must not be used any more, but be freed, once that is freed. BASE follows no other. */
struct digest_cache *digest_cache_follow(const struct digest_cache *base);
void digest_cache_free(struct digest_cache *cache);

/* The cache in the state directory DIRFD. NULL where there is none, or none that can be used: then
 * WHY says so, and it is a note, not a failure. */
struct digest_cache *digest_cache_load(int dirfd, struct hallmark_error *why);

/* Writes CACHE to the state directory, atomically and durable. */
bool digest_cache_save(struct digest_cache *cache, int dirfd, struct hallmark_error *err);

/* The same from and to bytes, which are appended; DATA is taken over if this succeeds.
 * HALLMARK_ERR_MALFORMED. */
struct digest_cache *digest_cache_parse(struct bytes *data, struct hallmark_error *err);
void digest_cache_write(struct digest_cache *cache, struct bytes *out);

/* What is known of PATH: only if it was hashed with this very STAMP, of which both times lay
 * DIGEST_CACHE_RACY_NS before the hashing. CACHE may be NULL. Fast where paths are asked for in
 * ascending order. */
bool digest_cache_find(struct digest_cache *cache, const char *path, const struct tree_stamp *stamp,
                       struct digest_cache_record *out);

/* Has digest_cache_find() no longer tell of PERCENT of the records, at least one, those that were
 * hashed the longest ago: so their files are read again. Run for run, all have their turn. */
void digest_cache_scrub(struct digest_cache *cache, unsigned percent);

/* Whether RECORD, of PATH as it was just read, agrees with CACHE, which may be NULL: other bytes
 * under the same stamp are a disk's fault, or somebody's. HALLMARK_ERR_CONTENT. */
bool digest_cache_check(const struct digest_cache *cache, const char *path,
                        const struct digest_cache_record *record, struct hallmark_error *err);

/* Adds what is known of PATH. Paths are put in ascending order of their bytes; one that is not
 * greater than the last, and what goes beyond the limits, is left out, and false returned: it will
 * be hashed again. */
bool digest_cache_put(struct digest_cache *cache, const char *path,
                      const struct digest_cache_record *record);

/* In what OLD, which may be NULL, and NEW differ. */
enum digest_cache_difference digest_cache_compare(const struct digest_cache *old,
                                                  const struct digest_cache *new);

size_t digest_cache_count(const struct digest_cache *cache);

/* The path of record INDEX, in ascending order; NULL beyond the last, and where CACHE is NULL. */
const char *digest_cache_path(const struct digest_cache *cache, size_t index);

#endif
