/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the verifying helper process does: gpg lists the keys while another one verifies, or before
 * anybody knows what. gpg's words are taken down here and judged by the caller.
 */
#include "crypto/openpgp_task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "crypto/openpgp_engine.h"
#include "crypto/openpgp_keyring.h"
#include "crypto/openpgp_process.h"

enum { KEY_ID_LEN = 16 };

/* What is handed over to one that was started ahead, in a file without a name: this, the
 * signatures, the data. */
struct parcel {
    uint64_t n_signatures, signatures_len, data_len;
};

/* A message with room for one descriptor. */
union control_data {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(int))];
};

/* ---- In the helper ---- */

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
static bool verify_all(struct verification *v, const struct openpgp_task *wanted, struct bytes *out,
                       struct hallmark_error *err)
{
    struct bytes_view rest = wanted->signatures, packet, body;
    size_t n = 0;
    bool ok;

    do {
        ok = next_signature(&rest, &packet, &body) ||
             error_set(err, HALLMARK_ERR_SIGNATURE, "finds something else than signatures");
        if (ok && !has_known_digest(body))
            put_unreadable(out, "its digest is unknown");
        else if (ok)
            ok = verify_one(v, packet, wanted->data, out, err);
    } while (ok && rest.len && ++n < LIMITS_SIGNATURES);
    return ok;
}

/* Waits for a file from the caller; -1 where there is none: to list the keys is all that is wanted.
 */
static int take_file(void)
{
    char byte;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    union control_data control = {0};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.room,
                         .msg_controllen = sizeof control.room};
    struct cmsghdr *cmsg;
    ssize_t n;
    int fd;

    do
        n = recvmsg(OPENPGP_PROCESS_FD, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    cmsg = n == 1 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS || cmsg->cmsg_len != CMSG_LEN(sizeof fd))
        return -1;
    memcpy(&fd, CMSG_DATA(cmsg), sizeof fd);
    return fd;
}

/* Waits for what is to be verified, and lets TASK point to it, for good. */
static bool take_parcel(struct openpgp_task *task, struct hallmark_error *err)
{
    int fd = take_file();
    struct parcel parcel;
    struct stat st;
    const char *p;

    if (fd < 0)
        return true;
    if (fstat(fd, &st) < 0 || (size_t)st.st_size < sizeof parcel)
        return error_set(err, HALLMARK_ERR_IO, "is given nothing to verify");
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return error_set_errno(err, "cannot read what is to be verified");
    memcpy(&parcel, p, sizeof parcel);
    if (parcel.signatures_len > (size_t)st.st_size - sizeof parcel ||
        parcel.data_len != (size_t)st.st_size - sizeof parcel - parcel.signatures_len)
        return error_set(err, HALLMARK_ERR_IO, "is given something incomplete to verify");
    task->n_signatures = parcel.n_signatures;
    task->signatures = bytes_view_of(p + sizeof parcel, parcel.signatures_len);
    task->data = bytes_view_of(p + sizeof parcel + parcel.signatures_len, parcel.data_len);
    file_close(&fd);
    return true;
}

/* Makes another gpg than the one that lists keys ready for what TASK says, or will be. */
static void prepare(struct verification *v, const struct openpgp_task *task,
                    struct hallmark_error *why)
{
    if (task->n_signatures || task->is_ahead)
        v->ctx = openpgp_engine_new(task->home, why);
    if (v->ctx && task->is_ahead)
        start_verification(v, why);
}

/* Has it verify that, once it is known. */
static bool verify(struct verification *v, struct openpgp_task *task, struct bytes *out,
                   struct hallmark_error *why, struct hallmark_error *err)
{
    bool ok = !task->is_ahead || take_parcel(task, err);

    if (ok && task->n_signatures && !why->code)
        verify_all(v, task, out, why);
    gpgme_release(v->ctx); /* which ends a gpg that nothing was given to */
    end_verification(v);
    return ok;
}

/* Answers with the list from CTX, for which gpg has been started where it is wanted, and with
 * FINDINGS, which mean nothing where there are no keys. */
static bool put_answer(gpgme_ctx_t ctx, const struct openpgp_task *task,
                       const struct bytes *findings, struct bytes *out, struct hallmark_error *err)
{
    struct openpgp_heading heading = {0};
    bool ok;

    bytes_append(out, &heading, sizeof heading);
    ok = task->is_listed || openpgp_keyring_put(ctx, out, err);
    heading.list_len = out->len - sizeof heading;
    memcpy(out->data, &heading, sizeof heading);
    if (ok && (task->is_listed || heading.list_len))
        bytes_append(out, findings->data, findings->len);
    return ok;
}

/* All in one process, for GPGME starts gpg only to learn its version, in each one. */
bool openpgp_task_run(const void *request, struct bytes *out, struct hallmark_error *err)
{
    struct openpgp_task task = *(const struct openpgp_task *)request;
    struct hallmark_error why = {0};
    struct verification v = {.ctx = NULL};
    struct bytes findings = {0};
    gpgme_ctx_t ctx;
    bool ok;

    openpgp_engine_init();
    ctx = openpgp_engine_new(task.home, err);
    if (!ctx)
        return false;
    prepare(&v, &task, &why); /* which is waited for first */
    ok = task.is_listed || openpgp_keyring_start(ctx, err);
    ok = verify(&v, &task, &findings, &why, err) && ok;
    if (!task.n_signatures) /* what had to be ready in vain is no failure */
        error_clear(&why);
    /* A gpg that does not list keys either is what there is to tell. */
    ok = ok && put_answer(ctx, &task, &findings, out, err);
    if (ok && why.code && (task.is_listed || out->len > sizeof(struct openpgp_heading)))
        ok = error_set(err, why.code, "%s", why.text);
    bytes_free(&findings);
    gpgme_release(ctx);
    return ok;
}

/* ---- In the caller ---- */

static bool write_parcel(int fd, const struct openpgp_task *task)
{
    struct parcel parcel = {task->n_signatures, task->signatures.len, task->data.len};

    return file_write_all(fd, &parcel, sizeof parcel) &&
           file_write_all(fd, task->signatures.data, task->signatures.len) &&
           file_write_all(fd, task->data.data, task->data.len);
}

bool openpgp_task_hand_over(int socket, const struct openpgp_task *task, struct hallmark_error *err)
{
    char byte = 0;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    union control_data control = {0};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.room,
                         .msg_controllen = sizeof control.room};
    int fd = memfd_create("hallmark", MFD_CLOEXEC);
    bool ok = fd >= 0 && write_parcel(fd, task);

    control.align.cmsg_level = SOL_SOCKET;
    control.align.cmsg_type = SCM_RIGHTS;
    control.align.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
    /* One that has ended will be asked why. */
    ok = ok && (sendmsg(socket, &msg, MSG_NOSIGNAL) == 1 || errno == EPIPE || errno == ECONNRESET);
    if (!ok)
        error_set_errno(err, "cannot hand over what is to be verified");
    file_close(&fd);
    return ok;
}
