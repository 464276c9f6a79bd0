/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory that appears whole or not at all: made in a private staging directory beside its
 * place, and moved there by one rename(2) that replaces nothing.
 */
#ifndef SYSTEM_STAGING_H
#define SYSTEM_STAGING_H

#include "base/error.h"

struct staging {
    int parentfd;  /* where the directory will appear */
    int fd;        /* the staging directory, mode 0700 */
    int treefd;    /* the directory that is being made in it */
    char *into;    /* the name that the user gave, for messages */
    char *base;    /* the last component of into */
    char name[32]; /* of the staging directory, in the parent */
    int guard;     /* staging_guard.h */
};

/* Makes the staging directory and the tree in it, with a guard that removes them should this
 * process end, and removes what runs that were killed left beside it. HALLMARK_ERR_USAGE where INTO
 * exists in any form, or its parent does not. */
bool staging_open(struct staging *out, const char *into, struct hallmark_error *err);

/* A file in the staging directory, mode 0600, without a name. -1 with an error. */
int staging_make_file(struct staging *staging, struct hallmark_error *err);

/* Syncs the tree, moves it to its place, and syncs that. */
bool staging_commit(struct staging *staging, struct hallmark_error *err);

/* Removes what was staged and not committed, and closes all. Accepts what staging_open() left
 * behind when it failed. */
void staging_close(struct staging *staging);

#endif
