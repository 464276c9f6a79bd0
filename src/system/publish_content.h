/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of files that a generation is made of, with the memory that they need, for publish.c.
 */
#ifndef SYSTEM_PUBLISH_CONTENT_H
#define SYSTEM_PUBLISH_CONTENT_H

#include "system/generation.h"

#define PUBLISH_CONTENT_BY_HASH "by-hash"

/* The files of a generation to be, with what they need. */
struct publish_content {
    struct generation_file *files;
    struct bytes *data; /* of those that were read */
    struct strlist names;
    size_t n_files, files_cap, n_data, data_cap;
};

void publish_content_free(struct publish_content *content);

void publish_content_add(struct publish_content *content, struct generation_file file);

/* Adds NAME of the generation FROM. */
void publish_content_link(struct publish_content *content, const char *name, unsigned long from);

/* Adds what the regular file NAME in DIRFD holds; nothing where there is none. */
bool publish_content_read(struct publish_content *content, int dirfd, const char *name,
                          struct hallmark_error *err);

/* Whether NAME lies below a directory by-hash. */
bool publish_content_is_by_hash(const char *name);

/* Adds what the generation NUMBER has of its own below by-hash, and not from older ones. */
bool publish_content_carry(struct publish_content *content, const struct generation_store *store,
                           unsigned long number, struct hallmark_error *err);

#endif
