/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placing and removing files of a mirror. */
#include "repo/mirror_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"

enum { DIRECTORY_MODE = 0755 };

static int open_component(int dirfd, const char *name)
{
    return file_open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* Opens the directory NAME in DIRFD; where it is missing, makes it. PATH is for messages. */
static int make_component(int dirfd, const char *name, const char *path, struct hallmark_error *err)
{
    int fd = open_component(dirfd, name);

    if (fd < 0 && errno == ENOENT &&
        (mkdirat(dirfd, name, DIRECTORY_MODE) == 0 || errno == EEXIST)) {
        fd = open_component(dirfd, name);
        /* Whatever the umask says: what is served can be read. */
        if (fd >= 0 && fchmod(fd, DIRECTORY_MODE) < 0)
            file_close(&fd);
    }
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        error_set(err, HALLMARK_ERR_USAGE,
                  "%s: \"%s\" is no directory (a link is not followed); move it away", path, name);
    else if (fd < 0)
        error_set_errno(err, "%s: cannot create the directory \"%s\"", path, name);
    return fd;
}

int mirror_tree_open_parent(int rootfd, const char *path, struct hallmark_error *err)
{
    const char *slash, *at = path;
    char name[LIMITS_COMPONENT_BYTES + 1];
    char *directory = alloc_strndup(path, (size_t)(path_basename(path) - path));
    int fd = file_open_directory_beneath(rootfd, directory, NULL), next;

    free(directory);
    if (fd >= 0)
        return fd;
    fd = file_open_at(rootfd, ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        error_set_errno(err, "%s", path);
    while (fd >= 0 && (slash = strchr(at, '/')) != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)(slash - at), at);
        next = make_component(fd, name, path, err);
        file_close(&fd);
        fd = next;
        at = slash + 1;
    }
    return fd;
}

/* Gives FILE the name LAST in PARENT, where that may be another file's. */
static bool name_file(int parent, const struct mirror_loose *file, const char *last)
{
    if (file->fd >= 0 && file_give_name(file->fd, parent, last))
        return true;
    if (file->fd >= 0 && (errno != EEXIST || !file_give_name(file->fd, file->dirfd, file->name)))
        return false;
    return renameat(file->dirfd, file->name, parent, last) == 0;
}

bool mirror_tree_place_in(int parent, const struct mirror_loose *file, const char *path,
                          struct tree_stamp *out, struct hallmark_error *err)
{
    const char *last = path_basename(path);
    struct stat st;

    if (!name_file(parent, file, last) ||
        (file->fd >= 0 ? fstat(file->fd, &st) : fstatat(parent, last, &st, AT_SYMLINK_NOFOLLOW)) <
            0)
        return error_set_errno(err, "%s: cannot put the file there", path);
    tree_stamp_from(out, &st);
    return true;
}

bool mirror_tree_place(int rootfd, const struct mirror_loose *file, const char *path,
                       struct tree_stamp *out, struct hallmark_error *err)
{
    int parent = mirror_tree_open_parent(rootfd, path, err);
    bool ok = parent >= 0 && mirror_tree_place_in(parent, file, path, out, err);

    file_close(&parent);
    return ok;
}

/* Whether a directory that cannot be removed is just in use, or a file system of its own. */
static bool is_in_use(void)
{
    return errno == ENOTEMPTY || errno == EEXIST || errno == EBUSY || errno == ENOTDIR;
}

/* Removes the directory above PATH, and those above it, as long as they are empty; a run that was
 * killed may have removed some of them. */
static bool remove_empty(int rootfd, char *path, struct hallmark_error *err)
{
    char *slash, *parent;
    int fd;
    bool gone = true, ok = true;

    while (ok && gone && (slash = strrchr(path, '/')) != NULL) {
        *slash = '\0';
        slash = strrchr(path, '/');
        parent = slash ? alloc_strndup(path, (size_t)(slash - path)) : alloc_strdup("");
        fd = file_open_directory_beneath(rootfd, parent, NULL);
        gone = (fd >= 0 && unlinkat(fd, path_basename(path), AT_REMOVEDIR) == 0) || errno == ENOENT;
        ok = gone || is_in_use() || error_set_errno(err, "%s: cannot remove", path);
        file_close(&fd);
        free(parent);
    }
    return ok;
}

bool mirror_tree_remove(int rootfd, const char *path, bool *removed, struct hallmark_error *err)
{
    char *copy = alloc_strdup(path), *slash = strrchr(copy, '/');
    const char *last = path_basename(path);
    struct stat st;
    int parent;
    bool ok = true, is_gone = true;

    *removed = false;
    if (slash)
        *slash = '\0';
    parent = file_open_directory_beneath(rootfd, slash ? copy : "", NULL);
    if (parent < 0 || fstatat(parent, last, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        is_gone = ok = file_is_absent(errno) || error_set_errno(err, "%s", path);
    } else {
        is_gone = S_ISREG(st.st_mode) && unlinkat(parent, last, 0) == 0;
        *removed = is_gone;
        ok = is_gone || !S_ISREG(st.st_mode) || errno == ENOENT ||
             error_set_errno(err, "%s: cannot remove", path);
    }
    file_close(&parent);
    if (is_gone && slash) {
        *slash = '/';
        ok = ok && remove_empty(rootfd, copy, err);
    }
    free(copy);
    return ok;
}
