/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a publisher remembers of the files in packages, so that it need not read those again to write
 * Contents: the file "contents" in the state directory, a packed list (format/contents.h) for each
 * package, by the SHA-256 of the package. Whatever is wrong with the file, it is ignored.
 *
 * The file, in the machine's byte order: struct contents_cache_header, a struct contents_cache_record
 * for each package, ascending by the hash, and the lists.
 */
#ifndef REPO_CONTENTS_CACHE_H
#define REPO_CONTENTS_CACHE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/digest.h"

#define CONTENTS_CACHE_FILE "contents"

struct contents_cache_header {
    char magic[16];
    uint64_t n_records;
    uint64_t checksum; /* of the records */
};

struct contents_cache_record {
    unsigned char sha256[DIGEST_SHA256_LEN];
    uint64_t offset;   /* of the list, from the start of the file */
    uint64_t checksum; /* of the list */
    uint32_t len;
    uint32_t unused;
};

struct contents_cache;

enum contents_cache_access { CONTENTS_CACHE_READ, CONTENTS_CACHE_WRITE };

/* The cache in the state directory DIRFD, which must stay open; -1: an empty one. To READ, nothing that
 * is added is kept. WHY says why what is there cannot be used; that is a note, not a failure. */
struct contents_cache *contents_cache_open(int dirfd, enum contents_cache_access access,
                                           struct hallmark_error *why);
void contents_cache_free(struct contents_cache *cache);

/* Whether the list of the package SHA256 is known; then it will be kept. */
bool contents_cache_has(struct contents_cache *cache, const unsigned char *sha256);

/* Adds the LIST of a package. */
bool contents_cache_put(struct contents_cache *cache, const unsigned char *sha256,
                        struct bytes_view list, struct hallmark_error *err);

/* Writes what was added, and what was asked for, to the state directory, atomically and durable, if
 * anything was added. Call it once, before the first contents_cache_get(). */
bool contents_cache_save(struct contents_cache *cache, struct hallmark_error *err);

/* The list of a package, lent. HALLMARK_ERR_IO where it is damaged: the file is removed then, and the
 * next run reads all packages again. */
bool contents_cache_get(const struct contents_cache *cache, const unsigned char *sha256,
                        struct bytes_view *out, struct hallmark_error *err);

#endif
