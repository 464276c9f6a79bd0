/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The directory ROOT/.hallmark: numbered generations of files, and a link to the current one. Names
 * in it that start with ".new-" or ".old-", and ".stage", are being staged or removed and of no use
 * to any reader; other names that are no numbers are left alone. publish.h knows what stands at the
 * root.
 */
#ifndef SYSTEM_GENERATION_H
#define SYSTEM_GENERATION_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

#define GENERATION_STORE   ".hallmark"
#define GENERATION_CURRENT "current"
/* Where files wait for their generation. */
#define GENERATION_STAGE ".stage"
/* Where those of a run that was killed may be taken from. */
#define GENERATION_LEFT ".old-stage"

/* Eight digits and a NUL: the names sort as the numbers do. */
enum { GENERATION_NAME_LEN = 9, GENERATION_LAST = 99999999 };

/* The store below one root. Numbers are 0 where there is none. */
struct generation_store {
    int rootfd, fd;         /* fd is -1 where there is no store */
    bool is_new;            /* this run made it */
    unsigned long *numbers; /* those there are, ascending; not kept up to date by add and remove */
    size_t n_numbers, cap;
    unsigned long current, newest;
};

/* Opens the store, if there is one. HALLMARK_ERR_USAGE where it or its link is something else.
 * generation_close() releases it whether this succeeds or not. */
bool generation_open(struct generation_store *store, int rootfd, struct hallmark_error *err);
/* Likewise, making the store where there is none. */
bool generation_open_or_create(struct generation_store *store, int rootfd,
                               struct hallmark_error *err);
void generation_close(struct generation_store *store);

/* Removes what crashed runs left in an open store: staged things but GENERATION_STAGE, and
 * generations newer than the current one, which were never switched to. */
bool generation_clean(struct generation_store *store, struct hallmark_error *err);

/* The directory of the generation NUMBER. */
void generation_name(char out[GENERATION_NAME_LEN], unsigned long number);
/* The number that NAME means, 0 for any other name. */
unsigned long generation_number(const char *name);
int generation_open_directory(const struct generation_store *store, unsigned long number,
                              struct hallmark_error *err);
/* Adds the names in the directory FD to OUT. */
bool generation_list(int fd, struct strlist *out, struct hallmark_error *err);

/* A file of a new generation. Two that are given the same memory become one file with two names. */
struct generation_file {
    const char *name;       /* "InRelease", "by-hash/SHA256/..." */
    struct bytes_view data; /* where neither STAGED nor FROM says otherwise */
    int64_t mtime;          /* likewise, and of what is staged; 0: the time of writing */
    const char *staged;     /* the name of a durable file in GENERATION_STAGE that is moved here;
                               where an earlier one of the list has been, another name of that */
    unsigned long from;     /* the generation that has this file already: it is linked, unless an
                               earlier one of the list has the name */
};

/* Adds a generation of FILES, durable, which nothing leads to yet; its number goes to *NUMBER. */
bool generation_add(struct generation_store *store, const struct generation_file *files,
                    size_t n_files, unsigned long *number, struct hallmark_error *err);

/* Adds the names of all regular files in the generation's directory FD, and below it, to OUT. */
bool generation_list_files(int fd, struct strlist *out, struct hallmark_error *err);

/* Makes the generation NUMBER current: the one step that readers see. A failure where
 * STORE->current is NUMBER means that it is done but perhaps not durable. */
bool generation_switch(struct generation_store *store, unsigned long number,
                       struct hallmark_error *err);

/* Removes a generation, of which never a half is taken for a whole. */
bool generation_remove(const struct generation_store *store, unsigned long number,
                       struct hallmark_error *err);

/* When the generation was made, seconds since 1970-01-01. */
bool generation_made_at(const struct generation_store *store, unsigned long number, int64_t *out,
                        struct hallmark_error *err);

/* Opens the directory NAME in DIRFD, following no link; -1 with errno. */
int generation_openat(int dirfd, const char *name);

/* Reads the link NAME in DIRFD into OUT. False with errno for what is not a link, or one too long
 * to be ours (ENAMETOOLONG). */
enum { GENERATION_LINK_ROOM = 512 };
bool generation_read_link(int dirfd, const char *name, char out[GENERATION_LINK_ROOM]);

#endif
