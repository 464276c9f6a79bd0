/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GPGME contexts, data objects and texts, for the helper processes. */
#include "crypto/openpgp_engine.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "crypto/openpgp_process.h"

/* The oldest gpg that has every option that we write into gpg.conf, and was measured. */
enum { GPG_MAJOR = 2, GPG_MINOR = 2 };

void openpgp_engine_init(void)
{
    /* Before anything else, as GPGME demands; a GPGME that does not know the flag works without. */
    gpgme_set_global_flag("disable-gpgconf", "1");
    gpgme_check_version(NULL);
}

/* The path of gpg; NULL where there is none. GPGME would look for it in a PATH that the caller's
 * own use of GPGME may have made it remember. */
static char *find_gpg(void)
{
    char *dirs = alloc_strdup(OPENPGP_PROCESS_PATH), *save = NULL, *dir, *path = NULL;

    for (dir = strtok_r(dirs, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
        path = path_join(dir, "gpg");
        if (access(path, X_OK) == 0)
            break;
        free(path);
        path = NULL;
    }
    free(dirs);
    return path;
}

static gpgme_engine_info_t find_engine(gpgme_ctx_t ctx)
{
    gpgme_engine_info_t info = gpgme_ctx_get_engine_info(ctx);

    while (info && info->protocol != GPGME_PROTOCOL_OpenPGP)
        info = info->next;
    return info;
}

static bool check_version(gpgme_ctx_t ctx, struct hallmark_error *err)
{
    /* What GPGME assumes of a gpg that does not tell. */
    static const char unknown[] = "1.0.0";
    gpgme_engine_info_t info = find_engine(ctx);
    int major, minor;

    if (!info || !info->version || strcmp(info->version, unknown) == 0 ||
        sscanf(info->version, "%d.%d", &major, &minor) != 2)
        return error_set(err, HALLMARK_ERR_IO, "gpg does not work: it does not tell its version");
    if (major < GPG_MAJOR || (major == GPG_MAJOR && minor < GPG_MINOR))
        return error_set(err, HALLMARK_ERR_IO, "gpg is version %s, wanted %d.%d or later",
                         info->version, GPG_MAJOR, GPG_MINOR);
    return true;
}

/* Makes CTX use GPG, which finds HOME in its environment. Telling GPGME what it knows already
 * would make it ask gpg for its version once more. */
static gpgme_error_t set_engine(gpgme_ctx_t ctx, const char *gpg)
{
    gpgme_engine_info_t info = find_engine(ctx);

    if (info && info->file_name && strcmp(info->file_name, gpg) == 0 && !info->home_dir)
        return 0;
    return gpgme_ctx_set_engine_info(ctx, GPGME_PROTOCOL_OpenPGP, gpg, getenv("GNUPGHOME"));
}

gpgme_ctx_t openpgp_engine_new(const char *home, struct hallmark_error *err)
{
    char text[OPENPGP_ENGINE_TEXT_LEN], *gpg = find_gpg();
    gpgme_ctx_t ctx = NULL;
    gpgme_error_t code;
    bool ok = false;

    if (!gpg) {
        error_set(err, HALLMARK_ERR_IO, "gpg is not installed (looked in %s)",
                  OPENPGP_PROCESS_PATH);
        goto out;
    }
    if (home && setenv("GNUPGHOME", home, 1) < 0) {
        error_set_errno(err, "GNUPGHOME");
        goto out;
    }
    code = gpgme_new(&ctx);
    if (!code)
        code = set_engine(ctx, gpg);
    if (!code)
        code = gpgme_set_protocol(ctx, GPGME_PROTOCOL_OpenPGP);
    if (code) {
        error_set(err, HALLMARK_ERR_IO, "GPGME: %s", openpgp_engine_text(code, text));
        goto out;
    }
    gpgme_set_offline(ctx, 1);
    ok = check_version(ctx, err);
out:
    free(gpg);
    if (ok)
        return ctx;
    gpgme_release(ctx);
    return NULL;
}

const char *openpgp_engine_text(gpgme_error_t code, char text[OPENPGP_ENGINE_TEXT_LEN])
{
    gpgme_strerror_r(code, text, OPENPGP_ENGINE_TEXT_LEN);
    text[OPENPGP_ENGINE_TEXT_LEN - 1] = '\0';
    return text;
}

gpgme_data_t openpgp_engine_input(struct bytes_view view, struct hallmark_error *err)
{
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_data_t data;
    gpgme_error_t code = gpgme_data_new_from_mem(&data, view.data, view.len, 0);

    if (!code)
        return data;
    error_set(err, HALLMARK_ERR_IO, "GPGME: %s", openpgp_engine_text(code, text));
    return NULL;
}

gpgme_data_t openpgp_engine_output(struct hallmark_error *err)
{
    char text[OPENPGP_ENGINE_TEXT_LEN];
    gpgme_data_t data;
    gpgme_error_t code = gpgme_data_new(&data);

    if (!code)
        return data;
    error_set(err, HALLMARK_ERR_IO, "GPGME: %s", openpgp_engine_text(code, text));
    return NULL;
}

bool openpgp_engine_take(gpgme_data_t data, struct bytes *out, struct hallmark_error *err)
{
    size_t len = 0;
    char *mem = gpgme_data_release_and_get_mem(data, &len);

    if (!mem)
        return error_set(err, HALLMARK_ERR_IO, "gpg gave no output");
    bytes_append(out, mem, len);
    gpgme_free(mem);
    return true;
}

unsigned openpgp_engine_pubkey(gpgme_pubkey_algo_t algorithm)
{
    enum { ECDH = 18, ECDSA = 19, EDDSA = 22, MAX_ALGORITHM = 255 };

    switch (algorithm) {
    case GPGME_PK_ECDH:
        return ECDH;
    case GPGME_PK_ECDSA:
        return ECDSA;
    case GPGME_PK_EDDSA:
        return EDDSA;
    default:
        return (unsigned)algorithm <= MAX_ALGORITHM ? (unsigned)algorithm : 0;
    }
}

unsigned openpgp_engine_digest(gpgme_hash_algo_t algorithm)
{
    switch (algorithm) {
    case GPGME_MD_MD5:
    case GPGME_MD_SHA1:
    case GPGME_MD_RMD160:
    case GPGME_MD_SHA256:
    case GPGME_MD_SHA384:
    case GPGME_MD_SHA512:
    case GPGME_MD_SHA224:
        return (unsigned)algorithm;
    default:
        return 0;
    }
}

void openpgp_engine_copy(char *out, size_t size, const char *text)
{
    enum { MAX_CONTINUATION = 3 }; /* bytes of a UTF-8 character behind its first one */
    size_t len = text ? strlen(text) : 0, cut;

    if (!text) {
        *out = '\0';
        return;
    }
    if (len >= size) {
        len = size - 1;
        for (cut = 0; cut < MAX_CONTINUATION && ((unsigned char)text[len] & 0xc0) == 0x80; cut++)
            len--;
    }
    if (len)
        memcpy(out, text, len);
    out[len] = '\0';
}
