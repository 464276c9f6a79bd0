/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request in the network worker, over all redirects and attempts: what is asked, what a server
 * may answer, and when it is enough. RFC 9110; redirects are followed here and not by libcurl.
 */
#ifndef SYSTEM_HTTP_TRANSFER_H
#define SYSTEM_HTTP_TRANSFER_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "system/http_message.h"
#include "system/libcurl.h"

/* What holds for all of them. */
struct http_transfer_context {
    int control;
    const struct http_setup *setup;
    struct bytes certificates; /* PEM; empty: libcurl's own default */
    bool is_proxy_tls;         /* a proxy may be talked to by TLS */
    struct bytes answers;      /* that wait to be sent together */
};

/* Sends the answers that wait; false when nobody listens any more. */
bool http_transfer_flush(struct http_transfer_context *context);

/* The answer that is coming in. */
struct http_transfer_answer {
    unsigned n_lengths;       /* lines Content-Length */
    bool is_odd;              /* one of them is no number */
    bool is_chunked;          /* Transfer-Encoding */
    bool is_encoded;          /* Content-Encoding other than identity */
    bool is_gzip;             /* and that is gzip */
    bool is_checked;          /* its status and headers are good for a body */
    char etag[HTTP_ETAG_MAX]; /* "" where there is none, or a weak one */
    int64_t date, modified;   /* 0: not said */
    char range[64];           /* Content-Range */
    uint64_t n_unwanted;      /* bytes of a body that nobody wants */
};

struct http_transfer {
    struct http_transfer_context *context;
    CURL *easy;
    struct curl_slist *headers;
    struct http_request request;
    char *name; /* its URL */
    char *url;  /* after redirects */
    unsigned n_redirects, n_attempts;
    uint64_t n_received;      /* bytes that were handed over */
    uint64_t n_start;         /* where this attempt goes on */
    char etag[HTTP_ETAG_MAX]; /* of what was handed over; "": it cannot be gone on with */
    size_t n_header_bytes;    /* of all answers */
    int64_t deadline;         /* milliseconds of CLOCK_MONOTONIC */
    struct http_transfer_answer answer;
    struct hallmark_error why; /* set: it is given up */
    char curl_error[CURL_ERROR_SIZE];
    bool is_active;
};

/* Prepares TRANSFER for REQUEST of URL, which is taken over; its handle is made once and used
 * again.
 */
bool http_transfer_begin(struct http_transfer *transfer, struct http_transfer_context *context,
                         const struct http_request *request, char *url);

/* What becomes of it when libcurl is done with RESULT: true, it has to be done again, prepared for
 * that; false, its outcome has been sent. */
bool http_transfer_end(struct http_transfer *transfer, CURLcode result);

void http_transfer_free(struct http_transfer *transfer);

#endif
