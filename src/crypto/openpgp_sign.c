/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signing. gpg signs in a private home that holds the public keys, a gpg.conf of ours, and a
 * pointer to the socket of the user's gpg-agent, which has the secret keys: so nothing in the
 * user's gpg.conf can change what a signature is, and all keys use one digest, as the one Hash line
 * of an InRelease needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/openpgp.h"
#include "crypto/openpgp_engine.h"
#include "crypto/openpgp_process.h"
#include "crypto/openpgp_home.h"
#include "crypto/openpgp_signer.h"

static const char signing[] = "gpg (signing)";

/* Options of the signing gpg. no-autostart: an agent of the private home would know no key. */
static const char options[] = "ignore-invalid-option no-include-key-block\n" /* of gpg 2.2.20 */
                              "no-greeting\n"
                              "no-autostart\n"
                              "no-auto-key-retrieve\n"
                              "no-auto-key-locate\n"
                              "no-auto-check-trustdb\n"
                              "no-comments\n"
                              "no-emit-version\n"
                              "no-default-recipient\n"
                              "no-encrypt-to\n"
                              "no-ask-sig-expire\n"
                              "no-include-key-block\n"
                              "default-sig-expire 0\n"
                              "trust-model always\n"
                              "lock-never\n"
                              "digest-algo SHA512\n";

struct sign_request {
    const struct openpgp_signer *signer; /* with an absolute gnupg_home */
    const char *home;                    /* the private one */
    const char *agent;                   /* where it looks for an agent */
    size_t n_keys;
    struct bytes_view text;
};

/* ---- In the helper ---- */

struct session {
    const struct sign_request *wanted;
    gpgme_ctx_t ctx; /* on the private home */
    gpgme_key_t keys[LIMITS_SIGNATURES];
};

struct passphrase {
    const char *text;
    size_t n_calls, max_calls;
};

/* gpgme_passphrase_cb_t. A second question about a key means that the passphrase is wrong. */
static gpgme_error_t give_passphrase(void *hook, const char *uid_hint, const char *info,
                                     int prev_was_bad, int fd)
{
    struct passphrase *passphrase = hook;
    struct bytes line = {0};
    ssize_t result;

    (void)uid_hint;
    (void)info;
    if (prev_was_bad || passphrase->n_calls++ >= passphrase->max_calls)
        return gpgme_error(GPG_ERR_CANCELED);
    bytes_append_str(&line, passphrase->text);
    bytes_append(&line, "\n", 1);
    result = gpgme_io_writen(fd, line.data, line.len);
    bytes_wipe(&line);
    return result < 0 ? gpgme_error_from_syserror() : 0;
}

static bool sign_failed(const struct sign_request *wanted, const char *who, gpgme_error_t code,
                        struct hallmark_error *err)
{
    const char *home = wanted->signer->gnupg_home ? wanted->signer->gnupg_home : "of this user";
    char text[OPENPGP_ENGINE_TEXT_LEN];

    openpgp_engine_text(code, text);
    switch (gpgme_err_code(code)) {
    case GPG_ERR_BAD_PASSPHRASE:
    case GPG_ERR_NO_PASSPHRASE:
        return error_set(err, HALLMARK_ERR_SIGNATURE, "%s: wrong passphrase", who);
    case GPG_ERR_CANCELED:
    case GPG_ERR_FULLY_CANCELED:
        return error_set(err, HALLMARK_ERR_SIGNATURE,
                         wanted->signer->passphrase ? "%s: wrong passphrase"
                                                    : "%s: the passphrase was not given",
                         who);
    case GPG_ERR_NO_PIN_ENTRY:
    case GPG_ERR_ENOTTY:
    case GPG_ERR_PIN_ENTRY:
        return error_set(
            err, HALLMARK_ERR_SIGNATURE,
            "%s: needs a passphrase, and there is no terminal: unlock it in gpg-agent, "
            "or give --passphrase-file",
            who);
    case GPG_ERR_NO_AGENT:
    case GPG_ERR_AGENT:
        return error_set(err, HALLMARK_ERR_SIGNATURE,
                         "%s: gpg-agent cannot be reached (GnuPG home %s)", who, home);
    default:
        return error_set(err, HALLMARK_ERR_SIGNATURE, "%s: gpg did not sign: %s", who, text);
    }
}

