/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chunks out of mmap(2): what malloc(3) gave would be kept by it where something lies behind. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"

enum { CHUNK = 256 * 1024 };

struct arena_chunk {
    struct arena_chunk *before;
    size_t used, size; /* of all of it */
};

/* Adds a chunk with room for LEN bytes. */
static struct arena_chunk *add_chunk(struct arena *arena, size_t len)
{
    struct arena_chunk *chunk;
    size_t size = len < CHUNK - sizeof *chunk ? CHUNK : len + sizeof *chunk;

    if (len > SIZE_MAX - sizeof *chunk)
        alloc_fail();
    chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED)
        alloc_fail();
    *chunk = (struct arena_chunk){.before = arena->last, .used = sizeof *chunk, .size = size};
    arena->last = chunk;
    return chunk;
}

char *arena_reserve(struct arena *arena, size_t len)
{
    struct arena_chunk *chunk = arena->last;
    char *out;

    if (!chunk || chunk->size - chunk->used < len)
        chunk = add_chunk(arena, len);
    out = (char *)chunk + chunk->used;
    chunk->used += len;
    return out;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    size_t len = strlen(text) + 1;

    return memcpy(arena_reserve(arena, len), text, len);
}

void arena_free(struct arena *arena)
{
    struct arena_chunk *chunk, *before;

    for (chunk = arena->last; chunk; chunk = before) {
        before = chunk->before;
        munmap(chunk, chunk->size);
    }
    arena->last = NULL;
}
