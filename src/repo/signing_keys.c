/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The signing keys of a publisher. */
#include "repo/signing_keys.h"

#include <string.h>

#include "base/timestamp.h"

/* Clients need a new key this many seconds before the old one ends: a month. */
enum { EXPIRY_WARNING = 30 * 86400 };

static bool check_named(const struct hallmark_publisher *p, struct hallmark_error *err)
{
    return p->fingerprints.n_items ||
           error_set(err, HALLMARK_ERR_USAGE,
                     "there is no key to sign with: --key or Sign-With names its fingerprint");
}

bool signing_keys_load(struct hallmark_publisher *p, struct hallmark_error *err)
{
    return p->keyring.len || (check_named(p, err) && openpgp_export(&p->signer, &p->keyring, err));
}

struct openpgp_signing *signing_keys_begin(struct hallmark_publisher *p, struct hallmark_error *err)
{
    bytes_free(&p->keyring);
    return check_named(p, err) ? openpgp_signing_open(&p->signer, &p->keyring, err) : NULL;
}

static const struct openpgp_key *find_key(const struct openpgp_key *keys, size_t n_keys,
                                          const char *fingerprint)
{
    size_t i;

    for (i = 0; i < n_keys; i++)
        if (strcmp(keys[i].fingerprint, fingerprint) == 0)
            return &keys[i];
    return NULL;
}

struct openpgp *signing_keys_open(struct hallmark_publisher *p, int64_t now,
                                  struct hallmark_error *err)
{
    return signing_keys_load(p, err) ? openpgp_open(bytes_view(&p->keyring), now, err) : NULL;
}

bool signing_keys_check(const struct hallmark_publisher *p, struct openpgp *keys,
                        struct signing_keys_end *out, struct hallmark_error *err)
{
    const struct openpgp_key *list, *key;
    struct signing_keys_end end = {0};
    size_t n_keys, i;

    if (!openpgp_keys(keys, &list, &n_keys, err))
        return false;
    for (i = 0; i < p->fingerprints.n_items; i++) {
        key = find_key(list, n_keys, p->fingerprints.items[i]);
        if (!key)
            return error_set(err, HALLMARK_ERR_USAGE,
                             "Sign-With: %s is not the fingerprint of a primary key",
                             p->fingerprints.items[i]);
        if (key->expires && (end.when == 0 || key->expires < end.when))
            end = (struct signing_keys_end){key->expires, p->fingerprints.items[i]};
    }
    *out = end;
    return true;
}

bool signing_keys_is_ending(const struct signing_keys_end *end, int64_t now)
{
    return end->when && end->when < now + EXPIRY_WARNING;
}

void signing_keys_warn(const struct hallmark_publisher *p, const struct signing_keys_end *end,
                       int64_t valid_until)
{
    char when[TIMESTAMP_TEXT_LEN];

    if (!end->when)
        return;
    timestamp_write_rfc1123(end->when, when);
    if (end->when < valid_until)
        publisher_note(p, HALLMARK_NOTE_WARNING,
                       "key %s expires on %s, before the manifest does: from then on every client "
                       "refuses it",
                       end->who, when);
    else if (signing_keys_is_ending(end, timestamp_now()))
        publisher_note(p, HALLMARK_NOTE_WARNING,
                       "key %s expires on %s; prolong it and hand it out in time", end->who, when);
}
