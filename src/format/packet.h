/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bounded walk over OpenPGP packets (RFC 4880 sections 4 and 5.2, RFC 9580), before gpg sees them.
 * It reads what they claim; whether that is true is for gpg to say.
 */
#ifndef FORMAT_PACKET_H
#define FORMAT_PACKET_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"

/* Signature types, RFC 4880 section 5.2.1. */
enum packet_signature_type { PACKET_BINARY = 0x00, PACKET_TEXT = 0x01 };

/* Digest algorithms that are strong enough, RFC 4880 section 9.4. */
enum packet_digest { PACKET_SHA256 = 8, PACKET_SHA384 = 9, PACKET_SHA512 = 10 };

struct packet_signature {
    unsigned type;           /* enum packet_signature_type */
    unsigned digest;         /* RFC 4880 section 9.4, any */
    unsigned pubkey;         /* RFC 4880 section 9.1, any */
    uint32_t created;        /* seconds since 1970-01-01 UTC, of the hashed area */
    char issuer[41];         /* fingerprint or, where there is none, key id; upper-case hexadecimal */
};

struct packet_signatures {
    struct packet_signature items[LIMITS_SIGNATURES];
    size_t n_items;
};

/* Walks DATA, which must be 1 to LIMITS_SIGNATURES version 4 signature packets and nothing else, with
 * definite lengths, a hashed creation time, an issuer, and well-formed subpackets.
 * HALLMARK_ERR_SIGNATURE. */
bool packet_walk_signatures(struct packet_signatures *out, struct bytes_view data, const char *what,
                            struct hallmark_error *err);

/* Walks DATA, which must be transferable public keys (RFC 4880 section 11.1) and nothing else: starts
 * with a public key, holds no secret key and no other kind of packet. HALLMARK_ERR_USAGE. *N_KEYS is
 * the number of primary keys, at least 1. */
bool packet_walk_keyring(struct bytes_view data, const char *what, size_t *n_keys,
                         struct hallmark_error *err);

/* The name of a digest algorithm: "SHA256" and so on, "MD5", "SHA1", "RIPEMD160", "SHA224", or
 * "an unknown digest". Static. */
const char *packet_digest_name(unsigned digest);

#endif
