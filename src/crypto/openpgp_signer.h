/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys that sign, in the user's GnuPG home. What takes a context is for helper processes only.
 */
#ifndef CRYPTO_OPENPGP_SIGNER_H
#define CRYPTO_OPENPGP_SIGNER_H

#include <gpgme.h>

#include "crypto/openpgp.h"

/* What a key is wanted for. */
enum openpgp_signer_use { OPENPGP_SIGNER_EXPORT, OPENPGP_SIGNER_SIGN };

/* Checks the form of what SIGNER says; *N_KEYS is the number of its keys. *HOME becomes the
 * absolute path of its GnuPG home, NULL for gpg's default; free(3) releases it. HALLMARK_ERR_USAGE.
 */
bool openpgp_signer_check(const struct openpgp_signer *signer, size_t *n_keys, char **home,
                          struct hallmark_error *err);

/* Opens a context on the GnuPG home and finds the keys; HALLMARK_ERR_SIGNATURE where one is missing
 * or cannot do what it is wanted for. openpgp_signer_unref() releases KEYS, of which there is room
 * for LIMITS_SIGNATURES, zeroed. */
bool openpgp_signer_find(gpgme_ctx_t ctx, const struct openpgp_signer *signer,
                         enum openpgp_signer_use use, gpgme_key_t *keys,
                         struct hallmark_error *err);
void openpgp_signer_unref(gpgme_key_t *keys);

/* Appends the public keys of SIGNER, each without other people's signatures. */
bool openpgp_signer_export(gpgme_ctx_t ctx, const struct openpgp_signer *signer, struct bytes *out,
                           struct hallmark_error *err);

#endif
