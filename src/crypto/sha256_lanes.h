/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compression function of SHA-256 (FIPS 180-4, section 6.2.2) over several messages at once:
 * one in each lane of the processor's vectors, or one by OpenSSL. Padding is the caller's.
 */
#ifndef CRYPTO_SHA256_LANES_H
#define CRYPTO_SHA256_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_LANES_MAX = 16, SHA256_LANES_BLOCK = 64, SHA256_LANES_WORDS = 8 };

enum sha256_lanes_kind { SHA256_LANES_OPENSSL, SHA256_LANES_AVX2, SHA256_LANES_AVX512 };

struct sha256_lanes {
    uint32_t words[SHA256_LANES_WORDS][SHA256_LANES_MAX] __attribute__((aligned(64)));
};

/* Whether this processor, and what we were compiled for, can do it. */
bool sha256_lanes_has(enum sha256_lanes_kind kind);

/* Whether it has instructions for SHA-256, which OpenSSL uses. */
bool sha256_lanes_has_instructions(void);

/* How many messages at once. */
size_t sha256_lanes_count(enum sha256_lanes_kind kind);

/* Begins a message in LANE. */
void sha256_lanes_start(struct sha256_lanes *lanes, size_t lane);

/* Takes N_BLOCKS blocks of each message; DATA has an address for every lane there is. */
void sha256_lanes_run(enum sha256_lanes_kind kind, struct sha256_lanes *lanes,
                      const unsigned char *const *data, size_t n_blocks);

/* The hash, once padding was taken as well. */
void sha256_lanes_get(const struct sha256_lanes *lanes, size_t lane, unsigned char out[32]);

#endif
