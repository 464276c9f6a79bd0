/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings of a repository, out of its configuration and the options of repo-release(1). */
#ifndef TOOLS_RELEASE_SETTINGS_H
#define TOOLS_RELEASE_SETTINGS_H

#include "tools/cli.h"

/* All options of repo-release. */
enum release_option {
    OPTION_NAME = CLI_FIRST_OPTION,
    OPTION_ROOT,
    OPTION_LAYOUT,
    OPTION_ORIGIN,
    OPTION_LABEL,
    OPTION_SUITE,
    OPTION_CODENAME,
    OPTION_RELEASE_VERSION,
    OPTION_DESCRIPTION,
    OPTION_ARCHITECTURE,
    OPTION_COMPONENT,
    OPTION_NOT_AUTOMATIC,
    OPTION_BUT_AUTOMATIC_UPGRADES,
    OPTION_RULE,
    OPTION_COMPRESSION,
    OPTION_CONTENTS,
    OPTION_HASH,
    OPTION_VALID_FOR,
    OPTION_REFRESH_BEFORE,
    OPTION_KEY,
    OPTION_GNUPG_HOME,
    OPTION_EXCLUDE,
    OPTION_KEEP_GENERATIONS,
    OPTION_KEEP_FOR,
    OPTION_MAX_VANISHED,
    OPTION_STATE,
    OPTION_CONFIG,
    OPTION_PASSPHRASE_FD,
    OPTION_PASSPHRASE_FILE,
    OPTION_LOCK_WAIT,
    OPTION_SANDBOX,
    OPTION_HASH_BACKEND,
    OPTION_SCRUB,
    OPTION_ACCEPT_LOSS,
    OPTION_KEEP_GOING,
    OPTION_OUTPUT,
    OPTION_ARMOR,
    OPTION_URI,
    OPTION_KEYRING,
};

/* The settings that ARGUMENT, a name or a root, means, with the options on top; freed by
 * hallmark_settings_free(). NULL after an error message. */
struct hallmark_settings *release_settings_for(const struct cli *cli, const char *argument);

/* Fills in the settings of a new repository from the argument of init and the options. False after
 * an error message. */
bool release_settings_init(struct hallmark_settings *settings, const struct cli *cli);

#endif
