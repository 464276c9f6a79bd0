/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Listing a keyring. Where a key is in it more than once, gpg uses the first copy; so do we, but a
 * revocation in any copy counts.
 */
#include "crypto/openpgp_keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/openpgp_engine.h"

/* Primary keys and subkeys: LIMITS_KEYRING_BYTES could hold this many times more than anybody
 * trusts. */
enum { MAX_RECORDS = 100000 };

/* A primary key or a subkey as the helper lists it; a primary key precedes its subkeys. */
struct record {
    char fingerprint[OPENPGP_FINGERPRINT_LEN + 1];
    char user_id[sizeof((struct openpgp_key *)0)->user_id];
    uint8_t is_primary, is_usable, is_revoked;
    uint32_t pubkey, bits;
    int64_t created, expires;
};

_Static_assert(MAX_RECORDS * sizeof(struct record) < OPENPGP_KEYRING_LIST_MAX, "a list fits");

/* ---- In the helper ---- */

static const char *first_user_id(gpgme_key_t key)
{
    gpgme_user_id_t uid;

    for (uid = key->uids; uid; uid = uid->next)
        /* Of a revoked key, every user id counts as revoked. */
        if ((!uid->revoked || key->revoked) && !uid->invalid && uid->uid && *uid->uid)
            return uid->uid;
    return NULL;
}

static void put_key(struct bytes *out, gpgme_key_t key)
{
    gpgme_subkey_t subkey;
    struct record record;

    for (subkey = key->subkeys; subkey; subkey = subkey->next) {
        memset(&record, 0, sizeof record);
        record.is_primary = subkey == key->subkeys;
        record.is_revoked = key->revoked || subkey->revoked;
        record.is_usable =
            !key->revoked && !key->expired && !key->disabled && !key->invalid && !subkey->revoked;
        record.pubkey = openpgp_engine_pubkey(subkey->pubkey_algo);
        record.bits = subkey->length;
        record.created = subkey->timestamp;
        record.expires = subkey->expires;
        openpgp_engine_copy(record.fingerprint, sizeof record.fingerprint, subkey->fpr);
        if (record.is_primary)
            openpgp_engine_copy(record.user_id, sizeof record.user_id, first_user_id(key));
        bytes_append(out, &record, sizeof record);
    }
}

/* Whether gpg works at all: it says that nothing is no signature. One that is silent lists no keys,
 * too. */
static bool probe(gpgme_ctx_t ctx, struct hallmark_error *err)
{
    struct bytes_view nothing = bytes_view_str("");
    gpgme_data_t signature = openpgp_engine_input(nothing, err);
    gpgme_data_t data = openpgp_engine_input(nothing, err);
    gpgme_error_t code = 0;

    if (signature && data)
        code = gpgme_op_verify(ctx, signature, data, NULL);
    gpgme_data_release(signature);
    gpgme_data_release(data);
    return gpgme_err_code(code) == GPG_ERR_NO_DATA ||
           error_set(err, HALLMARK_ERR_IO, "gpg does not work: it lists nothing and says nothing");
}

bool openpgp_keyring_start(gpgme_ctx_t ctx, struct hallmark_error *err)
{
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_error_t code = gpgme_op_keylist_start(ctx, NULL, 0);

    return !code ||
           error_set(err, HALLMARK_ERR_IO, "listing keys: %s", openpgp_engine_text(code, text));
}

static bool list(gpgme_ctx_t ctx, struct bytes *out, struct hallmark_error *err)
{
    char text[OPENPGP_ENGINE_TEXT_LEN];
    size_t before = out->len;
    gpgme_error_t code = 0;
    gpgme_key_t key;

    while (!code && (code = gpgme_op_keylist_next(ctx, &key)) == 0) {
        put_key(out, key);
        gpgme_key_unref(key);
        if (out->len - before > MAX_RECORDS * sizeof(struct record))
            code = gpgme_error(GPG_ERR_TOO_LARGE);
    }
    if (gpgme_err_code(code) == GPG_ERR_EOF)
        code = gpgme_op_keylist_end(ctx);
    if (code)
        return error_set(err, HALLMARK_ERR_IO, "listing keys: %s", openpgp_engine_text(code, text));
    if (gpgme_op_keylist_result(ctx)->truncated)
        return error_set(err, HALLMARK_ERR_IO, "listing keys: the list is not complete");
    return true;
}

