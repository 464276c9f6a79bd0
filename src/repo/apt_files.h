/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a generation in the layout apt: what the releases of its suites list, by names and
 * by hashes.
 */
#ifndef REPO_APT_FILES_H
#define REPO_APT_FILES_H

#include "repo/publication.h"

/* Files that were written into the stage of a publication. */
struct apt_staged {
    struct strlist paths; /* where they go, such as "dists/stable/main/binary-amd64/Packages" */
    struct strlist names; /* of each of these, in the stage */
};

void apt_files_add_staged(struct apt_staged *staged, const char *path, const char *name);
void apt_files_free_staged(struct apt_staged *staged);

struct apt_files {
    struct publish_file *files; /* without their time */
    size_t n_files, cap;
    struct strlist names;
};

/* Adds all files that SUITES list, by their names and by their hashes, to OUT: those that were
 * WRITTEN (NULL: none) come from the stage, and the others are carried over. */
void apt_files_list(const struct apt_staged *written, const struct publication_suites *suites,
                    struct apt_files *out);
void apt_files_free(struct apt_files *files);

/* Compares the published file at PATH with ENTRY, by its stamp where that is known, and notes it in
 * BEFORE->stamps: BEFORE->is_intact becomes false where it differs or is not there. */
bool apt_files_check(int rootfd, const char *path, const struct release_entry *entry,
                     struct publication *before, struct hallmark_error *err);

/* Notes in BEFORE->stamps which files are known by them: other names of these are going to be
 * removed. Hashes nothing. */
void apt_files_note_known(struct publication *before);

/* Looks whether all files that BEFORE lists are in place, as far as can be seen without reading
 * them: BEFORE->is_intact becomes false where one is not. */
bool apt_files_check_places(int rootfd, struct publication *before, struct hallmark_error *err);

/* Both, of all files: BEFORE->is_intact becomes false where one is not what was published. */
bool apt_files_check_all(int rootfd, struct publication *before, struct hallmark_error *err);

#endif
