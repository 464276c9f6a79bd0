/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files from a server, by http or https, through a worker process: libcurl, the resolver, TLS and
 * what a server says stay in there. It can open no file but those of the resolver, runs as nobody
 * where this process is root, keeps no environment but the proxy variables, and has its system
 * calls filtered; what it calls beyond the list fails (ENOSYS) and does not end it, since libcurl
 * and the resolver differ from system to system and can do without. Nothing that comes out is
 * trusted.
 */
#ifndef SYSTEM_HTTP_H
#define SYSTEM_HTTP_H

#include "base/url.h"
#include "system/fetch.h"
#include "system/http_message.h"

struct http;

/* Takes URL over. OPTIONS may be NULL. The worker is started with the first request. */
struct http *http_new(struct url *url, const struct fetch_options *options);
void http_free(struct http *http);

/* The canonical URL, without credentials. Lent. */
const char *http_url(const struct http *http);

/* Appends DIRECTORY to the URL. */
void http_enter(struct http *http, const char *directory);

/* As fetch_items(), for files of the kind KIND. An item that is not there ends with
 * HALLMARK_ERR_NO_PACKAGE for the two other kinds. One of the kind HTTP_DOCUMENT with an etag and
 * without n_present ends with HALLMARK_ATTENTION where that is its ETag yet. */
bool http_get(struct http *http, enum http_kind kind, const struct fetch_item *items,
              size_t n_items, const struct fetch_sink *sink, struct hallmark_error *err);

#endif