bool openpgp_keyring_put(gpgme_ctx_t ctx, struct bytes *out, struct hallmark_error *err)
{
    size_t before = out->len;

    if (!list(ctx, out, err))
        return false;
    /* Of a gpg that failed before it said anything, GPGME only tells that it listed nothing. */
    return out->len > before ||
           (probe(ctx, err) && openpgp_keyring_start(ctx, err) && list(ctx, out, err));
}

/* ---- In the caller ---- */

/* Whether TEXT of SIZE bytes is a string of upper-case hexadecimal digits of one of the known
 * lengths. */
static bool is_fingerprint(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    return (len == 40 || len == OPENPGP_FINGERPRINT_LEN) && strspn(text, "0123456789ABCDEF") == len;
}

static bool is_time(int64_t when)
{
    return when >= 0 && when <= LIMITS_TIMESTAMP_MAX;
}

static int compare_subkeys(const void *a, const void *b)
{
    const struct openpgp_keyring_subkey *first = a, *second = b;
    int order = strcmp(first->fingerprint, second->fingerprint);

    if (order)
        return order;
    return (first->primary > second->primary) - (first->primary < second->primary);
}

static int compare_fingerprint(const void *key, const void *item)
{
    const struct openpgp_keyring_subkey *subkey = item;

    return strcmp(key, subkey->fingerprint);
}

static void add_key(struct openpgp_keyring *keyring, const struct record *record)
{
    struct openpgp_key *key;

    keyring->keys = alloc_one_more(keyring->keys, keyring->n_keys, &keyring->keys_cap, sizeof *key);
    key = &keyring->keys[keyring->n_keys++];
    memset(key, 0, sizeof *key);
    memcpy(key->fingerprint, record->fingerprint, sizeof key->fingerprint);
    memcpy(key->user_id, record->user_id, sizeof key->user_id);
    key->pubkey = record->pubkey;
    key->bits = record->bits;
    key->created = record->created;
    key->expires = record->expires;
    key->is_usable = record->is_usable;
}

static void add_subkey(struct openpgp_keyring *keyring, const struct record *record)
{
    struct openpgp_keyring_subkey *subkey;

    keyring->subkeys =
        alloc_one_more(keyring->subkeys, keyring->n_subkeys, &keyring->subkeys_cap, sizeof *subkey);
    subkey = &keyring->subkeys[keyring->n_subkeys++];
    memset(subkey, 0, sizeof *subkey);
    memcpy(subkey->fingerprint, record->fingerprint, sizeof subkey->fingerprint);
    subkey->primary = keyring->n_keys - 1;
    subkey->pubkey = record->pubkey;
    subkey->bits = record->bits;
    subkey->created = record->created;
    subkey->expires = record->expires;
    subkey->is_revoked = record->is_revoked;
}

/* Takes in the helper's list. */
static bool take_records(struct openpgp_keyring *keyring, struct bytes_view in, const char *what,
                         struct hallmark_error *err)
{
    struct record record;
    size_t i;

    if (in.len == 0)
        return error_set(err, HALLMARK_ERR_USAGE, "keyring: gpg finds no key in it");
    if (in.len % sizeof record != 0)
        return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", what);
    for (i = 0; i < in.len; i += sizeof record) {
        memcpy(&record, in.data + i, sizeof record);
        record.user_id[sizeof record.user_id - 1] = '\0';
        if (!is_fingerprint(record.fingerprint, sizeof record.fingerprint) ||
            !is_time(record.created) || !is_time(record.expires) || (i == 0 && !record.is_primary))
            return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", what);
        if (record.is_primary)
            add_key(keyring, &record);
        add_subkey(keyring, &record);
    }
    return true;
}

static int compare_keys(const void *a, const void *b, void *ctx)
{
    const struct openpgp_key *keys = ctx;
    size_t first = *(const size_t *)a, second = *(const size_t *)b;
    int order = strcmp(keys[first].fingerprint, keys[second].fingerprint);

    return order ? order : (first > second) - (first < second);
}

