/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the helper processes share in their use of GPGME. To be called in a helper process only. */
#ifndef CRYPTO_OPENPGP_ENGINE_H
#define CRYPTO_OPENPGP_ENGINE_H

#include <gpgme.h>

#include "base/bytes.h"
#include "base/error.h"

/* Makes GPGME ready, which then asks gpgconf nothing; once a process. */
void openpgp_engine_init(void);

/* A context that uses the system's gpg, of a version that we know, on HOME (NULL: the one that
 * $GNUPGHOME names, or the user's) and never the network; none of an earlier one may be in use, for
 * it sets $GNUPGHOME. NULL with HALLMARK_ERR_IO. gpgme_release() releases it. */
gpgme_ctx_t openpgp_engine_new(const char *home, struct hallmark_error *err);

enum { OPENPGP_ENGINE_TEXT_LEN = 128 };

/* GPGME's words for CODE. */
const char *openpgp_engine_text(gpgme_error_t code, char text[OPENPGP_ENGINE_TEXT_LEN]);

/* A GPGME data object that reads the bytes of VIEW, which must outlive it. */
gpgme_data_t openpgp_engine_input(struct bytes_view view, struct hallmark_error *err);

/* A GPGME data object to write to. */
gpgme_data_t openpgp_engine_output(struct hallmark_error *err);

/* Appends what was written to DATA to OUT, and releases DATA. */
bool openpgp_engine_take(gpgme_data_t data, struct bytes *out, struct hallmark_error *err);

/* GPGME's number of an algorithm as that of RFC 4880 sections 9.1 and 9.4; 0 for none of these. */
unsigned openpgp_engine_pubkey(gpgme_pubkey_algo_t algorithm);
unsigned openpgp_engine_digest(gpgme_hash_algo_t algorithm);

/* Copies TEXT (or NULL) to OUT of SIZE bytes, cut between UTF-8 characters. */
void openpgp_engine_copy(char *out, size_t size, const char *text);

#endif
