/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cleaning up behind a process that is killed before it can do that itself. */
#ifndef CRYPTO_OPENPGP_GUARD_H
#define CRYPTO_OPENPGP_GUARD_H

#include "base/error.h"

/* Starts a process that runs CLEAN(ARG) when this one ends, however it does, without having called
 * openpgp_guard_end() with the descriptor that this gives; -1 with an error. It is nobody's child,
 * so that a program which waits for all its children does not wait for it. */
int openpgp_guard_start(void (*clean)(const char *arg), const char *arg,
                        struct hallmark_error *err);

/* Ends it, without cleaning, and makes *GUARD -1; nothing where it is -1 already. */
void openpgp_guard_end(int *guard);

#endif
