/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Staging directories: who is killed leaves nothing for long, and nobody's work is taken for a
 * left-over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "system/staging.h"
#include "temporary.h"

static size_t count_names(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2; /* . and .. */
}

/* Waits for it: there is no moment at which it must be so. */
static void assert_becomes_empty(const char *path)
{
    int i;

    for (i = 0; i < 1000 && count_names(path) > 0; i++)
        usleep(10000);
    assert_int_equal(count_names(path), 0);
}

static void assert_opened(struct staging *staging, const char *into)
{
    struct hallmark_error err = {0};

    if (!staging_open(staging, into, &err))
        fail_msg("%s", err.text);
    assert_true(mkdirat(staging->treefd, "directory", 0755) == 0);
    assert_true(file_create(staging->treefd, "directory/file", bytes_view_str("text"), 0644, &err));
}

/* A child that has staged something, and waits. */
static pid_t start_child(const char *into)
{
    struct staging staging;
    int fds[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        signal(SIGINT, SIG_DFL);
        assert_opened(&staging, into);
        if (write(fds[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    return pid;
}

static void staging_accepts_being_killed(void **state)
{
    static const int signals[] = {SIGKILL, SIGINT, SIGTERM, SIGHUP};
    char *dir = temporary_new(), *into = path_join(dir, "into");
    int status;
    size_t i;
    pid_t pid;

    (void)state;
    for (i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid = start_child(into);
        assert_int_equal(count_names(dir), 1);
        assert_int_equal(kill(pid, signals[i]), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_becomes_empty(dir);
    }
    free(into);
    temporary_remove(dir);
}

/* What is at work is left alone, and ends as it should; when it has, no process is left. */
static void staging_accepts_others_at_work(void **state)
{
    char *dir = temporary_new(), *into = path_join(dir, "into"), *other = path_join(dir, "other");
    struct staging staging, second;
    struct hallmark_error err = {0};
    int fd;

    (void)state;
    assert_opened(&staging, into);
    assert_opened(&second, other);
    assert_int_equal(count_names(dir), 2);
    assert_true(staging_commit(&second, &err));
    staging_close(&second);
    assert_int_equal(count_names(dir), 2);
    assert_true(staging_commit(&staging, &err));
    staging_close(&staging);
    assert_int_equal(count_names(dir), 2);
    fd = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(faccessat(fd, "directory/file", R_OK, 0), 0);
    close(fd);
    errno = 0;
    assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    free(into);
    free(other);
    temporary_remove(dir);
}

/* What a run left whose guard was killed, too. */
static void staging_accepts_leftovers(void **state)
{
    char *dir = temporary_new(), *into = path_join(dir, "into");
    struct staging staging;
    struct hallmark_error err = {0};
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(mkdirat(fd, ".hallmark-0123456789abcdef", 0700), 0);
    assert_int_equal(mkdirat(fd, ".hallmark-0123456789abcdef/tree", 0700), 0);
    assert_true(
        file_create(fd, ".hallmark-0123456789abcdef/tree/x", bytes_view_str("x"), 0600, &err));
    /* Not ours: others may look into it; another name. */
    assert_int_equal(mkdirat(fd, ".hallmark-0123456789abcde0", 0755), 0);
    assert_int_equal(mkdirat(fd, ".hallmark-0123", 0700), 0);
    assert_opened(&staging, into);
    assert_int_equal(count_names(dir), 3);
    staging_close(&staging);
    assert_int_equal(count_names(dir), 2);
    close(fd);
    free(into);
    temporary_remove(dir);
}

static void assert_refused(const char *into, const char *text)
{
    struct hallmark_error err = {0};
    struct staging staging;

    assert_false(staging_open(&staging, into, &err));
    staging_close(&staging);
    assert_int_equal(err.code, HALLMARK_ERR_USAGE);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
}

static void staging_rejects_bad_places(void **state)
{
    char *dir = temporary_new(), *none = path_join(dir, "none/into");

    (void)state;
    assert_refused(dir, "exists, a directory that does not exist yet was wanted");
    assert_refused(none, "its parent directory does not exist");
    assert_refused("..", "cannot be the name of a new directory");
    free(none);
    temporary_remove(dir);
}

/* Somebody else was faster. */
static void staging_rejects_a_place_that_was_taken(void **state)
{
    char *dir = temporary_new(), *into = path_join(dir, "into");
    struct hallmark_error err = {0};
    struct staging staging;

    (void)state;
    assert_opened(&staging, into);
    assert_int_equal(mkdir(into, 0755), 0);
    assert_false(staging_commit(&staging, &err));
    assert_int_equal(err.code, HALLMARK_ERR_USAGE);
    assert_non_null(strstr(err.text, "was made by somebody else meanwhile"));
    staging_close(&staging);
    assert_int_equal(count_names(dir), 1);
    assert_int_equal(count_names(into), 0);
    free(into);
    temporary_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(staging_accepts_being_killed),
        cmocka_unit_test(staging_accepts_others_at_work),
        cmocka_unit_test(staging_accepts_leftovers),
        cmocka_unit_test(staging_rejects_bad_places),
        cmocka_unit_test(staging_rejects_a_place_that_was_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
