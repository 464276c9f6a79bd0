/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the keys that sign, and saying what is wrong with them. */
#include "crypto/openpgp_signer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/encoding.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "crypto/openpgp_engine.h"

static bool check_fingerprint(const char *fingerprint, struct hallmark_error *err)
{
    enum { V4_LEN = 40 };
    size_t len = strlen(fingerprint);

    return ((len == V4_LEN || len == OPENPGP_FINGERPRINT_LEN) &&
            strspn(fingerprint, "0123456789ABCDEF") == len) ||
           error_set(err, HALLMARK_ERR_USAGE,
                     "key \"%s\": wanted a full fingerprint, %d or %d hexadecimal digits",
                     fingerprint, V4_LEN, OPENPGP_FINGERPRINT_LEN);
}

static bool check_keys(const struct openpgp_signer *signer, size_t *n_keys,
                       struct hallmark_error *err)
{
    size_t n, i;

    for (n = 0; signer->fingerprints[n]; n++) {
        if (n == LIMITS_SIGNATURES)
            return error_set(err, HALLMARK_ERR_USAGE, "more than %d keys to sign with",
                             LIMITS_SIGNATURES);
        if (!check_fingerprint(signer->fingerprints[n], err))
            return false;
        for (i = 0; i < n; i++)
            if (strcmp(signer->fingerprints[i], signer->fingerprints[n]) == 0)
                return error_set(err, HALLMARK_ERR_USAGE, "key %s: named twice",
                                 signer->fingerprints[n]);
    }
    if (n == 0)
        return error_set(err, HALLMARK_ERR_USAGE, "no key to sign with");
    *n_keys = n;
    return true;
}

bool openpgp_signer_check(const struct openpgp_signer *signer, size_t *n_keys, char **home,
                          struct hallmark_error *err)
{
    struct stat st = {0};

    if (!check_keys(signer, n_keys, err))
        return false;
    *home = NULL;
    if (!signer->gnupg_home)
        return true;
    if (stat(signer->gnupg_home, &st) < 0 && errno != ENOENT && errno != ENOTDIR)
        return error_set_errno(err, "GnuPG home %s", signer->gnupg_home);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, HALLMARK_ERR_USAGE, "GnuPG home %s: is not a directory",
                         signer->gnupg_home);
    *home = path_resolve(signer->gnupg_home, err);
    return *home != NULL;
}

static const char *home_name(const struct openpgp_signer *signer)
{
    const char *home = signer->gnupg_home ? signer->gnupg_home : getenv("GNUPGHOME");

    return home ? home : "~/.gnupg";
}

/* Like gpgme_get_key(), which would make a context of its own, and so ask gpg for its version
 * again.
 */
static gpgme_error_t find_key(gpgme_ctx_t ctx, const char *fpr, gpgme_key_t *key, int secret)
{
    gpgme_error_t code = gpgme_op_keylist_start(ctx, fpr, secret);
    gpgme_key_t found = NULL, next;

    if (!code)
        code = gpgme_op_keylist_next(ctx, &found);
    if (code)
        return code;
    while ((code = gpgme_op_keylist_next(ctx, &next)) == 0) {
        bool is_same = found->subkeys && next->subkeys && found->subkeys->fpr &&
                       next->subkeys->fpr && strcmp(found->subkeys->fpr, next->subkeys->fpr) == 0;

        gpgme_key_unref(next);
        if (!is_same) {
            code = gpgme_error(GPG_ERR_AMBIGUOUS_NAME);
            break;
        }
    }
    gpgme_op_keylist_end(ctx);
    if (gpgme_err_code(code) == GPG_ERR_EOF) {
        *key = found;
        return 0;
    }
    gpgme_key_unref(found);
    return code;
}

/* Gets one key; FPR has been checked. */
static bool get_key(gpgme_ctx_t ctx, const struct openpgp_signer *signer, const char *fpr,
                    gpgme_key_t *key, struct hallmark_error *err)
{
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_error_t code = find_key(ctx, fpr, key, 0);

    if (gpgme_err_code(code) == GPG_ERR_EOF || gpgme_err_code(code) == GPG_ERR_NO_PUBKEY)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: is not in the GnuPG home %s", fpr,
                         home_name(signer));
    if (code)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: %s (GnuPG home %s)", fpr,
                         openpgp_engine_text(code, text), home_name(signer));
    if (!(*key)->subkeys || !(*key)->subkeys->fpr)
        return error_set(err, HALLMARK_ERR_IO, "key %s: gpg does not describe it", fpr);
    if (strcmp((*key)->subkeys->fpr, fpr) != 0)
        return error_set(err, HALLMARK_ERR_SIGNATURE,
                         "key %s: is a subkey; name its primary key %s", fpr, (*key)->subkeys->fpr);
    return true;
}

