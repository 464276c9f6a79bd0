/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files: what is opened, what is refused, and what is left where something fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
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

static void assert_holds(struct fixture *f, const char *path, const char *want)
{
    struct bytes data = {0};

    assert_true(file_read(f->fd, path, 1000, &data, NULL, &f->err));
    assert_int_equal(data.len, strlen(want));
    assert_string_equal(data.data, want);
    bytes_free(&data);
}

static void assert_error(struct fixture *f, enum hallmark_errcode code, const char *text)
{
    if (f->err.code != code || !strstr(f->err.text, text))
        fail_msg("%d \"%s\" is not %d \"%s\"", (int)f->err.code, f->err.text, (int)code, text);
    error_clear(&f->err);
}

/* ---- Opening ---- */

static void file_accepts_closing_without_losing_errno(void **state)
{
    int fd = 1000000; /* close(2) fails */

    (void)state;
    errno = ENOSPC;
    file_close(&fd);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(fd, -1);
}

/* ---- Reading ---- */

static void file_accepts_reading(void **state)
{
    struct fixture *f = *state;
    struct bytes data = {0};
    bool exists = false;

    make_file(f, "x", "four");
    assert_int_equal(symlinkat("x", f->fd, "link"), 0);
    assert_true(file_read(f->fd, "x", 4, &data, &exists, &f->err));
    assert_true(exists);
    assert_true(file_read(f->fd, "link", 4, &data, NULL, &f->err));
    assert_string_equal(data.data, "fourfour"); /* appended */
    assert_true(file_read(f->fd, "y", 4, &data, &exists, &f->err));
    assert_false(exists);
    exists = true;
    assert_true(file_read(f->fd, "x/y", 4, &data, &exists, &f->err));
    assert_false(exists);
    assert_int_equal(data.len, 8);
    bytes_free(&data);
}

static void file_accepts_reading_much(void **state)
{
    enum { LEN = 300000 };
    struct fixture *f = *state;
    struct bytes data = {0}, back = {0};

    memset(bytes_reserve(&data, LEN), 'm', LEN);
    data.len = LEN;
    assert_true(file_create(f->fd, "x", bytes_view(&data), 0600, &f->err));
    assert_true(file_read(f->fd, "x", LEN, &back, NULL, &f->err));
    assert_int_equal(back.len, LEN);
    assert_memory_equal(back.data, data.data, LEN);
    assert_false(file_read(f->fd, "x", LEN - 1, &back, NULL, &f->err));
    assert_error(f, HALLMARK_ERR_MALFORMED, "x: is larger than 299999 bytes");
    bytes_free(&data);
    bytes_free(&back);
}

/* The limit holds whatever fstat(2) said: here it says nothing. */
static void file_rejects_endless_input(void **state)
{
    struct fixture *f = *state;
    struct bytes data = {0};
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

    assert_false(file_read_fd(fd, "zeros", 1000000, &data, &f->err));
    assert_error(f, HALLMARK_ERR_MALFORMED, "zeros: is larger than 1000000 bytes");
    assert_true(data.len < 1200000);
    bytes_free(&data);
    file_close(&fd);
}

