/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A root to publish in, and what its readers see. Include cmocka.h before.
 */
#ifndef TESTS_UNIT_PUBLISH_ROOT_H
#define TESTS_UNIT_PUBLISH_ROOT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "system/publish.h"

enum { N_NAMES = 3, VIEW_ROOM = 1024 };

static const char *const names[N_NAMES] = {"Release", "Release.gpg", "InRelease"};

/* A root, and a child that publishes in it. */
struct run {
    char *path;
    int fd;
    char old[VIEW_ROOM], new[VIEW_ROOM]; /* what readers see before and after */
    pid_t child;
    bool is_new; /* has been seen */
    int status;  /* of the child, once it ended */
};

static inline bool commit(int rootfd, const char *what, struct hallmark_error *err)
{
    struct publish_file files[N_NAMES];
    char texts[N_NAMES][64];
    size_t i;

    for (i = 0; i < N_NAMES; i++) {
        snprintf(texts[i], sizeof texts[i], "%s %s\n", what, names[i]);
        files[i] = (struct publish_file){.name = names[i], .data = bytes_view_str(texts[i])};
    }
    return publish_commit(rootfd, files, N_NAMES, err);
}

static inline bool is_intact(int rootfd, const char *const *files, size_t n_files)
{
    struct hallmark_error err = {0};
    bool is = false;

    if (!publish_check(rootfd, files, n_files, &is, &err))
        fail_msg("what is published cannot be looked at: %s", err.text);
    return is;
}

static inline void view_of_commit(const char *what, char out[VIEW_ROOM])
{
    size_t i, len = 0;

    for (i = 0; i < N_NAMES; i++)
        len += (size_t)snprintf(out + len, VIEW_ROOM - len, "%s %s\n|", what, names[i]);
}

/* What a reader gets at all names. */
static inline void view(int rootfd, char out[VIEW_ROOM])
{
    size_t i, len = 0;
    ssize_t n;
    int fd;

    for (i = 0; i < N_NAMES; i++) {
        fd = openat(rootfd, names[i], O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? 0 : read(fd, out + len, VIEW_ROOM / 4);
        assert_true(n >= 0);
        len += (size_t)n;
        len += (size_t)snprintf(out + len, VIEW_ROOM - len, "%s|", fd < 0 ? "(none)" : "");
        file_close(&fd);
    }
}

/* Whether the store holds nothing but generations up to the current one, and the link. */
static inline void assert_clean(const struct run *run)
{
    char current[64] = "";
    DIR *dir;
    struct dirent *entry;
    int fd = openat(run->fd, ".hallmark", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    assert_true(readlinkat(fd, "current", current, sizeof current - 1) > 0 || errno == ENOENT);
    dir = fdopendir(fd);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, "current") != 0 &&
            (strlen(entry->d_name) != 8 || (*current && strcmp(entry->d_name, current) > 0)))
            fail_msg("%s is left, %s is current", entry->d_name, *current ? current : "nothing");
    closedir(dir);
}

static inline void prepare_generation(int rootfd)
{
    assert_true(commit(rootfd, "old", NULL));
}

/* A directory in memory where there is one: nothing here depends on what a disk keeps. */
static inline void run_start(struct run *run, void (*prepare)(int rootfd))
{
    const char *tmp = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : getenv("TMPDIR");

    *run = (struct run){0};
    run->path = path_join(tmp && *tmp ? tmp : "/tmp", "test_publish.XXXXXX");
    assert_non_null(mkdtemp(run->path));
    assert_int_equal(chmod(run->path, 0755), 0);
    run->fd = open(run->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(run->fd >= 0);
    if (prepare)
        prepare(run->fd);
    view(run->fd, run->old);
    view_of_commit("new", run->new);
}

static inline void run_end(struct run *run)
{
    close(run->fd);
    assert_true(file_remove_tree(AT_FDCWD, run->path, NULL));
    free(run->path);
}

/* Readers see the old or the new, and never the old after the new. */
static inline void check_view(struct run *run, const char *when, int k)
{
    char now[VIEW_ROOM];

    view(run->fd, now);
    if (strcmp(now, run->new) == 0)
        run->is_new = true;
    else if (run->is_new || strcmp(now, run->old) != 0)
        fail_msg("%s %d: readers see\n%s\nold is\n%s", when, k, now, run->old);
}

/* The next publication works, and leaves nothing of the one before. */
static inline void check_next_commit(struct run *run)
{
    struct hallmark_error err = {0};
    char now[VIEW_ROOM], want[VIEW_ROOM];

    if (!commit(run->fd, "third", &err))
        fail_msg("the next publication fails: %s", err.text);
    view(run->fd, now);
    view_of_commit("third", want);
    assert_string_equal(now, want);
    assert_clean(run);
    assert_true(is_intact(run->fd, names, N_NAMES));
}

#endif