/* Finds the keys in the user's home, and fills the private one. */
static bool prepare(struct session *session, struct hallmark_error *err)
{
    const struct sign_request *wanted = session->wanted;
    struct bytes_view exported = wanted->signer->exported;
    struct bytes keyring = {0};
    gpgme_ctx_t ctx = openpgp_engine_new(wanted->signer->gnupg_home, err);
    bool ok = ctx &&
              openpgp_signer_find(ctx, wanted->signer, OPENPGP_SIGNER_SIGN, session->keys, err) &&
              (exported.len || openpgp_signer_export(ctx, wanted->signer, &keyring, err)) &&
              openpgp_home_add(wanted->home, "pubring.gpg",
                               exported.len ? exported : bytes_view(&keyring), err) &&
              openpgp_home_add(wanted->home, "gpg.conf", bytes_view_str(options), err) &&
              openpgp_home_redirect(wanted->agent, err);

    bytes_free(&keyring);
    gpgme_release(ctx);
    return ok;
}

static bool has_subkey(gpgme_key_t key, const char *fingerprint)
{
    gpgme_subkey_t subkey;

    for (subkey = key->subkeys; subkey; subkey = subkey->next)
        if (subkey->fpr && strcmp(subkey->fpr, fingerprint) == 0)
            return true;
    return false;
}

static bool is_strong(gpgme_hash_algo_t algorithm)
{
    return algorithm == GPGME_MD_SHA256 || algorithm == GPGME_MD_SHA384 ||
           algorithm == GPGME_MD_SHA512;
}

/* The index of the key that has FINGERPRINT itself or as a subkey; n_keys where there is none. */
static size_t find_key(const struct session *session, const char *fingerprint)
{
    size_t i;

    for (i = 0; i < session->wanted->n_keys; i++)
        if (fingerprint && has_subkey(session->keys[i], fingerprint))
            break;
    return i;
}

/* Whether nobody but the keys asked for has signed, each at most once, with the same strong digest.
 */
static bool check_result(const struct session *session, gpgme_sign_result_t result,
                         gpgme_sig_mode_t mode, struct hallmark_error *err)
{
    bool has_signed[LIMITS_SIGNATURES + 1] = {false};
    gpgme_new_signature_t made;
    size_t i;

    has_signed[session->wanted->n_keys] = true; /* nobody */
    for (made = result ? result->signatures : NULL; made; made = made->next) {
        i = find_key(session, made->fpr);
        if (has_signed[i] || made->type != mode)
            return error_set(err, HALLMARK_ERR_SIGNATURE,
                             "gpg made a signature that was not asked for, by key %s",
                             made->fpr ? made->fpr : "(unknown)");
        if (!is_strong(made->hash_algo) || made->hash_algo != result->signatures->hash_algo)
            return error_set(err, HALLMARK_ERR_SIGNATURE,
                             "key %s: signed with the digest %s, wanted SHA512 for all keys",
                             session->wanted->signer->fingerprints[i],
                             gpgme_hash_algo_name(made->hash_algo));
        has_signed[i] = true;
    }
    return true;
}

static size_t count_signatures(gpgme_sign_result_t result)
{
    gpgme_new_signature_t made;
    size_t n = 0;

    for (made = result ? result->signatures : NULL; made; made = made->next)
        n++;
    return n;
}

/* One call of gpg with the keys that the context has been given. */
static gpgme_error_t sign_once(const struct session *session, gpgme_sig_mode_t mode,
                               gpgme_data_t out)
{
    struct passphrase passphrase = {session->wanted->signer->passphrase, 0,
                                    gpgme_signers_count(session->ctx)};
    struct hallmark_error ignored = {0};
    gpgme_data_t in = openpgp_engine_input(session->wanted->text, &ignored);
    gpgme_error_t code;

    if (!in)
        return gpgme_error(GPG_ERR_ENOMEM);
    if (passphrase.text)
        gpgme_set_passphrase_cb(session->ctx, give_passphrase, &passphrase);
    code = gpgme_op_sign(session->ctx, in, out, mode);
    gpgme_set_passphrase_cb(session->ctx, NULL, NULL);
    gpgme_data_release(in);
    return code;
}

