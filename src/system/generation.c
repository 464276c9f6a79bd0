/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store of generations. */
#include "system/generation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"

#define STORE       GENERATION_STORE
#define CURRENT     GENERATION_CURRENT
#define STAGED      ".new-"
#define DOOMED      ".old-"
#define NEW_CURRENT STAGED "current"

enum { DIRECTORY_MODE = 0755, FILE_MODE = 0644, NUMBER_DIGITS = GENERATION_NAME_LEN - 1 };

void generation_name(char out[GENERATION_NAME_LEN], unsigned long number)
{
    snprintf(out, GENERATION_NAME_LEN, "%0*lu", NUMBER_DIGITS, number % (GENERATION_LAST + 1UL));
}

unsigned long generation_number(const char *name)
{
    unsigned long number = 0;
    size_t i;

    if (strlen(name) != NUMBER_DIGITS)
        return 0;
    for (i = 0; i < NUMBER_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        number = number * 10 + (unsigned long)(name[i] - '0');
    }
    return number;
}

bool generation_read_link(int dirfd, const char *name, char out[GENERATION_LINK_ROOM])
{
    ssize_t len = readlinkat(dirfd, name, out, GENERATION_LINK_ROOM);

    if (len < 0)
        return false;
    if (len == GENERATION_LINK_ROOM) {
        errno = ENAMETOOLONG;
        return false;
    }
    out[len] = '\0';
    return true;
}

int generation_openat(int dirfd, const char *name)
{
    int fd;

    do
        fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int generation_open_directory(const struct generation_store *store, unsigned long number,
                              struct hallmark_error *err)
{
    char name[GENERATION_NAME_LEN];
    int fd;

    generation_name(name, number);
    fd = generation_openat(store->fd, name);
    if (fd < 0)
        error_set_errno(err, "%s/%s: cannot open the directory", STORE, name);
    return fd;
}

/* What ENTRY of the directory FD is, as a file type of stat(2); 0 with errno. */
static mode_t type_of(int fd, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN)
        return (mode_t)DTTOIF(entry->d_type);
    return fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & S_IFMT : 0;
}

/* Adds the names in the directory FD to OUT; those of directories to DIRECTORIES, where that is not
 * NULL, and then only those of regular files to OUT. */
static bool list(int fd, struct strlist *out, struct strlist *directories,
                 struct hallmark_error *err)
{
    int copy = generation_openat(fd, ".");
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    mode_t type;
    bool ok;

    if (!dir) {
        error_set_errno(err, "%s: cannot list the directory", STORE);
        file_close(&copy);
        return false;
    }
    while ((errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        type = directories ? type_of(fd, entry) : S_IFREG;
        if (type == 0)
            break;
        if (type == S_IFDIR)
            strlist_add(directories, entry->d_name);
        else if (type == S_IFREG)
            strlist_add(out, entry->d_name);
    }
    ok = errno == 0 || error_set_errno(err, "%s: cannot list the directory", STORE);
    closedir(dir);
    return ok;
}

bool generation_list(int fd, struct strlist *out, struct hallmark_error *err)
{
    return list(fd, out, NULL, err);
}

/* Adds the files in FD, whose names start with PREFIX, down to DEPTH directories below. */
static bool list_files(int fd, const char *prefix, int depth, struct strlist *out,
                       struct hallmark_error *err)
{
    struct strlist names = {0}, directories = {0};
    bool ok = list(fd, &names, &directories, err);
    char *path;
    size_t i;
    int below;

