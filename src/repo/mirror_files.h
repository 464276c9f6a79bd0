/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a mirror that stand under their own names in the served tree: packages, sources, and
 * what else a plain manifest lists. Which of them are there, and what is remembered of their
 * hashes.
 */
#ifndef REPO_MIRROR_FILES_H
#define REPO_MIRROR_FILES_H

#include "repo/content.h"
#include "repo/digest_cache.h"

/* What there is in the served tree. */
enum mirror_fate {
    MIRROR_MISSING,
    MIRROR_WRONG, /* a file with another size or hash */
    MIRROR_GOOD,
};

struct mirror_file {
    char *path;
    const char *said_by; /* as in struct content */
    uint64_t size;
    unsigned hashes; /* of enum release_hashes; never 0 */
    unsigned char sha256[RELEASE_SHA256_LEN], sha512[RELEASE_SHA512_LEN];
    enum mirror_fate fate;
    struct tree_stamp stamp; /* of a good one, with the time of hashing as the cache wants it */
    int64_t hashed_at;
};

struct mirror_files {
    struct mirror_file *files; /* once sorted, by the bytes of path */
    size_t n_files, cap;
};

/* Adds what a manifest or an index lists. HALLMARK_ERR_MALFORMED: without strong hashes, a name
 * that a mirror does not write, LIMITS_MIRROR_FILES. */
bool mirror_files_add(struct mirror_files *files, const struct content *content,
                      struct hallmark_error *err);

/* Sorts, and keeps one of those that are the same. HALLMARK_ERR_CONTENT where two are not. */
bool mirror_files_sort(struct mirror_files *files, struct hallmark_error *err);
void mirror_files_free(struct mirror_files *files);

/* FILE as content, for content_open() and content_read(). Freed by content_free(). */
struct content *mirror_files_content(const struct mirror_file *file);

struct mirror_look {
    int rootfd;                 /* -1: there is nothing yet */
    struct digest_cache *cache; /* NULL: nothing is known */
    struct content_sink sink;   /* given all bytes that are read */
    uint64_t n_hashed;          /* counted */
};

/* Finds out the fate of each file. HALLMARK_ERR_USAGE where something stands at a path that is no
 * file, HALLMARK_ERR_IO. */
bool mirror_files_look(struct mirror_files *files, struct mirror_look *how,
                       struct hallmark_error *err);

/* FILE has just been put into its place, by a rename out of a directory that is ours alone. */
void mirror_files_placed(struct mirror_file *file, const struct tree_stamp *stamp);

/* What is known of all that are good. */
struct digest_cache *mirror_files_cache(const struct mirror_files *files);

#endif
