/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is below dists/ of an apt repository: for each suite a Release and the indexes that it
 * lists. First it is found out what there should be, then what is not published already is written.
 */
#ifndef REPO_APT_TREE_H
#define REPO_APT_TREE_H

#include "repo/apt_files.h"
#include "repo/apt_pool.h"
#include "repo/apt_sources.h"
#include "repo/block_cache.h"
#include "repo/contents_cache.h"
#include "repo/publication.h"

struct apt_tree;
struct apt_item;

/* Writes the text of ITEM into SINK, whenever it is asked for. */
typedef bool apt_item_write_fn(struct apt_tree *tree, const struct apt_item *item,
                               const struct index_sink *sink, struct hallmark_error *err);

/* One file of a suite, without its compressed forms: what a kind of index fills in. */
struct apt_item {
    size_t suite;             /* by its index */
    size_t component;         /* likewise */
    const char *architecture; /* lent; NULL for none */
    enum apt_kind kind;
    char *path; /* below the suite's directory; owned by the tree */
    struct bytes text;
    apt_item_write_fn *write; /* NULL: it is TEXT, not compressed */
    size_t follows;  /* 1 + the index of the item whose state it has; 0: none */
    bool is_pending; /* not what is published: to be set where that is known without writing it */
};

/* Of the tree at ROOTFD. What is published, as BEFORE (which must outlive this) says, is read, and
 * BEFORE->is_intact becomes false where it is not what was published last. SPOOLFD as in
 * apt_pool_new(). */
struct apt_tree *apt_tree_new(const struct hallmark_settings *settings, struct publication *before,
                              int rootfd, int spoolfd, struct hallmark_error *err);
void apt_tree_free(struct apt_tree *tree);

/* To be filled with all packages of the tree. */
struct apt_pool *apt_tree_pool(struct apt_tree *tree);
struct apt_sources *apt_tree_sources(struct apt_tree *tree);

/* Has the tree write Contents as well, out of the lists in CACHE, which it takes over. */
void apt_tree_use_contents(struct apt_tree *tree, struct contents_cache *cache);
struct contents_cache *apt_tree_contents(struct apt_tree *tree);

/* Has the tree take what it need not compress from CACHE, which outlives it. */
void apt_tree_use_blocks(struct apt_tree *tree, struct block_cache *cache);

/* Whether PACKAGE is listed in ITEM. */
bool apt_tree_belongs(const struct apt_package *package, const struct apt_item *item);

/* Places all packages, and finds out which files there are and which of them are not published
 * already. *OUT are the suites with their releases: complete, but for what is pending. */
bool apt_tree_plan(struct apt_tree *tree, const struct apt_pool_broken *broken,
                   struct publication_suites *out, struct hallmark_error *err);

/* Adds a file; for apt_tree_plan() and other kinds of indexes. */
struct apt_item *apt_tree_add_item(struct apt_tree *tree, size_t suite, char *path);

size_t apt_tree_count_pending(const struct apt_tree *tree);

/* Writes what is pending into the stage STAGEFD, and completes the releases of SUITES. */
bool apt_tree_write(struct apt_tree *tree, int stagefd, struct publication_suites *suites,
                    struct hallmark_error *err);

/* What was written. */
const struct apt_staged *apt_tree_staged(const struct apt_tree *tree);

#endif
