/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A keyring in a private GnuPG home, and detached signatures verified against it. gpg's word is
 * taken only for what it was asked: whose key a signature is by comes from our list.
 */
#include "crypto/openpgp.h"

#include <gpgme.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "crypto/openpgp_engine.h"
#include "crypto/openpgp_process.h"
#include "crypto/openpgp_home.h"
#include "crypto/openpgp_keyring.h"

static const char verifying[] = "gpg (verifying)";

/* A signature as the helper reports it. */
struct finding {
    char fingerprint[OPENPGP_FINGERPRINT_LEN + 1];
    char text[sizeof((struct openpgp_signature *)0)->text];
    uint32_t status; /* gpg_err_code_t */
    uint32_t summary;
    uint32_t is_wrong_usage;
    uint32_t pubkey, digest;
    int64_t created, expires;
};

struct openpgp {
    char *home;
    struct openpgp_keyring keyring;
};

/* ---- In the helper ---- */

struct verify_request {
    const char *home;
    struct bytes_view signatures, data;
};

static void put_findings(struct bytes *out, gpgme_verify_result_t result)
{
    gpgme_signature_t signature;
    struct finding finding;
    char text[OPENPGP_ENGINE_TEXT_LEN];
    size_t n = 0;

    for (signature = result ? result->signatures : NULL; signature && n <= LIMITS_SIGNATURES;
         signature = signature->next, n++) {
        memset(&finding, 0, sizeof finding);
        openpgp_engine_copy(finding.fingerprint, sizeof finding.fingerprint, signature->fpr);
        openpgp_engine_copy(finding.text, sizeof finding.text,
                            openpgp_engine_text(signature->status, text));
        finding.status = gpgme_err_code(signature->status);
        finding.summary = (uint32_t)signature->summary;
        finding.is_wrong_usage = signature->wrong_key_usage;
        finding.pubkey = openpgp_engine_pubkey(signature->pubkey_algo);
        finding.digest = openpgp_engine_digest(signature->hash_algo);
        finding.created = (int64_t)signature->timestamp;
        finding.expires = (int64_t)signature->exp_timestamp;
        bytes_append(out, &finding, sizeof finding);
    }
}

static bool verify(const void *request, struct bytes *out, struct hallmark_error *err)
{
    const struct verify_request *wanted = request;
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_data_t signatures = NULL, data = NULL;
    gpgme_error_t code;
    gpgme_ctx_t ctx;
    bool ok = false;

    openpgp_engine_init(OPENPGP_ENGINE_NO_GPGCONF);
    ctx = openpgp_engine_new(wanted->home, err);
    if (!ctx || !(signatures = openpgp_engine_input(wanted->signatures, err)) ||
        !(data = openpgp_engine_input(wanted->data, err)))
        goto out;
    code = gpgme_op_verify(ctx, signatures, data, NULL);
    if (gpgme_err_code(code) == GPG_ERR_NO_DATA)
        error_set(err, HALLMARK_ERR_SIGNATURE, "finds no signature that it can read");
    else if (code)
        error_set(err, HALLMARK_ERR_IO, "%s", openpgp_engine_text(code, text));
    if (code)
        goto out;
    put_findings(out, gpgme_op_verify_result(ctx));
    ok = true;
out:
    gpgme_data_release(signatures);
    gpgme_data_release(data);
    gpgme_release(ctx);
    return ok;
}

/* ---- In the caller ---- */

/* Options of the verifying gpg; the system-wide gpg.conf is read as well, and must not matter. */
static const char options[] = "batch\n"
                              "no-tty\n"
                              "no-greeting\n"
                              "no-autostart\n"
                              "no-auto-key-retrieve\n"
                              "no-auto-key-import\n"
                              "no-auto-key-locate\n"
                              "no-auto-check-trustdb\n"
                              "no-random-seed-file\n"
                              "no-comments\n"
                              "lock-never\n"
                              "trust-model always\n"
                              "weak-digest MD5\n"
                              "weak-digest SHA1\n"
                              "weak-digest RIPEMD160\n";

