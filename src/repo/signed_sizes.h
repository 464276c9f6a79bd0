/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a repository has signed about how much comes out of a package: its index Unpacked-Sizes. */
#ifndef REPO_SIGNED_SIZES_H
#define REPO_SIGNED_SIZES_H

#include "repo/repository.h"

/* Finds what CONTENT unpacks to. *IS_KNOWN becomes false where the repository does not say it. Fails
 * as index_walk() does where an index is listed but cannot be read, and with HALLMARK_ERR_CONTENT
 * where two entries disagree. */
bool signed_sizes_find(const struct hallmark_repository *repository, const struct content *content,
                       struct package_totals *out, bool *is_known, struct hallmark_error *err);

#endif
