/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The packages of indexes, kept in memory by what a person may call them, for when several are
 * looked for one after another: the indexes are fetched, compared and parsed once. Decides nothing.
 */
#ifndef REPO_INDEX_TABLE_H
#define REPO_INDEX_TABLE_H

#include "format/package_index.h"

struct index_table;

struct index_table *index_table_new(void);
void index_table_free(struct index_table *table);

/* A sink that adds what it takes; its context is the table. HALLMARK_ERR_MALFORMED beyond
 * LIMITS_TABLE_PACKAGES. */
bool index_table_take(void *ctx, const struct package_index_entry *entry,
                      struct hallmark_error *err);

/* Gives SINK the entries whose name is NAME, then those whose file's name is FILE, each in the
 * order in which they were taken; the views are lent until the sink returns. */
bool index_table_find(const struct index_table *table, struct bytes_view name,
                      struct bytes_view file, const struct package_index_sink *sink,
                      struct hallmark_error *err);

#endif
