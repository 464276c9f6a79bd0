/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A helper process that goes on: what it is asked for, its answers, and how it may fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/openpgp_process.h"
#include "crypto/openpgp_request.h"

enum { MAX_LEN = 3000000 };

/* ---- Work ---- */

/* Answers each request with its kind and its parts; fails where the first one is "fail". */
static bool echo(const void *request, struct bytes *out, struct hallmark_error *err)
{
    struct openpgp_request asked;
    bool ok;

    (void)request;
    while ((ok = openpgp_request_take(&asked, err)) && asked.kind) {
        if (bytes_view_equals(asked.parts[0], "fail"))
            return error_set(err, HALLMARK_ERR_SIGNATURE, "as it was asked to");
        if (bytes_view_equals(asked.parts[0], "die"))
            raise(SIGKILL);
        if (bytes_view_equals(asked.parts[0], "hang"))
            pause();
        bytes_printf(out, "%d ", (int)asked.kind);
        bytes_append(out, asked.parts[0].data, asked.parts[0].len);
        bytes_append(out, asked.parts[1].data, asked.parts[1].len);
        openpgp_request_free(&asked);
        if (!openpgp_process_answer(out))
            break;
    }
    return ok;
}

/* Says something else than an answer. */
static bool babble(const void *request, struct bytes *out, struct hallmark_error *err)
{
    static const char zeros[4096];

    (void)request;
    (void)out;
    (void)err;
    file_write_all(OPENPGP_PROCESS_FD, zeros, sizeof zeros);
    pause();
    return true;
}

/* ---- Tests ---- */

static const struct openpgp_process patient = {.what = "test",
                                               .home = "/nonexistent",
                                               .env = OPENPGP_PROCESS_PRIVATE,
                                               .seconds = 60,
                                               .max_len = MAX_LEN,
                                               .work = echo};

static struct openpgp_running start(const struct openpgp_process *process)
{
    struct hallmark_error err = {0};
    struct openpgp_running running = {.pid = 0};

    assert_true(openpgp_process_start(process, &running, &err));
    return running;
}

static bool ask(struct openpgp_running *running, struct bytes_view a, struct bytes_view b,
                struct bytes *out, struct hallmark_error *err)
{
    const struct bytes_view parts[OPENPGP_REQUEST_PARTS] = {a, b};

    error_clear(err);
    return openpgp_request_send(running->fd, OPENPGP_REQUEST_SIGN, parts, err) &&
           openpgp_process_next(running, out, err);
}

static bool ask_text(struct openpgp_running *running, const char *text, struct bytes *out,
                     struct hallmark_error *err)
{
    return ask(running, bytes_view_str(text), bytes_view_str("!"), out, err);
}

static void assert_error(const struct hallmark_error *err, enum hallmark_errcode code,
                         const char *text)
{
    assert_int_equal(err->code, code);
    assert_string_equal(err->text, text);
}

