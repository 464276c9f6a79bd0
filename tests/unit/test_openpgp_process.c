/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The helper process, with work of the test's own: what it is given, and how it may fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/openpgp_process.h"

enum { ANSWER_FD = 3, MAX_LEN = 100000 };

extern char **environ;

static bool run_as(const struct openpgp_process *process, openpgp_process_fn *work,
                   const void *request, struct bytes *out, struct hallmark_error *err)
{
    struct openpgp_process changed = *process;

    error_clear(err);
    changed.work = work;
    changed.request = request;
    return openpgp_process_run(&changed, out, err);
}

static const struct openpgp_process private_one = {.what = "test",
                                                   .home = "/nonexistent",
                                                   .env = OPENPGP_PROCESS_PRIVATE,
                                                   .seconds = 10,
                                                   .max_len = MAX_LEN};
static const struct openpgp_process hasty_one = {.what = "test",
                                                 .home = "/nonexistent",
                                                 .env = OPENPGP_PROCESS_PRIVATE,
                                                 .seconds = 1,
                                                 .max_len = MAX_LEN};

static bool run(openpgp_process_fn *work, const void *request, struct bytes *out,
                struct hallmark_error *err)
{
    return run_as(&private_one, work, request, out, err);
}

static void assert_error(const struct hallmark_error *err, enum hallmark_errcode code,
                         const char *text)
{
    if (err->code != code || !strstr(err->text, text))
        print_error("found %d \"%s\", wanted %d \"%s\"\n", (int)err->code, err->text, (int)code,
                    text);
    assert_int_equal(err->code, code);
    assert_non_null(strstr(err->text, text));
}

/* ---- Work ---- */

static bool echo(const void *request, struct bytes *out, struct hallmark_error *err)
{
    const struct bytes_view *view = request;

    (void)err;
    bytes_append(out, view->data, view->len);
    return true;
}

static bool complain(const void *request, struct bytes *out, struct hallmark_error *err)
{
    bytes_append_str(out, "not to be seen");
    return error_set(err, HALLMARK_ERR_SIGNATURE, "key %s: no\n", (const char *)request);
}

static bool fail_silently(const void *request, struct bytes *out, struct hallmark_error *err)
{
    (void)request;
    (void)out;
    (void)err;
    return false;
}

/* Starts a process that sleeps, tells its number through the pipe that REQUEST names, and never
 * ends. */
static bool hang(const void *request, struct bytes *out, struct hallmark_error *err)
{
    const char *path = request;
    pid_t pid = fork();
    int fd;

    (void)out;
    (void)err;
    if (pid == 0)
        for (;;)
            pause();
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && file_write_all(fd, &pid, sizeof pid))
        for (;;)
            pause();
    return false;
}

/* Answers, but leaves a process that holds the pipe. */
static bool leave_a_child(const void *request, struct bytes *out, struct hallmark_error *err)
{
    (void)request;
    (void)out;
    (void)err;
    if (fork() == 0)
        for (;;)
            pause();
    return true;
}

static bool die(const void *request, struct bytes *out, struct hallmark_error *err)
{
    (void)out;
    (void)err;
    raise(*(const int *)request);
    return true;
}

static bool leave(const void *request, struct bytes *out, struct hallmark_error *err)
{
    (void)out;
    (void)err;
    _exit(*(const int *)request);
}

/* Writes bytes of its own to the pipe, and ends. */
static bool babble(const void *request, struct bytes *out, struct hallmark_error *err)
{
    const struct bytes_view *view = request;

    (void)out;
    (void)err;
    _exit(file_write_all(ANSWER_FD, view->data, view->len) ? 0 : 1);
}

