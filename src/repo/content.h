/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that a verified manifest, or an index that it lists, tells size and hashes of: opened,
 * read, and compared with them.
 */
#ifndef REPO_CONTENT_H
#define REPO_CONTENT_H

#include "format/package_index.h"
#include "format/release.h"
#include "system/fetch.h"

enum content_kind {
    CONTENT_PACKAGE,  /* opened without following links */
    CONTENT_METADATA, /* an index, and whatever else an archive's manifest lists: may be a link */
};

struct content {
    struct hallmark_package
        package; /* as it is lent out; its path is below the repository's root */
    enum content_kind kind;
    const char *said_by; /* who tells the hashes, for messages: "the manifest" */
    char *by_hash;       /* another path of an index; NULL: none */
    char *index;         /* the path of the index that says it; NULL: the manifest */
    unsigned hashes;     /* of enum release_hashes; 0 where only weak ones are known */
    unsigned char sha256[RELEASE_SHA256_LEN], sha512[RELEASE_SHA512_LEN];
    char sha256_text[2 * RELEASE_SHA256_LEN + 1], sha512_text[2 * RELEASE_SHA512_LEN + 1];
};

/* What RELEASE lists as ENTRY, with PATH below the root; free(3) releases it after content_free().
 */
struct content *content_of_entry(const struct release *release, const struct release_entry *entry,
                                 const char *path, enum content_kind kind);

/* What an index says. */
struct content *content_of_package(const struct package_index_entry *entry);
struct content *content_copy(const struct content *content);
void content_free(struct content *content);

/* The content that lent out PACKAGE. */
const struct content *content_of(const struct hallmark_package *package);

/* The names of one file. */
enum content_name { CONTENT_BY_HASH, CONTENT_BY_NAME };

/* Whether there is a file to open, under that name or under any. */
bool content_has(const struct content *content, struct fetch *fetch, enum content_name name);
bool content_exists(const struct content *content, struct fetch *fetch);

/* Whether there are strong hashes to compare; else HALLMARK_ERR_MALFORMED. */
bool content_check_hashes(const struct content *content, struct hallmark_error *err);

/* What is to be fetched; its strings are lent. */
struct fetch_item content_item(const struct content *content);

/* Opens the file (over a network, after it was fetched) and compares its size; -1 with
 * HALLMARK_ERR_CONTENT or HALLMARK_ERR_IO, or with HALLMARK_ERR_MALFORMED where there are no strong
 * hashes to compare. */
int content_open(const struct content *content, struct fetch *fetch, struct hallmark_error *err);

/* Told the bytes of a file as they are read. False stops the reading. */
struct content_sink {
    bool (*take)(void *ctx, const void *data, size_t len, struct hallmark_error *err);
    /* What was taken is void: it starts again. NULL: nothing was kept. */
    bool (*restart)(void *ctx, struct hallmark_error *err);
    void *ctx;
};

/* For a sink whose bytes are only compared. */
bool content_ignore(void *ctx, const void *data, size_t len, struct hallmark_error *err);

/* Reads FD to the end of CONTENT, gives every byte to SINK, and compares every hash. */
bool content_read(const struct content *content, int fd, const struct content_sink *sink,
                  struct hallmark_error *err);

/* Opens, reads and compares; over a network without a file between, and once again from the start
 * where what came is wrong: something on the way may have kept a part of it. */
bool content_get(const struct content *content, struct fetch *fetch,
                 const struct content_sink *sink, struct hallmark_error *err);

/* Compares hashes that were computed; digest of DIGEST_* as content->hashes says. */
struct digest_value;
bool content_compare(const struct content *content, const struct digest_value *found,
                     struct hallmark_error *err);

/* As content_get(); on this machine a second name by hash, too, where that is another file. */
bool content_check(const struct content *content, struct fetch *fetch,
                   const struct content_sink *sink, struct hallmark_error *err);

#endif
