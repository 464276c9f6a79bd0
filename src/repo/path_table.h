/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hash table that finds things by path; the paths are kept by whoever keeps the things. */
#ifndef REPO_PATH_TABLE_H
#define REPO_PATH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct path_table {
    struct path_table_slot *slots;
    size_t n_slots, n_used;
};

/* The path of thing INDEX, lent. */
typedef const char *path_table_path_fn(const void *ctx, size_t index);

void path_table_init(struct path_table *table);
void path_table_free(struct path_table *table);

/* Sets *INDEX to the number under which PATH was added. False where it was not. */
bool path_table_find(const struct path_table *table, const char *path, path_table_path_fn *path_of,
                     const void *ctx, size_t *index);

/* Adds thing INDEX, at most UINT32_MAX - 1, whose PATH is not there yet. */
void path_table_add(struct path_table *table, const char *path, size_t index);

#endif
