/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The indexes Contents-ARCH of an apt repository, where the settings want them: which files are in
 * which packages. The lists come from the archives, once, and are kept in the state directory.
 */
#ifndef REPO_APT_CONTENTS_H
#define REPO_APT_CONTENTS_H

#include "repo/apt_tree.h"

/* Whether SETTINGS want Contents; then TREE knows the lists in STATEFD (-1: there are none), and
 * keeps new ones unless SPOOLFD is -1. */
bool apt_contents_open(struct apt_tree *tree, const struct hallmark_settings *settings, int statefd,
                       int spoolfd);

/* Whether the list of the package ENTRY is known, or not needed. */
bool apt_contents_knows(struct apt_tree *tree, const struct release_entry *entry);

/* Adds the PATHS of the package ENTRY, as package.h tells them, if they are needed. */
bool apt_contents_add(struct apt_tree *tree, const struct release_entry *entry,
                      struct bytes_view paths, struct hallmark_error *err);

/* Keeps what was added. To be called before anything is written. */
bool apt_contents_save(struct apt_tree *tree, struct hallmark_error *err);

/* Writes the index of the packages of ITEM; for struct apt_item. */
bool apt_contents_write(struct apt_tree *tree, const struct apt_item *item,
                        const struct index_sink *sink, struct hallmark_error *err);

#endif
