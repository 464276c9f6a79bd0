/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A ping: the InRelease that the source has just published, sent to the mirror. It is signed,
 * dated, and never older than the one before, so it needs no form of its own, and one that is sent
 * again does nothing.
 */
#ifndef REPO_MIRROR_PING_H
#define REPO_MIRROR_PING_H

#include "repo/mirror.h"

enum mirror_ping {
    MIRROR_PING_NEWS, /* the mirror has to be synced; also where there is no ping */
    MIRROR_PING_KNOWN /* it serves that manifest already */
};

/* Verifies the ping of the options as a manifest of the source, and compares it with what is
 * served. Fails as release_trust_verify() does, with HALLMARK_ERR_ROLLBACK where something newer is
 * served, or something else of the same date. */
bool mirror_ping_open(struct mirror *mirror, enum mirror_ping *out, struct hallmark_error *err);

/* Whether the manifests that were found upstream are as new as the ping: HALLMARK_ERR_IO where they
 * are not yet, HALLMARK_ERR_USAGE where none of them is of its suite. */
bool mirror_ping_check(const struct mirror *mirror, struct hallmark_error *err);

#endif
