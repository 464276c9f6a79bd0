/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manifests and what they list of metadata, brought into the stage; and the files that they are
 * about, read out of exactly those bytes. */
#ifndef REPO_MIRROR_STAGE_H
#define REPO_MIRROR_STAGE_H

#include "repo/mirror.h"

/* Stages the documents of all suites and all metadata that is wanted and served upstream: taken
 * from the mirror where that has it already, else fetched; verified in any case.
 * HALLMARK_ERR_CONTENT, HALLMARK_ERR_IO. */
bool mirror_stage_fill(struct mirror *mirror, struct hallmark_error *err);

/* Verifies what is staged as a reader would who is served exactly that, and lists the files. Fails
 * as hallmark_repository_open() and catalogue_read() do. */
bool mirror_stage_list(struct mirror *mirror, struct hallmark_error *err);

/* Both without writing anything: counts the metadata that would be fetched, and lists the files. */
bool mirror_stage_preview(struct mirror *mirror, struct hallmark_error *err);

#endif
