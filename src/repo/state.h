/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a consumer remembers of a repository: the newest manifest that it accepted. One deb822 file
 * a repository, under the digest of its URL.
 */
#ifndef REPO_STATE_H
#define REPO_STATE_H

#include "base/error.h"
#include "trust/release_trust.h"

/* Reads what STATE_DIR remembers of URL into OUT; nothing remembered gives an empty floor. A file
 * that cannot be read or parsed is an error, not an empty floor. state_free() releases its texts.
 */
bool state_load(const char *state_dir, const char *url, struct release_floor *out,
                struct hallmark_error *err);

void state_free(struct release_floor *floor);

/* Remembers FLOOR, unless a newer one has been remembered meanwhile: under a lock, durable. Writes
 * nothing where it is remembered already. */
bool state_save(const char *state_dir, const char *url, const struct release_floor *floor,
                struct hallmark_error *err);

#endif
