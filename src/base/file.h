/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files, by descriptors of directories: reading with a limit, opening without following links,
 * replacing in one durable step, and removing trees. Every call is retried on EINTR.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

/* One openat(2), with O_CLOEXEC, that is retried on EINTR. -1 with errno. */
int file_open_at(int dirfd, const char *path, int flags, mode_t mode);

/* Opens the directory PATH (followed, like any path that the user gives) to look things up in it.
 */
int file_open_directory(const char *path, struct hallmark_error *err);

/* Opens the regular file at the relative PATH below DIRFD for reading, never following a link and
 * never blocking. -1 with errno set, and with an error unless errno is ENOENT or ENOTDIR: a file
 * that is not there is the caller's to judge. What is there but is not a regular file gives
 * HALLMARK_ERR_MALFORMED. */
int file_open_beneath(int dirfd, const char *path, struct hallmark_error *err);

/* Likewise, following links on the way, as anybody does who reads what is served at PATH. */
int file_open_served(int dirfd, const char *path, struct hallmark_error *err);

/* Whether ERROR, an errno of looking for a file, says that it is not there (or that something else
 * is), and not that nobody could look. */
bool file_is_absent(int error);

/* Opens the directory at the relative PATH below DIRFD ("" is DIRFD itself), never following a
 * link. */
int file_open_directory_beneath(int dirfd, const char *path, struct hallmark_error *err);

/* Reads FD to its end into OUT, appending; HALLMARK_ERR_MALFORMED beyond MAX_LEN. NAME is for
 * messages. */
bool file_read_fd(int fd, const char *name, size_t max_len, struct bytes *out,
                  struct hallmark_error *err);

/* Opens and reads PATH (relative to DIRFD, links followed), which must be a regular file. Where it
 * does not exist, *EXISTS is set to false and the call succeeds; EXISTS NULL makes that an error.
 */
bool file_read(int dirfd, const char *path, size_t max_len, struct bytes *out, bool *exists,
               struct hallmark_error *err);

/* One read(2) that is retried on EINTR. */
ssize_t file_read_some(int fd, void *buf, size_t len);

/* A new file in the directory DIRFD, to be read and written, that has no name and goes away with
 * its last descriptor unless it is given one; -1 with errno, where the file system has none among
 * others (EOPNOTSUPP, EISDIR, EINVAL). */
int file_open_nameless(int dirfd, mode_t mode);

/* Gives FD, of file_open_nameless(), the name NAME in DIRFD, which must be free. False with errno.
 */
bool file_give_name(int fd, int dirfd, const char *name);

/* Whether there can be such files in DIRFD and names for them, which is tried with NAME. Not every
 * file system that has the one has the other. */
bool file_has_nameless(int dirfd, const char *name);

/* A new, empty file in memory that nobody else can open; -1 with an error. NAME is for debuggers.
 */
int file_open_memory(const char *name, struct hallmark_error *err);

bool file_write_all(int fd, const void *data, size_t len);

/* Creates NAME in DIRFD with DATA and MODE, which must not exist, and syncs the file. */
bool file_create(int dirfd, const char *name, struct bytes_view data, mode_t mode,
                 struct hallmark_error *err);

/* Likewise, with all bytes of FROM behind its position, which are never all in memory. */
bool file_copy(int from, int dirfd, const char *name, mode_t mode, struct hallmark_error *err);

/* Replaces NAME in DIRFD by DATA: staged, synced, renamed, and the directory synced. */
bool file_replace(int dirfd, const char *name, struct bytes_view data, mode_t mode,
                  struct hallmark_error *err);

/* Likewise, by what is in several places, one after the other. */
struct file_parts {
    const struct bytes_view *parts;
    size_t n_parts;
};
bool file_replace_parts(int dirfd, const char *name, const struct file_parts *parts, mode_t mode,
                        struct hallmark_error *err);

bool file_sync(int fd, const char *name, struct hallmark_error *err);

/* Syncs all of the file system that FD is on. */
bool file_sync_all(int fd, const char *name, struct hallmark_error *err);

/* Creates the directory PATH and those above it that are missing, with MODE and durable, and opens
 * it. */
int file_make_directories(const char *path, mode_t mode, struct hallmark_error *err);

/* Removes NAME in DIRFD, and if it is a directory all that is below it; follows no link and leaves
 * no file system. What is not there is no error. */
bool file_remove_tree(int dirfd, const char *name, struct hallmark_error *err);

/* The directory for temporary files: $TMPDIR or, where that is not set, FALLBACK. Lent. NULL with
 * HALLMARK_ERR_USAGE where it is no absolute path, or everybody may rename what is in it. */
const char *file_temporary_directory(const char *fallback, struct hallmark_error *err);

/* Closes *FD if it is open (not negative) and makes it -1. Keeps errno. */
void file_close(int *fd);

#endif
