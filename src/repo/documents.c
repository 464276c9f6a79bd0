/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what a server has of a manifest. */
#include "repo/documents.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "format/clearsign.h"

void documents_free(struct documents *documents)
{
    bytes_free(&documents->text);
    bytes_free(&documents->signature);
    free(documents->name);
    *documents = (struct documents){0};
}

/* The URL of the document NAME, under which it is kept. */
static char *document_url(const struct hallmark_repository *repository, const char *name)
{
    return path_join(repository->place.url, name);
}

/* One of them, as it is read. */
struct reading {
    const char *name;
    size_t max_len;
    struct bytes *out;
    char *etag;
    bool *is_cached, exists;
};

/* What is kept of one; false where there is nothing that can be asked about. */
static bool find_kept(const struct hallmark_repository *repository, const struct reading *one,
                      struct bytes *out, char etag[FETCH_ETAG_LEN])
{
    char *url = document_url(repository, one->name);
    bool ok = fetch_is_remote(repository->place.fetch) &&
              cache_find_document(repository->cache, url, out, etag) && out->len <= one->max_len;

    free(url);
    return ok;
}

/* Reads one, which may be kept: then only if it has changed. */
static bool read_one(const struct hallmark_repository *repository, enum cached cached,
                     struct reading *one, struct hallmark_error *err)
{
    const struct place *place = &repository->place;
    char *path = place_path(place, one->name);
    struct fetch_document document = {.name = path, .max_len = one->max_len};
    struct bytes kept = {0};
    char etag[FETCH_ETAG_LEN];
    bool ok;

    if (cached == WITH_CACHE && find_kept(repository, one, &kept, etag))
        document.known = etag;
    ok = fetch_document_since(place->fetch, &document, err);
    *one->is_cached = ok && document.is_unchanged;
    bytes_free(one->out);
    *one->out = *one->is_cached ? kept : document.data;
    bytes_free(*one->is_cached ? &document.data : &kept);
    memcpy(one->etag, document.etag, FETCH_ETAG_LEN);
    one->exists = document.exists;
    free(path);
    return ok;
}

static bool read_text(const struct hallmark_repository *repository, const char *name,
                      enum cached cached, struct documents *out, bool *exists,
                      struct hallmark_error *err)
{
    struct reading one = {.name = name,
                          .max_len = LIMITS_MANIFEST_BYTES,
                          .out = &out->text,
                          .etag = out->text_etag,
                          .is_cached = &out->is_text_cached};
    bool ok = read_one(repository, cached, &one, err);

    *exists = one.exists;
    return ok;
}

static bool read_signature(const struct hallmark_repository *repository, const char *name,
                           enum cached cached, struct documents *out, struct hallmark_error *err)
{
    char *signature = alloc_printf("%s.gpg", name);
    struct reading one = {.name = signature,
                          .max_len = LIMITS_SIGNATURE_BYTES,
                          .out = &out->signature,
                          .etag = out->signature_etag,
                          .is_cached = &out->is_signature_cached};
    bool ok = read_one(repository, cached, &one, err);

    if (ok && (!one.exists || out->signature.len == 0))
        ok = error_set(err, HALLMARK_ERR_SIGNATURE,
                       "%s: %s has no signature: it holds none itself, and %s is %s",
                       repository->place.url, name, signature, one.exists ? "empty" : "missing");
    free(signature);
    return ok;
}

/* Reads InRelease or, where there is none, Release and Release.gpg. Once there is an InRelease it
 * alone counts: falling back after a failed check would let an attacker choose (CVE-2018-0501). */
bool documents_read(const struct hallmark_repository *repository, enum cached cached,
                    struct documents *out, struct hallmark_error *err)
{
    const struct place *place = &repository->place;
    const char *name = place->file ? place->file : "InRelease";
    bool exists;

    out->is_inline = true;
    if (!read_text(repository, name, cached, out, &exists, err))
        return false;
    if (!exists && !place->file) {
        name = "Release";
        out->is_inline = false;
        if (!read_text(repository, name, cached, out, &exists, err))
            return false;
    }
    if (!exists)
        return error_set(err, HALLMARK_ERR_SIGNATURE,
                         "%s: holds neither InRelease nor Release: nothing here is signed",
                         place->url);
    out->name = alloc_strdup(name);
    if (place->file)
        out->is_inline = clearsign_is_clearsigned(bytes_view(&out->text));
    return out->is_inline || read_signature(repository, name, cached, out, err);
}

static void keep(const struct hallmark_repository *repository, const char *name, const char *etag,
                 const struct bytes *data)
{
    char *url = document_url(repository, name);

    if (*etag)
        cache_add_document(repository->cache, url, etag, bytes_view(data));
    free(url);
}

void documents_keep(const struct hallmark_repository *repository, const struct documents *documents)
{
    char *signature = alloc_printf("%s.gpg", documents->name);

    if (!documents->is_text_cached)
        keep(repository, documents->name, documents->text_etag, &documents->text);
    if (!documents->is_inline && !documents->is_signature_cached)
        keep(repository, signature, documents->signature_etag, &documents->signature);
    free(signature);
}
