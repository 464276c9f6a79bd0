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

enum { KEY_ID_LEN = 16 };

/* A signature as the helper reports it. */
struct finding {
    char fingerprint[OPENPGP_FINGERPRINT_LEN + 1];
    char primary[OPENPGP_FINGERPRINT_LEN + 1]; /* gpg's word; "" where it has not called it good */
    char text[sizeof((struct openpgp_signature *)0)->text];
    uint32_t status; /* gpg_err_code_t */
    uint32_t summary;
    uint32_t is_wrong_usage;
    uint32_t pubkey, digest;
    int64_t created, expires;
};

struct openpgp {
    struct openpgp_home home;
    struct openpgp_keyring keyring; /* n_keys 0: not listed yet */
};

/* The helper's answer starts with this; then come the list of keys and the findings. */
struct heading {
    uint64_t list_len;
};

/* ---- In the helper ---- */

struct verify_request {
    const char *home;
    bool is_listed;      /* no need to list the keys */
    size_t n_signatures; /* 0: only list the keys */
    struct bytes_view signatures, data;
};

/* What gpg says of one signature on its status lines (doc/DETAILS of GnuPG), of which GPGME passes
 * on only a part: both a GOODSIG and a VALIDSIG make it good. */
struct witness {
    unsigned n_new, n_good, n_valid;
    char key_id[OPENPGP_FINGERPRINT_LEN + 1];      /* of GOODSIG: key id or fingerprint */
    char fingerprint[OPENPGP_FINGERPRINT_LEN + 1]; /* of VALIDSIG, like the next one */
    char primary[OPENPGP_FINGERPRINT_LEN + 1];
};

/* The word at INDEX of ARGS, or "". */
static void copy_word(char *out, size_t size, const char *args, unsigned index)
{
    size_t len;

    while (index-- && *args) {
        args += strcspn(args, " ");
        args += strspn(args, " ");
    }
    len = strcspn(args, " ");
    if (len >= size)
        len = 0;
    memcpy(out, args, len);
    out[len] = '\0';
}

/* gpgme_status_cb_t */
static gpgme_error_t see_status(void *hook, const char *keyword, const char *args)
{
    enum { VALIDSIG_PRIMARY = 9 };
    struct witness *witness = hook;

    if (strcmp(keyword, "NEWSIG") == 0) {
        witness->n_new++;
    } else if (strcmp(keyword, "GOODSIG") == 0) {
        witness->n_good++;
        copy_word(witness->key_id, sizeof witness->key_id, args, 0);
    } else if (strcmp(keyword, "VALIDSIG") == 0) {
        witness->n_valid++;
        copy_word(witness->fingerprint, sizeof witness->fingerprint, args, 0);
        copy_word(witness->primary, sizeof witness->primary, args, VALIDSIG_PRIMARY);
    }
    return 0;
}

static bool is_good(const struct witness *witness, const char *fingerprint)
{
    size_t len = strlen(witness->fingerprint), id_len = strlen(witness->key_id);

    if (witness->n_new != 1 || witness->n_good != 1 || witness->n_valid != 1 || !fingerprint ||
        strcmp(witness->fingerprint, fingerprint) != 0 || id_len < KEY_ID_LEN || id_len > len)
        return false;
    /* The last digits are the key id, from version 5 on the first ones. */
    return strcmp(fingerprint + len - id_len, witness->key_id) == 0 ||
           strncmp(fingerprint, witness->key_id, id_len) == 0;
}

