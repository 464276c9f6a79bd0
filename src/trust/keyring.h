/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keyring files, binary or armoured, put together into the one keyring that gpg is given. */
#ifndef TRUST_KEYRING_H
#define TRUST_KEYRING_H

#include "base/bytes.h"
#include "base/error.h"

/* Appends the public keys in FILE to KEYRING. HALLMARK_ERR_USAGE, with WHAT: empty, not public
 * keys, secret keys, a keybox, or more than LIMITS_KEYRING_BYTES in all. */
bool keyring_add(struct bytes *keyring, struct bytes_view file, const char *what,
                 struct hallmark_error *err);

#endif
