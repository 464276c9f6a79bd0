/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regular files of an archive. */
#include "system/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { SHOWN = 256, COMPARE_LEN = 64 * 1024 };

static bool set_io_error(const struct newfile *file, const char *what, struct hallmark_error *err)
{
    return error_set_errno(err, "%.*s: cannot %s", SHOWN, file->path, what);
}

static bool set_twice(const struct newfile *file, const char *how, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_UNSAFE, "the entry \"%.*s\" is in the archive twice, %s",
                     SHOWN, file->path, how);
}

/* Opens what was made of the same name, to compare. */
static bool open_again(struct newfile *file, int dirfd, const char *name, unsigned mode,
                       struct hallmark_error *err)
{
    struct stat st;

    file->fd = file_open_at(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (file->fd < 0 || fstat(file->fd, &st) < 0)
        return set_io_error(file, "open again", err);
    file->again = true;
    return (S_ISREG(st.st_mode) && (uint64_t)st.st_size == file->size &&
            (st.st_mode & 07777) == mode) ||
           set_twice(file, "with another size or mode", err);
}

static bool create(struct newfile *file, const struct entry *entry, int dirfd, struct nameset *made,
                   struct hallmark_error *err)
{
    size_t start = entry_parent(entry->path).len;
    const char *name = file->path + start + (start > 0);

    file->fd = file_open_at(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, entry->mode);
    if (file->fd >= 0) {
        nameset_add(made, entry->path);
        return true;
    }
    if (errno != EEXIST)
        return set_io_error(file, "create", err);
    if (nameset_has(made, entry->path))
        return open_again(file, dirfd, name, entry->mode, err);
    return set_twice(file, "or in two spellings that are one on this file system", err);
}

bool newfile_begin(struct newfile *file, const struct entry *entry, struct dirstack *dirs,
                   struct nameset *made, struct hallmark_error *err)
{
    int dirfd = dirstack_enter(dirs, entry_parent(entry->path), DIRSTACK_MAKE, err);

    *file = (struct newfile){.fd = -1, .size = entry->size};
    file->mtime.tv_sec = (time_t)entry->mtime;
    file->mtime.tv_nsec = (long)entry->mtime_nsec;
    memcpy(file->path, entry->path.data, entry->path.len);
    return dirfd >= 0 && create(file, entry, dirfd, made, err);
}

static bool write_at(int fd, uint64_t offset, struct bytes_view data)
{
    ssize_t n;

    while (data.len) {
        n = pwrite(fd, data.data, data.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        offset += (uint64_t)n;
        data.data += n;
        data.len -= (size_t)n;
    }
    return true;
}

/* Whether the file holds DATA where it was read up to; false with or without an error. */
static bool is_same(const struct newfile *file, struct bytes_view data, struct hallmark_error *err)
{
    char buf[COMPARE_LEN];
    ssize_t n;

    while (data.len) {
        n = file_read_some(file->fd, buf, data.len < sizeof buf ? data.len : sizeof buf);
        if (n < 0)
            return set_io_error(file, "read again", err);
        if (n == 0 || memcmp(buf, data.data, (size_t)n) != 0)
            return false;
        data.data += n;
        data.len -= (size_t)n;
    }
    return true;
}

bool newfile_write(struct newfile *file, uint64_t offset, struct bytes_view data,
                   struct hallmark_error *err)
{
    if (file->fd < 0 || offset < file->end || offset > file->size || data.len > file->size - offset)
        return error_set(err, HALLMARK_ERR_UNSAFE,
                         "the entry \"%.*s\" holds other data than its size says", SHOWN,
                         file->path);
    if (file->again) {
        if (offset != file->end || !is_same(file, data, err))
            return set_twice(file, "with other contents", err);
    } else if (!write_at(file->fd, offset, data)) {
        return set_io_error(file, "write", err);
    }
    file->end = offset + data.len;
    return true;
}

bool newfile_end(struct newfile *file, struct hallmark_error *err)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, file->mtime};
    int fd = file->fd;

    if (fd < 0)
        return true;
    if (file->again && file->end != file->size)
        return set_twice(file, "with other contents", err);
    if (file->end < file->size && ftruncate(fd, (off_t)file->size) < 0)
        return set_io_error(file, "set the size", err);
    if (!file->again && futimens(fd, times) < 0)
        return set_io_error(file, "set the time", err);
    file->fd = -1;
    return close(fd) == 0 || errno == EINTR || set_io_error(file, "close", err);
}

void newfile_abort(struct newfile *file)
{
    file_close(&file->fd);
}