    for (i = 0; ok && i < names.n_items; i++) {
        path = path_join(prefix, names.items[i]);
        strlist_add(out, path);
        free(path);
    }
    for (i = 0; ok && depth > 0 && i < directories.n_items; i++) {
        path = path_join(prefix, directories.items[i]);
        below = generation_openat(fd, directories.items[i]);
        ok = below >= 0 ? list_files(below, path, depth - 1, out, err)
                        : error_set_errno(err, "%s/%s", STORE, path);
        file_close(&below);
        free(path);
    }
    strlist_free(&names);
    strlist_free(&directories);
    return ok;
}

bool generation_list_files(int fd, struct strlist *out, struct hallmark_error *err)
{
    return list_files(fd, "", LIMITS_DEPTH, out, err);
}

/* ---- Opening ---- */

/* Finds out which generation is current. */
static bool read_current(struct generation_store *store, struct hallmark_error *err)
{
    char target[GENERATION_LINK_ROOM];
    unsigned long number;
    struct stat st;

    if (!generation_read_link(store->fd, CURRENT, target)) {
        if (errno == ENOENT)
            return true;
        if (errno != EINVAL && errno != ENAMETOOLONG)
            return error_set_errno(err, "%s/%s", STORE, CURRENT);
        return error_set(err, HALLMARK_ERR_USAGE,
                         "%s/%s: is not a link to a generation; move it away", STORE, CURRENT);
    }
    number = generation_number(target);
    if (number == 0)
        return error_set(err, HALLMARK_ERR_USAGE,
                         "%s/%s: leads to \"%s\", which is no generation; remove it", STORE,
                         CURRENT, target);
    /* Where somebody removed the generation, none is current, and its number is not used again. */
    if (store->newest < number)
        store->newest = number;
    if (fstatat(store->fd, target, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || error_set_errno(err, "%s/%s", STORE, target);
    if (!S_ISDIR(st.st_mode))
        return error_set(err, HALLMARK_ERR_USAGE, "%s/%s: is not a directory; move it away", STORE,
                         target);
    store->current = number;
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

    return (x > y) - (x < y);
}

static void add_numbers(struct generation_store *store, const struct strlist *names)
{
    unsigned long number;
    size_t i;

    for (i = 0; i < names->n_items; i++) {
        number = generation_number(names->items[i]);
        if (number == 0)
            continue;
        store->numbers =
            alloc_one_more(store->numbers, store->n_numbers, &store->cap, sizeof *store->numbers);
        store->numbers[store->n_numbers++] = number;
    }
    if (store->n_numbers) {
        qsort(store->numbers, store->n_numbers, sizeof *store->numbers, compare_numbers);
        store->newest = store->numbers[store->n_numbers - 1];
    }
}

bool generation_open(struct generation_store *store, int rootfd, struct hallmark_error *err)
{
    struct strlist names = {0};
    bool ok;

    *store = (struct generation_store){.rootfd = rootfd, .fd = generation_openat(rootfd, STORE)};
    if (store->fd < 0 && errno == ENOENT)
        return true;
    if (store->fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return error_set(err, HALLMARK_ERR_USAGE, "%s: is not a directory; move it away", STORE);
    if (store->fd < 0)
        return error_set_errno(err, "%s: cannot open the directory", STORE);
    ok = generation_list(store->fd, &names, err);
    add_numbers(store, &names);
    ok = ok && read_current(store, err);
    strlist_free(&names);
    return ok;
}

bool generation_open_or_create(struct generation_store *store, int rootfd,
                               struct hallmark_error *err)
{
    if (!generation_open(store, rootfd, err))
        return false;
    if (store->fd < 0) {
        if (mkdirat(rootfd, STORE, DIRECTORY_MODE) < 0)
            return error_set_errno(err, "%s: cannot create the directory", STORE);
        store->is_new = true;
        store->fd = generation_openat(rootfd, STORE);
        if (store->fd < 0)
            return error_set_errno(err, "%s: cannot open the directory", STORE);
    }
    /* Before anything is current, the mode is whatever the umask, or a run that was killed, left.
     */
    if (!store->current && fchmod(store->fd, DIRECTORY_MODE) < 0)
        return error_set_errno(err, "%s: cannot set the mode", STORE);
    return true;
}

void generation_close(struct generation_store *store)
{
    file_close(&store->fd);
    free(store->numbers);
    store->numbers = NULL;
}

static bool remove_leftovers(const struct generation_store *store, const struct strlist *names,
                             struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < names->n_items; i++)
        if ((strncmp(names->items[i], STAGED, strlen(STAGED)) == 0 ||
             strncmp(names->items[i], DOOMED, strlen(DOOMED)) == 0) &&
            !file_remove_tree(store->fd, names->items[i], err))
            return error_prefix(err, "%s", STORE);
    return true;
}

bool generation_clean(struct generation_store *store, struct hallmark_error *err)
{
    struct strlist names = {0};
    bool ok = generation_list(store->fd, &names, err) && remove_leftovers(store, &names, err);

    while (ok && store->current && store->n_numbers &&
           store->numbers[store->n_numbers - 1] > store->current)
        ok = generation_remove(store, store->numbers[--store->n_numbers], err);
    strlist_free(&names);
    return ok;
}

/* ---- Adding, switching, removing ---- */

/* A generation that is being made. */
struct stage {
    const struct generation_store *store;
    const struct generation_file *files;
    size_t n_files;
    int fd;
    struct strlist directories; /* made in it */
    unsigned long from;         /* the generation that FROMFD is; 0: none */
    int fromfd;
};

/* Makes the directories above NAME that are not there yet. */
static bool make_directories(struct stage *stage, const char *name, struct hallmark_error *err)
{
    const char *slash = name;
    char *path;
    bool ok = true;

    while (ok && (slash = strchr(slash, '/')) != NULL) {
        path = alloc_strndup(name, (size_t)(slash++ - name));
        if (!strlist_has(&stage->directories, path)) {
            strlist_add(&stage->directories, path);
            ok = mkdirat(stage->fd, path, DIRECTORY_MODE) == 0 ||
                 error_set_errno(err, "%s: cannot create the directory", path);
        }
        free(path);
    }
    return ok;
}

/* Copies NAME in DIRFD to the file TO of the new generation. */
static bool copy_file(struct stage *stage, int dirfd, const char *name, const char *to,
                      struct hallmark_error *err)
{
    int fd = file_open_beneath(dirfd, name, err);
    bool ok = fd >= 0 && file_copy(fd, stage->fd, to, FILE_MODE, err);

    if (fd < 0)
        error_set_errno(err, "%s", name);
    file_close(&fd);
    return ok;
}

/* Takes over what an older generation has; what it holds is durable already. */
static bool link_from(struct stage *stage, const struct generation_file *file,
                      struct hallmark_error *err)
{
    if (stage->from != file->from) {
        file_close(&stage->fromfd);
        stage->from = file->from;
        stage->fromfd = generation_open_directory(stage->store, file->from, err);
    }
    if (stage->fromfd < 0)
        return false;
    if (linkat(stage->fromfd, file->name, stage->fd, file->name, 0) == 0 || errno == EEXIST)
        return true;
    /* Not every file system has hard links, and none has any number of them. */
    return copy_file(stage, stage->fromfd, file->name, file->name, err);
}

/* Gives the file that is at NAME already the name TO as well. */
static bool name_again(struct stage *stage, const char *name, const char *to,
                       struct hallmark_error *err)
{
    return linkat(stage->fd, name, stage->fd, to, 0) == 0 ||
           copy_file(stage, stage->fd, name, to, err);
}

/* Whether the new file I can be one with an earlier one. */
static bool link_same(struct stage *stage, size_t i)
{
    const struct generation_file *file = &stage->files[i], *same;

    for (same = stage->files; same < file; same++)
        if (!same->from && same->data.len && same->data.data == file->data.data &&
            same->data.len == file->data.len)
            return linkat(stage->fd, same->name, stage->fd, file->name, 0) == 0;
    return false;
}

static bool set_mtime(int fd, const struct generation_file *file, struct hallmark_error *err)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = (time_t)file->mtime}};