/* Describes what it sees. */
static bool describe(const void *request, struct bytes *out, struct hallmark_error *err)
{
    struct rlimit core;
    struct sigaction action;
    char **variable, cwd[64];
    sigset_t mask;
    int fd;

    (void)request;
    (void)err;
    for (variable = environ; *variable; variable++)
        bytes_printf(out, "env %s\n", *variable);
    for (fd = 0; fd < 100; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            bytes_printf(out, "fd %d %s\n", fd, isatty(fd) ? "tty" : "no tty");
    getrlimit(RLIMIT_CORE, &core);
    bytes_printf(out, "core %d\n", (int)core.rlim_max);
    bytes_printf(out, "dumpable %d\n", prctl(PR_GET_DUMPABLE));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    bytes_printf(out, "blocked %d\n", sigismember(&mask, SIGUSR1));
    sigaction(SIGUSR1, NULL, &action);
    bytes_printf(out, "default %d\n", action.sa_handler == SIG_DFL);
    sigaction(SIGPIPE, NULL, &action);
    bytes_printf(out, "pipe ignored %d\n", action.sa_handler == SIG_IGN);
    bytes_printf(out, "leads %d\n", getsid(0) == getpid() && getpgrp() == getpid());
    bytes_printf(out, "cwd %s\n", getcwd(cwd, sizeof cwd));
    return true;
}

/* ---- Tests ---- */

static void openpgp_process_accepts_answers_of_any_length(void **state)
{
    static const size_t lens[] = {0, 1, 65536, MAX_LEN};
    struct hallmark_error err = {0};
    char *data = calloc(1, MAX_LEN);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct bytes_view view = bytes_view_of(data, lens[i]);
        struct bytes out = {0};

        assert_true(run(echo, &view, &out, &err));
        assert_int_equal(out.len, lens[i]);
        assert_true(lens[i] == 0 || memcmp(out.data, data, lens[i]) == 0);
        bytes_free(&out);
    }
    free(data);
}