static void put_finding(struct bytes *out, gpgme_signature_t signature,
                        const struct witness *witness)
{
    struct finding finding;
    char text[OPENPGP_ENGINE_TEXT_LEN];

    memset(&finding, 0, sizeof finding);
    openpgp_engine_copy(finding.fingerprint, sizeof finding.fingerprint, signature->fpr);
    if (is_good(witness, signature->fpr))
        memcpy(finding.primary, witness->primary, sizeof finding.primary);
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

/* A signature that gpg has no verdict on, because it cannot read it. */
static void put_unreadable(struct bytes *out, const char *text)
{
    struct finding finding;

    memset(&finding, 0, sizeof finding);
    finding.status = GPG_ERR_NO_DATA;
    openpgp_engine_copy(finding.text, sizeof finding.text, text);
    bytes_append(out, &finding, sizeof finding);
}

/* Takes the first packet off *REST, which must be a signature of definite length (RFC 4880
 * section 4.2); its body becomes *BODY. */
static bool next_signature(struct bytes_view *rest, struct bytes_view *packet,
                           struct bytes_view *body)
{
    enum {
        OLD_FORMAT = 0x88,
        OLD_MASK = 0xfc,
        NEW_FORMAT = 0xc2,
        TWO = 192,
        PARTIAL = 224,
        FOUR = 255
    };
    const unsigned char *p = (const unsigned char *)rest->data;
    size_t n_lens = 0, skip, len = 0, i;

    if (rest->len < 2 || ((p[0] & OLD_MASK) != OLD_FORMAT && p[0] != NEW_FORMAT))
        return false;
    if (p[0] != NEW_FORMAT)
        n_lens = (size_t)1 << (p[0] & 3);
    else if (p[1] < PARTIAL)
        n_lens = p[1] < TWO ? 1 : 2;
    else if (p[1] == FOUR)
        n_lens = 4;
    skip = p[0] == NEW_FORMAT && n_lens == 4 ? 2 : 1; /* a byte tells that four follow */
    if (n_lens == 0 || n_lens > 4 || rest->len < skip + n_lens)
        return false;
    for (i = 0; i < n_lens; i++)
        len = len << 8 | p[skip + i];
    if (p[0] == NEW_FORMAT && n_lens == 2)
        len = len - ((size_t)TWO << 8) + TWO;
    if (len > rest->len - skip - n_lens)
        return false;
    *body = bytes_view_of(rest->data + skip + n_lens, len);
    *packet = bytes_view_of(rest->data, skip + n_lens + len);
    *rest = bytes_view_of(rest->data + packet->len, rest->len - packet->len);
    return true;
}

/* About a signature with a digest that it does not know, gpg says nothing at all. */
static bool has_known_digest(struct bytes_view body)
{
    enum { DIGEST_AT = 3 }; /* of versions 4 to 6, RFC 9580 section 5.2.3 */
    static const char known[] = {GPGME_MD_MD5,    GPGME_MD_SHA1,   GPGME_MD_RMD160, GPGME_MD_SHA256,
                                 GPGME_MD_SHA384, GPGME_MD_SHA512, GPGME_MD_SHA224};

    return body.len > DIGEST_AT && memchr(known, body.data[DIGEST_AT], sizeof known);
}

/* Has gpg verify one PACKET. */
static bool verify_one(gpgme_ctx_t ctx, struct bytes_view packet, struct bytes_view text,
                       struct bytes *out, struct hallmark_error *err)
{
    char reason[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_data_t signature = openpgp_engine_input(packet, err);
    gpgme_data_t data = openpgp_engine_input(text, err);
    gpgme_verify_result_t result = NULL;
    struct witness seen = {.n_good = 0};
    gpgme_error_t code = 0;

    if (signature && data) {
        gpgme_set_status_cb(ctx, see_status, &seen);
        code = gpgme_op_verify(ctx, signature, data, NULL);
        gpgme_set_status_cb(ctx, NULL, NULL);
        result = code ? NULL : gpgme_op_verify_result(ctx);
    }
    gpgme_data_release(signature);
    gpgme_data_release(data);
    if (result && result->signatures && !result->signatures->next)
        put_finding(out, result->signatures, &seen);
    else if (gpgme_err_code(code) == GPG_ERR_NO_DATA)
        put_unreadable(out, "gpg cannot read it");
    else if (code)
        error_set(err, HALLMARK_ERR_IO, "%s", openpgp_engine_text(code, reason));
    else
        error_set(err, HALLMARK_ERR_IO, "it reports %s about one",
                  result && result->signatures ? "several signatures" : "no signature");
    return err->code == HALLMARK_OK;
}

/* One after the other: gpg ends at a bad one, and at one that is not of the same kind. */
static bool verify_all(gpgme_ctx_t ctx, const struct verify_request *wanted, struct bytes *out,
                       struct hallmark_error *err)
{
    struct bytes_view rest = wanted->signatures, packet, body;
    size_t n = 0;
    bool ok;

    gpgme_set_ctx_flag(ctx, "full-status", "1");
    do {
        ok = next_signature(&rest, &packet, &body) ||
             error_set(err, HALLMARK_ERR_SIGNATURE, "finds something else than signatures");
        if (ok && !has_known_digest(body))
            put_unreadable(out, "its digest is unknown");
        else if (ok)
            ok = verify_one(ctx, packet, wanted->data, out, err);
    } while (ok && rest.len && ++n < LIMITS_SIGNATURES);
    return ok;
}

/* Both in one process, for GPGME starts gpg only to learn its version, in each one. */
static bool list_and_verify(const void *request, struct bytes *out, struct hallmark_error *err)
{
    const struct verify_request *wanted = request;
    struct heading heading = {0};
    gpgme_ctx_t ctx;
    bool ok;

    openpgp_engine_init();
    ctx = openpgp_engine_new(wanted->home, err);
    if (!ctx)
        return false;
    bytes_append(out, &heading, sizeof heading);
    ok = wanted->is_listed || openpgp_keyring_put(ctx, out, err);
    heading.list_len = out->len - sizeof heading;
    memcpy(out->data, &heading, sizeof heading);
    if (ok && wanted->n_signatures && (wanted->is_listed || heading.list_len))
        ok = verify_all(ctx, wanted, out, err);
    gpgme_release(ctx);
    return ok;
}

/* ---- In the caller ---- */

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
    openpgp_home_remove(&openpgp->home);
    openpgp_keyring_free(&openpgp->keyring);
    free(openpgp);
}

static enum openpgp_verdict verdict_of(const struct finding *finding)
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
    struct finding finding;
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

/* Takes the list of keys off *ANSWER, if it was asked for. */
static bool take_list(struct openpgp *openpgp, struct bytes_view *answer,
                      struct hallmark_error *err)
{
    struct heading heading = {0};
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

/* Runs the helper. What it found is in ANSWER behind *FINDINGS. */
static bool run(struct openpgp *openpgp, const struct verify_request *request, struct bytes *answer,
                struct bytes_view *findings, struct hallmark_error *err)
{
    struct openpgp_process process = {
        .what = verifying,
        .home = openpgp->home.path,
        .env = OPENPGP_PROCESS_PRIVATE,
        .seconds = LIMITS_VERIFY_SECONDS,
        .max_len = sizeof(struct heading) + OPENPGP_KEYRING_LIST_MAX +
                   (LIMITS_SIGNATURES + 1) * sizeof(struct finding),
        .work = list_and_verify,
        .request = request,
    };

    if (!openpgp_process_run(&process, answer, err))
        return false;
    *findings = bytes_view(answer);
    return take_list(openpgp, findings, err);
}

bool openpgp_keys(struct openpgp *openpgp, const struct openpgp_key **keys, size_t *n_keys,
                  struct hallmark_error *err)
{
    struct verify_request request = {.home = openpgp->home.path};
    struct bytes answer = {0};
    struct bytes_view findings;
    bool ok = openpgp->keyring.n_keys || run(openpgp, &request, &answer, &findings, err);

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

bool openpgp_verify(struct openpgp *openpgp, struct bytes_view signatures, size_t n_signatures,
                    struct bytes_view data, struct openpgp_signatures *out,
                    struct hallmark_error *err)
{
    struct verify_request request = {openpgp->home.path, openpgp->keyring.n_keys > 0, n_signatures,
                                     signatures, data};
    struct openpgp_signatures *found;
    struct bytes_view findings;
    struct bytes answer = {0};
    bool ok;

    if (n_signatures == 0 || n_signatures > LIMITS_SIGNATURES)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "%zu signatures, wanted 1 to %d",
                         n_signatures, LIMITS_SIGNATURES);
    found = alloc_array(1, sizeof *found);
    ok = run(openpgp, &request, &answer, &findings, err) &&
         take_findings(openpgp, findings, n_signatures, found, err);
    if (ok)
        *out = *found;
    free(found);
    bytes_free(&answer);
    return ok;
}

void openpgp_signed_free(struct openpgp_signed *result)
{
    bytes_free(&result->inline_text);
    bytes_free(&result->detached);
}
