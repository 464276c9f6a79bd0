/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The public halves of the keys that sign. */
#include <stdlib.h>

#include "crypto/openpgp.h"
#include "crypto/openpgp_engine.h"
#include "crypto/openpgp_process.h"
#include "crypto/openpgp_signer.h"

/* In the helper. */
static bool export_keys(const void *request, struct bytes *out, struct hallmark_error *err)
{
    const struct openpgp_signer *signer = request;
    gpgme_key_t keys[LIMITS_SIGNATURES + 1] = {NULL};
    gpgme_ctx_t ctx;
    bool ok;

    openpgp_engine_init();
    ctx = openpgp_engine_new(signer->gnupg_home, err);
    if (!ctx)
        return false;
    ok = openpgp_signer_find(ctx, signer, OPENPGP_SIGNER_EXPORT, keys, err) &&
         openpgp_signer_export(ctx, signer, out, err);
    openpgp_signer_unref(keys);
    gpgme_release(ctx);
    return ok;
}

bool openpgp_export(const struct openpgp_signer *signer, struct bytes *out,
                    struct hallmark_error *err)
{
    struct openpgp_signer absolute = *signer;
    struct openpgp_process process = {
        .what = "gpg (exporting keys)",
        .env = OPENPGP_PROCESS_USER,
        .seconds = LIMITS_VERIFY_SECONDS,
        .max_len = LIMITS_KEYRING_BYTES,
        .work = export_keys,
        .request = &absolute,
    };
    char *home = NULL;
    size_t n_keys;
    bool ok;

    if (!openpgp_signer_check(signer, &n_keys, &home, err))
        return false;
    absolute.gnupg_home = process.home = home;
    ok = openpgp_process_run(&process, out, err);
    free(home);
    return ok;
}
