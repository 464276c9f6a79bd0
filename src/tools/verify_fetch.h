/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repo-verify fetch. */
#ifndef TOOLS_VERIFY_FETCH_H
#define TOOLS_VERIFY_FETCH_H

#include "tools/cli.h"

/* Runs the command; gives the exit status. */
int verify_fetch_run(const struct cli *cli);

#endif
