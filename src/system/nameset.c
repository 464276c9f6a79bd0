/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hashes of paths in a table with open addressing; 0 is a free slot. */
#include "system/nameset.h"

#include <stdlib.h>

#include "base/alloc.h"

/* FNV-1a. */
static uint64_t hash_path(struct bytes_view path)
{
    uint64_t hash = 14695981039346656037ULL;
    size_t i;

    for (i = 0; i < path.len; i++)
        hash = (hash ^ (unsigned char)path.data[i]) * 1099511628211ULL;
    return hash ? hash : 1;
}

static uint64_t *find_slot(const struct nameset *set, uint64_t hash)
{
    size_t i = (size_t)hash & (set->n_slots - 1);

    while (set->slots[i] && set->slots[i] != hash)
        i = (i + 1) & (set->n_slots - 1);
    return &set->slots[i];
}

static void grow(struct nameset *set)
{
    enum { FIRST_SLOTS = 1024 };
    struct nameset old = *set;
    size_t i;

    set->n_slots = old.n_slots ? 2 * old.n_slots : FIRST_SLOTS;
    set->slots = alloc_array(set->n_slots, sizeof *set->slots);
    for (i = 0; i < old.n_slots; i++)
        if (old.slots[i])
            *find_slot(set, old.slots[i]) = old.slots[i];
    free(old.slots);
}

void nameset_add(struct nameset *set, struct bytes_view path)
{
    uint64_t hash = hash_path(path), *slot;

    if (2 * (set->n_used + 1) > set->n_slots)
        grow(set);
    slot = find_slot(set, hash);
    set->n_used += *slot == 0;
    *slot = hash;
}

bool nameset_has(const struct nameset *set, struct bytes_view path)
{
    return set->n_slots && *find_slot(set, hash_path(path)) != 0;
}

void nameset_free(struct nameset *set)
{
    free(set->slots);
    *set = (struct nameset){0};
}
