/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manifest that a server has, with its signature, as it came or was kept; not verified. */
#ifndef REPO_DOCUMENTS_H
#define REPO_DOCUMENTS_H

#include "repo/repository.h"

/* What the server has, read. */
struct documents {
    struct bytes text, signature;
    char *name;
    /* Of each, the validator; "": it cannot be asked whether it has changed. */
    char text_etag[FETCH_ETAG_LEN], signature_etag[FETCH_ETAG_LEN];
    bool is_inline;
    /* It was here already, and the server says that it has not changed. */
    bool is_text_cached, is_signature_cached;
};

/* Whether to use a manifest that was kept. */
enum cached { WITHOUT_CACHE, WITH_CACHE };

/* Reads InRelease or, where there is none, Release and Release.gpg. HALLMARK_ERR_SIGNATURE where
 * nothing is signed, and whatever fetch_document_since() says. Freed by documents_free(), also
 * where it fails. */
bool documents_read(const struct hallmark_repository *repository, enum cached cached,
                    struct documents *out, struct hallmark_error *err);
void documents_free(struct documents *documents);

/* Keeps the manifest and its signature, unless that is where it came from, for when all has gone
 * well. */
void documents_keep(const struct hallmark_repository *repository,
                    const struct documents *documents);

#endif