static void file_rejects_reading(void **state)
{
    struct fixture *f = *state;
    struct bytes data = {0};

    make_file(f, "x", "four!");
    make_directory(f, "a");
    assert_int_equal(mkfifoat(f->fd, "fifo", 0600), 0);
    assert_false(file_read(f->fd, "x", 4, &data, NULL, &f->err));
    assert_error(f, HALLMARK_ERR_MALFORMED, "x: is larger than 4 bytes");
    assert_false(file_read(f->fd, "y", 4, &data, NULL, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "y: No such file or directory");
    assert_false(file_read(f->fd, "a", 4, &data, NULL, &f->err));
    assert_error(f, HALLMARK_ERR_MALFORMED, "a: is not a regular file");
    assert_false(file_read(f->fd, "fifo", 4, &data, NULL, &f->err));
    assert_error(f, HALLMARK_ERR_MALFORMED, "fifo: is not a regular file");
    assert_false(file_read_fd(-1, "closed", 4, &data, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "closed: Bad file descriptor");
    bytes_free(&data);
}

/* ---- Writing ---- */

static void file_accepts_creating(void **state)
{
    struct fixture *f = *state;
    mode_t before = umask(077);
    struct stat st;

    make_file(f, "x", "text");
    umask(before);
    assert_holds(f, "x", "text");
    assert_int_equal(fstatat(f->fd, "x", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
}

static void file_rejects_creating_what_exists(void **state)
{
    struct fixture *f = *state;

    make_file(f, "x", "old");
    assert_int_equal(symlinkat("victim", f->fd, "link"), 0);
    assert_false(file_create(f->fd, "x", bytes_view_str("new"), 0644, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "x: cannot create: File exists");
    assert_holds(f, "x", "old");
    assert_false(file_create(f->fd, "link", bytes_view_str("new"), 0644, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "link: cannot create: File exists");
    assert_false(is_there(f, "victim"));
}

static void file_accepts_copying(void **state)
{
    static const size_t lens[] = {0, 1, 128 * 1024, 300001};
    struct fixture *f = *state;
    struct bytes data = {0}, back = {0};
    struct stat st;
    size_t i;
    int fd;

    for (i = 0; i < sizeof lens / sizeof *lens; i++) {
        bytes_free(&data);
        bytes_free(&back);
        memset(bytes_reserve(&data, lens[i] + 1), 'a' + (int)i, lens[i]);
        data.len = lens[i];
        assert_true(file_create(f->fd, "from", bytes_view(&data), 0600, &f->err));
        fd = file_open_beneath(f->fd, "from", &f->err);
        assert_true(file_copy(fd, f->fd, "to", 0644, &f->err));
        file_close(&fd);
        assert_true(file_read(f->fd, "to", lens[i], &back, NULL, &f->err));
        assert_int_equal(back.len, lens[i]);
        if (lens[i])
            assert_memory_equal(back.data, data.data, lens[i]);
        assert_int_equal(fstatat(f->fd, "to", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(unlinkat(f->fd, "from", 0) + unlinkat(f->fd, "to", 0), 0);
    }
    bytes_free(&data);
    bytes_free(&back);
}

static void file_rejects_copying(void **state)
{
    struct fixture *f = *state;
    int fd;

    make_file(f, "x", "old");
    make_file(f, "from", "new");
    fd = file_open_beneath(f->fd, "from", &f->err);
    assert_false(file_copy(fd, f->fd, "x", 0644, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "x: cannot create: File exists");
    assert_holds(f, "x", "old");
    file_close(&fd);
    assert_false(file_copy(f->fd, f->fd, "y", 0644, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "y: cannot read: Is a directory");
    assert_false(is_there(f, "y"));
}

static void file_accepts_replacing(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_true(file_replace(f->fd, "x", bytes_view_str("one"), 0600, &f->err));
    assert_holds(f, "x", "one");
    make_file(f, "x.new", "what a crash left");
    assert_true(file_replace(f->fd, "x", bytes_view_str(""), 0644, &f->err));
    assert_holds(f, "x", "");
    assert_false(is_there(f, "x.new"));
    assert_int_equal(fstatat(f->fd, "x", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    /* A link is replaced, not followed. */
    assert_int_equal(symlinkat("x", f->fd, "link"), 0);
    assert_true(file_replace(f->fd, "link", bytes_view_str("two"), 0644, &f->err));
    assert_holds(f, "x", "");
    assert_holds(f, "link", "two");
}

static void file_rejects_replacing_a_directory(void **state)
{
    struct fixture *f = *state;

    make_directory(f, "a");
    assert_false(file_replace(f->fd, "a", bytes_view_str("x"), 0644, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "a: cannot replace: Is a directory");
    assert_false(is_there(f, "a.new"));
    make_directory(f, "b.new");
    assert_false(file_replace(f->fd, "b", bytes_view_str("x"), 0644, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "b.new: cannot remove what an earlier run left");
}

/* Runs file_replace() with files limited to no byte: 0 where it failed as it should. */
static int replace_confined(struct fixture *f)
{
    const struct rlimit none = {0, 0};

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &none) < 0)
        return 2;
    if (file_replace(f->fd, "x", bytes_view_str("new"), 0600, &f->err))
        return 3;
    if (!strstr(f->err.text, "x.new: cannot write: File too large"))
        return 4;
    error_clear(&f->err);
    if (file_copy(file_open_beneath(f->fd, "x", NULL), f->fd, "y", 0600, &f->err))
        return 5;
    return strstr(f->err.text, "y: cannot write: File too large") ? 0 : 6;
}

/* G03, G28 */
static void file_rejects_writing_without_space(void **state)
{
    struct fixture *f = *state;
    int status, fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    pid_t child;

    assert_false(file_write_all(fd, "x", 1));
    assert_int_equal(errno, ENOSPC);
    assert_true(file_write_all(fd, "", 0));
    file_close(&fd);
    make_file(f, "x", "old");
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(replace_confined(f));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_holds(f, "x", "old");
    assert_false(is_there(f, "x.new"));
    assert_false(is_there(f, "y"));
}

static void file_rejects_syncing_nothing(void **state)
{
    struct fixture *f = *state;
    int fds[2];

    assert_true(file_sync(f->fd, "directory", &f->err));
    assert_int_equal(pipe(fds), 0);
    assert_false(file_sync(fds[0], "pipe", &f->err));
    assert_error(f, HALLMARK_ERR_IO, "pipe: cannot sync: Invalid argument");
    close(fds[0]);
    close(fds[1]);
}

static void ignore(int number)
{
    (void)number;
}

/* G06: short writes and reads, and a signal that interrupts each of them, by a pipe that a child
 * empties in small portions while it sends signals. */
static void file_accepts_interruptions(void **state)
{
    enum { LEN = 200000, PORTION = 5000 };
    struct sigaction action = {.sa_handler = ignore}; /* without SA_RESTART */
    struct bytes data = {0};
    char portion[PORTION];
    int fds[2], status;
    size_t total = 0;
    pid_t child;
    ssize_t n;

    (void)state;
    memset(bytes_reserve(&data, LEN), 'i', LEN);
    data.len = LEN;
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(fds[1]);
        while ((n = file_read_some(fds[0], portion, sizeof portion)) > 0) {
            kill(getppid(), SIGUSR1);
            total += (size_t)n;
        }
        _exit(total == LEN ? 0 : 1);
    }
    close(fds[0]);
    assert_true(file_write_all(fds[1], data.data, data.len));
    close(fds[1]);
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    assert_int_equal(status, 0);
    bytes_free(&data);
}

int main(void)
{
#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_accepts_closing_without_losing_errno),
        IN_A_DIRECTORY(file_accepts_reading),
        IN_A_DIRECTORY(file_accepts_reading_much),
        IN_A_DIRECTORY(file_rejects_endless_input),
        IN_A_DIRECTORY(file_rejects_reading),
        IN_A_DIRECTORY(file_accepts_creating),
        IN_A_DIRECTORY(file_rejects_creating_what_exists),
        IN_A_DIRECTORY(file_accepts_copying),
        IN_A_DIRECTORY(file_rejects_copying),
        IN_A_DIRECTORY(file_accepts_replacing),
        IN_A_DIRECTORY(file_rejects_replacing_a_directory),
        IN_A_DIRECTORY(file_rejects_writing_without_space),
        IN_A_DIRECTORY(file_rejects_syncing_nothing),
        cmocka_unit_test(file_accepts_interruptions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
