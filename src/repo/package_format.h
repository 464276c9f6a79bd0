/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a package's name promises about its bytes. */
#ifndef REPO_PACKAGE_FORMAT_H
#define REPO_PACKAGE_FORMAT_H

#include <stdbool.h>

#include "system/package.h"

/* False where PATH is not the name of an archive that can be opened. */
bool package_format_from_path(const char *path, struct package_format *out);

#endif
