/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system calls that a worker process may make, seccomp(2). */
#ifndef SYSTEM_SYSCALLS_H
#define SYSTEM_SYSCALLS_H

#include <stdbool.h>

#include "system/sandbox.h"

/* From now on any other system call than those of ROLE ends the process by SIGSYS; in the network
 * role it fails with ENOSYS. False with errno. */
bool syscalls_restrict(enum sandbox_role role);

#endif