static bool fill_home(const char *home, struct bytes_view keyring, int64_t now,
                      struct hallmark_error *err)
{
    struct bytes conf = {0};
    bool ok;

    /* gpg counts seconds in 32 bits; no OpenPGP key can expire later than that. */
    if (now > UINT32_MAX - 1)
        now = UINT32_MAX - 1;
    bytes_append_str(&conf, options);
    bytes_printf(&conf, "faked-system-time %lld!\n", (long long)now);
    ok = openpgp_home_add(home, "pubring.gpg", keyring, err) &&
         openpgp_home_add(home, "gpg.conf", bytes_view(&conf), err);
    bytes_free(&conf);
    return ok;
}

struct openpgp *openpgp_open(struct bytes_view keyring, int64_t now, struct hallmark_error *err)
{
    struct openpgp *openpgp = alloc_array(1, sizeof *openpgp);

    openpgp->home = openpgp_home_new(err);
    if (openpgp->home && fill_home(openpgp->home, keyring, now, err) &&
        openpgp_keyring_list(&openpgp->keyring, openpgp->home, err))
        return openpgp;
    openpgp_close(openpgp);
    return NULL;
}

void openpgp_close(struct openpgp *openpgp)
{
    if (!openpgp)
        return;
    openpgp_home_free(openpgp->home);
    openpgp_keyring_free(&openpgp->keyring);
    free(openpgp);
}

const struct openpgp_key *openpgp_keys(const struct openpgp *openpgp, size_t *n_keys)
{
    *n_keys = openpgp->keyring.n_keys;
    return openpgp->keyring.keys;
}

static enum openpgp_verdict verdict_of(const struct finding *finding)
{
    const uint32_t doubtful = GPGME_SIGSUM_RED | GPGME_SIGSUM_KEY_REVOKED |
                              GPGME_SIGSUM_KEY_EXPIRED | GPGME_SIGSUM_SIG_EXPIRED |
                              GPGME_SIGSUM_KEY_MISSING | GPGME_SIGSUM_BAD_POLICY |
                              GPGME_SIGSUM_SYS_ERROR;

    switch (finding->status) {
    case GPG_ERR_NO_ERROR:
        if (finding->is_wrong_usage)
            return OPENPGP_KEY_UNUSABLE;
        return finding->summary & doubtful ? OPENPGP_REFUSED : OPENPGP_GOOD;
    case GPG_ERR_BAD_SIGNATURE:
        return OPENPGP_BAD;
    case GPG_ERR_NO_PUBKEY:
        return OPENPGP_NO_KEY;
    case GPG_ERR_KEY_EXPIRED:
        return OPENPGP_KEY_EXPIRED;
    case GPG_ERR_CERT_REVOKED:
        return OPENPGP_KEY_REVOKED;
    case GPG_ERR_SIG_EXPIRED:
        return OPENPGP_SIGNATURE_EXPIRED;
    case GPG_ERR_UNUSABLE_PUBKEY:
    case GPG_ERR_BAD_PUBKEY:
    case GPG_ERR_WRONG_KEY_USAGE:
    case GPG_ERR_TIME_CONFLICT:
        return OPENPGP_KEY_UNUSABLE;
    default:
        return OPENPGP_REFUSED;
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return a ? a : b;
    return a < b ? a : b;
}

/* Fills in what our list says about the key. */
static void describe_key(const struct openpgp *openpgp, struct openpgp_signature *out,
                         const struct openpgp_keyring_subkey *subkey)
{
    const struct openpgp_key *primary = &openpgp->keyring.keys[subkey->primary];

    memcpy(out->fingerprint, subkey->fingerprint, sizeof out->fingerprint);
    memcpy(out->primary, primary->fingerprint, sizeof out->primary);
    memcpy(out->user_id, primary->user_id, sizeof out->user_id);
    out->pubkey = subkey->pubkey;
    out->key_bits = subkey->bits;
    out->primary_pubkey = primary->pubkey;
    out->primary_bits = primary->bits;
    out->key_created = subkey->created;
    out->key_expires = earlier(subkey->expires, primary->expires);
}

static void refuse(struct openpgp_signature *out, enum openpgp_verdict verdict, const char *text)
{
    out->verdict = verdict;
    openpgp_engine_copy(out->text, sizeof out->text, text);
}

static void judge(const struct openpgp *openpgp, const struct finding *finding,
                  struct openpgp_signature *out)
{
    const struct openpgp_keyring_subkey *subkey;

