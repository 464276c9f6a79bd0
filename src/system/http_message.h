/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is said on the socket between a process and its network worker: in one packet stand as many
 * requests as are due, or as many answers as have come. The worker believes what it is told; what
 * it says itself is checked by http.c.
 */
#ifndef SYSTEM_HTTP_MESSAGE_H
#define SYSTEM_HTTP_MESSAGE_H

#include <limits.h>
#include <stdint.h>

#include "base/limits.h"

enum {
    HTTP_PARALLEL = 8, /* requests that are under way at a time */
    HTTP_WAITING = 24, /* that wait in the worker besides: it never idles for want of one */
    HTTP_SLOTS = HTTP_PARALLEL + HTTP_WAITING,
    HTTP_SECRET_MAX = 1024,
    HTTP_ETAG_MAX = 256,
    HTTP_URL_MAX = LIMITS_URL_BYTES + 3 * (LIMITS_PATH_BYTES + 1) + 1,
    HTTP_DATA_MAX = 64 * 1024,   /* bytes of one answer */
    HTTP_PACKET_MAX = 80 * 1024, /* of a packet: less than a socket takes */
};

enum http_kind {
    HTTP_FILE,     /* exactly so many bytes */
    HTTP_DOCUMENT, /* at most so many */
    HTTP_PROBE,    /* none: is it there? */
};

/* The first packet. */
struct http_setup {
    uint32_t sandbox; /* of enum hallmark_sandbox */
    uint32_t seconds;
    char origin[LIMITS_URL_BYTES + 1];     /* where the credentials may be sent */
    char credentials[3 * HTTP_SECRET_MAX]; /* "" where there are none */
    char ca_file[PATH_MAX];                /* "": the system's */
};

/* Its URL of url_len bytes, less than HTTP_URL_MAX, stands behind it, and then the next one without
 * a gap. Never more than HTTP_SLOTS are without their last answer. */
struct http_request {
    uint32_t id;
    uint32_t kind; /* of enum http_kind */
    uint64_t size;
    uint64_t n_present; /* bytes that came before, with this ETag */
    uint32_t url_len;
    char etag[HTTP_ETAG_MAX]; /* or of a document such a validator */
};

enum http_answer_type {
    HTTP_READY = 1, /* layers says how it has narrowed itself */
    HTTP_ETAG,      /* what comes now has this strong ETag, or none: len bytes; of a document
                       whatever fetch_is_validator() takes */
    HTTP_DATA,      /* the next bytes */
    HTTP_RESTART,   /* what came is void */
    HTTP_DONE,      /* that was all */
    HTTP_MISSING,   /* there is no such file */
    HTTP_UNCHANGED, /* it has the ETag that was asked for with n_present 0 yet */
    HTTP_FAILED,    /* code, and a text of len bytes */
};

/* LEN bytes stand behind it, and then the next one without a gap. */
struct http_answer {
    uint32_t type;
    uint32_t id;
    uint32_t code;   /* of enum hallmark_errcode */
    uint32_t layers; /* of enum sandbox_layer */
    uint32_t len;
};

#endif
