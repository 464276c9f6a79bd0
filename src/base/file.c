/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files and directories, by descriptors. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

#include "base/alloc.h"
#include "base/limits.h"

enum { READ_STEP = 64 * 1024 };

void file_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = saved;
}

int file_open_at(int dirfd, const char *path, int flags, mode_t mode)
{
    int fd;

    do
        fd = openat(dirfd, path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int file_open_directory(const char *path, struct hallmark_error *err)
{
    int fd = file_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        error_set_errno(err, "%s", path);
    return fd;
}

static bool is_dot_dot(const char *name, size_t len)
{
    return len == 2 && name[0] == '.' && name[1] == '.';
}

/* Opens PATH below DIRFD in one step, following no link, where the kernel has openat2(2) (5.6); -1
 * with ENOENT where it is not there, and with any other number where to go step by step will tell.
 */
static int open_at_once(int dirfd, const char *path, int flags)
{
#ifdef SYS_openat2
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

    size_t len = strlen(path);

    /* Names for one thing that we do not take for one are no business of the kernel's. */
    if (len && *path != '/' && !strstr(path, "//") && !strstr(path, "..") &&
        (flags & O_DIRECTORY || path[len - 1] != '/'))
        return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
#else
    (void)dirfd;
    (void)path;
    (void)flags;
#endif
    errno = ENOSYS;
    return -1;
}

/* The directory that holds the last component of PATH, which *NAME becomes. Nothing that is
 * absolute or has a component ".." is below DIRFD: ENOENT. */
static int open_parent(int dirfd, const char *path, const char **name)
{
    int fd = file_open_at(dirfd, ".", O_PATH | O_DIRECTORY, 0), next;
    const char *slash;
    char component[LIMITS_COMPONENT_BYTES + 1];
    size_t len;

    while (fd >= 0 && (slash = strchr(path, '/')) != NULL) {
        len = (size_t)(slash - path);
        if (len == 0 || len > LIMITS_COMPONENT_BYTES || is_dot_dot(path, len)) {
            file_close(&fd);
            errno = len > LIMITS_COMPONENT_BYTES ? ENAMETOOLONG : ENOENT;
            return -1;
        }
        memcpy(component, path, len);
        component[len] = '\0';
        next = file_open_at(fd, component, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
        file_close(&fd);
        fd = next;
        path = slash + 1;
    }
    if (is_dot_dot(path, strlen(path))) {
        file_close(&fd);
        errno = ENOENT;
    }
    *name = path;
    return fd;
}

/* FD, opened for PATH, if it is a regular file. */
static int keep_regular(int fd, const char *path, struct hallmark_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        error_set_errno(err, "%s", path);
    else if (S_ISREG(st.st_mode))
        return fd;
    else
        error_set(err, HALLMARK_ERR_MALFORMED, "%s: is not a regular file", path);
    file_close(&fd);
    errno = EINVAL;
    return -1;
}

enum { TO_READ = O_RDONLY | O_NONBLOCK | O_NOCTTY };

/* Opens what must be a regular file; errno ELOOP for a link. */
static int open_regular(int dirfd, const char *name, const char *path, int flags,
                        struct hallmark_error *err)
{
    int fd = file_open_at(dirfd, name, TO_READ | flags, 0);

    if (fd >= 0)
        return keep_regular(fd, path, err);
    if (errno == ELOOP || errno == ENXIO)
        error_set(err, HALLMARK_ERR_MALFORMED, "%s: is not a regular file", path);
    else if (errno != ENOENT && errno != ENOTDIR)
        error_set_errno(err, "%s", path);
    return -1;
}

int file_open_beneath(int dirfd, const char *path, struct hallmark_error *err)
{
    const char *name;
    int parent, fd = open_at_once(dirfd, path, TO_READ);

    if (fd >= 0)
        return keep_regular(fd, path, err);
    if (errno == ENOENT)
        return -1;
    parent = open_parent(dirfd, path, &name);
    if (parent < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            error_set_errno(err, "%s", path);
        return -1;
    }
    fd = open_regular(parent, name, path, O_NOFOLLOW, err);
    file_close(&parent);
    return fd;
}

int file_open_served(int dirfd, const char *path, struct hallmark_error *err)
{
    return open_regular(dirfd, path, path, 0, err);
}

bool file_is_absent(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP;
}

int file_open_directory_beneath(int dirfd, const char *path, struct hallmark_error *err)
{
    const char *name;
    int parent, fd = open_at_once(dirfd, path, O_RDONLY | O_DIRECTORY);

    if (fd >= 0)
        return fd;
    parent = errno == ENOENT ? -1 : open_parent(dirfd, path, &name);
    if (parent >= 0)
        fd = file_open_at(parent, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        error_set_errno(err, "%s", path);
    file_close(&parent);
    return fd;
}

ssize_t file_read_some(int fd, void *buf, size_t len)
{
    ssize_t n;

    do
        n = read(fd, buf, len);
    while (n < 0 && errno == EINTR);
    return n;
}

bool file_read_fd(int fd, const char *name, size_t max_len, struct bytes *out,
                  struct hallmark_error *err)
{
    size_t total = 0;
    ssize_t n;

    for (;;) {
        n = file_read_some(fd, bytes_reserve(out, READ_STEP), READ_STEP);
        if (n < 0)
            return error_set_errno(err, "%s", name);
        out->len += (size_t)n;
        out->data[out->len] = '\0';
        total += (size_t)n;
        if (n == 0)
            return true;
        if (total > max_len)
            return error_set(err, HALLMARK_ERR_MALFORMED, "%s: is larger than %zu bytes", name,
                             max_len);
    }
}

bool file_read(int dirfd, const char *path, size_t max_len, struct bytes *out, bool *exists,
               struct hallmark_error *err)
{
    int fd = open_regular(dirfd, path, path, 0, err);
    bool ok;

    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return false;
        if (!exists)
            return error_set_errno(err, "%s", path);
        *exists = false;
        return true;
    }
    if (exists)
        *exists = true;
    ok = file_read_fd(fd, path, max_len, out, err);
    file_close(&fd);
    return ok;
}

int file_open_nameless(int dirfd, mode_t mode)
{
    return file_open_at(dirfd, ".", O_TMPFILE | O_RDWR, mode);
}

bool file_give_name(int fd, int dirfd, const char *name)
{
    enum { LEN = 40 };
    char path[LEN];

    /* Root may; others may since Linux 6.10, and by /proc always (open(2), O_TMPFILE). */
    if (linkat(fd, "", dirfd, name, AT_EMPTY_PATH) == 0)
        return true;
    if (errno == EEXIST)
        return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW) == 0;
}

bool file_has_nameless(int dirfd, const char *name)
{
    enum { PRIVATE = 0600 };
    int fd = file_open_nameless(dirfd, PRIVATE);
    bool can = fd >= 0 && file_give_name(fd, dirfd, name);

    if (can)
        unlinkat(dirfd, name, 0);
    file_close(&fd);
    return can;
}

int file_open_memory(const char *name, struct hallmark_error *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    if (fd < 0)
        error_set_errno(err, "cannot make a file in memory");
    return fd;
}

bool file_write_all(int fd, const void *data, size_t len)
{
    const char *p = data;
    ssize_t n;

    while (len) {
        n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO; /* which no file does, but it must not loop for ever */
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

bool file_sync(int fd, const char *name, struct hallmark_error *err)
{
    int result;

    do
        result = fsync(fd);
    while (result < 0 && errno == EINTR);
    return result == 0 || error_set_errno(err, "%s: cannot sync", name);
}

bool file_sync_all(int fd, const char *name, struct hallmark_error *err)
{
    int result;

    do
        result = syncfs(fd);
    while (result < 0 && errno == EINTR);
    return result == 0 || error_set_errno(err, "%s: cannot sync", name);
}

/* A new file; -1 with an error. */
static int create(int dirfd, const char *name, mode_t mode, struct hallmark_error *err)
{
    int fd = file_open_at(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);

    if (fd < 0) {
        error_set_errno(err, "%s: cannot create", name);
    } else if (fchmod(fd, mode) < 0) {
        error_set_errno(err, "%s: cannot write", name);
        file_close(&fd);
        unlinkat(dirfd, name, 0);
    }
    return fd;
}

/* Syncs the new file FD, which is closed in any case. */
static bool finish(int fd, const char *name, struct hallmark_error *err)
{
    bool ok = file_sync(fd, name, err);

    if (!ok) {
        file_close(&fd);
        return false;
    }
    return close(fd) == 0 || error_set_errno(err, "%s: cannot close", name);
}

static bool create_parts(int dirfd, const char *name, const struct file_parts *parts, mode_t mode,
                         struct hallmark_error *err)
{
    int fd = create(dirfd, name, mode, err);
    bool ok = fd >= 0;
    size_t i;

    if (fd < 0)
        return false;
    for (i = 0; ok && i < parts->n_parts; i++)
        ok = file_write_all(fd, parts->parts[i].data, parts->parts[i].len) ||
             error_set_errno(err, "%s: cannot write", name);
    if (!ok)
        file_close(&fd);
    else if (finish(fd, name, err))
        return true;
    unlinkat(dirfd, name, 0);
    return false;
}

bool file_create(int dirfd, const char *name, struct bytes_view data, mode_t mode,
                 struct hallmark_error *err)
{
    const struct file_parts parts = {.parts = &data, .n_parts = 1};

    return create_parts(dirfd, name, &parts, mode, err);
}

/* Copies all that is in FROM to TO. */
static bool copy_bytes(int from, int to, const char *name, struct hallmark_error *err)
{
    enum { STEP = 128 * 1024 };
    char *buf = alloc_array(STEP, 1);
    bool ok = true;
    ssize_t n;

    while (ok && (n = file_read_some(from, buf, STEP)) != 0)
        if (n < 0)
            ok = error_set_errno(err, "%s: cannot read", name);
        else
            ok = file_write_all(to, buf, (size_t)n) ||
                 error_set_errno(err, "%s: cannot write", name);
    free(buf);
    return ok;
}

bool file_copy(int from, int dirfd, const char *name, mode_t mode, struct hallmark_error *err)
{
    int fd = create(dirfd, name, mode, err);

    if (fd < 0)
        return false;
    if (!copy_bytes(from, fd, name, err))
        file_close(&fd);
    else if (finish(fd, name, err))
        return true;
    unlinkat(dirfd, name, 0);
    return false;
}

bool file_replace(int dirfd, const char *name, struct bytes_view data, mode_t mode,
                  struct hallmark_error *err)
{
    const struct file_parts parts = {.parts = &data, .n_parts = 1};

    return file_replace_parts(dirfd, name, &parts, mode, err);
}

bool file_replace_parts(int dirfd, const char *name, const struct file_parts *parts, mode_t mode,
                        struct hallmark_error *err)
{
    char *staged = alloc_printf("%s.new", name);
    bool ok = false;

    if (unlinkat(dirfd, staged, 0) < 0 && errno != ENOENT) {
        error_set_errno(err, "%s: cannot remove what an earlier run left", staged);
    } else if (create_parts(dirfd, staged, parts, mode, err)) {
        ok = renameat(dirfd, staged, dirfd, name) == 0;
        if (!ok) {
            error_set_errno(err, "%s: cannot replace", name);
            unlinkat(dirfd, staged, 0);
        }
    }
    free(staged);
    return ok && file_sync(dirfd, name, err);
}

/* The path of the directory that holds the last component of PATH; free(3) releases it. */
static char *parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? alloc_strndup(path, (size_t)(slash - path) + 1) : alloc_strdup(".");
}

static bool make_directory(const char *path, mode_t mode, struct hallmark_error *err)
{
    char *parent;
    int fd;
    bool ok;

    if (mkdir(path, mode) < 0)
        return errno == EEXIST || error_set_errno(err, "%s: cannot create the directory", path);
    /* What is durable in the directory is of no use where the directory itself is not. */
    parent = parent_of(path);
    fd = file_open_directory(parent, err);
    ok = fd >= 0 && file_sync(fd, parent, err);
    file_close(&fd);
    free(parent);
    return ok;
}

int file_make_directories(const char *path, mode_t mode, struct hallmark_error *err)
{
    char *partial = alloc_strdup(path), *slash = partial;
    bool ok = true;

    while (ok && *slash && (slash = strchr(slash + 1, '/')) != NULL) {
        *slash = '\0';
        ok = slash[-1] == '/' || make_directory(partial, mode, err);
        *slash = '/';
    }
    if (ok && *path)
        ok = make_directory(path, mode, err);
    free(partial);
    return ok ? file_open_directory(path, err) : -1;
}

static bool remove_entries(int *fd, dev_t device, int depth, struct hallmark_error *err);

/* Removes the directory NAME in DIRFD, which is not empty. */
static bool remove_directory(int dirfd, const char *name, dev_t device, int depth,
                             struct hallmark_error *err)
{
    int fd = file_open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    struct stat st;
    bool ok = false;

    if (fd < 0 || fstat(fd, &st) < 0)
        error_set_errno(err, "%s: cannot remove", name);
    else if (st.st_dev != device)
        error_set(err, HALLMARK_ERR_IO, "%s: cannot remove: is another file system", name);
    else if (depth == 0)
        error_set(err, HALLMARK_ERR_IO, "%s: cannot remove: too many directories deep", name);
    else
        ok = remove_entries(&fd, device, depth - 1, err) &&
             (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 ||
              error_set_errno(err, "%s: cannot remove", name));
    file_close(&fd);
    return ok;
}

static bool remove_one(int dirfd, const char *name, dev_t device, int depth,
                       struct hallmark_error *err)
{
    int saved;

    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return true;
    saved = errno; /* EPERM: a directory by POSIX, a file that is immutable by Linux */
    if (errno == EISDIR || errno == EPERM) {
        if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
            return true;
        if (errno == ENOTEMPTY || errno == EEXIST)
            return remove_directory(dirfd, name, device, depth, err);
        saved = errno == ENOTDIR ? saved : errno;
    }
    errno = saved;
    return error_set_errno(err, "%s: cannot remove", name);
}

/* Removes all in the directory *FD and closes it: one descriptor for each directory that is open.
 */
static bool remove_entries(int *fd, dev_t device, int depth, struct hallmark_error *err)
{
    DIR *dir = fdopendir(*fd);
    struct dirent *entry;
    bool ok = true;

    if (!dir)
        return error_set_errno(err, "cannot list a directory to remove");
    *fd = -1;
    while (ok && (errno = 0, entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            ok = remove_one(dirfd(dir), entry->d_name, device, depth, err);
    if (ok && errno)
        ok = error_set_errno(err, "cannot list a directory to remove");
    closedir(dir);
    return ok;
}

bool file_remove_tree(int dirfd, const char *name, struct hallmark_error *err)
{
    char *parent = parent_of(name);
    struct stat st;
    bool ok = true;

    /* The archive's depth, and the staging directories around it. */
    if (fstatat(dirfd, parent, &st, 0) == 0)
        ok = remove_one(dirfd, name, st.st_dev, LIMITS_DEPTH + 4, err);
    else if (errno != ENOENT)
        ok = error_set_errno(err, "%s", name);
    free(parent);
    return ok;
}

const char *file_temporary_directory(const char *fallback, struct hallmark_error *err)
{
    const char *dir = secure_getenv("TMPDIR");
    struct stat st;
    bool ok = true;

    if (!dir || !*dir)
        dir = fallback;
    if (*dir != '/')
        ok = error_set(err, HALLMARK_ERR_USAGE, "TMPDIR: \"%s\" is not an absolute path", dir);
    else if (stat(dir, &st) < 0)
        ok = error_set_errno(err, "%s", dir);
    else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
        ok = error_set(err, HALLMARK_ERR_USAGE,
                       "%s: everybody may rename what is in it (no sticky bit); set TMPDIR to a "
                       "safe one",
                       dir);
    return ok ? dir : NULL;
}
