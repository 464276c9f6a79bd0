/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A walk by descriptors: names of one directory are read and sorted, then each is looked at once
 * with fstatat(2). The type in struct dirent is not used, since it is a hint that some file systems
 * lack.
 */
#include "system/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/path.h"

enum {
    NS_PER_SECOND = 1000000000,
    /* Names in one directory, hidden and excluded ones too, as they are held in memory at once. */
    NAMES_MAX = 1000000,
};

/* One walk. */
struct scan {
    struct tree *tree;
    const struct tree_options *options;
    struct hallmark_error *err;
};

/* What a name means before anything is known about the file. */
enum verdict { VERDICT_LOOK, VERDICT_PASS, VERDICT_HIDDEN, VERDICT_EXCLUDED, VERDICT_FAIL };

static int64_t nanoseconds(const struct timespec *t)
{
    int64_t ns;

    /* A date beyond 2262 or before 1677 does not fit: any fixed value will do to tell a change. */
    if (__builtin_mul_overflow((int64_t)t->tv_sec, NS_PER_SECOND, &ns) ||
        __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
        return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

void tree_stamp_from(struct tree_stamp *out, const struct stat *st)
{
    *out = (struct tree_stamp){
        .device = (uint64_t)st->st_dev,
        .inode = (uint64_t)st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime = nanoseconds(&st->st_mtim),
        .ctime = nanoseconds(&st->st_ctim),
    };
}

bool tree_stamp_is_equal(const struct tree_stamp *a, const struct tree_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->mtime == b->mtime && a->ctime == b->ctime;
}

void tree_free(struct tree *tree)
{
    free(tree->files);
    arena_free(&tree->paths);
    strlist_free(&tree->skipped);
    *tree = (struct tree){0};
}

static void skip(struct scan *scan, const char *path, const char *reason)
{
    enum { LONGEST_ESCAPE = 4, REASON_ROOM = 64 }; /* \xNN */
    struct bytes text = {0};
    size_t room;

    if (scan->tree->n_skipped++ >= TREE_SKIPPED_MAX)
        return;
    room = strlen(path) * LONGEST_ESCAPE + 1;
    encoding_escape(bytes_reserve(&text, room + REASON_ROOM), room, path, strlen(path));
    text.len = strlen(text.data);
    bytes_printf(&text, " (%s)", reason);
    strlist_add_view(&scan->tree->skipped, bytes_view(&text));
    bytes_free(&text);
}

static bool is_one_of(const char *const *names, const char *name,
                      int (*compare)(const char *, const char *))
{
    for (; names && *names; names++)
        if (compare(*names, name) == 0)
            return true;
    return false;
}

/* Whether a pattern fits PATH. Sets the scan's error where fnmatch(3) cannot tell. */
static bool is_excluded(struct scan *scan, const char *path)
{
    const struct strlist *exclude = scan->options->exclude;
    const char *pattern, *subject;
    size_t i;
    int result;

    for (i = 0; exclude && i < exclude->n_items; i++) {
        pattern = exclude->items[i];
        subject = strchr(pattern, '/') ? path : path_basename(path);
        result = fnmatch(pattern, subject, FNM_PATHNAME);
        if (result == 0)
            return true;
        /* Text that is not of the locale's encoding can end here; a bad name is the better reason.
         */
        if (result != FNM_NOMATCH && path_check(bytes_view_str(path), "the tree", scan->err))
            return error_set(scan->err, HALLMARK_ERR_USAGE,
                             "%s: cannot be compared with the pattern \"%s\"", path, pattern);
    }
    return false;
}

/* Judges the name of PATH alone. */
static enum verdict judge_name(struct scan *scan, const char *path)
{
    const struct tree_options *options = scan->options;
    bool is_at_root = strchr(path, '/') == NULL;

    if (is_at_root && is_one_of(options->written, path, strcmp))
        return VERDICT_PASS;
    if (path_basename(path)[0] == '.')
        return VERDICT_HIDDEN;
    if (is_at_root && is_one_of(options->reserved, path, strcasecmp)) {
        error_set(scan->err, HALLMARK_ERR_MALFORMED,
                  "%s: the name is reserved for what the repository itself writes", path);
        return VERDICT_FAIL;
    }
    if (is_excluded(scan, path))
        return VERDICT_EXCLUDED;
    return scan->err->code == HALLMARK_OK ? VERDICT_LOOK : VERDICT_FAIL;
}

static bool add_file(struct scan *scan, const char *path, const struct stat *st)
{
    struct tree *tree = scan->tree;
    size_t max_files = scan->options->max_files ? scan->options->max_files : LIMITS_TREE_FILES;

    if (tree->n_files >= max_files)
        return error_set(scan->err, HALLMARK_ERR_MALFORMED,
                         "%s: the tree holds more than %zu files", path, max_files);
    tree->files = alloc_one_more(tree->files, tree->n_files, &tree->files_cap, sizeof *tree->files);
    tree->files[tree->n_files].path = arena_strdup(&tree->paths, path);
    tree_stamp_from(&tree->files[tree->n_files++].stamp, st);
    return true;
}

static bool scan_directory(struct scan *scan, int parent, const char *name, const char *path);

/* Looks at NAME, whose name is in order, in the directory FD; takes *PATH over where it keeps it.
 */
static bool look_at(struct scan *scan, int fd, const char *name, const char *path)
{
    struct stat st;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
        return errno == ENOENT || error_set_errno(scan->err, "%s", path);
    if (S_ISLNK(st.st_mode)) {
        skip(scan, path, "symbolic link");
        return true;
    }
    if (!path_check(bytes_view_str(path), "the tree", scan->err))
        return false;
    if (S_ISREG(st.st_mode))
        return add_file(scan, path, &st);
    /* path_check() bounds the depth of the recursion. */
    if (S_ISDIR(st.st_mode))
        return scan_directory(scan, fd, name, path);
    return error_set(scan->err, HALLMARK_ERR_MALFORMED,
                     "%s: is neither a file, a directory, nor a symbolic link", path);
}

static bool scan_name(struct scan *scan, int fd, const char *directory, const char *name)
{
    char *path = path_join(directory, name);
    bool ok = true;

    switch (judge_name(scan, path)) {
    case VERDICT_LOOK:
        ok = look_at(scan, fd, name, path);
        break;
    case VERDICT_HIDDEN:
        skip(scan, path, "hidden");
        break;
    case VERDICT_EXCLUDED:
        skip(scan, path, "excluded");
        break;
    case VERDICT_FAIL:
        ok = false;
        break;
    case VERDICT_PASS:
        break;
    }
    free(path);
    return ok;
}

/* Adds the names in DIR, which is at PATH, to OUT. */
static bool list_names(DIR *dir, const char *path, struct strlist *out, struct hallmark_error *err)
{
    struct dirent *entry;

    while ((errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (out->n_items >= NAMES_MAX)
            return error_set(err, HALLMARK_ERR_MALFORMED, "%s: holds more than %d names",
                             *path ? path : ".", NAMES_MAX);
        strlist_add(out, entry->d_name);
    }
    if (errno)
        return error_set_errno(err, "%s: cannot list the directory", *path ? path : ".");
    strlist_sort(out);
    return true;
}

/* Opens the directory NAME in PARENT; NULL, with *OK telling whether it has merely disappeared. */
static DIR *open_directory(struct scan *scan, int parent, const char *name, const char *path,
                           bool *ok)
{
    DIR *dir = NULL;
    int fd;

    do
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    *ok = fd < 0 && errno == ENOENT;
    if (fd >= 0)
        dir = fdopendir(fd);
    if (dir || *ok)
        return dir;
    error_set_errno(scan->err, "%s: cannot open the directory", *path ? path : ".");
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* Walks the directory NAME in PARENT; PATH is its path, "" for the root. */
static bool scan_directory(struct scan *scan, int parent, const char *name, const char *path)
{
    struct strlist names = {0};
    bool ok;
    DIR *dir = open_directory(scan, parent, name, path, &ok);
    size_t i;

    if (!dir)
        return ok;
    ok = list_names(dir, path, &names, scan->err);
    for (i = 0; ok && i < names.n_items; i++)
        ok = scan_name(scan, dirfd(dir), path, names.items[i]);
    strlist_free(&names);
    closedir(dir);
    return ok;
}

static int compare_files(const void *a, const void *b)
{
    const struct tree_file *x = a, *y = b;

    return strcmp(x->path, y->path);
}

bool tree_scan(struct tree *out, int rootfd, const struct tree_options *options,
               struct hallmark_error *err)
{
    struct hallmark_error own = {0};
    struct tree tree = {0};
    struct scan scan = {.tree = &tree, .options = options, .err = err ? err : &own};
    const char *below = options->below;

    if (!scan_directory(&scan, rootfd, below ? below : ".", below ? below : "")) {
        tree_free(&tree);
        return false;
    }
    /* Not the order of the walk: "a-b" stands between the directory "a" and its file "a/b". */
    if (tree.n_files)
        qsort(tree.files, tree.n_files, sizeof *tree.files, compare_files);
    *out = tree;
    return true;
}