/* Tries key INDEX alone. False with an error where it cannot sign. */
static bool try_key(const struct session *session, size_t index, struct hallmark_error *err)
{
    char who[OPENPGP_FINGERPRINT_LEN + 16];
    gpgme_data_t out = openpgp_engine_output(err);
    gpgme_error_t code;

    if (!out)
        return false;
    gpgme_signers_clear(session->ctx);
    code = gpgme_signers_add(session->ctx, session->keys[index]);
    if (!code)
        code = sign_once(session, GPGME_SIG_MODE_DETACH, out);
    gpgme_data_release(out);
    if (!code)
        return true;
    snprintf(who, sizeof who, "key %s", session->wanted->signer->fingerprints[index]);
    return sign_failed(session->wanted, who, code, err);
}

/* Says which key it was that did not sign: tries them one by one, unless a person would be asked.
 * GPGME may have a CODE for it, or call a signing without signatures a success. Always returns
 * false. */
static bool blame(const struct session *session, gpgme_error_t code, struct hallmark_error *err)
{
    const struct openpgp_signer *signer = session->wanted->signer;
    struct bytes who = {0};
    size_t i;

    for (i = 0; i < session->wanted->n_keys && !signer->interactive; i++)
        if (!try_key(session, i, err))
            return false;
    for (i = 0; i < session->wanted->n_keys; i++)
        bytes_printf(&who, "%s%s", i ? ", " : "key ", signer->fingerprints[i]);
    sign_failed(session->wanted, who.data, code ? code : gpgme_error(GPG_ERR_UNUSABLE_SECKEY), err);
    bytes_free(&who);
    return false;
}

static bool sign_mode(const struct session *session, gpgme_sig_mode_t mode, struct bytes *out,
                      struct hallmark_error *err)
{
    gpgme_data_t data = openpgp_engine_output(err);
    gpgme_sign_result_t result = NULL;
    gpgme_error_t code;

    if (!data)
        return false;
    code = sign_once(session, mode, data);
    if (!code) {
        result = gpgme_op_sign_result(session->ctx);
        if (check_result(session, result, mode, err) &&
            count_signatures(result) == session->wanted->n_keys)
            return openpgp_engine_take(data, out, err);
    }
    gpgme_data_release(data);
    return err->code == HALLMARK_OK ? blame(session, code, err) : false;
}

/* Opens the context on the private home, with the keys and the way to the passphrase. */
static bool open_private(struct session *session, struct hallmark_error *err)
{
    const struct openpgp_signer *signer = session->wanted->signer;
    gpgme_pinentry_mode_t pinentry = GPGME_PINENTRY_MODE_ERROR;
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_error_t code;
    size_t i;

    session->ctx = openpgp_engine_new(session->wanted->home, err);
    if (!session->ctx)
        return false;
    if (signer->passphrase)
        pinentry = GPGME_PINENTRY_MODE_LOOPBACK;
    else if (signer->interactive)
        pinentry = GPGME_PINENTRY_MODE_DEFAULT;
    gpgme_set_armor(session->ctx, 1);
    gpgme_set_textmode(session->ctx, 0);
    code = gpgme_set_pinentry_mode(session->ctx, pinentry);
    for (i = 0; i < session->wanted->n_keys && !code; i++)
        code = gpgme_signers_add(session->ctx, session->keys[i]);
    return !code || error_set(err, HALLMARK_ERR_IO, "GPGME: %s", openpgp_engine_text(code, text));
}

