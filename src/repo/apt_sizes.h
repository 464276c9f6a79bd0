/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The indexes Unpacked-Sizes of an apt repository: how much comes out of each package. */
#ifndef REPO_APT_SIZES_H
#define REPO_APT_SIZES_H

#include "repo/apt_tree.h"

/* Writes the index of the packages of ITEM; for struct apt_item. */
bool apt_sizes_write(struct apt_tree *tree, const struct apt_item *item,
                     const struct index_sink *sink, struct hallmark_error *err);

#endif
