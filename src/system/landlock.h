/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Landlock, landlock(7): rights that a process gives up for good. The constants are our own, so
 * that neither the headers nor the kernel at build time decide what is asked for at run time.
 */
#ifndef SYSTEM_LANDLOCK_H
#define SYSTEM_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* Gives up everything that the running kernel can forbid; where DIRFD is a directory (not -1),
 * reading in it and making files, directories and links below it stay allowed. False with errno
 * set. */
bool landlock_restrict(int dirfd);

/* Likewise, but that the N files FDS may be read, and servers connected to. */
bool landlock_restrict_to_files(const int *fds, size_t n);

#endif
