/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcurl, loaded in the process that talks to servers and nowhere else: with the thirty libraries
 * that it needs in turn, loading it takes as long as verifying a signature. Include this and not
 * curl/curl.h; a function that is called must be in the list.
 */
#ifndef SYSTEM_LIBCURL_H
#define SYSTEM_LIBCURL_H

#define CURL_DISABLE_TYPECHECK /* its macros name the functions themselves */
#include <curl/curl.h>
#include <stdbool.h>

#include "base/error.h"

#define LIBCURL_FUNCTIONS(F)                                                                       \
    F(easy_cleanup)                                                                                \
    F(easy_getinfo)                                                                                \
    F(easy_init)                                                                                   \
    F(easy_reset)                                                                                  \
    F(easy_setopt)                                                                                 \
    F(easy_strerror)                                                                               \
    F(global_init)                                                                                 \
    F(multi_add_handle)                                                                            \
    F(multi_info_read)                                                                             \
    F(multi_init)                                                                                  \
    F(multi_perform)                                                                               \
    F(multi_poll)                                                                                  \
    F(multi_remove_handle)                                                                         \
    F(multi_setopt)                                                                                \
    F(slist_append)                                                                                \
    F(slist_free_all)                                                                              \
    F(version_info)

/* A member's name cannot stand in parentheses. NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define LIBCURL_MEMBER(name) __typeof__(curl_##name) *name;
struct libcurl {
    LIBCURL_FUNCTIONS(LIBCURL_MEMBER)
};

/* The functions; all NULL before libcurl_load() has succeeded. */
extern struct libcurl libcurl;

/* Loads it into this process, which must be one of our own; once. HALLMARK_ERR_IO where it is not
 * installed. */
bool libcurl_load(struct hallmark_error *err);

#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt
#define curl_easy_cleanup        libcurl.easy_cleanup
#define curl_easy_getinfo        libcurl.easy_getinfo
#define curl_easy_init           libcurl.easy_init
#define curl_easy_reset          libcurl.easy_reset
#define curl_easy_setopt         libcurl.easy_setopt
#define curl_easy_strerror       libcurl.easy_strerror
#define curl_global_init         libcurl.global_init
#define curl_multi_add_handle    libcurl.multi_add_handle
#define curl_multi_info_read     libcurl.multi_info_read
#define curl_multi_init          libcurl.multi_init
#define curl_multi_perform       libcurl.multi_perform
#define curl_multi_poll          libcurl.multi_poll
#define curl_multi_remove_handle libcurl.multi_remove_handle
#define curl_multi_setopt        libcurl.multi_setopt
#define curl_slist_append        libcurl.slist_append
#define curl_slist_free_all      libcurl.slist_free_all
#define curl_version_info        libcurl.version_info

#endif
