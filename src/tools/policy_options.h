/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that say what is believed of a repository, and how servers are talked to: the same
 * ones in all programs that read repositories. */
#ifndef TOOLS_POLICY_OPTIONS_H
#define TOOLS_POLICY_OPTIONS_H

#include "tools/cli.h"

/* A program's own options start at POLICY_OPTIONS_END. */
enum policy_option {
    OPTION_KEYRING = CLI_FIRST_OPTION,
    OPTION_SIGNED_BY,
    OPTION_THRESHOLD,
    OPTION_MAX_AGE,
    OPTION_ALLOW_NO_EXPIRY,
    OPTION_CLOCK_SKEW,
    OPTION_NOW,
    OPTION_AS_OF,
    OPTION_STATE,
    OPTION_NO_STATE,
    OPTION_SUITE,
    OPTION_CODENAME,
    OPTION_ORIGIN,
    OPTION_ACCEPT_CHANGE,
    OPTION_COMPONENT,
    OPTION_ARCH,
    OPTION_SANDBOX,
    OPTION_CA_FILE,
    OPTION_TIMEOUT,
    OPTION_CONFIG,
    OPTION_MIRROR,
    POLICY_OPTIONS_END,
};

/* What the options say in place of what POLICY says. Not the lists (--keyring, --signed-by,
 * --component, --arch, --mirror) nor --suite, which a policy borrows or a program takes otherwise.
 * False after an error message. */
bool policy_options_read(const struct cli *cli, struct hallmark_policy *policy);

#endif
