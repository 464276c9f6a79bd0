/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keyring files that a verifier trusts, read. */
#ifndef REPO_KEYRING_FILES_H
#define REPO_KEYRING_FILES_H

#include "base/bytes.h"
#include "base/error.h"

/* Appends the keys that POLICY trusts: of its keyrings and its texts, or where it has neither of
 * every *.gpg, *.pgp and *.asc in the system's directory. HALLMARK_ERR_USAGE: none, unreadable, not
 * a keyring, or writable for others than its owner. */
bool keyring_files_load(const struct hallmark_policy *policy, struct bytes *keyring,
                        struct hallmark_error *err);

/* Whether the open file PATH is a regular one that only its owner can write to: whoever can write
 * to it decides what is trusted. HALLMARK_ERR_USAGE. */
bool keyring_files_check_owner(int fd, const char *path, struct hallmark_error *err);

#endif
