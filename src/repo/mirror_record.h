/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a mirror remembers beside the hashes of its files (digest_cache.h): the files "mirror", of
 * what is complete in the served tree, and "retired", of what waits there to be removed, in its
 * state directory.
 */
#ifndef REPO_MIRROR_RECORD_H
#define REPO_MIRROR_RECORD_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

/* A manifest whose files are all there. */
struct mirror_record_suite {
    char *directory; /* of the manifest: "dists/stable"; "." is the root */
    char *sha256;    /* of its text, hexadecimal */
    int64_t date;
};

struct mirror_record {
    char *source; /* the URL that it came from; NULL: there is no record */
    struct strlist components, architectures, packages; /* that are held; none: all */
    struct mirror_record_suite *suites;
    size_t n_suites, cap;
};

/* A file that no current manifest lists. */
struct mirror_retired {
    char *path;
    int64_t since; /* when that was noticed */
};

struct mirror_retired_list {
    struct mirror_retired *items; /* ascending by the bytes of path */
    size_t n_items, cap;
};

void mirror_record_add(struct mirror_record *record, const char *directory, const char *sha256,
                       int64_t date);
/* Lent; NULL where there is none. */
const struct mirror_record_suite *mirror_record_find(const struct mirror_record *record,
                                                     const char *directory);
void mirror_record_free(struct mirror_record *record);

/* The record as text, and out of it: HALLMARK_ERR_MALFORMED for anything that mirror_record_write()
 * would not have written. */
void mirror_record_write(const struct mirror_record *record, struct bytes *out);
bool mirror_record_parse(struct mirror_record *out, struct bytes_view text,
                         struct hallmark_error *err);

/* Paths are put in ascending order. */
void mirror_record_retire(struct mirror_retired_list *list, const char *path, int64_t since);
void mirror_record_free_retired(struct mirror_retired_list *list);

/* Likewise of the other file: lines "SECONDS PATH". */
void mirror_record_write_retired(const struct mirror_retired_list *list, struct bytes *out);
bool mirror_record_parse_retired(struct mirror_retired_list *out, struct bytes_view text,
                                 struct hallmark_error *err);

/* Both files in the state directory STATEFD; -1 and no file give nothing. Saving is durable. */
bool mirror_record_load(int statefd, struct mirror_record *record,
                        struct mirror_retired_list *retired, struct hallmark_error *err);
bool mirror_record_save(int statefd, const struct mirror_record *record,
                        struct hallmark_error *err);
bool mirror_record_save_retired(int statefd, const struct mirror_retired_list *retired,
                                struct hallmark_error *err);

#endif
