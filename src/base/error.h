/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filling in struct hallmark_error. The first error wins; untrusted bytes in the text are escaped.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <hallmark.h>

#define ERROR_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/* Fills in *ERR unless it holds an error already; ERR may be NULL. Always returns false. */
bool error_set(struct hallmark_error *err, enum hallmark_errcode code, const char *fmt, ...)
    ERROR_PRINTF(3, 4);

/* Likewise, HALLMARK_ERR_IO with ": " and the text of errno behind it. */
bool error_set_errno(struct hallmark_error *err, const char *fmt, ...) ERROR_PRINTF(2, 3);

/* Puts a prefix and ": " before the text of an error that is set. Always returns false. */
bool error_prefix(struct hallmark_error *err, const char *fmt, ...) ERROR_PRINTF(2, 3);

#ifdef __clang_analyzer__ /* which does not see into another file */
#define error_set(...)       (error_set(__VA_ARGS__), false)
#define error_set_errno(...) (error_set_errno(__VA_ARGS__), false)
#define error_prefix(...)    (error_prefix(__VA_ARGS__), false)
#endif

/* Makes *ERR ready for use. */
void error_clear(struct hallmark_error *err);

#endif
