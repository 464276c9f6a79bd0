/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * URLs of http and https (RFC 3986), as far as they name a directory: no query and no fragment. One
 * canonical spelling, by which a place is remembered, and in which no password stands.
 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include "base/bytes.h"
#include "base/error.h"

struct url {
    char *text;        /* canonical: "https://example.org/debian", nothing secret in it */
    char *origin;      /* its start: "https://example.org" */
    char *credentials; /* "USER:PASSWORD" without escapes; NULL: none */
    bool is_https;
};

/* Whether TEXT is meant to be a URL of http or https. */
bool url_is_http(const char *text);

/* Reads TEXT. HALLMARK_ERR_USAGE, with nothing secret in it. url_free() releases what is in OUT. */
bool url_parse(struct url *out, const char *text, struct hallmark_error *err);
void url_free(struct url *url);

/* Appends PATH with everything but unreserved characters and "/" percent-encoded. */
void url_append_path(struct bytes *out, const char *path);

/* Undoes percent-encoding (RFC 3986 section 2.1) in place; false for a bad escape or an encoded
 * NUL. */
bool url_decode(char *text);

/* A copy of TEXT, any line of text, in which "***" stands for whatever may be the user and the
 * password of a URL. free(3) releases it. */
char *url_redact(const char *text);

#endif
