/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A bundle: a part of a repository in one file, for hosts without a network. What is in it is not
 * trusted more than what a server sends; it is laid out in a private directory, and then verified.
 */
#ifndef REPO_BUNDLE_H
#define REPO_BUNDLE_H

#include "base/error.h"
#include "base/strlist.h"

/* What a bundle starts with. */
#define BUNDLE_RECEIPT "hallmark-receipt"

struct bundle {
    char *dir;            /* where it is laid out */
    int guard;            /* what removes that, should this process not come to it */
    char *url;            /* of the file */
    struct strlist paths; /* of its members but the receipt */
};

/* Whether PATH is a regular file that starts like a bundle. */
bool bundle_is(const char *path);

/* Lays PATH out. HALLMARK_ERR_MALFORMED: a member that is no regular file or has an odd name, comes
 * twice, or is cut; LIMITS_BUNDLE_FILES; anything behind the end. bundle_free() removes the
 * directory, and accepts NULL. */
struct bundle *bundle_open(const char *path, struct hallmark_error *err);
void bundle_free(struct bundle *bundle);

#endif
