/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What keys a keyring holds, as gpg lists them: told once, kept compactly, looked up by
 * fingerprint. */
#ifndef CRYPTO_OPENPGP_KEYRING_H
#define CRYPTO_OPENPGP_KEYRING_H

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

/* Has gpg list the keys of HOME in a helper process. HALLMARK_ERR_USAGE where there are none. */
bool openpgp_keyring_list(struct openpgp_keyring *out, const char *home,
                          struct hallmark_error *err);

/* The key with this fingerprint, or NULL. */
const struct openpgp_keyring_subkey *openpgp_keyring_find(const struct openpgp_keyring *keyring,
                                                          const char *fingerprint);

/* The key whose key id is these 16 digits, or NULL: good for messages, not for trust. */
const struct openpgp_keyring_subkey *openpgp_keyring_find_id(const struct openpgp_keyring *keyring,
                                                             const char *key_id);

void openpgp_keyring_free(struct openpgp_keyring *keyring);

#endif
