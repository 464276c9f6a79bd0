/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locks, held by this process and by children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
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

/* A child that holds the lock for MILLISECONDS; it has it when this returns. */
static pid_t hold(struct fixture *f, long milliseconds)
{
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    int fds[2];
    pid_t child;
    char byte;

    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (lock_acquire(f->fd, "lock", 0, &f->err) < 0 || write(fds[1], "x", 1) != 1)
            _exit(1);
        nanosleep(&pause, NULL);
        _exit(0);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    return child;
}

static void end(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static int64_t milliseconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

static void assert_busy(struct fixture *f, int64_t wait)
{
    assert_int_equal(lock_acquire(f->fd, "lock", wait, &f->err), -1);
    assert_int_equal(f->err.code, HALLMARK_ERR_BUSY);
    assert_non_null(strstr(f->err.text, "another run holds the lock"));
    error_clear(&f->err);
}

static void lock_accepts_one_after_another(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    int fd = lock_acquire(f->fd, "lock", 0, &f->err);

    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fstatat(f->fd, "lock", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    lock_release(&fd);
    assert_int_equal(fd, -1);
    lock_release(&fd);
    /* The file stays; its age says nothing. */
    fd = lock_acquire(f->fd, "lock", 0, &f->err);
    assert_true(fd >= 0);
    lock_release(&fd);
}

static void lock_accepts_other_names(void **state)
{
    struct fixture *f = *state;
    int one = lock_acquire(f->fd, "one", 0, &f->err), two = lock_acquire(f->fd, "two", 0, &f->err);

    assert_true(one >= 0 && two >= 0);
    lock_release(&one);
    lock_release(&two);
}

/* G08, N19: in the same process as well. */
static void lock_rejects_a_second_holder(void **state)
{
    struct fixture *f = *state;
    pid_t child = hold(f, 60000);
    int fd;

    assert_busy(f, 0);
    assert_busy(f, -1);
    end(child);
    fd = lock_acquire(f->fd, "lock", 0, &f->err);
    assert_true(fd >= 0);
    assert_busy(f, 0);
    lock_release(&fd);
}

/* G08: the kernel frees it with the process. */
static void lock_accepts_after_the_holder_was_killed(void **state)
{
    struct fixture *f = *state;
    int fd;

    end(hold(f, 60000));
    fd = lock_acquire(f->fd, "lock", 0, &f->err);
    assert_true(fd >= 0);
    lock_release(&fd);
}

static void lock_accepts_waiting(void **state)
{
    struct fixture *f = *state;
    pid_t child = hold(f, 300);
    int fd = lock_acquire(f->fd, "lock", 30, &f->err);

    assert_true(fd >= 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    lock_release(&fd);
}

/* A second is a second, wherever in a second it began. */
static void lock_rejects_after_the_whole_wait(void **state)
{
    struct fixture *f = *state;
    struct timespec start, now, pause = {0};
    pid_t child = hold(f, 60000);

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_nsec < 800000000) { /* so that the clock's seconds change soon */
        pause.tv_nsec = 800000000 - now.tv_nsec;
        nanosleep(&pause, NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_busy(f, 1);
    assert_true(milliseconds_since(&start) >= 1000);
    end(child);
}

static void lock_rejects_what_is_no_file(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mkdirat(f->fd, "directory", 0755), 0);
    assert_int_equal(symlinkat("target", f->fd, "link"), 0);
    assert_int_equal(lock_acquire(f->fd, "directory", 0, &f->err), -1);
    assert_int_equal(f->err.code, HALLMARK_ERR_IO);
    assert_non_null(strstr(f->err.text, "directory: cannot open the lock"));
    error_clear(&f->err);
    assert_int_equal(lock_acquire(f->fd, "link", 0, &f->err), -1);
    assert_int_equal(f->err.code, HALLMARK_ERR_IO);
    assert_int_equal(faccessat(f->fd, "target", F_OK, 0), -1);
    error_clear(&f->err);
    assert_int_equal(lock_acquire(f->fd, "nowhere/lock", 0, &f->err), -1);
    assert_non_null(strstr(f->err.text, "nowhere/lock: cannot open the lock: No such file"));
}

int main(void)
{
#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(lock_accepts_one_after_another),
        IN_A_DIRECTORY(lock_accepts_other_names),
        IN_A_DIRECTORY(lock_rejects_a_second_holder),
        IN_A_DIRECTORY(lock_accepts_after_the_holder_was_killed),
        IN_A_DIRECTORY(lock_accepts_waiting),
        IN_A_DIRECTORY(lock_rejects_after_the_whole_wait),
        IN_A_DIRECTORY(lock_rejects_what_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
