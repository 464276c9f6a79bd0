/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a publisher remembers of the index files that it published: the file "stamps" in the state
 * directory, by which files that have not changed since need not be hashed to see it. It is bound
 * to the manifest that lists them. Whatever is wrong with it costs time and nothing else.
 *
 * The file: a line with the SHA-256 of the manifest (as in the record of publication_record.h) and
 * the XXH3 of all that follows; then one for each file: its SHA-256, device, inode, size, mtime,
 * ctime (in nanoseconds), path below the root.
 */
#ifndef REPO_INDEX_STAMPS_H
#define REPO_INDEX_STAMPS_H

#include "base/bytes.h"
#include "base/error.h"
#include "format/release.h"
#include "system/tree.h"

#define INDEX_STAMPS_FILE "stamps"

/* Of some 100,000 indexes. */
#define INDEX_STAMPS_MAX_BYTES (32 * 1024 * 1024)

struct index_stamps;
struct publication_suites;

/* The record in the state directory STATEFD (-1: there is none) of the files below ROOTFD, which
 * both stay open; empty unless it is that of the manifest with the digest RELEASE (NULL: of none).
 */
struct index_stamps *index_stamps_load(int rootfd, int statefd, const char *release);
void index_stamps_free(struct index_stamps *stamps);
/* Has every file be hashed again. */
void index_stamps_forget(struct index_stamps *stamps);

/* One look at a file before it is read, and another one after. */
struct index_stamps_look {
    bool is_there;
    struct tree_stamp stamp;
};

/* Whether the served file at PATH, which the manifest lists as ENTRY, is known to be that. STAMPS
 * may be NULL, here and below. */
bool index_stamps_knows(struct index_stamps *stamps, const char *path,
                        const struct release_entry *entry, struct index_stamps_look *out);
/* PATH was found to be ENTRY, or known to be: as long as it did not change since LOOK, this is
 * noted for index_stamps_save(). */
void index_stamps_note(struct index_stamps *stamps, const char *path,
                       const struct release_entry *entry, const struct index_stamps_look *look);
/* The file with STAMP was written as ENTRY, and will be published at PATH with a new mtime. */
void index_stamps_note_written(struct index_stamps *stamps, const char *path,
                               const struct release_entry *entry, const struct tree_stamp *stamp);

/* Records those files of SUITES, just published, of which it was noted what they hold and that
 * cannot have been written to since. It waits until further changes are sure to show in a ctime. */
bool index_stamps_save(struct index_stamps *stamps, const struct publication_suites *suites,
                       struct hallmark_error *err);
/* Removes the record, without fail: whoever failed is to look at every byte the next time. */
void index_stamps_remove(int statefd);

/* For index_stamps_load(): the record TEXT, if it is of RELEASE. HALLMARK_ERR_MALFORMED. */
struct index_stamps *index_stamps_parse(struct bytes_view text, const char *release,
                                        struct hallmark_error *err);

#endif
