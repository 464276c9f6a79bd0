/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what a server has of a manifest. */
#include "repo/documents.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "format/clearsign.h"

static bool read_one(const struct place *place, const char *name, size_t max_len, struct bytes *out,
                     bool *exists, struct hallmark_error *err)
{
    char *path = place_path(place, name);
    bool ok = fetch_document(place->fetch, path, max_len, out, exists, err);

    free(path);
    return ok;
}

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

/* Reads NAME, which may be kept: then only if it has changed. */
static bool read_text(const struct hallmark_repository *repository, const char *name,
                      enum cached cached, struct documents *out, bool *exists,
                      struct hallmark_error *err)
{
    const struct place *place = &repository->place;
    char *path = place_path(place, name), *url = document_url(repository, name);
    struct fetch_document document = {.name = path, .max_len = LIMITS_MANIFEST_BYTES};
    struct bytes kept = {0};
    char etag[FETCH_ETAG_LEN];
    bool ok;

    if (cached == WITH_CACHE && fetch_is_remote(place->fetch) &&
        cache_find_document(repository->cache, url, &kept, etag))
        document.known = etag;
    ok = fetch_document_since(place->fetch, &document, err);
    out->is_cached = ok && document.is_unchanged;
    bytes_free(&out->text);
    out->text = out->is_cached ? kept : document.data;
    bytes_free(out->is_cached ? &document.data : &kept);
    memcpy(out->etag, document.etag, sizeof out->etag);
    *exists = document.exists;
    free(path);
    free(url);
    return ok;
}

/* Reads InRelease or, where there is none, Release and Release.gpg. Once there is an InRelease it
 * alone counts: falling back after a failed check would let an attacker choose (CVE-2018-0501). */
bool documents_read(const struct hallmark_repository *repository, enum cached cached,
                    struct documents *out, struct hallmark_error *err)
{
    const struct place *place = &repository->place;
    const char *name = place->file ? place->file : "InRelease";
    bool exists, is_signed;
    char *signature;

    out->is_inline = true;
    if (!read_text(repository, name, cached, out, &exists, err))
        return false;
    if (!exists && !place->file) {
        name = "Release";
        out->is_inline = false;
        if (!read_text(repository, name, WITHOUT_CACHE, out, &exists, err))
            return false;
    }
    if (!exists)
        return error_set(err, HALLMARK_ERR_SIGNATURE,
                         "%s: holds neither InRelease nor Release: nothing here is signed",
                         place->url);
    out->name = alloc_strdup(name);
    if (place->file)
        out->is_inline = clearsign_is_clearsigned(bytes_view(&out->text));
    if (out->is_inline)
        return true;
    signature = alloc_printf("%s.gpg", name);
    is_signed = read_one(place, signature, LIMITS_SIGNATURE_BYTES, &out->signature, &exists, err);
    if (is_signed && (!exists || out->signature.len == 0))
        is_signed = error_set(err, HALLMARK_ERR_SIGNATURE,
                              "%s: %s has no signature: it holds none itself, and %s is %s",
                              place->url, name, signature, exists ? "empty" : "missing");
    free(signature);
    return is_signed;
}

/* Keeps the manifest, unless that is where it came from, for when all has gone well. */
void documents_keep(const struct hallmark_repository *repository, const struct documents *documents)
{
    char *url = document_url(repository, documents->name);

    if (documents->is_inline && !documents->is_cached && documents->etag[0])
        cache_add_document(repository->cache, url, documents->etag, bytes_view(&documents->text));
    free(url);
}
