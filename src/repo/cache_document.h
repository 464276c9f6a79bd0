/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document as the cache keeps it: a line with its validator (fetch_is_validator()), a line with
 * the SHA-256 of the rest, the rest. Says whether it is damaged, not whether it may be believed.
 */
#ifndef REPO_CACHE_DOCUMENT_H
#define REPO_CACHE_DOCUMENT_H

#include "base/bytes.h"
#include "system/fetch.h"

/* False where DATA is damaged. *TEXT is the part of DATA that is the document. */
bool cache_document_parse(struct bytes_view data, char etag[FETCH_ETAG_LEN],
                          struct bytes_view *text);

/* Appends TEXT as it is kept to OUT; false where ETAG is no validator. */
bool cache_document_write(struct bytes *out, const char *etag, struct bytes_view text);

#endif