/* A helper has gone, and nothing is left of it. */
static void assert_ended(const struct openpgp_running *running)
{
    assert_int_equal(running->pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void openpgp_request_accepts_one_after_the_other(void **state)
{
    static const size_t lens[] = {0, 1, 4096, 65536, MAX_LEN / 2};
    struct openpgp_running running = start(&patient);
    struct hallmark_error err = {0};
    struct bytes out = {0};
    char *data = malloc(MAX_LEN);
    size_t i;

    (void)state;
    for (i = 0; i < MAX_LEN; i++)
        data[i] = (char)(i * i >> 3);
    for (i = 0; i < sizeof lens / sizeof *lens; i++) {
        assert_true(
            ask(&running, bytes_view_of(data, lens[i]), bytes_view_of(data + 7, i), &out, &err));
        assert_int_equal(out.len, 2 + lens[i] + i);
        assert_memory_equal(out.data, "4 ", 2);
        assert_true(lens[i] == 0 || memcmp(out.data + 2, data, lens[i]) == 0);
        assert_true(i == 0 || memcmp(out.data + 2 + lens[i], data + 7, i) == 0);
        out.len = 0;
    }
    assert_true(openpgp_request_send(running.fd, OPENPGP_REQUEST_LIST, NULL, &err));
    assert_true(openpgp_process_next(&running, &out, &err));
    assert_true(bytes_view_equals(bytes_view(&out), "1 "));
    openpgp_process_stop(&running);
    assert_ended(&running);
    bytes_free(&out);
    free(data);
}

/* An error ends it, at the first request or later. */
static void openpgp_request_accepts_errors(void **state)
{
    struct openpgp_running running = start(&patient);
    struct hallmark_error err = {0};
    struct bytes out = {0};

    (void)state;
    assert_true(ask_text(&running, "yes", &out, &err));
    assert_false(ask_text(&running, "fail", &out, &err));
    assert_error(&err, HALLMARK_ERR_SIGNATURE, "test: as it was asked to");
    assert_ended(&running);
    running = start(&patient);
    assert_false(ask_text(&running, "fail", &out, &err));
    assert_error(&err, HALLMARK_ERR_SIGNATURE, "test: as it was asked to");
    assert_ended(&running);
    bytes_free(&out);
}

static void openpgp_request_rejects_early_ends(void **state)
{
    struct openpgp_process hasty = patient;
    struct openpgp_running running = start(&patient);
    struct hallmark_error err = {0};
    struct bytes out = {0};

    (void)state;
    assert_true(ask_text(&running, "yes", &out, &err));
    assert_false(ask_text(&running, "die", &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: was killed by signal 9");
    assert_ended(&running);
    running = start(&patient);
    kill(running.pid, SIGKILL);
    assert_false(ask_text(&running, "yes", &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: was killed by signal 9");
    assert_ended(&running);
    hasty.seconds = 1;
    running = start(&hasty);
    assert_false(ask_text(&running, "hang", &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: no answer within 1 seconds; it was stopped");
    assert_ended(&running);
    bytes_free(&out);
}

static void openpgp_request_rejects_answers_that_are_none(void **state)
{
    struct openpgp_process other = patient;
    struct openpgp_running running;
    struct hallmark_error err = {0};
    struct bytes out = {0};

    (void)state;
    other.work = babble;
    running = start(&other);
    assert_false(ask_text(&running, "yes", &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: its answer is not well-formed");
    assert_ended(&running);
    other.work = echo;
    other.max_len = 5;
    running = start(&other);
    assert_true(ask_text(&running, "ab", &out, &err)); /* "4 ab!" */
    assert_false(ask_text(&running, "abc", &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: its answer exceeds 5 bytes");
    assert_ended(&running);
    bytes_free(&out);
}

/* Sends a request whose file holds LEN bytes of DATA. */
static void send_file(int socket, const void *data, size_t len)
{
    char byte = OPENPGP_REQUEST_SIGN, room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
    int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0 && file_write_all(fd, data, len));
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(cmsg), &fd, sizeof fd);
    assert_int_equal(sendmsg(socket, &msg, MSG_NOSIGNAL), 1);
    file_close(&fd);
}

/* Lengths that are not those of what follows. */
static void openpgp_request_rejects_files_that_do_not_add_up(void **state)
{
    static const uint64_t files[][3] = {{0, 9, 0},          {9, 0, 0},          {5, 4, 0},
                                        {UINT64_MAX, 9, 0}, {8, UINT64_MAX, 0}, {4, 3, 0}};
    static const uint64_t good[] = {3, 5, 0};
    struct openpgp_running running = start(&patient);
    struct hallmark_error err = {0};
    struct bytes out = {0};
    size_t i;

    (void)state;
    send_file(running.fd, good, sizeof good);
    assert_true(openpgp_process_next(&running, &out, &err));
    assert_int_equal(out.len, 2 + 8);
    openpgp_process_stop(&running);
    for (i = 0; i <= sizeof files / sizeof *files; i++) {
        running = start(&patient);
        if (i == sizeof files / sizeof *files)
            send_file(running.fd, good, 15); /* not even two lengths */
        else
            send_file(running.fd, files[i], sizeof files[i]);
        error_clear(&err);
        assert_false(openpgp_process_next(&running, &out, &err));
        assert_error(&err, HALLMARK_ERR_IO, "test: cannot read what it is asked for");
        assert_ended(&running);
    }
    running = start(&patient);
    send_file(running.fd, "", 0);
    error_clear(&err);
    assert_false(openpgp_process_next(&running, &out, &err));
    assert_error(&err, HALLMARK_ERR_IO, "test: cannot read what it is asked for");
    bytes_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openpgp_request_accepts_one_after_the_other),
        cmocka_unit_test(openpgp_request_accepts_errors),
        cmocka_unit_test(openpgp_request_rejects_early_ends),
        cmocka_unit_test(openpgp_request_rejects_answers_that_are_none),
        cmocka_unit_test(openpgp_request_rejects_files_that_do_not_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
