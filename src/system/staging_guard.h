/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process that waits beside a staging directory and removes it when its caller is gone: killed,
 * interrupted at a terminal, out of memory. Where the guard is killed as well, the next run sweeps.
 */
#ifndef SYSTEM_STAGING_GUARD_H
#define SYSTEM_STAGING_GUARD_H

#include "base/error.h"

/* Removes NAME in DIRFD; false: it is to be tried again. */
typedef bool staging_guard_remove(int dirfd, const char *name);

/* Starts a guard that calls REMOVE for NAME in DIRFD, should this process end before
 * staging_guard_end(). A descriptor to keep, -1 with an error. */
int staging_guard_start(int dirfd, const char *name, staging_guard_remove *remove,
                        struct hallmark_error *err);

/* Lets the guard end without doing anything, and waits for that. Accepts -1, and sets it. */
void staging_guard_end(int *guard_fd);

#endif