    return !file->mtime || utimensat(fd, file->name, times, AT_SYMLINK_NOFOLLOW) == 0 ||
           error_set_errno(err, "%s: cannot set the time", file->name);
}

/* Moves what waits for its generation here. */
static bool take_staged(struct stage *stage, const struct generation_file *file,
                        struct hallmark_error *err)
{
    const struct generation_file *same;
    char *path;
    bool ok;

    for (same = stage->files; same < file; same++)
        if (same->staged && strcmp(same->staged, file->staged) == 0)
            return name_again(stage, same->name, file->name, err);
    path = alloc_printf(GENERATION_STAGE "/%s", file->staged);
    ok = renameat(stage->store->fd, path, stage->fd, file->name) == 0 ||
         error_set_errno(err, "%s: cannot move it from %s", file->name, path);
    free(path);
    return ok && set_mtime(stage->fd, file, err);
}

static bool add_file(struct stage *stage, size_t i, struct hallmark_error *err)
{
    const struct generation_file *file = &stage->files[i];

    if (!make_directories(stage, file->name, err))
        return false;
    if (file->from)
        return link_from(stage, file, err);
    if (file->staged)
        return take_staged(stage, file, err);
    return link_same(stage, i) || (file_create(stage->fd, file->name, file->data, FILE_MODE, err) &&
                                   set_mtime(stage->fd, file, err));
}

