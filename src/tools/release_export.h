/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands keyring and sources of repo-release(1): what clients of a repository need. */
#ifndef TOOLS_RELEASE_EXPORT_H
#define TOOLS_RELEASE_EXPORT_H

#include "tools/cli.h"

int release_export_keyring(const struct cli *cli);
int release_export_sources(const struct cli *cli);

#endif
