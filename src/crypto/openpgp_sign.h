/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the signing helper process is to do. */
#ifndef CRYPTO_OPENPGP_SIGN_H
#define CRYPTO_OPENPGP_SIGN_H

#include "crypto/openpgp.h"

struct openpgp_sign {
    const struct openpgp_signer *signer; /* with an absolute gnupg_home */
    size_t n_keys;
    const char *home; /* the private one, which is empty */
};

/* In a helper process, an openpgp_process_fn: the struct openpgp_sign at WANTED. Its first answer
 * is the length of the path of the socket on which a gpg on the private home will look for an agent
 * (uint64_t), that path, and the public keys; then it signs the first part of each
 * OPENPGP_REQUEST_SIGN, and answers with the length of the inline text (uint64_t), the inline text
 * and the detached signature. */
bool openpgp_sign_run(const void *wanted, struct bytes *out, struct hallmark_error *err);

#endif
