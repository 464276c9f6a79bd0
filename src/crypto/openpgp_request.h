/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a helper process that goes on is asked for, one request after the other. Its bytes are in a
 * file without a name, so that neither side waits for the other.
 */
#ifndef CRYPTO_OPENPGP_REQUEST_H
#define CRYPTO_OPENPGP_REQUEST_H

#include "base/bytes.h"
#include "base/error.h"

enum openpgp_request_kind {
    OPENPGP_REQUEST_NONE, /* there are no more */
    OPENPGP_REQUEST_LIST,
    OPENPGP_REQUEST_PREPARE, /* which is not answered */
    OPENPGP_REQUEST_VERIFY,
    OPENPGP_REQUEST_SIGN,
};

enum { OPENPGP_REQUEST_PARTS = 2 };

struct openpgp_request {
    enum openpgp_request_kind kind;
    struct bytes_view parts[OPENPGP_REQUEST_PARTS];
    void *file; /* where they are; NULL: there are none */
    size_t file_len;
};

/* Asks the helper whose socket this is for KIND, about PARTS (OPENPGP_REQUEST_PARTS of them, or
 * NULL). One that has ended is asked, too: its answer tells why it has. HALLMARK_ERR_IO. */
bool openpgp_request_send(int socket, enum openpgp_request_kind kind,
                          const struct bytes_view *parts, struct hallmark_error *err);

/* In a helper process: waits for the next request; its parts are lent until
 * openpgp_request_free(). HALLMARK_ERR_IO. */
bool openpgp_request_take(struct openpgp_request *out, struct hallmark_error *err);
void openpgp_request_free(struct openpgp_request *request);

#endif
