/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passphrase of the signing keys, from a descriptor or a file. */
#ifndef TOOLS_PASSPHRASE_H
#define TOOLS_PASSPHRASE_H

#include "tools/cli.h"

enum { PASSPHRASE_MAX = 1024 }; /* bytes; GnuPG allows 255 */

struct passphrase {
    char text[PASSPHRASE_MAX + 1];
    bool is_set;
};

/* Reads the first line of the descriptor FD or of FILE, whichever is not NULL. False after an error
 * message: a file that others than its owner can read, or no line at all. */
bool passphrase_read(struct passphrase *out, const struct cli *cli, const char *fd,
                     const char *file);

/* Overwrites it. */
void passphrase_wipe(struct passphrase *passphrase);

#endif