    memset(out, 0, sizeof *out);
    out->verdict = verdict_of(finding);
    out->created = finding->created;
    out->expires = finding->expires;
    out->digest = finding->digest;
    out->pubkey = finding->pubkey;
    memcpy(out->fingerprint, finding->fingerprint, sizeof out->fingerprint);
    if (out->verdict != OPENPGP_GOOD)
        memcpy(out->text, finding->text, sizeof out->text);
    subkey = openpgp_keyring_find(&openpgp->keyring, finding->fingerprint);
    if (!subkey && out->verdict != OPENPGP_GOOD)
        subkey = openpgp_keyring_find_id(&openpgp->keyring, finding->fingerprint);
    if (subkey)
        describe_key(openpgp, out, subkey);
    if (out->verdict != OPENPGP_GOOD)
        return;
    if (!subkey)
        refuse(out, OPENPGP_REFUSED, "gpg calls it good, but its key is not in the keyring");
    else if (subkey->is_revoked)
        refuse(out, OPENPGP_KEY_REVOKED, "a copy of the key in the keyring is revoked");
    else if (out->created == 0)
        refuse(out, OPENPGP_REFUSED, "gpg calls it good, but tells no date");
}

/* Takes in the helper's answer. */
static bool take_findings(const struct openpgp *openpgp, const struct bytes *in,
                          size_t n_signatures, struct openpgp_signatures *out,
                          struct hallmark_error *err)
{
    struct finding finding;
    size_t i;

    if (in->len != n_signatures * sizeof finding)
        return error_set(err, HALLMARK_ERR_IO, "%s: it reports %zu signatures, there are %zu",
                         verifying, in->len / sizeof finding, n_signatures);
    for (i = 0; i < n_signatures; i++) {
        memcpy(&finding, in->data + i * sizeof finding, sizeof finding);
        finding.fingerprint[sizeof finding.fingerprint - 1] = '\0';
        finding.text[sizeof finding.text - 1] = '\0';
        if (finding.created < 0 || finding.created > LIMITS_TIMESTAMP_MAX || finding.expires < 0 ||
            finding.expires > LIMITS_TIMESTAMP_MAX)
            return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", verifying);
        judge(openpgp, &finding, &out->items[i]);
    }
    out->n_items = n_signatures;
    return true;
}

bool openpgp_verify(struct openpgp *openpgp, struct bytes_view signatures, size_t n_signatures,
                    struct bytes_view data, struct openpgp_signatures *out,
                    struct hallmark_error *err)
{
    struct verify_request request = {openpgp->home, signatures, data};
    struct openpgp_process process = {
        .what = verifying,
        .home = openpgp->home,
        .env = OPENPGP_PROCESS_PRIVATE,
        .seconds = LIMITS_VERIFY_SECONDS,
        .max_len = (LIMITS_SIGNATURES + 1) * sizeof(struct finding),
        .work = verify,
        .request = &request,
    };
    struct openpgp_signatures *found;
    struct bytes in = {0};
    bool ok;

    if (n_signatures == 0 || n_signatures > LIMITS_SIGNATURES)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "%zu signatures, wanted 1 to %d",
                         n_signatures, LIMITS_SIGNATURES);
    found = alloc_array(1, sizeof *found);
    ok = openpgp_process_run(&process, &in, err) &&
         take_findings(openpgp, &in, n_signatures, found, err);
    if (ok)
        *out = *found;
    free(found);
    bytes_free(&in);
    return ok;
}
