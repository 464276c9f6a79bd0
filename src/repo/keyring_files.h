/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keyring files that a verifier trusts, read. */
#ifndef REPO_KEYRING_FILES_H
#define REPO_KEYRING_FILES_H

#include "base/bytes.h"
#include "base/error.h"

/* Appends the keys of the NULL-terminated PATHS, or where PATHS is NULL of every *.gpg, *.pgp and
 * *.asc in the system's directory. HALLMARK_ERR_USAGE: none, unreadable, not a keyring, or writable
 * for others than its owner. */
bool keyring_files_load(const char *const *paths, struct bytes *keyring,
                        struct hallmark_error *err);

#endif
