/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the verifying helper process does: gpg lists the keys while another one verifies, or before
 * anybody knows what. gpg's words are taken down here and judged by the caller.
 */
#include "crypto/openpgp_task.h"

#include <string.h>

#include "crypto/openpgp_engine.h"
#include "crypto/openpgp_keyring.h"
#include "crypto/openpgp_process.h"
#include "crypto/openpgp_request.h"

enum { KEY_ID_LEN = 16 };

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
    struct openpgp_finding finding;
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
    struct openpgp_finding finding;

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

/* A gpg that verifies one packet. */
struct verification {
    gpgme_ctx_t ctx;
    gpgme_data_t signature_data, text_data; /* NULL: no gpg runs */
    struct bytes_view signature, text;      /* what gpg has not read yet of either */
    struct witness seen;
};

/* gpgme_data_read_cb_t: gives gpg the next bytes of a view. */
static ssize_t give(void *handle, void *buffer, size_t size)
{
    struct bytes_view *rest = handle;
    size_t len = rest->len < size ? rest->len : size;

    if (len)
        memcpy(buffer, rest->data, len);
    *rest = bytes_view_of(rest->data + len, rest->len - len);
    return (ssize_t)len;
}

static void end_verification(struct verification *v)
{
    gpgme_data_release(v->signature_data);
    gpgme_data_release(v->text_data);
    v->signature_data = v->text_data = NULL;
}

/* Starts gpg, which then waits for the packet; nothing is read of it yet. */
static bool start_verification(struct verification *v, struct hallmark_error *err)
{
    static struct gpgme_data_cbs callbacks = {.read = give};
    char reason[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_error_t code;

    v->seen = (struct witness){.n_good = 0};
    gpgme_set_ctx_flag(v->ctx, "full-status", "1");
    gpgme_set_status_cb(v->ctx, see_status, &v->seen);
    code = gpgme_data_new_from_cbs(&v->signature_data, &callbacks, &v->signature);
    if (!code)
        code = gpgme_data_new_from_cbs(&v->text_data, &callbacks, &v->text);
    if (!code)
        code = gpgme_op_verify_start(v->ctx, v->signature_data, v->text_data, NULL);
    if (!code)
        return true;
    end_verification(v);
    return error_set(err, HALLMARK_ERR_IO, "%s", openpgp_engine_text(code, reason));
}

/* Has the gpg that waits, or another one, verify one PACKET. */
static bool verify_one(struct verification *v, struct bytes_view packet, struct bytes_view text,
                       struct bytes *out, struct hallmark_error *err)
{
    char reason[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_verify_result_t result;
    gpgme_error_t code = 0;

    v->signature = packet;
    v->text = text;
    if (!v->text_data && !start_verification(v, err))
        return false;
    if (!gpgme_wait(v->ctx, &code, 1) && !code)
        code = gpgme_error(GPG_ERR_GENERAL);
    end_verification(v);
    result = code ? NULL : gpgme_op_verify_result(v->ctx);
    if (result && result->signatures && !result->signatures->next)
        put_finding(out, result->signatures, &v->seen);
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
static bool verify_all(struct verification *v, struct bytes_view signatures, struct bytes_view data,
                       struct bytes *out, struct hallmark_error *err)
{
    struct bytes_view rest = signatures, packet, body;
    size_t n = 0;
    bool ok;

    do {
        ok = next_signature(&rest, &packet, &body) ||
             error_set(err, HALLMARK_ERR_SIGNATURE, "finds something else than signatures");
        if (ok && !has_known_digest(body))
            put_unreadable(out, "its digest is unknown");
        else if (ok)
            ok = verify_one(v, packet, data, out, err);
    } while (ok && rest.len && ++n < LIMITS_SIGNATURES);
    return ok;
}

/* What the helper has. */
struct session {
    const struct openpgp_task *task;
    gpgme_ctx_t list_ctx; /* on which gpg lists the keys, unless is_listed */
    bool is_listed;
    struct verification v;
    struct hallmark_error why; /* the verifying gpg does not work */
};

/* Makes another gpg than the one that lists keys ready to verify. */
static void prepare(struct session *session)
{
    struct verification *v = &session->v;

    if (!v->ctx)
        v->ctx = openpgp_engine_new(session->task->home, &session->why);
    if (v->ctx && !v->text_data)
        start_verification(v, &session->why);
}

/* Answers with the list, for which gpg has been started where it is wanted, and with
 * FINDINGS, which mean nothing where there are no keys. */
static bool answer(struct session *session, const struct bytes *findings, struct bytes *out,
                   struct hallmark_error *err)
{
    struct openpgp_heading heading = {0};
    const struct hallmark_error *why = &session->why;
    bool ok, knows_keys;

    bytes_append(out, &heading, sizeof heading);
    ok = session->is_listed || openpgp_keyring_put(session->list_ctx, out, err);
    heading.list_len = out->len - sizeof heading;
    memcpy(out->data, &heading, sizeof heading);
    knows_keys = session->is_listed || heading.list_len;
    /* A gpg that does not list keys either is what there is to tell. */
    if (ok && knows_keys && findings && why->code)
        return error_set(err, why->code, "%s", why->text);
    if (ok && knows_keys && findings)
        bytes_append(out, findings->data, findings->len);
    session->is_listed = knows_keys;
    return ok && openpgp_process_answer(out);
}

static bool verify(struct session *session, const struct openpgp_request *request,
                   struct bytes *out, struct hallmark_error *err)
{
    struct bytes findings = {0};
    bool ok;

    prepare(session);
    if (!session->why.code)
        verify_all(&session->v, request->parts[OPENPGP_TASK_SIGNATURES],
                   request->parts[OPENPGP_TASK_DATA], &findings, &session->why);
    ok = answer(session, &findings, out, err);
    bytes_free(&findings);
    return ok;
}

/* Does what is asked for; whether more may come. */
static bool serve(struct session *session, const struct openpgp_request *request, struct bytes *out,
                  struct hallmark_error *err)
{
    switch (request->kind) {
    case OPENPGP_REQUEST_LIST:
        return answer(session, NULL, out, err);
    case OPENPGP_REQUEST_PREPARE:
        prepare(session);
        return true;
    case OPENPGP_REQUEST_VERIFY:
        return verify(session, request, out, err);
    default:
        return error_set(err, HALLMARK_ERR_IO, "is asked for what it does not do");
    }
}

/* All in one process, for GPGME starts gpg only to learn its version, in each one. */
bool openpgp_task_run(const void *task, struct bytes *out, struct hallmark_error *err)
{
    struct session session = {.task = task, .v = {.ctx = NULL}};
    struct openpgp_request request;
    bool ok;

    openpgp_engine_init();
    session.list_ctx = openpgp_engine_new(session.task->home, err);
    if (!session.list_ctx)
        return false;
    session.is_listed = session.task->is_listed;
    if (session.task->is_prepared)
        prepare(&session); /* which is waited for first */
    ok = session.is_listed || openpgp_keyring_start(session.list_ctx, err);
    while (ok && (ok = openpgp_request_take(&request, err)) && request.kind) {
        ok = serve(&session, &request, out, err);
        openpgp_request_free(&request);
    }
    gpgme_release(session.v.ctx); /* which ends a gpg that nothing was given to */
    end_verification(&session.v);
    gpgme_release(session.list_ctx);
    return ok;
}
