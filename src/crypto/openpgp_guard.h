/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Temporary directories that do not outlive the process that needs them, not even when it is
 * killed: a process of their own makes them, and removes them where that one cannot.
 */
#ifndef CRYPTO_OPENPGP_GUARD_H
#define CRYPTO_OPENPGP_GUARD_H

#include "base/error.h"

/* Starts such a process and has it make a directory like mkdtemp(3), changing TEMPLATE. When the
 * caller ends without having called openpgp_guard_end(), it removes that with REMOVE. A descriptor
 * to talk to it, or -1 with an error. It is nobody's child, so that who waits for all children does
 * not wait for it. */
int openpgp_guard_start(char *template, bool (*remove)(const char *path),
                        struct hallmark_error *err);

/* Has it remove PATH, too. */
void openpgp_guard_add(int guard, const char *path);

/* Ends it, without removing anything, and makes *GUARD -1; nothing where it is -1 already. */
void openpgp_guard_end(int *guard);

#endif
