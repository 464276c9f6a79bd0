/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open addressing, at most half full. What a place is compared by first lies in the table itself.
 */
#include "repo/path_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST = 1024 };

struct path_table_slot {
    uint32_t hash;  /* of the path */
    uint32_t index; /* and 1; 0: nobody's */
};

void path_table_init(struct path_table *table)
{
    *table = (struct path_table){.n_slots = FIRST};
    table->slots = alloc_array(table->n_slots, sizeof *table->slots);
}

void path_table_free(struct path_table *table)
{
    free(table->slots);
    *table = (struct path_table){0};
}

/* FNV-1a: names that collide cost time, and whoever chooses them publishes here. */
static uint32_t hash_of(const char *path)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *path; path++)
        h = (h ^ (unsigned char)*path) * UINT64_C(1099511628211);
    return (uint32_t)(h ^ (h >> 32));
}

static struct path_table_slot *find_empty(const struct path_table *table, uint32_t hash)
{
    size_t i = hash & (table->n_slots - 1);

    while (table->slots[i].index)
        i = (i + 1) & (table->n_slots - 1);
    return &table->slots[i];
}

bool path_table_find(const struct path_table *table, const char *path, path_table_path_fn *path_of,
                     const void *ctx, size_t *index)
{
    uint32_t hash = hash_of(path);
    const struct path_table_slot *slot;
    size_t i;

    for (i = hash;; i++) {
        slot = &table->slots[i & (table->n_slots - 1)];
        if (!slot->index)
            return false;
        if (slot->hash == hash && strcmp(path_of(ctx, slot->index - 1), path) == 0)
            break;
    }
    *index = slot->index - 1;
    return true;
}

static void grow(struct path_table *table)
{
    struct path_table_slot *before = table->slots;
    size_t i, n = table->n_slots;

    table->n_slots *= 2;
    table->slots = alloc_array(table->n_slots, sizeof *table->slots);
    for (i = 0; i < n; i++)
        if (before[i].index)
            *find_empty(table, before[i].hash) = before[i];
    free(before);
}

void path_table_add(struct path_table *table, const char *path, size_t index)
{
    uint32_t hash = hash_of(path);

    if (2 * table->n_used >= table->n_slots)
        grow(table);
    *find_empty(table, hash) = (struct path_table_slot){hash, (uint32_t)index + 1};
    table->n_used++;
}
