/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open directories of a tree that is being made. */
#include "system/dirstack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "system/entry.h"
#include "system/nameset.h"

enum { IMPLIED_MODE = 0755 };

struct level {
    int fd;
    size_t path_len; /* of the path down to here */
};

struct dirstack {
    int rootfd;
    struct level levels[LIMITS_DEPTH];
    size_t n_levels;
    char path[LIMITS_PATH_BYTES + 1]; /* of the deepest level */
    struct nameset made;              /* all directories */
};

struct dirstack *dirstack_new(int rootfd)
{
    struct dirstack *stack = alloc_array(1, sizeof *stack);

    stack->rootfd = rootfd;
    return stack;
}

static void pop(struct dirstack *stack)
{
    file_close(&stack->levels[--stack->n_levels].fd);
}

void dirstack_free(struct dirstack *stack)
{
    if (!stack)
        return;
    while (stack->n_levels)
        pop(stack);
    nameset_free(&stack->made);
    free(stack);
}

static int deepest(const struct dirstack *stack)
{
    return stack->n_levels ? stack->levels[stack->n_levels - 1].fd : stack->rootfd;
}

static size_t deepest_len(const struct dirstack *stack)
{
    return stack->n_levels ? stack->levels[stack->n_levels - 1].path_len : 0;
}

/* Leaves the levels that PATH does not have. */
static void leave(struct dirstack *stack, struct bytes_view path)
{
    size_t len;

    while ((len = deepest_len(stack)) > 0 &&
           !(len <= path.len && memcmp(stack->path, path.data, len) == 0 &&
             (len == path.len || path.data[len] == '/')))
        pop(stack);
}

static int shown(struct bytes_view text)
{
    enum { SHOWN = 256 };

    return text.len < SHOWN ? (int)text.len : SHOWN;
}

static bool set_occupied(struct bytes_view path, enum dirstack_missing missing,
                         struct hallmark_error *err)
{
    if (errno == ENOENT && missing == DIRSTACK_FAIL)
        return error_set(err, HALLMARK_ERR_UNSAFE,
                         "the directory \"%.*s\", which a link needs, is not in the archive",
                         shown(path), path.data);
    if (errno != ENOTDIR && errno != ELOOP)
        return error_set_errno(err, "%.*s", shown(path), path.data);
    return error_set(err, HALLMARK_ERR_UNSAFE,
                     "the directory \"%.*s\" cannot be, the archive has something else there",
                     shown(path), path.data);
}

static bool check_made(const struct dirstack *stack, struct bytes_view path,
                       struct hallmark_error *err)
{
    if (nameset_has(&stack->made, path))
        return true;
    return error_set(err, HALLMARK_ERR_UNSAFE,
                     "the directory \"%.*s\" is another one on this file system, "
                     "which does not tell their names apart",
                     shown(path), path.data);
}

/* Goes down into the component NAME (a string), which PATH ends with. */
static bool push(struct dirstack *stack, const char *name, struct bytes_view path,
                 enum dirstack_missing missing, struct hallmark_error *err)
{
    enum { FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW };
    int dirfd = deepest(stack), fd = file_open_at(dirfd, name, FLAGS, 0);

    if (fd < 0 && errno == ENOENT && missing == DIRSTACK_MAKE) {
        if (mkdirat(dirfd, name, IMPLIED_MODE) == 0) {
            nameset_add(&stack->made, path);
            fd = file_open_at(dirfd, name, FLAGS, 0);
        }
    }
    if (fd < 0)
        return set_occupied(path, missing, err);
    if (!check_made(stack, path, err)) {
        file_close(&fd);
        return false;
    }
    stack->levels[stack->n_levels++] = (struct level){.fd = fd, .path_len = path.len};
    return true;
}

int dirstack_enter(struct dirstack *stack, struct bytes_view path, enum dirstack_missing missing,
                   struct hallmark_error *err)
{
    char name[LIMITS_COMPONENT_BYTES + 1];
    const char *slash;
    size_t start, end;

    leave(stack, path);
    while ((start = deepest_len(stack)) < path.len) {
        start += start > 0;
        slash = memchr(path.data + start, '/', path.len - start);
        end = slash ? (size_t)(slash - path.data) : path.len;
        if (stack->n_levels == LIMITS_DEPTH || end - start >= sizeof name ||
            end > LIMITS_PATH_BYTES) {
            error_set(err, HALLMARK_ERR_UNSAFE, "a path is too long");
            return -1;
        }
        memcpy(name, path.data + start, end - start);
        name[end - start] = '\0';
        if (!push(stack, name, bytes_view_of(path.data, end), missing, err))
            return -1;
        memcpy(stack->path, path.data, end);
    }
    return deepest(stack);
}

bool dirstack_make(struct dirstack *stack, struct bytes_view path, unsigned mode,
                   struct hallmark_error *err)
{
    struct bytes_view parent = entry_parent(path);
    int dirfd = dirstack_enter(stack, parent, DIRSTACK_MAKE, err), fd = -1;
    char name[LIMITS_COMPONENT_BYTES + 1] = "";
    bool ok = false;

    if (dirfd < 0)
        return false;
    if (parent.len)
        parent.len++;
    memcpy(name, path.data + parent.len, path.len - parent.len);
    if (mkdirat(dirfd, name, mode) == 0) {
        nameset_add(&stack->made, path);
        return true;
    }
    if (errno != EEXIST)
        return error_set_errno(err, "%.*s", shown(path), path.data);
    fd = file_open_at(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        set_occupied(path, DIRSTACK_MAKE, err);
    else if (check_made(stack, path, err))
        ok = fchmod(fd, mode) == 0 ||
             error_set_errno(err, "%.*s: cannot set the mode", shown(path), path.data);
    file_close(&fd);
    return ok;
}