static bool finish_directory(int fd, const char *name, struct hallmark_error *err)
{
    if (fd < 0 || fchmod(fd, DIRECTORY_MODE) < 0)
        return error_set_errno(err, "%s: cannot set the mode", name);
    return file_sync(fd, name, err);
}

static bool fill(struct stage *stage, struct hallmark_error *err)
{
    size_t i;
    bool ok = true;
    int fd;

    for (i = 0; ok && i < stage->n_files; i++)
        ok = add_file(stage, i, err);
    for (i = 0; ok && i < stage->directories.n_items; i++) {
        fd = generation_openat(stage->fd, stage->directories.items[i]);
        ok = finish_directory(fd, stage->directories.items[i], err);
        file_close(&fd);
    }
    return ok && finish_directory(stage->fd, "the directory", err);
}

/* Makes the directory NAME, under the name STAGED until it is whole. */
static bool make(struct stage *stage, const char *staged, const char *name,
                 struct hallmark_error *err)
{
    int store = stage->store->fd;
    bool ok = false;

    if (mkdirat(store, staged, DIRECTORY_MODE) < 0)
        return error_set_errno(err, "cannot create the directory");
    stage->fd = generation_openat(store, staged);
    if (stage->fd < 0)
        error_set_errno(err, "cannot open the directory");
    else if (fill(stage, err))
        ok = renameat(store, staged, store, name) == 0 ||
             error_set_errno(err, "cannot rename the directory");
    file_close(&stage->fd);
    file_close(&stage->fromfd);
    strlist_free(&stage->directories);
    if (!ok)
        file_remove_tree(store, staged, NULL);
    return ok;
}

bool generation_add(struct generation_store *store, const struct generation_file *files,
                    size_t n_files, unsigned long *number, struct hallmark_error *err)
{
    struct stage stage = {
        .store = store, .files = files, .n_files = n_files, .fd = -1, .fromfd = -1};
    char name[GENERATION_NAME_LEN], *staged;
    bool ok;

    if (store->newest >= GENERATION_LAST)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: no number is left behind %d; move it away",
                         STORE, GENERATION_LAST);
    *number = ++store->newest;
    generation_name(name, *number);
    staged = alloc_printf(STAGED "%s", name);
    ok = make(&stage, staged, name, err) || error_prefix(err, "%s/%s", STORE, name);
    free(staged);
    if (ok && !file_sync(store->fd, STORE, err)) {
        generation_remove(store, *number, NULL);
        ok = false;
    }
    return ok;
}

bool generation_switch(struct generation_store *store, unsigned long number,
                       struct hallmark_error *err)
{
    char name[GENERATION_NAME_LEN];

    generation_name(name, number);
    if (symlinkat(name, store->fd, NEW_CURRENT) < 0 ||
        renameat(store->fd, NEW_CURRENT, store->fd, CURRENT) < 0) {
        error_set_errno(err, "%s/%s: cannot make it current", STORE, name);
        unlinkat(store->fd, NEW_CURRENT, 0);
        return false;
    }
    store->current = number;
    return file_sync(store->fd, STORE, err);
}

bool generation_remove(const struct generation_store *store, unsigned long number,
                       struct hallmark_error *err)
{
    char name[GENERATION_NAME_LEN], *doomed;
    bool ok;

    generation_name(name, number);
    doomed = alloc_printf(DOOMED "%s", name);
    if (renameat(store->fd, name, store->fd, doomed) < 0)
        ok = error_set_errno(err, "%s/%s: cannot remove", STORE, name);
    else
        ok = file_remove_tree(store->fd, doomed, err) || error_prefix(err, "%s", STORE);
    free(doomed);
    return ok;
}

bool generation_made_at(const struct generation_store *store, unsigned long number, int64_t *out,
                        struct hallmark_error *err)
{
    char name[GENERATION_NAME_LEN];
    struct stat st;

    generation_name(name, number);
    if (fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_set_errno(err, "%s/%s", STORE, name);
    *out = (int64_t)st.st_mtim.tv_sec;
    return true;
}
