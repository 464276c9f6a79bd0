/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What gpg has said of which bytes, for as long as the same keyring and clock count. */
#ifndef CRYPTO_OPENPGP_VERDICTS_H
#define CRYPTO_OPENPGP_VERDICTS_H

#include "crypto/openpgp.h"

enum { OPENPGP_VERDICTS_MAX = 64 }; /* what comes later is not remembered */

struct openpgp_verdicts {
    struct openpgp_verdict_entry *entries;
    size_t n_entries, cap;
};

/* What names SIGNATURES together with DATA. */
struct openpgp_verdict_key {
    unsigned char sha256[32];
};
bool openpgp_verdicts_key(struct openpgp_verdict_key *out, struct bytes_view signatures,
                          struct bytes_view data, struct hallmark_error *err);

/* Lent until the next one is added; NULL: not known. */
const struct openpgp_signatures *openpgp_verdicts_find(const struct openpgp_verdicts *verdicts,
                                                       const struct openpgp_verdict_key *key);
void openpgp_verdicts_add(struct openpgp_verdicts *verdicts, const struct openpgp_verdict_key *key,
                          const struct openpgp_signatures *found);
void openpgp_verdicts_free(struct openpgp_verdicts *verdicts);

#endif
