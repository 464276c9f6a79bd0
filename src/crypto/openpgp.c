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
#include "crypto/openpgp_request.h"
#include "crypto/openpgp_task.h"
#include "crypto/openpgp_verdicts.h"

static const char verifying[] = "gpg (verifying)";

struct openpgp {
    struct openpgp_home home;
    struct openpgp_keyring keyring; /* n_keys 0: not listed yet */
    struct openpgp_running helper;  /* pid 0: none */
    struct openpgp_task task;       /* its */
    bool remembers;
    struct openpgp_verdicts verdicts;
};

/* Options of the verifying gpg; the system-wide gpg.conf is read as well, and must not matter. */
static const char options[] = "ignore-invalid-option no-auto-key-import\n" /* of gpg 2.2.20 */
                              "batch\n"
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

    if (openpgp_home_make(&openpgp->home, err) && fill_home(openpgp->home.path, keyring, now, err))
        return openpgp;
    openpgp_close(openpgp);
    return NULL;
}

void openpgp_close(struct openpgp *openpgp)
{
    if (!openpgp)
        return;
    openpgp_process_stop(&openpgp->helper);
    openpgp_home_remove(&openpgp->home);
    openpgp_keyring_free(&openpgp->keyring);
    openpgp_verdicts_free(&openpgp->verdicts);
    free(openpgp);
}

static enum openpgp_verdict verdict_of(const struct openpgp_finding *finding)
{
    /* All that GPGME may say of a good signature; under "trust-model always" it says nothing. */
    const uint32_t good = GPGME_SIGSUM_VALID | GPGME_SIGSUM_GREEN;

