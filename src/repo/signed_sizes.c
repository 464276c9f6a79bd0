/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking a package up in Unpacked-Sizes. */
#include "repo/signed_sizes.h"

#include "repo/index.h"

struct search {
    const char *path;
    struct package_totals totals;
    bool is_found;
};

static bool take(void *ctx, const struct package_index_entry *entry, struct hallmark_error *err)
{
    struct search *search = ctx;
    const struct package_totals totals = {.n_entries = entry->n_entries,
                                          .n_bytes = entry->n_unpacked};

    if (!bytes_view_equals(entry->path, search->path))
        return true;
    if (search->is_found &&
        (search->totals.n_entries != totals.n_entries || search->totals.n_bytes != totals.n_bytes))
        return error_set(err, HALLMARK_ERR_CONTENT, "says two sizes of %s", search->path);
    search->totals = totals;
    search->is_found = true;
    return true;
}

bool signed_sizes_find(const struct hallmark_repository *repository, const struct content *content,
                       struct package_totals *out, bool *is_known, struct hallmark_error *err)
{
    struct search search = {.path = content->package.path};
    struct index_walk walk = {.tier = INDEX_TIER_SIZES,
                              .architecture = "",
                              .beside = content->index,
                              .absence = INDEX_MUST_BE_THERE,
                              .sink = {.take = take, .ctx = &search}};

    if (!index_walk(repository, &walk, err))
        return false;
    *is_known = search.is_found;
    if (search.is_found)
        *out = search.totals;
    return true;
}
