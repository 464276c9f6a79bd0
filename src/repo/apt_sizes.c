/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unpacked-Sizes of the packages of a tree. */
#include "repo/apt_sizes.h"

#include "format/unpacked_sizes.h"

bool apt_sizes_write(struct apt_tree *tree, const struct apt_item *item,
                     const struct index_sink *sink, struct hallmark_error *err)
{
    const struct apt_package *package;
    struct bytes stanza = {0};
    bool ok = true;
    size_t i;

    for (i = 0; ok && (package = apt_pool_package(apt_tree_pool(tree), i)) != NULL; i++) {
        if (!apt_tree_belongs(package, item))
            continue;
        stanza.len = 0;
        unpacked_sizes_write(package->path, package->totals.n_entries, package->totals.n_bytes,
                             &stanza);
        ok = sink->take(sink->ctx, bytes_view(&stanza), err);
    }
    bytes_free(&stanza);
    return ok;
}
