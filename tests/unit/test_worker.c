/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Worker processes: what they keep, what they say, and how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "system/worker.h"

static void say(int control, enum worker_message_type type, uint64_t n)
{
    struct worker_message message = {.type = type, .n_read = n};

    worker_send(control, &message);
}

static void run_done(int control)
{
    say(control, WORKER_READY, 0);
    say(control, WORKER_PROGRESS, 5);
    say(control, WORKER_DONE, 7);
}

static void run_echo(int control)
{
    char request[8];
    int fds[2];

    while (worker_take(control, request, sizeof request, fds, 2)) {
        file_write_all(fds[1], request, sizeof request);
        say(control, WORKER_DONE, (uint64_t)fds[0]);
        file_close(&fds[0]);
        file_close(&fds[1]);
    }
}

static void run_crash(int control)
{
    (void)control;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void run_nothing(int control)
{
    (void)control;
}

static void run_hang(int control)
{
    (void)control;
    for (;;)
        pause();
}

static void run_chatter(int control)
{
    struct worker_message message = {.type = WORKER_PROGRESS};

    for (;;)
        worker_send(control, &message);
}

/* What it says cannot be sent, and it would wait for ever for what comes next. */
static void run_unheard(int control)
{
    int kept = dup(control), null = open("/dev/null", O_WRONLY);

    if (kept >= 0 && dup2(null, control) >= 0)
        say(control, WORKER_PROGRESS, 1);
    for (;;)
        pause();
}

static void run_nonsense(int control)
{
    send(control, "nonsense", 8, MSG_NOSIGNAL);
    pause();
}

static void run_bad_type(int control)
{
    say(control, (enum worker_message_type)99, 0);
    pause();
}

static void run_bad_code(int control)
{
    struct worker_message message = {.type = WORKER_FAILED, .code = HALLMARK_OK};

    worker_send(control, &message);
    pause();
}

static void run_error(int control)
{
    struct hallmark_error err = {.code = HALLMARK_ERR_MALFORMED};

    memset(err.text, 'x', sizeof err.text - 1);
    worker_send_error(control, &err);
}

static void run_count_files(int control)
{
    uint64_t n = 0;
    int fd;

    for (fd = 0; fd < 1024; fd++)
        if (fd > STDERR_FILENO && fd != control && fcntl(fd, F_GETFD) >= 0)
            n++;
    say(control, WORKER_DONE, n);
}

static void start(struct worker *worker, worker_fn *run)
{
    struct hallmark_error err = {0};

    if (!worker_start(worker, "the worker", run, &err))
        fail_msg("%s", err.text);
}

static bool next(struct worker *worker, struct worker_message *message, struct hallmark_error *err)
{
    struct worker_watch watch = {.workers = {worker}, .idle_limit = 2};
    size_t which;

    *err = (struct hallmark_error){0};
    return worker_next(&watch, &which, message, err);
}

static void worker_accepts_messages(void **state)
{
    struct worker worker = WORKER_INIT;
    struct worker_message message;
    struct hallmark_error err;

    (void)state;
    start(&worker, run_done);
    assert_true(next(&worker, &message, &err));
    assert_int_equal(message.type, WORKER_PROGRESS);
    assert_int_equal(message.n_read, 5);
    assert_true(next(&worker, &message, &err));
    assert_int_equal(message.type, WORKER_DONE);
    assert_false(next(&worker, &message, &err));
    assert_int_equal(err.code, HALLMARK_ERR_UNSAFE);
    assert_non_null(strstr(err.text, "the worker ended without a result (status 0)"));
    worker_stop(&worker);
}

static void worker_accepts_requests_with_descriptors(void **state)
{
    struct worker worker = WORKER_INIT;
    struct worker_message message;
    struct hallmark_error err = {0};
    int pipefd[2], fds[2], i;
    char text[9] = "";

    (void)state;
    start(&worker, run_echo);
    for (i = 0; i < 3; i++) {
        assert_int_equal(pipe(pipefd), 0);
        fds[0] = pipefd[0];
        fds[1] = pipefd[1];
        assert_true(worker_request(&worker, "request", 8, fds, 2, &err));
        assert_true(next(&worker, &message, &err));
        assert_true(message.n_read > STDERR_FILENO);
        assert_int_equal(read(pipefd[0], text, 8), 8);
        assert_string_equal(text, "request");
        close(pipefd[0]);
        close(pipefd[1]);
    }
    worker_stop(&worker);
    assert_int_equal(worker.pid, 0);
    assert_int_equal(worker.control, -1);
}

static void assert_fails(worker_fn *run, enum hallmark_errcode code, const char *reason)
{
    struct worker worker = WORKER_INIT;
    struct worker_message message;
    struct hallmark_error err;
    pid_t pid;

    start(&worker, run);
    pid = worker.pid;
    while (next(&worker, &message, &err))
        ;
    if (err.code != code || !strstr(err.text, reason))
        fail_msg("%d %s", (int)err.code, err.text);
    worker_stop(&worker);
    assert_int_equal(kill(pid, 0), -1);
}

static void worker_rejects_what_dies_or_talks_nonsense(void **state)
{
    (void)state;
    assert_fails(run_crash, HALLMARK_ERR_UNSAFE, "the worker died (signal 11)");
    assert_fails(run_nothing, HALLMARK_ERR_UNSAFE, "without a result (status 0)");
    assert_fails(run_nonsense, HALLMARK_ERR_UNSAFE, "makes no sense");
    assert_fails(run_bad_type, HALLMARK_ERR_UNSAFE, "makes no sense");
    assert_fails(run_bad_code, HALLMARK_ERR_UNSAFE, "makes no sense");
}

static void worker_rejects_what_gets_nowhere(void **state)
{
    struct worker worker = WORKER_INIT;
    struct worker_watch watch = {.workers = {&worker}, .idle_limit = 2};
    struct worker_message message;
    struct hallmark_error err = {0};
    size_t which;

    (void)state;
    assert_fails(run_hang, HALLMARK_ERR_IO, "no progress for 2 seconds");
    assert_fails(run_unheard, HALLMARK_ERR_IO, "ended without a result (status 1)");
    start(&worker, run_chatter);
    while (worker_next(&watch, &which, &message, &err))
        ;
    assert_int_equal(err.code, HALLMARK_ERR_UNSAFE);
    assert_non_null(strstr(err.text, "says nothing new"));
    worker_stop(&worker);
}

static void worker_accepts_and_cuts_a_long_text(void **state)
{
    struct worker worker = WORKER_INIT;
    struct worker_message message;
    struct hallmark_error err;

    (void)state;
    start(&worker, run_error);
    assert_true(next(&worker, &message, &err));
    assert_int_equal(message.type, WORKER_FAILED);
    assert_int_equal(message.code, HALLMARK_ERR_MALFORMED);
    assert_int_equal(strlen(message.text), WORKER_TEXT_LEN - 1);
    worker_stop(&worker);
}

static void worker_accepts_no_descriptor_of_ours(void **state)
{
    struct worker worker = WORKER_INIT;
    struct worker_message message;
    struct hallmark_error err;
    int fd = open("/dev/null", O_RDONLY), high = fcntl(fd, F_DUPFD, 700);

    (void)state;
    start(&worker, run_count_files);
    assert_true(next(&worker, &message, &err));
    assert_int_equal(message.n_read, 0);
    worker_stop(&worker);
    close(fd);
    close(high);
}

static void worker_accepts_closed_standard_descriptors(void **state)
{
    struct worker worker = WORKER_INIT;
    struct worker_message message;
    struct hallmark_error err;
    int saved = dup(STDIN_FILENO);

    (void)state;
    close(STDIN_FILENO);
    start(&worker, run_count_files); /* whose socket now has the number 0 here */
    assert_true(next(&worker, &message, &err));
    assert_int_equal(message.n_read, 0);
    worker_stop(&worker);
    if (saved >= 0)
        assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_accepts_messages),
        cmocka_unit_test(worker_accepts_requests_with_descriptors),
        cmocka_unit_test(worker_rejects_what_dies_or_talks_nonsense),
        cmocka_unit_test(worker_rejects_what_gets_nowhere),
        cmocka_unit_test(worker_accepts_and_cuts_a_long_text),
        cmocka_unit_test(worker_accepts_no_descriptor_of_ours),
        cmocka_unit_test(worker_accepts_closed_standard_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
