/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files below a directory, and files without a name: on this kernel, and on one that knows less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
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

/* From now on as on a kernel before 5.6, and for users other than root: paths are followed step by
 * step, and files without a name get one by way of /proc. */
static void forget_newer_calls(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

    assert_non_null(ctx);
#ifdef SYS_openat2
    assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SYS_openat2, 0), 0);
#endif
    assert_int_equal(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOENT), SCMP_SYS(linkat), 1,
                                      SCMP_A4(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH)),
                     0);
    assert_int_equal(seccomp_load(ctx), 0);
    seccomp_release(ctx);
}

static int set_up_old_kernel(void **state)
{
    static bool is_old;

    if (!is_old)
        forget_newer_calls();
    is_old = true;
    return set_up(state);
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

static void assert_error(struct fixture *f, enum hallmark_errcode code, const char *text)
{
    if (f->err.code != code || !strstr(f->err.text, text))
        fail_msg("%d \"%s\" is not %d \"%s\"", (int)f->err.code, f->err.text, (int)code, text);
    error_clear(&f->err);
}

static void assert_opens(struct fixture *f, const char *path)
{
    int fd = file_open_beneath(f->fd, path, &f->err);

    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    file_close(&fd);
}

/* Nothing is there, and it is no error. */
static void assert_absent(struct fixture *f, const char *path)
{
    errno = 0;
    assert_int_equal(file_open_beneath(f->fd, path, &f->err), -1);
    assert_true(errno == ENOENT || errno == ENOTDIR);
    assert_int_equal(f->err.code, HALLMARK_OK);
}

static void assert_not_opened(struct fixture *f, const char *path, enum hallmark_errcode code,
                              const char *text)
{
    assert_int_equal(file_open_beneath(f->fd, path, &f->err), -1);
    assert_true(errno != 0 && errno != ENOENT && errno != ENOTDIR);
    assert_error(f, code, text);
}

static void file_accepts_files_beneath(void **state)
{
    struct fixture *f = *state;

    make_file(f, "x", "x");
    make_directory(f, "a");
    make_directory(f, "a/b");
    make_file(f, "a/b/..c", "deep");
    assert_opens(f, "x");
    assert_opens(f, "a/b/..c");
    assert_opens(f, "./a/./b/..c");
    make_file(f, "a/b/c", "deep");
    assert_opens(f, "a/b/c");
    assert_opens(f, "./a/./b/c");
}

static void file_accepts_absent_files(void **state)
{
    struct fixture *f = *state;

    make_file(f, "x", "x");
    make_directory(f, "a");
    assert_absent(f, "y");
    assert_absent(f, "a/y");
    assert_absent(f, "b/y");
    assert_absent(f, "x/y");
    assert_absent(f, "");
    assert_absent(f, "a/");
    assert_absent(f, "a//y");
}

/* Whatever path_check() may have let through. */
static void file_rejects_leaving_the_directory(void **state)
{
    struct fixture *f = *state;
    int sub;

    make_file(f, "x", "x");
    make_directory(f, "a");
    assert_absent(f, "/etc/passwd");
    assert_absent(f, "a/../x");
    sub = file_open_directory_beneath(f->fd, "a", &f->err);
    assert_true(sub >= 0);
    assert_int_equal(file_open_beneath(sub, "../x", &f->err), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(file_open_beneath(sub, "..", &f->err), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(f->err.code, HALLMARK_OK);
    assert_int_equal(file_open_directory_beneath(sub, "..", &f->err), -1);
    assert_error(f, HALLMARK_ERR_IO, "..: No such file");
    file_close(&sub);
}

/* N18 */
static void file_rejects_links(void **state)
{
    struct fixture *f = *state;

    make_file(f, "x", "x");
    make_directory(f, "a");
    make_file(f, "a/y", "y");
    assert_int_equal(symlinkat("x", f->fd, "to-x"), 0);
    assert_int_equal(symlinkat("a", f->fd, "to-a"), 0);
    assert_int_equal(symlinkat("nowhere", f->fd, "dangling"), 0);
    assert_not_opened(f, "to-x", HALLMARK_ERR_MALFORMED, "to-x: is not a regular file");
    assert_not_opened(f, "dangling", HALLMARK_ERR_MALFORMED, "dangling: is not a regular file");
    assert_absent(f, "to-a/y");
    assert_int_equal(file_open_directory_beneath(f->fd, "to-a", &f->err), -1);
    assert_error(f, HALLMARK_ERR_IO, "to-a: ");
}

/* Opening a fifo would wait for a writer. */
static void file_rejects_what_is_no_file(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    make_directory(f, "a");
    assert_int_equal(mkfifoat(f->fd, "fifo", 0600), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/sock", f->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_not_opened(f, "a", HALLMARK_ERR_MALFORMED, "a: is not a regular file");
    assert_not_opened(f, ".", HALLMARK_ERR_MALFORMED, ".: is not a regular file");
    assert_not_opened(f, "fifo", HALLMARK_ERR_MALFORMED, "fifo: is not a regular file");
    assert_not_opened(f, "sock", HALLMARK_ERR_MALFORMED, "sock: is not a regular file");
    file_close(&fd);
}

static void file_rejects_names_that_are_too_long(void **state)
{
    struct fixture *f = *state;
    char path[LIMITS_COMPONENT_BYTES + 4];

    memset(path, 'x', sizeof path);
    memcpy(path + LIMITS_COMPONENT_BYTES + 1, "/y", 3);
    assert_not_opened(f, path, HALLMARK_ERR_IO, "File name too long");
    path[LIMITS_COMPONENT_BYTES + 1] = '\0';
    assert_not_opened(f, path, HALLMARK_ERR_IO, "File name too long");
    path[LIMITS_COMPONENT_BYTES] = '\0';
    assert_absent(f, path);
}

static void file_accepts_directories_beneath(void **state)
{
    struct fixture *f = *state;
    int fd;

    make_directory(f, "a");
    make_directory(f, "a/b");
    fd = file_open_directory_beneath(f->fd, "a/b", &f->err);
    assert_true(fd >= 0);
    file_close(&fd);
    assert_int_equal(fd, -1);
    fd = file_open_directory_beneath(f->fd, "", &f->err);
    assert_true(fd >= 0);
    file_close(&fd);
    file_close(&fd);
    assert_int_equal(file_open_directory_beneath(f->fd, "a/c", &f->err), -1);
    assert_error(f, HALLMARK_ERR_IO, "a/c: No such file or directory");
    assert_int_equal(file_open_directory("/nowhere/at/all", &f->err), -1);
    assert_error(f, HALLMARK_ERR_IO, "/nowhere/at/all: No such file or directory");
}

static void file_accepts_a_name_for_a_nameless_file(void **state)
{
    struct fixture *f = *state;
    int fd = file_open_nameless(f->fd, 0640);
    struct stat st;

    assert_true(file_has_nameless(f->fd, "x"));
    assert_true(fd >= 0);
    assert_true(file_write_all(fd, "data", 4));
    assert_absent(f, "x");
    assert_true(file_give_name(fd, f->fd, "x"));
    assert_int_equal(fstatat(f->fd, "x", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_mode & 07777, 0640);
    file_close(&fd);
}

static void file_rejects_a_name_that_is_taken(void **state)
{
    struct fixture *f = *state;
    int fd = file_open_nameless(f->fd, 0600);
    struct stat st;

    make_file(f, "x", "other");
    assert_int_equal(symlinkat("nowhere", f->fd, "link"), 0);
    assert_false(file_give_name(fd, f->fd, "x"));
    assert_int_equal(errno, EEXIST);
    assert_false(file_give_name(fd, f->fd, "link"));
    assert_int_equal(errno, EEXIST);
    file_close(&fd);
    assert_false(file_has_nameless(f->fd, "x"));
    assert_int_equal(fstatat(f->fd, "x", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(fstatat(f->fd, "nowhere", &st, 0), -1);
}

/* proc(5) has no such files, and sysfs neither. */
static void file_rejects_nameless_files_where_there_are_none(void **state)
{
    int fd = file_open_directory("/proc/self", NULL);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(file_open_nameless(fd, 0600), -1);
    assert_false(file_has_nameless(fd, "x"));
    file_close(&fd);
}

int main(void)
{
#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define ON_AN_OLD_KERNEL(test)                                                                     \
    {                                                                                              \
#test "_on_an_old_kernel", test, set_up_old_kernel, tear_down, NULL                        \
    }
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(file_accepts_files_beneath),
        IN_A_DIRECTORY(file_accepts_absent_files),
        IN_A_DIRECTORY(file_rejects_leaving_the_directory),
        IN_A_DIRECTORY(file_rejects_links),
        IN_A_DIRECTORY(file_rejects_what_is_no_file),
        IN_A_DIRECTORY(file_rejects_names_that_are_too_long),
        IN_A_DIRECTORY(file_accepts_directories_beneath),
        IN_A_DIRECTORY(file_accepts_a_name_for_a_nameless_file),
        IN_A_DIRECTORY(file_rejects_a_name_that_is_taken),
        cmocka_unit_test(file_rejects_nameless_files_where_there_are_none),
        /* No way leads back. */
        ON_AN_OLD_KERNEL(file_accepts_files_beneath),
        ON_AN_OLD_KERNEL(file_accepts_absent_files),
        ON_AN_OLD_KERNEL(file_rejects_leaving_the_directory),
        ON_AN_OLD_KERNEL(file_rejects_links),
        ON_AN_OLD_KERNEL(file_rejects_what_is_no_file),
        ON_AN_OLD_KERNEL(file_rejects_names_that_are_too_long),
        ON_AN_OLD_KERNEL(file_accepts_directories_beneath),
        ON_AN_OLD_KERNEL(file_accepts_a_name_for_a_nameless_file),
        ON_AN_OLD_KERNEL(file_rejects_a_name_that_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
