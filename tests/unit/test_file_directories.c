/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories: made where they are missing, and removed without following anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "temporary.h"

struct fixture {
    char *path;
    int fd;
    struct hallmark_error err;
};

static int set_up(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);

    f->path = temporary_new();
    f->fd = file_open_directory(f->path, &f->err);
    assert_true(f->fd >= 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    file_close(&f->fd);
    temporary_remove(f->path);
    free(f);
    return 0;
}

static void make_file(struct fixture *f, const char *path, const char *text)
{
    assert_true(file_create(f->fd, path, bytes_view_str(text), 0644, &f->err));
}

static void make_directory(struct fixture *f, const char *path)
{
    assert_int_equal(mkdirat(f->fd, path, 0755), 0);
}

static bool is_there(struct fixture *f, const char *path)
{
    struct stat st;

    return fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_error(struct fixture *f, enum hallmark_errcode code, const char *text)
{
    if (f->err.code != code || !strstr(f->err.text, text))
        fail_msg("%d \"%s\" is not %d \"%s\"", (int)f->err.code, f->err.text, (int)code, text);
    error_clear(&f->err);
}

static void assert_makes(struct fixture *f, const char *path)
{
    char *whole = alloc_printf("%s/%s", f->path, path);
    int fd = file_make_directories(whole, 0700, &f->err);

    if (fd < 0)
        fail_msg("%s", f->err.text);
    file_close(&fd);
    free(whole);
}

static void file_accepts_making_directories(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

    assert_makes(f, "a/b/c");
    assert_makes(f, "a/b/c");
    assert_makes(f, "a//d///e/");
    assert_makes(f, "");
    assert_int_equal(fstatat(f->fd, "a/b", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_true(is_there(f, "a/d/e"));
    assert_int_equal(fchdir(f->fd), 0);
    fd = file_make_directories("relative/x", 0700, &f->err);
    assert_int_equal(fchdir(here), 0);
    assert_true(fd >= 0);
    assert_true(is_there(f, "relative/x"));
    file_close(&fd);
    fd = file_make_directories("/", 0700, &f->err);
    assert_true(fd >= 0);
    file_close(&fd);
    file_close(&here);
}

static void file_rejects_making_directories(void **state)
{
    struct fixture *f = *state;
    char *path = alloc_printf("%s/x/y", f->path);

    make_file(f, "x", "x");
    assert_int_equal(file_make_directories(path, 0700, &f->err), -1);
    assert_error(f, HALLMARK_ERR_IO, "/x/y: cannot create the directory: Not a directory");
    path[strlen(path) - 2] = '\0';
    assert_int_equal(file_make_directories(path, 0700, &f->err), -1);
    assert_error(f, HALLMARK_ERR_IO, "/x: Not a directory");
    assert_int_equal(file_make_directories("", 0700, &f->err), -1);
    assert_error(f, HALLMARK_ERR_IO, "No such file");
    free(path);
}

static void file_accepts_removing(void **state)
{
    struct fixture *f = *state;

    make_directory(f, "outside");
    make_file(f, "outside/x", "stays");
    make_directory(f, "a");
    make_directory(f, "a/b");
    make_directory(f, "a/empty");
    make_file(f, "a/b/x", "x");
    make_file(f, "a/.hidden", "x");
    assert_int_equal(mkfifoat(f->fd, "a/fifo", 0600), 0);
    assert_int_equal(symlinkat("../outside", f->fd, "a/link"), 0);
    assert_int_equal(symlinkat("outside", f->fd, "link"), 0);
    assert_true(file_remove_tree(f->fd, "a", &f->err));
    assert_false(is_there(f, "a"));
    assert_true(file_remove_tree(f->fd, "a", &f->err));
    assert_true(file_remove_tree(f->fd, "a/b/c", &f->err));
    assert_true(file_remove_tree(f->fd, "link", &f->err));
    assert_false(is_there(f, "link"));
    assert_true(is_there(f, "outside/x"));
    assert_true(file_remove_tree(f->fd, "outside/x", &f->err));
    assert_false(is_there(f, "outside/x"));
    assert_true(is_there(f, "outside"));
}

/* The depth that an archive may have, and more than anything of ours has. */
static void file_rejects_removing_without_end(void **state)
{
    enum { DEPTH = LIMITS_DEPTH + 10 };
    struct fixture *f = *state;
    char path[2 * DEPTH + 1];
    int i;

    for (i = 0; i < DEPTH; i++)
        memcpy(path + 2 * i, "d/", 3);
    path[2 * LIMITS_DEPTH] = '\0';
    assert_makes(f, path);
    assert_true(file_remove_tree(f->fd, "d", &f->err));
    path[2 * LIMITS_DEPTH] = 'd';
    assert_makes(f, path);
    assert_false(file_remove_tree(f->fd, "d", &f->err));
    assert_error(f, HALLMARK_ERR_IO, "d: cannot remove: too many directories deep");
    for (i = DEPTH; i > 1; i--) {
        path[2 * i - 1] = '\0';
        assert_int_equal(unlinkat(f->fd, path, AT_REMOVEDIR), 0);
    }
}

/* Removes as one who has no right to. */
static int remove_as_nobody(struct fixture *f)
{
    enum { NOBODY = 65534 };

    if (geteuid() == 0 && setuid(NOBODY) < 0)
        return 2;
    if (file_remove_tree(f->fd, "a", &f->err))
        return 3;
    return strstr(f->err.text, "x: cannot remove: Permission denied") ? 0 : 4;
}

static void file_rejects_removing_without_rights(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t child;

    make_directory(f, "a");
    make_file(f, "a/x", "x");
    assert_int_equal(fchmodat(f->fd, "a", 0555, 0), 0);
    assert_int_equal(fchmod(f->fd, 0777), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(remove_as_nobody(f));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(fchmodat(f->fd, "a", 0755, 0), 0);
    assert_true(is_there(f, "a/x"));
}

int main(void)
{
#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(file_accepts_making_directories),
        IN_A_DIRECTORY(file_rejects_making_directories),
        IN_A_DIRECTORY(file_accepts_removing),
        IN_A_DIRECTORY(file_rejects_removing_without_end),
        IN_A_DIRECTORY(file_rejects_removing_without_rights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
