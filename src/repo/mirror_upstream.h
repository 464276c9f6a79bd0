/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manifests upstream, against those that the mirror serves: never a step back. */
#ifndef REPO_MIRROR_UPSTREAM_H
#define REPO_MIRROR_UPSTREAM_H

#include "repo/mirror.h"

/* Opens and verifies the manifest of each suite, reading nothing else. Fails as
 * hallmark_repository_open() does, with HALLMARK_ERR_ROLLBACK for one that is older than what the
 * mirror serves or has served, and with HALLMARK_ERR_USAGE where it serves another suite that would
 * get lost, or is its own source. */
bool mirror_upstream_open(struct mirror *mirror, struct hallmark_error *err);

/* Fails with HALLMARK_ERR_STALE where one of the manifests has expired since it was opened. */
bool mirror_upstream_check_fresh(const struct mirror *mirror, struct hallmark_error *err);

/* Whether the mirror serves exactly these manifests already, with all their files. */
bool mirror_upstream_is_served(const struct mirror *mirror);

/* Reads the documents that are not verified yet: beside InRelease, Release and Release.gpg, if they
 * are there. HALLMARK_ERR_CONTENT where Release is not the text of InRelease. */
bool mirror_upstream_read_others(struct mirror *mirror, struct mirror_suite *suite,
                                 struct hallmark_error *err);

/* What the record calls the directory of SUITE. Lent. */
const char *mirror_upstream_name(const struct mirror_suite *suite);

#endif
