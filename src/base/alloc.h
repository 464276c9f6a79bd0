/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that is there: a lack of it ends the process, with status HALLMARK_ERR_IO. That is safe
 * because sizes from outside are checked against limits.h before they come here.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

/* Ends the process, for lack of memory. */
void alloc_fail(void) __attribute__((noreturn));

/* Zeroed memory for N objects of SIZE bytes; never NULL. Released with free(3), like all of these.
 */
void *alloc_array(size_t n, size_t size) __attribute__((returns_nonnull));

/* P (or NULL) grown to N objects of SIZE bytes; what is new is not zeroed. */
void *alloc_regrow(void *p, size_t n, size_t size);

/* Room for one more object behind N_USED in ARRAY of *CAP objects, doubling it when it is full. */
void *alloc_one_more(void *array, size_t n_used, size_t *cap, size_t size);

char *alloc_strdup(const char *s);
char *alloc_strndup(const char *s, size_t len);
char *alloc_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
