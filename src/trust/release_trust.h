/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a Release may be believed: a function of bytes, keys, policy, clock and what was believed
 * before. Only here is a struct verified_release made. hallmark-repository(5), "Verification".
 */
#ifndef TRUST_RELEASE_TRUST_H
#define TRUST_RELEASE_TRUST_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"
#include "crypto/openpgp.h"
#include "format/release.h"
#include "trust/policy.h"

enum { RELEASE_TRUST_DIGEST_LEN = 64 }; /* hexadecimal digits of SHA-256 */

/* What the server has. */
struct release_document {
    const char *name;            /* for messages: "/srv/x/InRelease" */
    struct bytes_view text;      /* InRelease, or Release */
    struct bytes_view signature; /* Release.gpg; data NULL: TEXT is an InRelease */
};

/* What was believed before: nothing older is believed again. */
struct release_floor {
    int64_t date;                              /* seconds since 1970-01-01 UTC; 0: nothing yet */
    char sha256[RELEASE_TRUST_DIGEST_LEN + 1]; /* of the text with that date, hexadecimal */
    const char *origin, *label, *codename;     /* of it; NULL: not known */
    const struct strlist
        *revoked; /* fingerprints of keys that were seen revoked; NULL: none; lent */
};

/* One signature and what became of it. */
struct release_signature {
    struct openpgp_signature openpgp;
    bool is_counted;
    char verdict[192]; /* "good", or why it did not count; gpg's words in it are not escaped */
};

struct verified_release {
    struct release release;
    struct bytes_view text; /* exactly what was verified, inside the document: lent by the caller */
    char sha256[RELEASE_TRUST_DIGEST_LEN + 1]; /* of text */
    int64_t expires;                           /* when the policy stops to believe it; 0: never */
    struct release_signature signatures[LIMITS_SIGNATURES];
    size_t n_signatures;
};

/* The verified release, or NULL with, in this order of checks: HALLMARK_ERR_SIGNATURE (document not
 * canonical, no or bad signature, threshold not met), HALLMARK_ERR_FUTURE (signed ahead of the
 * clock), HALLMARK_ERR_MALFORMED and HALLMARK_ERR_CONTENT of release_parse(), HALLMARK_ERR_ROLLBACK
 * (another Suite, Codename or Origin than the policy says), HALLMARK_ERR_FUTURE
 * (dated ahead of the clock, or the clock is before FLOOR), HALLMARK_ERR_ROLLBACK
 * (older than FLOOR, or with another Origin, Label or Codename), HALLMARK_ERR_STALE. */
struct verified_release *release_trust_verify(const struct release_document *document,
                                              struct openpgp *keys, const struct policy *policy,
                                              const struct release_floor *floor,
                                              struct hallmark_error *err);
void release_trust_free(struct verified_release *verified);

/* Whether VERIFIED is still fresh at NOW, for use a while after release_trust_verify();
 * HALLMARK_ERR_STALE. */
bool release_trust_check_fresh(const struct verified_release *verified, int64_t now,
                               struct hallmark_error *err);

#endif
