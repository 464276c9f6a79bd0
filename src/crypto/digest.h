/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256 and SHA-512 (FIPS 180-4), through OpenSSL. */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum { DIGEST_SHA256_LEN = 32, DIGEST_SHA512_LEN = 64 };

/* Which ones to compute; the same values as enum release_hashes. */
enum digest_algorithms { DIGEST_SHA256 = 1, DIGEST_SHA512 = 2 };

struct digest_value {
    unsigned char sha256[DIGEST_SHA256_LEN];
    unsigned char sha512[DIGEST_SHA512_LEN]; /* zero where not asked for */
};

/* A computation under way. */
struct digest;

/* Starts computing ALGORITHMS; NULL with HALLMARK_ERR_IO where OpenSSL fails. */
struct digest *digest_new(unsigned algorithms, struct hallmark_error *err);
bool digest_update(struct digest *digest, const void *data, size_t len, struct hallmark_error *err);
/* Gives the value and makes DIGEST ready for the next computation. */
bool digest_final(struct digest *digest, struct digest_value *out, struct hallmark_error *err);
void digest_free(struct digest *digest);

/* All at once. */
bool digest_bytes(unsigned algorithms, struct bytes_view data, struct digest_value *out,
                  struct hallmark_error *err);

#endif
