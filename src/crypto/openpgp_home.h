/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GnuPG home of our own making: a private directory that lives as long as it is needed. */
#ifndef CRYPTO_OPENPGP_HOME_H
#define CRYPTO_OPENPGP_HOME_H

#include "base/bytes.h"
#include "base/error.h"

/* Makes a directory below $TMPDIR or /tmp that only its owner may enter. Its absolute path, which
 * openpgp_home_free() releases; NULL with an error. */
char *openpgp_home_new(struct hallmark_error *err);

/* Creates the file NAME in HOME. */
bool openpgp_home_add(const char *home, const char *name, struct bytes_view data,
                      struct hallmark_error *err);

/* Removes HOME (or NULL) with all that is in it. */
void openpgp_home_free(char *home);

#endif
