/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a repository's bytes come from: a local directory, a file:// URL (RFC 8089), or a server
 * (system/http.h). Nothing that comes out of it is trusted.
 */
#ifndef SYSTEM_FETCH_H
#define SYSTEM_FETCH_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

struct fetch;

/* How a transport over the network works; all members may be zero. Borrowed while it is open. */
struct fetch_options {
    enum hallmark_sandbox sandbox; /* of the process that talks to the network */
    unsigned seconds;    /* in which a server must answer and get on; 0: LIMITS_HTTP_SECONDS */
    const char *ca_file; /* certificates that vouch for servers; NULL: the system's */
};

/* Opens LOCATION: a directory, or a regular file in one (then fetch_file() names it). OPTIONS may
 * be NULL. HALLMARK_ERR_USAGE for a URL that is not supported or not well formed, HALLMARK_ERR_IO
 * where there is nothing. */
struct fetch *fetch_open(const char *location, const struct fetch_options *options,
                         struct hallmark_error *err);
void fetch_close(struct fetch *fetch);

/* Makes DIRECTORY, a path below it, the root of FETCH. Leaves FETCH as it was where that fails. */
bool fetch_enter(struct fetch *fetch, const char *directory, struct hallmark_error *err);

/* Whether it costs time, and somebody else's goodwill, to ask for a file: it is not on this
 * machine, and directories cannot be listed. */
bool fetch_is_remote(const struct fetch *fetch);

/* The canonical URL of the directory: the same for every way to write it. Lent. */
const char *fetch_url(const struct fetch *fetch);

/* The name of the file that LOCATION meant; NULL where it was a directory. Lent. */
const char *fetch_file(const struct fetch *fetch);

/* Reads the document NAME of at most MAX_LEN bytes. Where there is none, *EXISTS becomes false and
 * the call succeeds. */
bool fetch_document(struct fetch *fetch, const char *name, size_t max_len, struct bytes *out,
                    bool *exists, struct hallmark_error *err);

enum { FETCH_ETAG_LEN = 256 };

/* Whether a document can be asked for again by TEXT: a strong ETag; or where a server has none, "@"
 * and the seconds of a Last-Modified that is as strong (RFC 9110 sections 8.8.2.2 and 8.8.3). */
bool fetch_is_validator(struct bytes_view text);

/* A document that may be known already. */
struct fetch_document {
    const char *name;
    size_t max_len;
    const char *known;         /* the validator of bytes that are here; NULL: none */
    struct bytes data;         /* what came */
    char etag[FETCH_ETAG_LEN]; /* its validator; "": none */
    bool exists, is_unchanged; /* nothing came, since that validator is its own yet */
};

/* As fetch_document(), and only if it has changed. */
bool fetch_document_since(struct fetch *fetch, struct fetch_document *document,
                          struct hallmark_error *err);

/* Whether there is a regular file NAME. Where that cannot be found out, as over a network that
 * fails, there is: whoever opens it will hear why not. */
bool fetch_has(struct fetch *fetch, const char *name);

/* The names of the directories in the directory NAME, in no order, without those that start with
 * "."; none where there is no such directory. HALLMARK_ERR_IO. */
bool fetch_list(struct fetch *fetch, const char *name, struct strlist *out,
                struct hallmark_error *err);

/* The two that follow are for what is on this machine; over a network they fail.
 *
 * Opens the index NAME, which may be a link like the manifest itself; where BY_HASH is not NULL,
 * under that name if it is there: it stays the same when a newer index is published. Errors as
 * below. */
int fetch_index(struct fetch *fetch, const char *name, const char *by_hash,
                struct hallmark_error *err);

/* Opens the file at PATH, which path_check() has accepted, for reading; no link is followed.
 * HALLMARK_ERR_CONTENT where it is missing or no regular file: a manifest lists it. */
int fetch_package(struct fetch *fetch, const char *path, struct hallmark_error *err);

/* One file that is wanted, of which a manifest or an index says the size. */
struct fetch_item {
    const char *path;    /* as of fetch_package(), or fetch_index() where IS_INDEX */
    const char *by_hash; /* of an index: the name that is tried first; NULL: none */
    uint64_t size;       /* signed: more is never taken, and less is a failure */
    bool is_index;
    /* Where some bytes have come before, over a network: how many, and the strong ETag that came
     * with them (RFC 9110 section 8.8.3). They are gone on with, or the item starts again. 0: none.
     */
    uint64_t n_present;
    const char *etag;
};

/* Opens ITEM for reading; its size is yours to compare. Over a network, it is fetched into a file
 * without a name first, and no longer than it should be. Errors as of those two. */
int fetch_open_item(struct fetch *fetch, const struct fetch_item *item, struct hallmark_error *err);

/* Who takes what is fetched; several items may come at the same time, each one's bytes in order.
 * Functions that return false end it all. */
struct fetch_sink {
    /* The next LEN bytes of item I. */
    bool (*take)(void *ctx, size_t i, const void *data, size_t len, struct hallmark_error *err);
    /* What comes now of item I has that ETag: a strong one, or "" for none. May be NULL. */
    bool (*set_etag)(void *ctx, size_t i, const char *etag, struct hallmark_error *err);
    /* Item I starts again: what was taken of it is void. */
    bool (*restart)(void *ctx, size_t i, struct hallmark_error *err);
    /* Once for each item: all of its bytes were taken, as many as its size says (WHY is NULL; their
     * hashes are to be compared now), or why it cannot be had: HALLMARK_ERR_CONTENT where it is
     * missing or has another size, HALLMARK_ERR_IO. */
    bool (*end)(void *ctx, size_t i, const struct hallmark_error *why, struct hallmark_error *err);
    void *ctx;
};

/* Fetches the N_ITEMS files ITEMS, in any order and in parallel where the transport can, and gives
 * them to SINK. False where SINK said so or nothing more can be fetched at all; items that cannot
 * be had are no failure here. */
bool fetch_items(struct fetch *fetch, const struct fetch_item *items, size_t n_items,
                 const struct fetch_sink *sink, struct hallmark_error *err);

#endif
