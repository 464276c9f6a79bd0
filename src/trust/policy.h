/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold before a manifest is believed: struct hallmark_policy, checked. */
#ifndef TRUST_POLICY_H
#define TRUST_POLICY_H

#include "base/error.h"

enum { POLICY_FINGERPRINT_LEN = 64 };

/* A key that may sign: a primary key with all its signing keys, or exactly one key. */
struct policy_pin {
    char fingerprint[POLICY_FINGERPRINT_LEN + 1]; /* upper-case hexadecimal */
    bool is_exact;
};

struct policy {
    struct policy_pin *pins; /* none: every key of the keyring */
    size_t n_pins;
    unsigned threshold;
    enum hallmark_expiry expiry;
    int64_t max_age, clock_skew, now; /* seconds */
    const char *suite, *codename,
        *origin;        /* what the manifest must say; NULL: anything; borrowed */
    bool accept_change; /* of its Origin, Label or Codename since the last one */
};

/* Checks IN and copies it. HALLMARK_ERR_USAGE: a fingerprint that is not 40 or 64 hexadecimal
 * digits, a threshold of 0 or above the number of pins, a time out of range. Freed by
 * policy_free(). */
bool policy_from(struct policy *out, const struct hallmark_policy *in, struct hallmark_error *err);
void policy_free(struct policy *policy);

/* Whether a signature by the key FINGERPRINT of the primary key PRIMARY may count. */
bool policy_has_pin(const struct policy *policy, const char *fingerprint, const char *primary);

#endif
