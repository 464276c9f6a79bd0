/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keys a keyring holds, as gpg lists them: told once, kept compactly, looked up by
 * fingerprint. */
#ifndef CRYPTO_OPENPGP_KEYRING_H
#define CRYPTO_OPENPGP_KEYRING_H

#include <gpgme.h>

#include "crypto/openpgp.h"

/* A key that can make a signature: a primary key or a subkey. */
struct openpgp_keyring_subkey {
    char fingerprint[OPENPGP_FINGERPRINT_LEN + 1];
    size_t primary; /* index in keys */
    unsigned pubkey, bits;
    int64_t created, expires;
    bool is_revoked; /* it, or its primary key, and be it in one of several copies */
};

struct openpgp_keyring {
    struct openpgp_key *keys; /* in the keyring's order, each once */
    size_t n_keys, keys_cap;
    struct openpgp_keyring_subkey *subkeys; /* in the order of fingerprints, each once */
    size_t n_subkeys, subkeys_cap;
};

/* The longest list that openpgp_keyring_put() makes, in bytes. */
enum { OPENPGP_KEYRING_LIST_MAX = 64 * 1024 * 1024 };

/* In a helper process: has gpg begin to list the keys of CTX's home. HALLMARK_ERR_IO. */
bool openpgp_keyring_start(gpgme_ctx_t ctx, struct hallmark_error *err);

/* Waits until it has done so, and appends the list to OUT; nothing
 * where gpg works and finds none. HALLMARK_ERR_IO where it does not work. */
bool openpgp_keyring_put(gpgme_ctx_t ctx, struct bytes *out, struct hallmark_error *err);

/* In the caller: takes in such a list, from WHAT. HALLMARK_ERR_USAGE where it is empty,
 * HALLMARK_ERR_IO where it is not well-formed. */
bool openpgp_keyring_take(struct openpgp_keyring *out, struct bytes_view list, const char *what,
                          struct hallmark_error *err);

/* The key with this fingerprint, or NULL. */
const struct openpgp_keyring_subkey *openpgp_keyring_find(const struct openpgp_keyring *keyring,
                                                          const char *fingerprint);

/* The key whose key id is these 16 digits, or NULL: good for messages, not for trust. */
const struct openpgp_keyring_subkey *openpgp_keyring_find_id(const struct openpgp_keyring *keyring,
                                                             const char *key_id);

void openpgp_keyring_free(struct openpgp_keyring *keyring);

#endif
