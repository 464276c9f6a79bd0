/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repo-verify bundle. */
#ifndef TOOLS_VERIFY_BUNDLE_H
#define TOOLS_VERIFY_BUNDLE_H

#include "tools/cli.h"

/* Runs the command; gives the exit status. */
int verify_bundle_run(const struct cli *cli);

#endif