/* Drops all copies of a primary key but the first, and tells where each key has gone. */
static void merge_keys(struct openpgp_keyring *keyring, size_t *moved)
{
    struct openpgp_key *keys = keyring->keys;
    size_t *order = alloc_array(keyring->n_keys, sizeof *order);
    size_t *first = alloc_array(keyring->n_keys, sizeof *first), i, n = 0;

    for (i = 0; i < keyring->n_keys; i++)
        order[i] = i;
    qsort_r(order, keyring->n_keys, sizeof *order, compare_keys, keys);
    for (i = 0; i < keyring->n_keys; i++) {
        bool is_copy = i && strcmp(keys[order[i]].fingerprint, keys[order[i - 1]].fingerprint) == 0;

        first[order[i]] = is_copy ? first[order[i - 1]] : order[i];
    }
    for (i = 0; i < keyring->n_keys; i++) {
        moved[i] = first[i] == i ? n : moved[first[i]];
        if (first[i] == i)
            keys[n++] = keys[i];
    }
    keyring->n_keys = n;
    free(first);
    free(order);
}

static void merge_subkeys(struct openpgp_keyring *keyring)
{
    struct openpgp_keyring_subkey *items = keyring->subkeys;
    size_t i, n = 0;

    if (keyring->n_subkeys == 0)
        return;
    qsort(items, keyring->n_subkeys, sizeof *items, compare_subkeys);
    for (i = 0; i < keyring->n_subkeys; i++) {
        if (n == 0 || strcmp(items[i].fingerprint, items[n - 1].fingerprint) != 0)
            items[n++] = items[i];
        else if (items[i].primary == items[n - 1].primary)
            items[n - 1].is_revoked |= items[i].is_revoked;
    }
    keyring->n_subkeys = n;
}

/* Makes every key unique. */
static void merge(struct openpgp_keyring *keyring)
{
    size_t *moved = alloc_array(keyring->n_keys, sizeof *moved), i;
    const struct openpgp_keyring_subkey *subkey;
    struct openpgp_key *key;

    merge_keys(keyring, moved);
    for (i = 0; i < keyring->n_subkeys; i++)
        keyring->subkeys[i].primary = moved[keyring->subkeys[i].primary];
    merge_subkeys(keyring);
    for (i = 0; i < keyring->n_subkeys; i++) {
        subkey = &keyring->subkeys[i];
        key = &keyring->keys[subkey->primary];
        if (subkey->is_revoked && strcmp(key->fingerprint, subkey->fingerprint) == 0)
            key->is_usable = false;
    }
    free(moved);
}

bool openpgp_keyring_take(struct openpgp_keyring *out, struct bytes_view list, const char *what,
                          struct hallmark_error *err)
{
    struct openpgp_keyring keyring = {0};

    if (!take_records(&keyring, list, what, err)) {
        openpgp_keyring_free(&keyring);
        return false;
    }
    merge(&keyring);
    *out = keyring;
    return true;
}

const struct openpgp_keyring_subkey *openpgp_keyring_find(const struct openpgp_keyring *keyring,
                                                          const char *fingerprint)
{
    return bsearch(fingerprint, keyring->subkeys, keyring->n_subkeys, sizeof *keyring->subkeys,
                   compare_fingerprint);
}

const struct openpgp_keyring_subkey *openpgp_keyring_find_id(const struct openpgp_keyring *keyring,
                                                             const char *key_id)
{
    enum { KEY_ID_LEN = 16, V4_LEN = 40 };
    size_t i;

    if (strlen(key_id) != KEY_ID_LEN)
        return NULL;
    for (i = 0; i < keyring->n_subkeys; i++) {
        const char *fingerprint = keyring->subkeys[i].fingerprint;

        /* RFC 4880 section 12.2: the last digits; from version 5 on the first ones. */
        if (strlen(fingerprint) == V4_LEN)
            fingerprint += V4_LEN - KEY_ID_LEN;
        if (strncmp(fingerprint, key_id, KEY_ID_LEN) == 0)
            return &keyring->subkeys[i];
    }
    return NULL;
}

void openpgp_keyring_free(struct openpgp_keyring *keyring)
{
    free(keyring->keys);
    free(keyring->subkeys);
    *keyring = (struct openpgp_keyring){0};
}
