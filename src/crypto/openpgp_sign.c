/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the signing helper process does. gpg signs in a private home that holds the public keys, a
 * gpg.conf of ours, and a pointer to the socket of the user's gpg-agent, which has the secret keys:
 * so nothing in the user's gpg.conf can change what a signature is, and all keys use one digest, as
 * the one Hash line of an InRelease needs.
 */
#include "crypto/openpgp_sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/openpgp_engine.h"
#include "crypto/openpgp_home.h"
#include "crypto/openpgp_process.h"
#include "crypto/openpgp_request.h"
#include "crypto/openpgp_signer.h"

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

struct session {
    const struct openpgp_sign *wanted;
    gpgme_key_t keys[LIMITS_SIGNATURES];
    struct bytes keyring, agent; /* for the private home: its keys, its agent's socket */
    gpgme_ctx_t ctx;             /* on the private home; NULL: it is not filled yet */
    struct bytes_view text;
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

static bool sign_failed(const struct openpgp_sign *wanted, const char *who, gpgme_error_t code,
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

/* Finds the keys in the user's home, and what the private one needs. Answers with the length of
 * the agent's socket, its path, and the public keys. */
static bool begin(struct session *session, struct bytes *out, struct hallmark_error *err)
{
    const struct openpgp_sign *wanted = session->wanted;
    gpgme_ctx_t ctx = openpgp_engine_new(wanted->signer->gnupg_home, err);
    uint64_t agent_len;
    bool ok = ctx &&
              openpgp_signer_find(ctx, wanted->signer, OPENPGP_SIGNER_SIGN, session->keys, err) &&
              openpgp_signer_export(ctx, wanted->signer, &session->keyring, err) &&
              openpgp_home_ask_agent(wanted->home, &session->agent, err);

    gpgme_release(ctx);
    if (!ok)
        return false;
    agent_len = session->agent.len;
    bytes_append(out, &agent_len, sizeof agent_len);
    bytes_append(out, session->agent.data, session->agent.len);
    bytes_append(out, session->keyring.data, session->keyring.len);
    return openpgp_process_answer(out);
}

/* The environment still names the user's home. */
static bool fill_private(const struct session *session, struct hallmark_error *err)
{
    const char *home = session->wanted->home;

    return openpgp_home_add(home, "pubring.gpg", bytes_view(&session->keyring), err) &&
           openpgp_home_add(home, "gpg.conf", bytes_view_str(options), err) &&
           openpgp_home_redirect(session->agent.data, err);
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
    gpgme_data_t in = openpgp_engine_input(session->text, &ignored);
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

/* Opens the context on the private home, once, with the keys and the way to the passphrase. */
static bool open_private(struct session *session, struct hallmark_error *err)
{
    const struct openpgp_signer *signer = session->wanted->signer;
    gpgme_pinentry_mode_t pinentry = GPGME_PINENTRY_MODE_ERROR;
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_error_t code;
    size_t i;

    if (session->ctx)
        return true;
    if (!fill_private(session, err))
        return false;
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
static bool sign(struct session *session, struct bytes *out, struct hallmark_error *err)
{
    uint64_t inline_len = 0;

    bytes_append(out, &inline_len, sizeof inline_len);
    if (!open_private(session, err) || !sign_mode(session, GPGME_SIG_MODE_CLEAR, out, err))
        return false;
    inline_len = out->len - sizeof inline_len;
    memcpy(out->data, &inline_len, sizeof inline_len);
    return sign_mode(session, GPGME_SIG_MODE_DETACH, out, err) && openpgp_process_answer(out);
}

bool openpgp_sign_run(const void *wanted, struct bytes *out, struct hallmark_error *err)
{
    struct session session = {.wanted = wanted};
    struct openpgp_request request;
    bool ok;

    openpgp_engine_init();
    ok = begin(&session, out, err);
    while (ok && (ok = openpgp_request_take(&request, err)) && request.kind) {
        session.text = request.parts[0];
        ok = sign(&session, out, err);
        openpgp_request_free(&request);
    }
    gpgme_release(session.ctx);
    openpgp_signer_unref(session.keys);
    bytes_free(&session.keyring);
    bytes_free(&session.agent);
    return ok;
}
