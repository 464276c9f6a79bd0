/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys of Sign-With, as their owner's GnuPG home has them. */
#ifndef REPO_SIGNING_KEYS_H
#define REPO_SIGNING_KEYS_H

#include "repo/publisher.h"

/* Which of the keys ends first. */
struct signing_keys_end {
    int64_t when;    /* seconds since 1970-01-01 UTC; 0: none ever does */
    const char *who; /* its fingerprint, lent by the publisher */
};

/* Exports the public keys into P->keyring, once. HALLMARK_ERR_USAGE where Sign-With is empty. */
bool signing_keys_load(struct hallmark_publisher *p, struct hallmark_error *err);

/* Gets ready to sign, and exports them again, as they are now. */
struct openpgp_signing *signing_keys_begin(struct hallmark_publisher *p,
                                           struct hallmark_error *err);

/* Loads them, and opens them by the clock NOW. */
struct openpgp *signing_keys_open(struct hallmark_publisher *p, int64_t now,
                                  struct hallmark_error *err);

/* Checks that each of Sign-With is a primary key among KEYS, and tells which one ends first. */
bool signing_keys_check(const struct hallmark_publisher *p, struct openpgp *keys,
                        struct signing_keys_end *out, struct hallmark_error *err);

/* Whether END is so near that somebody must act now. */
bool signing_keys_is_ending(const struct signing_keys_end *end, int64_t now);

/* Warns of a key that ends soon, or before VALID_UNTIL. */
void signing_keys_warn(const struct hallmark_publisher *p, const struct signing_keys_end *end,
                       int64_t valid_until);

#endif
