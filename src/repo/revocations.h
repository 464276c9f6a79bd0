/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys that a consumer has seen revoked, in the keyring of any repository. A revocation is for
 * ever, so an older copy of a keyring, which lacks it, does not bring the key back.
 */
#ifndef REPO_REVOCATIONS_H
#define REPO_REVOCATIONS_H

#include "base/error.h"
#include "base/strlist.h"

/* Adds the fingerprints that STATE_DIR remembers to OUT; nothing where nothing is remembered. A
 * file that cannot be read or parsed is an error, not an empty list. */
bool revocations_load(const char *state_dir, struct strlist *out, struct hallmark_error *err);

/* Remembers REVOKED beside what is remembered: under a lock, durable. Writes nothing where all of
 * them are. HALLMARK_ERR_MALFORMED where there are more than LIMITS_REVOKED_KEYS. */
bool revocations_save(const char *state_dir, const struct strlist *revoked,
                      struct hallmark_error *err);

#endif
