/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands in the indexes and not in the manifest itself: each package once. */
#ifndef REPO_CATALOGUE_H
#define REPO_CATALOGUE_H

#include "repo/repository.h"

struct catalogue_sink {
    /* Given each package, lent until it returns; false, with an error set, ends the reading. */
    bool (*each)(void *ctx, const struct content *content, struct hallmark_error *err);
    /* Told of each index that is not good or missing; NULL: the reading ends there. */
    void (*problem)(void *ctx, const struct content *index, const struct hallmark_error *err);
    void *ctx;
};

/* Reads all wanted indexes. Fails as index_walk() does, but not for what PROBLEM was told. */
bool catalogue_read(const struct hallmark_repository *repository, const struct catalogue_sink *sink,
                    struct hallmark_error *err);

#endif
