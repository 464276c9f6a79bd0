/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OpenPGP through GPGME: verifying detached signatures against a keyring of our own making, and
 * signing. GPGME and gpg run in a helper process with a fixed environment and a deadline. Here is
 * told what gpg found; what that is worth is decided in trust/.
 */
#ifndef CRYPTO_OPENPGP_H
#define CRYPTO_OPENPGP_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/strlist.h"

enum { OPENPGP_FINGERPRINT_LEN = 64 }; /* hexadecimal digits of the longest; upper case */

enum openpgp_verdict {
    OPENPGP_GOOD,        /* gpg: status 0 */
    OPENPGP_BAD,         /* the signature does not fit the data */
    OPENPGP_NO_KEY,      /* by a key that is not in the keyring */
    OPENPGP_KEY_EXPIRED, /* good, but its key has expired */
    OPENPGP_KEY_REVOKED, /* good, but its key is revoked */
    OPENPGP_SIGNATURE_EXPIRED,
    OPENPGP_KEY_UNUSABLE, /* the key may not sign, or is from the future, or breaks gpg's rules */
    OPENPGP_REFUSED,      /* anything else; see text */
};

/* One signature, in the order of the packets. */
struct openpgp_signature {
    enum openpgp_verdict verdict;
    char text[128]; /* gpg's own words about a verdict but GOOD */
    /* Of the key that signed. Where the keyring lacks it, what gpg tells: a fingerprint, a key id
     * of 16 digits, or "". */
    char fingerprint[OPENPGP_FINGERPRINT_LEN + 1];
    char primary[OPENPGP_FINGERPRINT_LEN + 1]; /* "" where the keyring lacks it */
    char user_id[256];                         /* the first valid one of the primary key, or "" */
    int64_t created;                           /* seconds since 1970-01-01 UTC; 0: unknown */
    int64_t expires;                           /* likewise; 0: never */
    unsigned digest;                           /* RFC 4880 section 9.4; 0: unknown */
    unsigned pubkey;                           /* of the signing key, RFC 4880 section 9.1 */
    unsigned key_bits;                         /* of the signing key */
    unsigned primary_pubkey, primary_bits;
    int64_t key_created; /* of the signing key */
    int64_t key_expires; /* the earlier one of key and primary; 0: never */
};

struct openpgp_signatures {
    struct openpgp_signature items[LIMITS_SIGNATURES];
    size_t n_items;
};

/* What a verifier trusts, and the clock by which gpg judges keys. */
struct openpgp;

/* Makes a private home with KEYRING (binary transferable public keys that packet_walk_keyring() has
 * accepted) as its only keyring, and a gpg that believes it is NOW (seconds since 1970-01-01).
 * HALLMARK_ERR_USAGE where TMPDIR is not safe. gpg lists the keys when they are first needed: the
 * next two functions fail with HALLMARK_ERR_USAGE where gpg finds none, HALLMARK_ERR_IO where gpg
 * is missing or fails. Where KEYRING holds a key twice, the first copy counts, but for a
 * revocation. */
struct openpgp *openpgp_open(struct bytes_view keyring, int64_t now, struct hallmark_error *err);
void openpgp_close(struct openpgp *openpgp);

/* Has gpg list the keys from now on, in a helper process that lasts until openpgp_close(), and
 * another gpg get ready to verify, while the caller does something else. That it could not tells
 * whoever asks. */
bool openpgp_prepare(struct openpgp *openpgp, struct hallmark_error *err);

/* Likewise once the keys are known, where more is to be verified soon. */
bool openpgp_prepare_next(struct openpgp *openpgp, struct hallmark_error *err);

/* A primary key of the keyring. */
struct openpgp_key {
    char fingerprint[OPENPGP_FINGERPRINT_LEN + 1];
    char user_id[256];
    unsigned pubkey, bits;    /* RFC 4880 section 9.1 */
    int64_t created, expires; /* expires 0: never */
    bool is_usable;           /* neither revoked, expired, disabled nor invalid */
};

/* The primary keys, lent. */
bool openpgp_keys(struct openpgp *openpgp, const struct openpgp_key **keys, size_t *n_keys,
                  struct hallmark_error *err);

/* Adds to OUT the fingerprints of those keys and subkeys of the keyring that are revoked, in one of
 * their copies; none before they were listed. */
void openpgp_add_revoked(const struct openpgp *openpgp, struct strlist *out);

/* Has gpg verify SIGNATURES (binary packets that packet_walk_signatures() has accepted), each by
 * itself, as detached signatures over DATA. Succeeds when gpg could tell, whatever it tells:
 * HALLMARK_ERR_IO where it is missing, dies, hangs for LIMITS_VERIFY_SECONDS, or says nothing about
 * one, or where there are not N_SIGNATURES; HALLMARK_ERR_SIGNATURE where they are something else
 * than signature packets. */
bool openpgp_verify(struct openpgp *openpgp, struct bytes_view signatures, size_t n_signatures,
                    struct bytes_view data, struct openpgp_signatures *out,
                    struct hallmark_error *err);

/* From now on, what was found is found again where the same bytes are verified, and gpg is not
 * asked: for whoever reads copies of what was verified. */
void openpgp_remember(struct openpgp *openpgp);

/* Who signs, and how the passphrase is come by. */
struct openpgp_signer {
    const char *gnupg_home;    /* NULL: gpg's default for this user */
    char *const *fingerprints; /* NULL-terminated: every one of these keys signs */
    const char *passphrase;    /* NULL: gpg-agent has it */
    bool interactive;          /* gpg-agent may ask a person */
};

/* What openpgp_signing_sign() makes. */
struct openpgp_signed {
    struct bytes inline_text; /* InRelease: clearsigned */
    struct bytes detached;    /* Release.gpg: armored, signature type 0x00 */
};
void openpgp_signed_free(struct openpgp_signed *result);

/* A helper process that signs. */
struct openpgp_signing;

/* Starts one for SIGNER, whose texts must outlast it, and appends the public keys to KEYRING, like
 * openpgp_export(). HALLMARK_ERR_SIGNATURE where a key is missing, expired, revoked, or has no
 * secret part that gpg-agent can reach, saying which; HALLMARK_ERR_IO where gpg is missing or
 * hangs; HALLMARK_ERR_USAGE where a fingerprint is none, or gnupg_home no directory. */
struct openpgp_signing *openpgp_signing_open(const struct openpgp_signer *signer,
                                             struct bytes *keyring, struct hallmark_error *err);

/* Signs TEXT with every key, all with SHA512. HALLMARK_ERR_SIGNATURE where a key cannot be used
 * (passphrase missing or wrong), in bounded time and saying which; HALLMARK_ERR_IO as above, and
 * where an earlier one could not sign; HALLMARK_ERR_MALFORMED where TEXT is empty or exceeds
 * LIMITS_MANIFEST_BYTES. Checks that exactly the keys asked for have signed. Of the
 * user's gpg.conf, nothing has an effect on the signatures. */
bool openpgp_signing_sign(struct openpgp_signing *signing, struct bytes_view text,
                          struct openpgp_signed *out, struct hallmark_error *err);
void openpgp_signing_close(struct openpgp_signing *signing);

/* Appends the public keys of SIGNER's fingerprints, binary, in their order, without other people's
 * signatures. HALLMARK_ERR_SIGNATURE where one is missing; HALLMARK_ERR_USAGE as above. */
bool openpgp_export(const struct openpgp_signer *signer, struct bytes *out,
                    struct hallmark_error *err);

#endif
