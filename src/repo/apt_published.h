/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the indexes of an apt repository say that are published. */
#ifndef REPO_APT_PUBLISHED_H
#define REPO_APT_PUBLISHED_H

#include "repo/apt_pool.h"
#include "repo/apt_sources.h"
#include "repo/publication.h"

/* Reads all indexes that BEFORE lists, below ROOTFD, into POOL and SOURCES. BEFORE->is_intact becomes
 * false, and neither is believed, where one is not what was published; those that are, are noted in
 * BEFORE->stamps. */
bool apt_published_load(struct apt_pool *pool, struct apt_sources *sources, int rootfd,
                        struct publication *before, struct hallmark_error *err);

#endif
