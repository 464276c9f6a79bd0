/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open directories of a tree that is being made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "system/dirstack.h"
#include "temporary.h"

static char *dir;
static int rootfd;
static struct dirstack *stack;

static int enter(const char *path, enum dirstack_missing missing, struct hallmark_error *err)
{
    *err = (struct hallmark_error){0};
    return dirstack_enter(stack, bytes_view_str(path), missing, err);
}

/* What the stack opens for PATH is what is there. */
static void assert_enters(const char *path)
{
    struct hallmark_error err;
    struct stat a, b;
    int fd = enter(path, DIRSTACK_MAKE, &err);

    if (fd < 0)
        fail_msg("%s: %s", path, err.text);
    assert_int_equal(fstat(fd, &a), 0);
    assert_int_equal(fstatat(rootfd, *path ? path : ".", &b, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

static void assert_refused(const char *path, enum dirstack_missing missing, const char *why)
{
    struct hallmark_error err;

    assert_int_equal(enter(path, missing, &err), -1);
    assert_int_equal(err.code, HALLMARK_ERR_UNSAFE);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void dirstack_accepts_and_makes_directories(void **state)
{
    static const char *const paths[] = {"a/b/c", "a/b",    "a/bc/c", "a/b/c", "", "a",
                                        "ab",    "a/b/cd", "x/y",    "x/y",   "", "a/b/c"};
    struct stat st;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_enters(paths[i]);
    assert_int_equal(fstatat(rootfd, "a/bc", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0755);
}

static void dirstack_accepts_modes(void **state)
{
    struct hallmark_error err = {0};
    struct stat st;

    (void)state;
    assert_true(dirstack_make(stack, bytes_view_str("m/n"), 0700, &err));
    assert_int_equal(fstatat(rootfd, "m/n", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_true(dirstack_make(stack, bytes_view_str("m"), 0750, &err));
    assert_true(dirstack_make(stack, bytes_view_str("m/n"), 0711, &err));
    assert_int_equal(fstatat(rootfd, "m", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0750);
    assert_int_equal(fstatat(rootfd, "m/n", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0711);
}

static void dirstack_accepts_the_greatest_depth(void **state)
{
    char path[2 * LIMITS_DEPTH + 2];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof path; i++)
        path[i] = i % 2 ? '/' : 'd';
    path[2 * LIMITS_DEPTH - 1] = '\0';
    assert_enters(path);
    path[2 * LIMITS_DEPTH - 1] = '/';
    path[2 * LIMITS_DEPTH + 1] = '\0';
    assert_refused(path, DIRSTACK_MAKE, "too long");
}

static void dirstack_rejects_what_is_no_directory(void **state)
{
    struct hallmark_error err = {0};

    (void)state;
    close(openat(rootfd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    assert_int_equal(symlinkat("/tmp", rootfd, "link"), 0);
    assert_refused("file", DIRSTACK_MAKE, "something else there");
    assert_refused("file/x", DIRSTACK_MAKE, "something else there");
    assert_refused("link/x", DIRSTACK_MAKE, "something else there");
    assert_false(dirstack_make(stack, bytes_view_str("link"), 0755, &err));
    assert_int_equal(err.code, HALLMARK_ERR_UNSAFE);
    assert_refused("missing/x", DIRSTACK_FAIL, "not in the archive");
}

/* As a directory is found on a file system that takes "SUB" for "sub". */
static void dirstack_rejects_a_directory_that_it_did_not_make(void **state)
{
    struct hallmark_error err = {0};

    (void)state;
    assert_int_equal(mkdirat(rootfd, "twin", 0755), 0);
    assert_refused("twin", DIRSTACK_MAKE, "does not tell their names apart");
    assert_refused("twin/x", DIRSTACK_MAKE, "does not tell their names apart");
    assert_false(dirstack_make(stack, bytes_view_str("twin"), 0755, &err));
    assert_non_null(strstr(err.text, "does not tell their names apart"));
}

static void dirstack_accepts_many_directories(void **state)
{
    char path[32];
    int i;

    (void)state;
    for (i = 0; i < 3000; i++) {
        snprintf(path, sizeof path, "many/%d", i);
        assert_enters(path);
    }
    for (i = 0; i < 3000; i += 100) {
        snprintf(path, sizeof path, "many/%d", i);
        assert_enters(path);
    }
}

static int open_stack(void **state)
{
    struct hallmark_error err = {0};

    (void)state;
    umask(0);
    dir = temporary_new();
    rootfd = file_open_directory(dir, &err);
    stack = dirstack_new(rootfd);
    return rootfd < 0;
}

static int close_stack(void **state)
{
    (void)state;
    dirstack_free(stack);
    close(rootfd);
    temporary_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dirstack_accepts_and_makes_directories),
        cmocka_unit_test(dirstack_accepts_modes),
        cmocka_unit_test(dirstack_accepts_the_greatest_depth),
        cmocka_unit_test(dirstack_rejects_what_is_no_directory),
        cmocka_unit_test(dirstack_rejects_a_directory_that_it_did_not_make),
        cmocka_unit_test(dirstack_accepts_many_directories),
    };

    return cmocka_run_group_tests(tests, open_stack, close_stack);
}
