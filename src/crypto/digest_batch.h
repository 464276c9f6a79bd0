/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 of many inputs, several of them at the same time where the processor has vectors for
 * that. One thread; each may have a batch of its own. OpenSSL stays the arbiter: before a batch is
 * believed it is compared with OpenSSL, and callers ask OpenSSL again before they call anything
 * wrong because of what a batch says.
 */
#ifndef CRYPTO_DIGEST_BATCH_H
#define CRYPTO_DIGEST_BATCH_H

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/sha256_lanes.h"

/* How NAME ("auto" or NULL, "openssl", "avx2", "avx512") hashes here. HALLMARK_ERR_USAGE for
 * another name, and for what this processor has not. "auto" takes what measured fastest. */
bool digest_batch_find(const char *name, enum sha256_lanes_kind *out, struct hallmark_error *err);

/* Whether KIND gives what OpenSSL gives, for inputs of all lengths around one and two blocks. */
bool digest_batch_is_sound(enum sha256_lanes_kind kind);

struct digest_batch_source {
    /* The next input; NULL: there is none. */
    void *(*next)(void *ctx);
    /* The next bytes of INPUT, lent until the next call for it; none at its end. False: they cannot
     * be had. */
    bool (*read)(void *ctx, void *input, struct bytes_view *out);
    /* What became of INPUT; NULL: nothing, since it could not be read. */
    void (*done)(void *ctx, void *input, const unsigned char *sha256);
    void *ctx;
};

/* Hashes all that SOURCE has. */
void digest_batch_run(enum sha256_lanes_kind kind, const struct digest_batch_source *source);

#endif