/* Answers with the length of the inline text, the inline text, and the detached signature. */
static bool sign(const void *request, struct bytes *out, struct hallmark_error *err)
{
    struct session session = {.wanted = request};
    uint64_t inline_len = 0;
    bool ok;

    openpgp_engine_init();
    bytes_append(out, &inline_len, sizeof inline_len);
    ok = prepare(&session, err) && open_private(&session, err) &&
         sign_mode(&session, GPGME_SIG_MODE_CLEAR, out, err);
    if (ok) {
        inline_len = out->len - sizeof inline_len;
        memcpy(out->data, &inline_len, sizeof inline_len);
        ok = sign_mode(&session, GPGME_SIG_MODE_DETACH, out, err);
    }
    gpgme_release(session.ctx);
    openpgp_signer_unref(session.keys);
    return ok;
}

/* ---- In the caller ---- */

static bool has_prefix(struct bytes_view view, const char *prefix)
{
    size_t len = strlen(prefix);

    return view.len >= len && memcmp(view.data, prefix, len) == 0;
}

static bool take_signed(const struct bytes *in, struct openpgp_signed *out,
                        struct hallmark_error *err)
{
    struct bytes_view inline_text = {0}, detached = {0};
    uint64_t inline_len = 0;

    if (in->len >= sizeof inline_len)
        memcpy(&inline_len, in->data, sizeof inline_len);
    if (in->len >= sizeof inline_len && inline_len <= in->len - sizeof inline_len) {
        inline_text = bytes_view_of(in->data + sizeof inline_len, inline_len);
        detached =
            bytes_view_of(inline_text.data + inline_len, in->len - sizeof inline_len - inline_len);
    }
    if (!has_prefix(inline_text, "-----BEGIN PGP SIGNED MESSAGE-----\n") ||
        !has_prefix(detached, "-----BEGIN PGP SIGNATURE-----\n"))
        return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", signing);
    *out = (struct openpgp_signed){0};
    bytes_append(&out->inline_text, inline_text.data, inline_text.len);
    bytes_append(&out->detached, detached.data, detached.len);
    return true;
}

static bool run(const struct sign_request *request, struct openpgp_signed *out,
                struct hallmark_error *err)
{
    const struct openpgp_signer *signer = request->signer;
    struct openpgp_process process = {
        .what = signing,
        .home = signer->gnupg_home,
        .env = signer->interactive ? OPENPGP_PROCESS_PERSON : OPENPGP_PROCESS_USER,
        .seconds = signer->interactive ? LIMITS_SIGN_INTERACTIVE_SECONDS : LIMITS_SIGN_SECONDS,
        /* Each line may be escaped with two characters; the signatures come twice. */
        .max_len = 3 * request->text.len + 2 * LIMITS_SIGNATURE_BYTES,
        .work = sign,
        .request = request,
    };
    struct bytes in = {0};
    bool ok = openpgp_process_run(&process, &in, err) && take_signed(&in, out, err);

    bytes_free(&in);
    return ok;
}

bool openpgp_sign(const struct openpgp_signer *signer, struct bytes_view text,
                  struct openpgp_signed *out, struct hallmark_error *err)
{
    struct openpgp_signer absolute = *signer;
    struct sign_request request = {.signer = &absolute, .text = text};
    struct openpgp_home home = {.guard = -1};
    char *gnupg_home = NULL, *agent = NULL;
    bool ok = false;

    if (!openpgp_signer_check(signer, &request.n_keys, &gnupg_home, err))
        return false;
    if (text.len == 0 || text.len > LIMITS_MANIFEST_BYTES) {
        error_set(err, HALLMARK_ERR_MALFORMED, "text to sign: %zu bytes, wanted 1 to %d", text.len,
                  LIMITS_MANIFEST_BYTES);
        goto out;
    }
    absolute.gnupg_home = gnupg_home;
    if (!openpgp_home_make(&home, err) || (agent = openpgp_home_find_agent(&home, err)) == NULL)
        goto out;
    request.home = home.path;
    request.agent = agent;
    ok = run(&request, out, err);
out:
    openpgp_home_remove(&home);
    free(agent);
    free(gnupg_home);
    return ok;
}