    switch (finding->status) {
    case GPG_ERR_NO_ERROR:
        if (finding->is_wrong_usage)
            return OPENPGP_KEY_UNUSABLE;
        return finding->summary & ~good ? OPENPGP_REFUSED : OPENPGP_GOOD;
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

static void judge(const struct openpgp *openpgp, const struct openpgp_finding *finding,
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
    if (finding->status)
        memcpy(out->text, finding->text, sizeof out->text);
    else if (out->verdict != OPENPGP_GOOD)
        refuse(out, out->verdict, "gpg calls it good, but not without reserve");
    subkey = openpgp_keyring_find(&openpgp->keyring, finding->fingerprint);
    if (!subkey && out->verdict != OPENPGP_GOOD)
        subkey = openpgp_keyring_find_id(&openpgp->keyring, finding->fingerprint);
    if (subkey)
        describe_key(openpgp, out, subkey);
    if (out->verdict != OPENPGP_GOOD)
        return;
    if (!*finding->primary)
        refuse(out, OPENPGP_REFUSED, "gpg does not call it good and valid");
    else if (!subkey || strcmp(out->primary, finding->primary) != 0)
        refuse(out, OPENPGP_REFUSED, "gpg calls it good, but its key is not in the keyring");
    else if (subkey->is_revoked)
        refuse(out, OPENPGP_KEY_REVOKED, "a copy of the key in the keyring is revoked");
    else if (out->created == 0)
        refuse(out, OPENPGP_REFUSED, "gpg calls it good, but tells no date");
}

/* Takes in what the helper found. */
static bool take_findings(const struct openpgp *openpgp, struct bytes_view in, size_t n_signatures,
                          struct openpgp_signatures *out, struct hallmark_error *err)
{
    struct openpgp_finding finding;
    size_t i;

    if (in.len != n_signatures * sizeof finding)
        return error_set(err, HALLMARK_ERR_IO, "%s: it reports %zu signatures, there are %zu",
                         verifying, in.len / sizeof finding, n_signatures);
    for (i = 0; i < n_signatures; i++) {
        memcpy(&finding, in.data + i * sizeof finding, sizeof finding);
        finding.fingerprint[sizeof finding.fingerprint - 1] = '\0';
        finding.primary[sizeof finding.primary - 1] = '\0';
        finding.text[sizeof finding.text - 1] = '\0';
        if (finding.created < 0 || finding.created > LIMITS_TIMESTAMP_MAX || finding.expires < 0 ||
            finding.expires > LIMITS_TIMESTAMP_MAX)
            return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", verifying);
        judge(openpgp, &finding, &out->items[i]);
    }
    out->n_items = n_signatures;
    return true;
}

/* Takes the list of keys off *ANSWER, if it was not known. */
static bool take_list(struct openpgp *openpgp, struct bytes_view *answer,
                      struct hallmark_error *err)
{
    struct openpgp_heading heading = {0};
    struct bytes_view list;

    if (answer->len >= sizeof heading)
        memcpy(&heading, answer->data, sizeof heading);
    if (answer->len < sizeof heading || heading.list_len > answer->len - sizeof heading ||
        (openpgp->keyring.n_keys && heading.list_len))
        return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", verifying);
    list = bytes_view_of(answer->data + sizeof heading, heading.list_len);
    *answer = bytes_view_of(list.data + list.len, answer->len - sizeof heading - list.len);
    return openpgp->keyring.n_keys || openpgp_keyring_take(&openpgp->keyring, list, verifying, err);
}

/* Whether a gpg that verifies is started with the helper. */
enum readiness { TO_LIST, TO_VERIFY };

/* Starts the helper, if there is none. */
static bool start(struct openpgp *openpgp, enum readiness readiness, struct hallmark_error *err)
{
    struct openpgp_process process = {
        .what = verifying,
        .home = openpgp->home.path,
        .env = OPENPGP_PROCESS_PRIVATE,
        .seconds = LIMITS_VERIFY_SECONDS,
        .max_len = sizeof(struct openpgp_heading) + OPENPGP_KEYRING_LIST_MAX +
                   (LIMITS_SIGNATURES + 1) * sizeof(struct openpgp_finding),
        .work = openpgp_task_run,
        .request = &openpgp->task,
    };

    if (openpgp->helper.pid)
        return true;
    openpgp->task = (struct openpgp_task){.home = openpgp->home.path,
                                          .is_listed = openpgp->keyring.n_keys > 0,
                                          .is_prepared = readiness == TO_VERIFY};
    return openpgp_process_start(&process, &openpgp->helper, err);
}

bool openpgp_prepare_next(struct openpgp *openpgp, struct hallmark_error *err)
{
    return openpgp->helper.pid
               ? openpgp_request_send(openpgp->helper.fd, OPENPGP_REQUEST_PREPARE, NULL, err)
               : start(openpgp, TO_VERIFY, err);
}

bool openpgp_prepare(struct openpgp *openpgp, struct hallmark_error *err)
{
    return openpgp->keyring.n_keys || openpgp->helper.pid || start(openpgp, TO_VERIFY, err);
}

/* Has the helper do KIND. What it found is in ANSWER behind *FINDINGS. */
static bool ask_helper(struct openpgp *openpgp, enum openpgp_request_kind kind,
                       const struct bytes_view *parts, struct bytes *answer,
                       struct bytes_view *findings, struct hallmark_error *err)
{
    if (!start(openpgp, kind == OPENPGP_REQUEST_VERIFY ? TO_VERIFY : TO_LIST, err) ||
        !openpgp_request_send(openpgp->helper.fd, kind, parts, err) ||
        !openpgp_process_next(&openpgp->helper, answer, err))
        return false;
    *findings = bytes_view(answer);
    return take_list(openpgp, findings, err);
}

bool openpgp_keys(struct openpgp *openpgp, const struct openpgp_key **keys, size_t *n_keys,
                  struct hallmark_error *err)
{
    struct bytes answer = {0};
    struct bytes_view findings;
    bool ok = openpgp->keyring.n_keys ||
              ask_helper(openpgp, OPENPGP_REQUEST_LIST, NULL, &answer, &findings, err);

    bytes_free(&answer);
    if (!ok)
        return false;
    *keys = openpgp->keyring.keys;
    *n_keys = openpgp->keyring.n_keys;
    return true;
}

void openpgp_add_revoked(const struct openpgp *openpgp, struct strlist *out)
{
    const struct openpgp_keyring *keyring = &openpgp->keyring;
    size_t i;

    for (i = 0; i < keyring->n_subkeys; i++)
        if (keyring->subkeys[i].is_revoked)
            strlist_add(out, keyring->subkeys[i].fingerprint);
}

void openpgp_remember(struct openpgp *openpgp)
{
    openpgp->remembers = true;
}

/* Has gpg verify them. */
static bool ask(struct openpgp *openpgp, struct bytes_view signatures, size_t n_signatures,
                struct bytes_view data, struct openpgp_signatures *out, struct hallmark_error *err)
{
    const struct bytes_view parts[OPENPGP_REQUEST_PARTS] = {
        [OPENPGP_TASK_SIGNATURES] = signatures, [OPENPGP_TASK_DATA] = data};
    struct openpgp_signatures *found;
    struct bytes_view findings;
    struct bytes answer = {0};
    bool ok;

    found = alloc_array(1, sizeof *found);
    ok = ask_helper(openpgp, OPENPGP_REQUEST_VERIFY, parts, &answer, &findings, err) &&
         take_findings(openpgp, findings, n_signatures, found, err);
    if (ok)
        *out = *found;
    free(found);
    bytes_free(&answer);
    return ok;
}

bool openpgp_verify(struct openpgp *openpgp, struct bytes_view signatures, size_t n_signatures,
                    struct bytes_view data, struct openpgp_signatures *out,
                    struct hallmark_error *err)
{
    const struct openpgp_signatures *known;
    struct openpgp_verdict_key key;

    if (n_signatures == 0 || n_signatures > LIMITS_SIGNATURES)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "%zu signatures, wanted 1 to %d",
                         n_signatures, LIMITS_SIGNATURES);
    if (!openpgp->remembers)
        return ask(openpgp, signatures, n_signatures, data, out, err);
    if (!openpgp_verdicts_key(&key, signatures, data, err))
        return false;
    known = openpgp_verdicts_find(&openpgp->verdicts, &key);
    if (known && known->n_items == n_signatures) {
        *out = *known;
        return true;
    }
    if (!ask(openpgp, signatures, n_signatures, data, out, err))
        return false;
    openpgp_verdicts_add(&openpgp->verdicts, &key, out);
    return true;
}

void openpgp_signed_free(struct openpgp_signed *result)
{
    bytes_free(&result->inline_text);
    bytes_free(&result->detached);
}
