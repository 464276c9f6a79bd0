/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directories from the root of a new tree down to the one that is worked in, each held open, so
 * that every path is walked one component at a time, without following a link, and only where it
 * differs from the path before.
 */
#ifndef SYSTEM_DIRSTACK_H
#define SYSTEM_DIRSTACK_H

#include "base/bytes.h"
#include "base/error.h"

struct dirstack;

/* ROOTFD is borrowed; the tree is empty. */
struct dirstack *dirstack_new(int rootfd);
void dirstack_free(struct dirstack *stack);

enum dirstack_missing { DIRSTACK_FAIL, DIRSTACK_MAKE };

/* The directory PATH (which entry_check() has seen; "" is the root), lent until the next call. What
 * is missing fails or is made, mode 0755. HALLMARK_ERR_UNSAFE where a component is no directory, or
 * one that was made under another name, on a file system that does not tell the two apart. */
int dirstack_enter(struct dirstack *stack, struct bytes_view path, enum dirstack_missing missing,
                   struct hallmark_error *err);

/* Makes the directory PATH with MODE, or gives it MODE if it was made before. */
bool dirstack_make(struct dirstack *stack, struct bytes_view path, unsigned mode,
                   struct hallmark_error *err);

#endif
