/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A run of a mirror: attempts at one location after another, until one succeeds. */
#ifndef REPO_MIRROR_ATTEMPT_H
#define REPO_MIRROR_ATTEMPT_H

#include "repo/mirror.h"

/* Makes DEST, which mirror_open() has opened, what its source and the mirrors of the policy have.
 * Each location whose manifest or metadata are of no use is told to the policy's trouble function;
 * where none is left, fails with what is wrong before what could not be had. What is wrong on this
 * side ends it at once. */
bool mirror_attempt(struct mirror *mirror, struct hallmark_error *err);

#endif