static bool check_usable(gpgme_key_t key, const char *fpr, struct hallmark_error *err)
{
    char when[TIMESTAMP_TEXT_LEN];

    if (key->revoked)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: is revoked", fpr);
    if (key->expired) {
        timestamp_write_rfc3339(key->subkeys->expires, when);
        return error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: expired on %s", fpr, when);
    }
    if (key->disabled)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: is disabled in gpg", fpr);
    if (key->invalid)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: gpg calls it invalid", fpr);
    if (!key->can_sign)
        return error_set(err, HALLMARK_ERR_SIGNATURE,
                         "key %s: neither it nor a subkey of it can sign now", fpr);
    return true;
}

static bool has_secret(gpgme_key_t key)
{
    gpgme_subkey_t subkey = key->subkeys;

    while (subkey && !subkey->secret)
        subkey = subkey->next;
    return subkey != NULL;
}

/* Of a KEY that was listed without a secret part, asks once more, for gpg's reason. */
static bool check_secret(gpgme_ctx_t ctx, const struct openpgp_signer *signer, const char *fpr,
                         gpgme_key_t listed, struct hallmark_error *err)
{
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_key_t key = NULL;
    gpgme_error_t code;

    if (has_secret(listed))
        return true;
    code = find_key(ctx, fpr, &key, 1);
    gpgme_key_unref(key);
    if (!code)
        return true;
    return error_set(err, HALLMARK_ERR_SIGNATURE,
                     "key %s: no secret key in the GnuPG home %s (%s); is the key there, and is "
                     "gpg-agent reachable?",
                     fpr, home_name(signer), openpgp_engine_text(code, text));
}

bool openpgp_signer_find(gpgme_ctx_t ctx, const struct openpgp_signer *signer,
                         enum openpgp_signer_use use, gpgme_key_t *keys, struct hallmark_error *err)
{
    const char *fpr;
    size_t i;

    /* gpg asks gpg-agent then, which is started where it does not run. */
    if (use == OPENPGP_SIGNER_SIGN)
        gpgme_set_keylist_mode(ctx, GPGME_KEYLIST_MODE_LOCAL | GPGME_KEYLIST_MODE_WITH_SECRET);
    for (i = 0; i < LIMITS_SIGNATURES && (fpr = signer->fingerprints[i]) != NULL; i++) {
        if (!get_key(ctx, signer, fpr, &keys[i], err))
            return false;
        if (use == OPENPGP_SIGNER_SIGN &&
            (!check_usable(keys[i], fpr, err) || !check_secret(ctx, signer, fpr, keys[i], err)))
            return false;
    }
    return true;
}

void openpgp_signer_unref(gpgme_key_t *keys)
{
    size_t i;

    for (i = 0; i < LIMITS_SIGNATURES; i++)
        if (keys[i])
            gpgme_key_unref(keys[i]);
}

/* Takes the armor off TEXT. A user's gpg.conf may say "armor", and GPGME cannot say otherwise; what
 * comes is our own gpg's output, format/ reads that of others. */
static bool dearmor(struct bytes_view text, struct bytes *out)
{
    struct bytes_view line = {"-", 1};
    struct bytes base64 = {0};
    bool ok;

    while (line.len && bytes_view_next_line(&text, &line))
        ; /* BEGIN, headers, an empty line */
    while (bytes_view_next_line(&text, &line) && line.len && !strchr("=-", line.data[0]))
        bytes_append(&base64, line.data, line.len);
    ok = base64.len && encoding_unbase64(out, bytes_view(&base64));
    bytes_free(&base64);
    return ok;
}

static bool export_key(gpgme_ctx_t ctx, const char *fpr, struct bytes *out,
                       struct hallmark_error *err)
{
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_data_t data = openpgp_engine_output(err);
    struct bytes key = {0};
    gpgme_error_t code;
    bool ok = true;

    if (!data)
        return false;
    code = gpgme_op_export(ctx, fpr, GPGME_EXPORT_MODE_MINIMAL, data);
    if (code) {
        gpgme_data_release(data);
        return error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: cannot export it: %s", fpr,
                         openpgp_engine_text(code, text));
    }
    if (!openpgp_engine_take(data, &key, err))
        return false;
    if (key.len == 0)
        ok = error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: gpg exports nothing", fpr);
    else if (key.data[0] != '-')
        bytes_append(out, key.data, key.len);
    else if (!dearmor(bytes_view(&key), out))
        ok = error_set(err, HALLMARK_ERR_IO, "key %s: gpg exports what is no key", fpr);
    bytes_free(&key);
    return ok;
}

bool openpgp_signer_export(gpgme_ctx_t ctx, const struct openpgp_signer *signer, struct bytes *out,
                           struct hallmark_error *err)
{
    size_t i;

    gpgme_set_armor(ctx, 0);
    for (i = 0; signer->fingerprints[i]; i++)
        if (!export_key(ctx, signer->fingerprints[i], out, err))
            return false;
    return true;
}
