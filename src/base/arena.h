/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts that are kept until all of them are freed at once: without the cost of an allocation for
 * each, and in memory that the system gets back.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/* All zero: empty. */
struct arena {
    struct arena_chunk *last;
};

/* Room for LEN bytes (of no alignment), until arena_free(). A lack of memory ends the process, as
 * in alloc.h. */
char *arena_reserve(struct arena *arena, size_t len) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
void arena_free(struct arena *arena);

#endif
