/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256 and SHA-512, through OpenSSL's EVP interface; each algorithm is fetched once a
 * computation. */
#include "crypto/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { N_ALGORITHMS = 2 };

static const struct {
    unsigned flag;
    const char *name;
    size_t len;
} algorithms[N_ALGORITHMS] = {
    {DIGEST_SHA256, "SHA256", DIGEST_SHA256_LEN},
    {DIGEST_SHA512, "SHA512", DIGEST_SHA512_LEN},
};

struct digest {
    EVP_MD *md[N_ALGORITHMS]; /* NULL where not asked for */
    EVP_MD_CTX *ctx[N_ALGORITHMS];
};

static bool start(struct digest *digest, size_t i, struct hallmark_error *err)
{
    return EVP_DigestInit_ex2(digest->ctx[i], digest->md[i], NULL) == 1 ||
           error_set(err, HALLMARK_ERR_IO, "OpenSSL: cannot compute %s", algorithms[i].name);
}

static bool fetch(struct digest *digest, size_t i, struct hallmark_error *err)
{
    digest->md[i] = EVP_MD_fetch(NULL, algorithms[i].name, NULL);
    digest->ctx[i] = EVP_MD_CTX_new();
    if (!digest->md[i] || !digest->ctx[i])
        return error_set(err, HALLMARK_ERR_IO, "OpenSSL: has no %s", algorithms[i].name);
    if ((size_t)EVP_MD_get_size(digest->md[i]) != algorithms[i].len)
        return error_set(err, HALLMARK_ERR_IO, "OpenSSL: its %s has %d bytes, not %zu",
                         algorithms[i].name, EVP_MD_get_size(digest->md[i]), algorithms[i].len);
    return start(digest, i, err);
}

struct digest *digest_new(unsigned wanted, struct hallmark_error *err)
{
    struct digest *digest = alloc_array(1, sizeof *digest);
    size_t i;

    for (i = 0; i < N_ALGORITHMS; i++) {
        if ((wanted & algorithms[i].flag) && !fetch(digest, i, err)) {
            digest_free(digest);
            return NULL;
        }
    }
    return digest;
}

bool digest_update(struct digest *digest, const void *data, size_t len, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < N_ALGORITHMS; i++)
        if (digest->md[i] && EVP_DigestUpdate(digest->ctx[i], data, len) != 1)
            return error_set(err, HALLMARK_ERR_IO, "OpenSSL: cannot compute %s",
                             algorithms[i].name);
    return true;
}

bool digest_final(struct digest *digest, struct digest_value *out, struct hallmark_error *err)
{
    struct digest_value value = {{0}, {0}};
    unsigned char *results[N_ALGORITHMS] = {value.sha256, value.sha512};
    size_t i;

    for (i = 0; i < N_ALGORITHMS; i++) {
        if (!digest->md[i])
            continue;
        if (EVP_DigestFinal_ex(digest->ctx[i], results[i], NULL) != 1)
            return error_set(err, HALLMARK_ERR_IO, "OpenSSL: cannot compute %s",
                             algorithms[i].name);
        if (!start(digest, i, err))
            return false;
    }
    *out = value;
    return true;
}

void digest_free(struct digest *digest)
{
    size_t i;

    if (!digest)
        return;
    for (i = 0; i < N_ALGORITHMS; i++) {
        EVP_MD_CTX_free(digest->ctx[i]);
        EVP_MD_free(digest->md[i]);
    }
    free(digest);
}

bool digest_bytes(unsigned wanted, struct bytes_view data, struct digest_value *out,
                  struct hallmark_error *err)
{
    struct digest *digest = digest_new(wanted, err);
    bool ok;

    if (!digest)
        return false;
    ok = digest_update(digest, data.data, data.len, err) && digest_final(digest, out, err);
    digest_free(digest);
    return ok;
}