static void openpgp_process_rejects_long_answers(void **state)
{
    struct hallmark_error err = {0};
    struct bytes_view view;
    struct bytes out = {0};
    char *data = calloc(1, MAX_LEN + 1);

    (void)state;
    view = bytes_view_of(data, MAX_LEN + 1);
    assert_false(run(echo, &view, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: its answer exceeds 100000 bytes");
    assert_int_equal(out.len, 0);
    free(data);
}

static void openpgp_process_accepts_errors(void **state)
{
    struct hallmark_error err = {0};
    struct bytes out = {0};

    (void)state;
    assert_false(run(complain, "X", &out, &err));
    assert_int_equal(err.code, HALLMARK_ERR_SIGNATURE);
    assert_string_equal(err.text, "test: key X: no\\x0a");
    assert_int_equal(out.len, 0);
    assert_false(run(fail_silently, NULL, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: failed without a reason");
}

static void openpgp_process_rejects_early_ends(void **state)
{
    static const int signals[] = {SIGKILL, SIGTERM, SIGSEGV}, codes[] = {0, 1, 99};
    struct hallmark_error err = {0};
    struct bytes out = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_false(run(die, &signals[i], &out, &err));
        assert_int_equal(err.code, HALLMARK_ERR_IO);
    }
    assert_false(run(die, &signals[0], &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "was killed by signal 9");
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_false(run(leave, &codes[i], &out, &err));
        assert_error(&err, HALLMARK_ERR_IO, "ended without an answer");
    }
    /* Nobody can tell the status. */
    signal(SIGCHLD, SIG_IGN);
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_false(run(leave, &codes[i], &out, &err));
        assert_error(&err, HALLMARK_ERR_IO, "ended without an answer");
    }
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(out.len, 0);
}

static void openpgp_process_rejects_nonsense(void **state)
{
    struct {
        uint32_t magic, code;
        uint64_t len;
        char text[sizeof((struct hallmark_error *)0)->text];
        char body[8];
    } answer = {0x484d4f50, 0, 8, "", "12345678"};
    struct hallmark_error err = {0};
    struct bytes_view view = bytes_view_of(&answer, sizeof answer);
    struct bytes out = {0};

    (void)state;
    assert_true(run(babble, &view, &out, &err));
    assert_int_equal(out.len, 8);
    bytes_free(&out);
    answer.len = 7;
    assert_false(run(babble, &view, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "not well-formed");
    answer.len = UINT64_MAX;
    assert_false(run(babble, &view, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "not well-formed");
    answer.len = 8;
    answer.code = 13;
    assert_false(run(babble, &view, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "not well-formed");
    answer.code = HALLMARK_ERR_SIGNATURE;
    memset(answer.text, 'x', sizeof answer.text);
    assert_false(run(babble, &view, &out, &err));
    assert_error(&err, HALLMARK_ERR_SIGNATURE, "test: xxx");
    assert_true(strlen(err.text) < sizeof err.text);
    answer.magic = 0;
    assert_false(run(babble, &view, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "not well-formed");
    view.len = 100;
    assert_false(run(babble, &view, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "is incomplete");
    assert_int_equal(out.len, 0);
}

/* Whether PID runs; one that has ended may still wait for a parent that reaps. */
static bool is_running(pid_t pid)
{
    char path[64], stat[512], *behind_name;
    ssize_t len;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    len = fd < 0 ? -1 : read(fd, stat, sizeof stat - 1);
    file_close(&fd);
    if (len <= 0)
        return false;
    stat[len] = '\0';
    behind_name = strrchr(stat, ')');
    return behind_name && strncmp(behind_name, ") Z", 3) != 0;
}

/* Whether PID has ended, or does within two seconds. */
static bool has_ended(pid_t pid)
{
    static const struct timespec pause_time = {.tv_nsec = 10000000};
    int i;

    for (i = 0; i < 200 && is_running(pid); i++)
        nanosleep(&pause_time, NULL);
    return !is_running(pid);
}

static time_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* A pipe, and a path by which a helper without our descriptors reaches it. */
static void make_pipe(int fds[2], char path[64])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    snprintf(path, 64, "/proc/%d/fd/%d", (int)getpid(), fds[1]);
}

/* S47: the helper is ended, and all that it started. */
static void openpgp_process_rejects_silence_s47(void **state)
{
    struct hallmark_error err = {0};
    struct bytes out = {0};
    time_t before = seconds_now();
    char path[64];
    int fds[2];
    pid_t pid;

    (void)state;
    make_pipe(fds, path);
    assert_false(run_as(&hasty_one, hang, path, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: no answer within 1 seconds; it was stopped");
    assert_true(seconds_now() - before <= 3);
    assert_int_equal(read(fds[0], &pid, sizeof pid), sizeof pid);
    assert_true(has_ended(pid));
    close(fds[0]);
    close(fds[1]);
    assert_false(run_as(&hasty_one, leave_a_child, NULL, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "no answer within 1 seconds");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* Whoever is killed while waiting takes the helper along. */
static void openpgp_process_accepts_the_death_of_its_parent(void **state)
{
    struct hallmark_error err = {0};
    struct bytes out = {0};
    char path[64];
    int fds[2];
    pid_t caller, pid;

    (void)state;
    make_pipe(fds, path);
    caller = fork();
    if (caller == 0) {
        run(hang, path, &out, &err);
        _exit(1);
    }
    assert_int_equal(read(fds[0], &pid, sizeof pid), sizeof pid);
    assert_true(is_running(pid));
    assert_int_equal(kill(caller, SIGKILL), 0);
    assert_int_equal(waitpid(caller, NULL, 0), caller);
    assert_true(has_ended(pid));
    close(fds[0]);
    close(fds[1]);
}

static void handle(int signum)
{
    (void)signum;
}

static bool has_line(const struct bytes *out, const char *line)
{
    struct bytes_view rest = bytes_view(out), found;

    while (bytes_view_next_line(&rest, &found))
        if (bytes_view_equals(found, line))
            return true;
    print_error("no line \"%s\" in:\n%s", line, out->data);
    return false;
}

static size_t count_lines(const struct bytes *out, const char *prefix)
{
    struct bytes_view rest = bytes_view(out), found;
    size_t n = 0;

    while (bytes_view_next_line(&rest, &found))
        n += found.len >= strlen(prefix) && memcmp(found.data, prefix, strlen(prefix)) == 0;
    return n;
}

static void openpgp_process_accepts_nothing_of_its_caller(void **state)
{
    struct hallmark_error err = {0};
    struct bytes out = {0};
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0); /* without O_CLOEXEC, as careless programs do */
    signal(SIGUSR1, handle);
    setenv("GPG_AGENT_INFO", "x", 1);
    setenv("GNUPGHOME", "/wrong", 1);
    assert_true(run(describe, NULL, &out, &err));
    signal(SIGUSR1, SIG_DFL);
    unsetenv("GPG_AGENT_INFO");
    unsetenv("GNUPGHOME");
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(count_lines(&out, "env "), 4);
    assert_true(has_line(&out, "env PATH=/usr/bin:/bin:/usr/sbin:/sbin"));
    assert_true(has_line(&out, "env LC_ALL=C"));
    assert_true(has_line(&out, "env HOME=/nonexistent"));
    assert_true(has_line(&out, "env GNUPGHOME=/nonexistent"));
    assert_int_equal(count_lines(&out, "fd "), 4);
    assert_true(has_line(&out, "fd 0 no tty"));
    assert_true(has_line(&out, "fd 2 no tty"));
    assert_true(has_line(&out, "fd 3 no tty"));
    assert_true(has_line(&out, "core 0"));
    assert_true(has_line(&out, "blocked 0"));
    assert_true(has_line(&out, "default 1"));
    assert_true(has_line(&out, "pipe ignored 1"));
    assert_true(has_line(&out, "leads 1"));
    assert_true(has_line(&out, "cwd /"));
    bytes_free(&out);
}

static void openpgp_process_accepts_what_a_signer_needs(void **state)
{
    struct openpgp_process process = {
        .what = "test", .env = OPENPGP_PROCESS_USER, .seconds = 10, .max_len = MAX_LEN};
    struct hallmark_error err = {0};
    struct bytes out = {0};
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;

    (void)state;
    setenv("HOME", "/my/home", 1);
    setenv("GNUPGHOME", "/my/keys", 1);
    setenv("DISPLAY", ":7", 1);
    setenv("GPG_TTY", "/dev/tty7", 1);
    assert_true(run_as(&process, describe, NULL, &out, &err));
    assert_int_equal(count_lines(&out, "env "), 4);
    assert_true(has_line(&out, "env HOME=/my/home"));
    assert_true(has_line(&out, "env GNUPGHOME=/my/keys"));
    assert_true(has_line(&out, "dumpable 0")); /* G30 */
    assert_true(has_line(&out, "core 0"));
    bytes_free(&out);
    process.env = OPENPGP_PROCESS_PERSON;
    process.home = "/other";
    assert_true(run_as(&process, describe, NULL, &out, &err));
    assert_true(has_line(&out, "env GNUPGHOME=/other"));
    assert_true(has_line(&out, "env DISPLAY=:7"));
    assert_true(has_line(&out, "env GPG_TTY=/dev/tty7"));
    bytes_free(&out);
    process.env = OPENPGP_PROCESS_USER;
    unsetenv("HOME");
    assert_true(run_as(&process, describe, NULL, &out, &err));
    assert_int_equal(count_lines(&out, "env HOME=/"), 1); /* of passwd(5) */
    bytes_free(&out);
    unsetenv("GNUPGHOME");
    unsetenv("DISPLAY");
    unsetenv("GPG_TTY");
    if (home)
        setenv("HOME", home, 1);
    free(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openpgp_process_accepts_answers_of_any_length),
        cmocka_unit_test(openpgp_process_rejects_long_answers),
        cmocka_unit_test(openpgp_process_accepts_errors),
        cmocka_unit_test(openpgp_process_rejects_early_ends),
        cmocka_unit_test(openpgp_process_rejects_nonsense),
        cmocka_unit_test(openpgp_process_rejects_silence_s47),
        cmocka_unit_test(openpgp_process_accepts_the_death_of_its_parent),
        cmocka_unit_test(openpgp_process_accepts_nothing_of_its_caller),
        cmocka_unit_test(openpgp_process_accepts_what_a_signer_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
