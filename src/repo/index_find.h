/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which package of the indexes a person means. */
#ifndef REPO_INDEX_FIND_H
#define REPO_INDEX_FIND_H

#include "repo/repository.h"

/* The indexes that were read to find one package, for the next one. */
struct index_find_memory;
struct index_find_memory *index_find_new(void);
void index_find_free(struct index_find_memory *memory);

/* The package that NAME means: its path, its file's name, or PACKAGE[=VERSION][:ARCHITECTURE], of
 * which the newest version is taken. Packages of the machine's own architecture (or of the one that
 * the user wants), and those for all, come first, and where there is one the other indexes are not
 * read. NULL with HALLMARK_ERR_NO_PACKAGE; with HALLMARK_ERR_USAGE and the candidates where several
 * files answer; with HALLMARK_ERR_CONTENT where two indexes disagree about the file; or as
 * index_walk() fails. */
const struct content *index_find(const struct hallmark_repository *repository, const char *name,
                                 struct hallmark_error *err);

#endif
