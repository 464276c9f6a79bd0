/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which file of a release a person means. */
#ifndef REPO_PACKAGE_FIND_H
#define REPO_PACKAGE_FIND_H

#include "base/error.h"
#include "format/release.h"

/* The entry whose path is NAME; else the one whose file name is NAME; else, among those whose
 * package name is NAME, the one of the newest version. NULL with HALLMARK_ERR_NO_PACKAGE, or with
 * HALLMARK_ERR_USAGE and the candidates where there are several. */
const struct release_entry *package_find(const struct release *release, const char *name,
                                         struct hallmark_error *err);

#endif
