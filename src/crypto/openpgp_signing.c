/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signing, as the caller sees it: a private home, and the helper process that signs in it. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/openpgp.h"
#include "crypto/openpgp_home.h"
#include "crypto/openpgp_process.h"
#include "crypto/openpgp_request.h"
#include "crypto/openpgp_sign.h"
#include "crypto/openpgp_signer.h"

static const char what[] = "gpg (signing)";

struct openpgp_signing {
    struct openpgp_signer signer;
    char *gnupg_home; /* absolute; NULL: gpg's default */
    struct openpgp_home home;
    struct openpgp_sign task;
    struct openpgp_running helper;
};

/* Takes IN, which starts with the length of its first part, apart. */
static bool split(const struct bytes *in, struct bytes_view *first, struct bytes_view *second,
                  struct hallmark_error *err)
{
    size_t left = in->len < sizeof(uint64_t) ? 0 : in->len - sizeof(uint64_t);
    uint64_t len = UINT64_MAX;

    if (in->len >= sizeof len)
        memcpy(&len, in->data, sizeof len);
    if (len > left)
        return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", what);
    *first = bytes_view_of(in->data + sizeof len, len);
    *second = bytes_view_of(in->data + sizeof len + len, left - len);
    return true;
}

/* Waits for the helper's first answer, and appends the public keys to KEYRING. */
static bool take_keys(struct openpgp_signing *signing, struct bytes *keyring,
                      struct hallmark_error *err)
{
    struct bytes in = {0};
    struct bytes_view socket, keys;
    bool ok = openpgp_process_next(&signing->helper, &in, err) && split(&in, &socket, &keys, err) &&
              openpgp_home_own_agent(&signing->home, socket, err);

    if (ok)
        bytes_append(keyring, keys.data, keys.len);
    bytes_free(&in);
    return ok;
}

static bool start(struct openpgp_signing *signing, struct hallmark_error *err)
{
    struct openpgp_process process = {
        .what = what,
        .home = signing->gnupg_home,
        .env = signing->signer.interactive ? OPENPGP_PROCESS_PERSON : OPENPGP_PROCESS_USER,
        .seconds = LIMITS_SIGN_SECONDS,
        .max_len = sizeof(uint64_t) + LIMITS_PATH_BYTES + LIMITS_KEYRING_BYTES,
        .work = openpgp_sign_run,
        .request = &signing->task,
    };

    signing->signer.gnupg_home = signing->gnupg_home;
    signing->task.signer = &signing->signer;
    signing->task.home = signing->home.path;
    return openpgp_process_start(&process, &signing->helper, err);
}

struct openpgp_signing *openpgp_signing_open(const struct openpgp_signer *signer,
                                             struct bytes *keyring, struct hallmark_error *err)
{
    struct openpgp_signing *signing = alloc_array(1, sizeof *signing);

    signing->signer = *signer;
    signing->home.guard = -1;
    if (openpgp_signer_check(signer, &signing->task.n_keys, &signing->gnupg_home, err) &&
        openpgp_home_make(&signing->home, err) && start(signing, err) &&
        take_keys(signing, keyring, err))
        return signing;
    openpgp_signing_close(signing);
    return NULL;
}

void openpgp_signing_close(struct openpgp_signing *signing)
{
    if (!signing)
        return;
    openpgp_process_stop(&signing->helper);
    openpgp_home_remove(&signing->home);
    free(signing->gnupg_home);
    free(signing);
}

static bool has_prefix(struct bytes_view view, const char *prefix)
{
    size_t len = strlen(prefix);

    return view.len >= len && memcmp(view.data, prefix, len) == 0;
}

static bool take_signed(const struct bytes *in, struct openpgp_signed *out,
                        struct hallmark_error *err)
{
    struct bytes_view inline_text, detached;

    if (!split(in, &inline_text, &detached, err))
        return false;
    if (!has_prefix(inline_text, "-----BEGIN PGP SIGNED MESSAGE-----\n") ||
        !has_prefix(detached, "-----BEGIN PGP SIGNATURE-----\n"))
        return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", what);
    *out = (struct openpgp_signed){0};
    bytes_append(&out->inline_text, inline_text.data, inline_text.len);
    bytes_append(&out->detached, detached.data, detached.len);
    return true;
}

bool openpgp_signing_sign(struct openpgp_signing *signing, struct bytes_view text,
                          struct openpgp_signed *out, struct hallmark_error *err)
{
    const struct bytes_view parts[OPENPGP_REQUEST_PARTS] = {text};
    struct openpgp_running *helper = &signing->helper;
    struct bytes in = {0};
    bool ok;

    if (text.len == 0 || text.len > LIMITS_MANIFEST_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "text to sign: %zu bytes, wanted 1 to %d",
                         text.len, LIMITS_MANIFEST_BYTES);
    if (!helper->pid)
        return error_set(err, HALLMARK_ERR_IO, "%s: has ended", what);
    if (signing->signer.interactive)
        helper->process.seconds = LIMITS_SIGN_INTERACTIVE_SECONDS;
    /* Each line may be escaped with two characters; the signatures come twice. */
    helper->process.max_len = 3 * text.len + 2 * LIMITS_SIGNATURE_BYTES;
    ok = openpgp_request_send(helper->fd, OPENPGP_REQUEST_SIGN, parts, err) &&
         openpgp_process_next(helper, &in, err) && take_signed(&in, out, err);
    bytes_free(&in);
    return ok;
}
