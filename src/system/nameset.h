/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A set of paths, of which only hashes are kept. Two paths may be taken for one, so it serves to
 * recognise what was made before, never to decide that something is safe.
 */
#ifndef SYSTEM_NAMESET_H
#define SYSTEM_NAMESET_H

#include <stdint.h>

#include "base/bytes.h"

/* Empty when zeroed. */
struct nameset {
    uint64_t *slots;
    size_t n_slots, n_used;
};

void nameset_add(struct nameset *set, struct bytes_view path);
bool nameset_has(const struct nameset *set, struct bytes_view path);
void nameset_free(struct nameset *set);

#endif
