/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Staging directories. What is held open is worked with; names may be changed by others meanwhile.
 */
#include "system/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/lock.h"
#include "system/staging_guard.h"

static const char TREE[] = "tree";
static const char PACKAGE[] = "package";
static const char PREFIX[] = ".hallmark-";

enum { NAME_LEN = sizeof PREFIX - 1 + 16 }; /* and 16 hexadecimal digits */

/* Takes INTO apart: the parent is opened, the last component goes to out->base. */
static bool open_parent(struct staging *out, const char *into, struct hallmark_error *err)
{
    size_t len = strlen(into);
    char *path, *slash;

    while (len > 1 && into[len - 1] == '/')
        len--;
    path = alloc_strndup(into, len);
    slash = strrchr(path, '/');
    out->into = alloc_strdup(into);
    out->base = alloc_strdup(slash ? slash + 1 : path);
    if (slash)
        slash[slash == path] = '\0';
    out->parentfd = file_open_at(AT_FDCWD, slash ? path : ".", O_RDONLY | O_DIRECTORY, 0);
    if (out->parentfd < 0) {
        if (file_is_absent(errno))
            error_set(err, HALLMARK_ERR_USAGE, "%s: its parent directory does not exist", into);
        else
            error_set_errno(err, "%s: cannot open its parent directory", into);
    }
    free(path);
    return out->parentfd >= 0;
}

static bool check_absent(const struct staging *s, struct hallmark_error *err)
{
    struct stat st;

    if (*s->base == '\0' || strcmp(s->base, ".") == 0 || strcmp(s->base, "..") == 0 ||
        strlen(s->base) > LIMITS_COMPONENT_BYTES)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: cannot be the name of a new directory",
                         s->into);
    if (fstatat(s->parentfd, s->base, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return error_set(err, HALLMARK_ERR_USAGE,
                         "%s: exists, a directory that does not exist yet was wanted", s->into);
    return errno == ENOENT || error_set_errno(err, "%s", s->into);
}

static int open_made(int dirfd, const char *name)
{
    return file_open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

static bool is_private(int fd, nlink_t n_links_min)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
           st.st_nlink >= n_links_min;
}

/* Chooses a name that nobody guesses. */
static bool name_staging(struct staging *s)
{
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    snprintf(s->name, sizeof s->name, "%s%016llx", PREFIX, (unsigned long long)random);
    return true;
}

/* Makes the staging directory, and locks it, so that no other run takes it for a left-over. errno
 * EAGAIN: another run did. */
static bool make_staging(struct staging *s)
{
    bool is_taken;

    if (mkdirat(s->parentfd, s->name, 0700) < 0) {
        *s->name = '\0';
        return false;
    }
    s->fd = open_made(s->parentfd, s->name);
    if (s->fd < 0) {
        errno = errno == ENOENT ? EAGAIN : errno;
        return false;
    }
    is_taken = !lock_try(s->fd) && errno == EWOULDBLOCK;
    if (!is_taken && is_private(s->fd, 1))
        return true;
    file_close(&s->fd);
    errno = EAGAIN;
    return false;
}

/* Removes a staging directory that a run left which was killed: ours, private, and locked by
 * nobody. Whether it is gone. */
static bool sweep_one(int parentfd, const char *name)
{
    int fd = open_made(parentfd, name);
    bool ok = fd < 0 && errno == ENOENT;

    if (fd >= 0 && is_private(fd, 0) && lock_try(fd) && file_remove_tree(fd, TREE, NULL) &&
        file_remove_tree(fd, PACKAGE, NULL))
        ok = unlinkat(parentfd, name, AT_REMOVEDIR) == 0;
    file_close(&fd);
    return ok;
}

static void sweep(int parentfd)
{
    int copy = open_made(parentfd, ".");
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;

    if (!dir) {
        file_close(&copy);
        return;
    }
    while ((entry = readdir(dir)) != NULL)
        if (strlen(entry->d_name) == NAME_LEN &&
            strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) == 0)
            sweep_one(parentfd, entry->d_name);
    closedir(dir);
}

bool staging_open(struct staging *out, const char *into, struct hallmark_error *err)
{
    enum { TRIES = 100 };
    unsigned i;

    *out = (struct staging){.parentfd = -1, .fd = -1, .treefd = -1, .guard = -1};
    if (!open_parent(out, into, err) || !check_absent(out, err))
        return false;
    sweep(out->parentfd);
    for (i = 0; i < TRIES && name_staging(out); i++) {
        /* The guard is there before what it guards. */
        out->guard = staging_guard_start(out->parentfd, out->name, sweep_one, err);
        if (out->guard < 0)
            return error_prefix(err, "%s", into);
        if (make_staging(out) || (errno != EEXIST && errno != EAGAIN && errno != EINTR))
            break;
        staging_guard_end(&out->guard);
    }
    if (out->fd < 0)
        return error_set_errno(err, "%s: cannot make a staging directory beside it", into);
    /* The tree's own directory is as the umask wants it; it lies in a private one until it is done.
     */
    if (mkdirat(out->fd, TREE, 0755) == 0)
        out->treefd = open_made(out->fd, TREE);
    return out->treefd >= 0 || error_set_errno(err, "%s: cannot make the directory", into);
}

int staging_make_file(struct staging *s, struct hallmark_error *err)
{
    int fd = file_open_at(s->fd, ".", O_TMPFILE | O_RDWR, 0600);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL)) {
        fd = file_open_at(s->fd, PACKAGE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (fd >= 0 && unlinkat(s->fd, PACKAGE, 0) < 0)
            file_close(&fd);
    }
    if (fd < 0)
        error_set_errno(err, "%s: cannot make a private file beside it", s->into);
    return fd;
}

/* Moves the tree onto an empty directory that is made for it: the only thing that rename(2)
 * replaces. */
static bool move_plainly(const struct staging *s)
{
    int saved;

    if (mkdirat(s->parentfd, s->base, 0700) < 0)
        return false;
    if (renameat(s->fd, TREE, s->parentfd, s->base) == 0)
        return true;
    saved = errno;
    unlinkat(s->parentfd, s->base, AT_REMOVEDIR);
    errno = saved;
    return false;
}

static bool move(const struct staging *s, struct hallmark_error *err)
{
    if (renameat2(s->fd, TREE, s->parentfd, s->base, RENAME_NOREPLACE) == 0)
        return true;
    if ((errno == EINVAL || errno == ENOSYS) && move_plainly(s))
        return true;
    if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: was made by somebody else meanwhile",
                         s->into);
    return error_set_errno(err, "%s: cannot move the directory to its place", s->into);
}

bool staging_commit(struct staging *s, struct hallmark_error *err)
{
    if (!file_sync_all(s->treefd, s->into, err) || !move(s, err))
        return false;
    if (file_sync(s->parentfd, s->into, err))
        return true;
    /* It may be gone after a crash, so it was not done. */
    renameat(s->parentfd, s->base, s->fd, TREE);
    return false;
}

void staging_close(struct staging *s)
{
    if (s->fd >= 0)
        file_remove_tree(s->fd, TREE, NULL);
    /* Only an empty directory can go this way, whatever has taken the name meanwhile. */
    if (s->parentfd >= 0 && *s->name)
        unlinkat(s->parentfd, s->name, AT_REMOVEDIR);
    staging_guard_end(&s->guard);
    file_close(&s->treefd);
    file_close(&s->fd);
    file_close(&s->parentfd);
    free(s->into);
    free(s->base);
    *s = (struct staging){.parentfd = -1, .fd = -1, .treefd = -1, .guard = -1};
}
