/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run at a time: flock(2) on a file that stays. The kernel frees it with the process. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Takes the lock NAME in DIRFD, waiting up to WAIT seconds. The descriptor that holds it, or -1
 * with HALLMARK_ERR_BUSY or HALLMARK_ERR_IO. */
int lock_acquire(int dirfd, const char *name, int64_t wait, struct hallmark_error *err);

/* Whether the lock of the open file FD is taken now; errno EWOULDBLOCK where another has it. */
bool lock_try(int fd);

/* Frees the lock and makes *FD -1. */
void lock_release(int *fd);

#endif
