/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the reader tells the writer, and a reader that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archives.h"
#include "system/stream.h"
#include "system/writer.h"
#include "temporary.h"

static struct entry make(enum entry_kind kind, const char *path, const char *target, uint64_t size)
{
    return (struct entry){.kind = kind,
                          .mode = 04777,
                          .mtime = 1700000000,
                          .mtime_nsec = 5,
                          .size = size,
                          .path = bytes_view_str(path),
                          .target = bytes_view_str(target)};
}

/* A pipe with room for what a test says. */
static struct stream_sender *begin(int pipefd[2])
{
    assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
    assert_true(fcntl(pipefd[1], F_SETPIPE_SZ, 1 << 20) > 0);
    return stream_sender_new(pipefd[1]);
}

static void stream_accepts_what_was_sent(void **state)
{
    static char big[200000];
    struct entry file = make(ENTRY_FILE, "a/f", "", 200003),
                 link = make(ENTRY_SYMLINK, "l", "t", 0);
    struct stream_record record;
    struct stream_receiver *receiver;
    struct hallmark_error err = {0};
    struct stream_sender *sender;
    int pipefd[2];

    (void)state;
    memset(big, 'x', sizeof big);
    sender = begin(pipefd);
    assert_true(stream_send_entry(sender, &file));
    assert_true(stream_send_data(sender, 0, bytes_view_str("abc")));
    assert_true(stream_send_data(sender, 3, bytes_view_of(big, sizeof big)));
    assert_true(stream_send_entry(sender, &link));
    assert_true(stream_send_end(sender));
    stream_sender_free(sender);
    close(pipefd[1]);
    receiver = stream_receiver_new(pipefd[0]);
    assert_int_equal(stream_receive(receiver, &record, &err), STREAM_OK);
    assert_int_equal(record.type, STREAM_ENTRY);
    assert_int_equal(record.entry.kind, ENTRY_FILE);
    assert_int_equal(record.entry.mode, 04777);
    assert_int_equal(record.entry.mtime, 1700000000);
    assert_int_equal(record.entry.mtime_nsec, 5);
    assert_int_equal(record.entry.size, 200003);
    assert_true(bytes_view_equals(record.entry.path, "a/f"));
    assert_int_equal(record.entry.target.len, 0);
    assert_int_equal(stream_receive(receiver, &record, &err), STREAM_OK);
    assert_int_equal(record.type, STREAM_DATA);
    assert_true(bytes_view_equals(record.data, "abc"));
    assert_int_equal(stream_receive(receiver, &record, &err), STREAM_OK);
    assert_int_equal(record.offset, 3);
    assert_int_equal(record.data.len, sizeof big);
    assert_memory_equal(record.data.data, big, sizeof big);
    assert_int_equal(stream_receive(receiver, &record, &err), STREAM_OK);
    assert_true(bytes_view_equals(record.entry.target, "t"));
    assert_int_equal(stream_receive(receiver, &record, &err), STREAM_OK);
    assert_int_equal(record.type, STREAM_END);
    assert_int_equal(stream_receive(receiver, &record, &err), STREAM_CUT);
    assert_int_equal(err.code, HALLMARK_OK);
    stream_receiver_free(receiver);
    close(pipefd[0]);
}

static void stream_rejects_nonsense(void **state)
{
    static const uint32_t heads[][2] = {{0, 0},       {4, 0}, {1, 0xffffffff},  {2, 0},
                                        {2, 1 << 20}, {3, 1}, {0xffffffff, 16}, {1, 2}};
    struct stream_record record;
    struct stream_receiver *receiver;
    unsigned char raw[64];
    int pipefd[2];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct hallmark_error err = {0};

        memset(raw, 0xff, sizeof raw);
        memcpy(raw, heads[i], sizeof heads[i]);
        assert_int_equal(pipe(pipefd), 0);
        assert_int_equal(write(pipefd[1], raw, sizeof raw), sizeof raw);
        close(pipefd[1]);
        receiver = stream_receiver_new(pipefd[0]);
        assert_int_equal(stream_receive(receiver, &record, &err), STREAM_BAD);
        assert_int_equal(err.code, HALLMARK_ERR_UNSAFE);
        assert_non_null(strstr(err.text, "makes no sense"));
        stream_receiver_free(receiver);
        close(pipefd[0]);
    }
}

/* A reader that says TELL, to a writer in a directory of its own. */
typedef void tell_fn(struct stream_sender *sender);

static void run_writer(tell_fn *tell, struct worker_message *last)
{
    struct writer_request request = {.sandbox = archives_sandbox(),
                                     .links = HALLMARK_LINKS_INSIDE,
                                     .max_entries = 10,
                                     .max_bytes = 1000};
    struct worker worker = WORKER_INIT;
    struct worker_watch watch = {.workers = {&worker}, .idle_limit = 5};
    struct hallmark_error err = {0};
    struct stream_sender *sender;
    char *dir = temporary_new();
    int pipefd[2], fds[2];
    size_t which;

    sender = begin(pipefd);
    fds[0] = file_open_directory(dir, &err);
    fds[1] = pipefd[0];
    tell(sender);
    stream_sender_free(sender);
    close(pipefd[1]);
    assert_true(worker_start(&worker, "the writer", writer_run, &err));
    assert_true(worker_request(&worker, &request, sizeof request, fds, 2, &err));
    do {
        if (!worker_next(&watch, &which, last, &err))
            fail_msg("%s", err.text);
    } while (last->type == WORKER_PROGRESS);
    worker_stop(&worker);
    close(fds[0]);
    close(pipefd[0]);
    temporary_remove(dir);
}

static void send_entry(struct stream_sender *s, enum entry_kind kind, const char *path,
                       const char *target, uint64_t size)
{
    struct entry entry = make(kind, path, target, size);

    assert_true(stream_send_entry(s, &entry));
}

static void send_data(struct stream_sender *s, uint64_t offset, const char *text)
{
    assert_true(stream_send_data(s, offset, bytes_view_str(text)));
}

static void tell_good(struct stream_sender *s)
{
    send_entry(s, ENTRY_DIRECTORY, "d", "", 0);
    send_entry(s, ENTRY_FILE, "d/f", "", 10);
    send_data(s, 2, "abc");
    send_data(s, 7, "xyz");
    stream_send_end(s);
}

static void tell_no_end(struct stream_sender *s)
{
    send_entry(s, ENTRY_FILE, "f", "", 3);
    send_data(s, 0, "abc");
    send_entry(s, ENTRY_FILE, "g", "", 0);
    stream_send_data(s, 0, bytes_view_str(""));
}

static void tell_data_first(struct stream_sender *s)
{
    send_data(s, 0, "abc");
    stream_send_end(s);
}

static void tell_data_for_directory(struct stream_sender *s)
{
    send_entry(s, ENTRY_FILE, "f", "", 3);
    send_entry(s, ENTRY_DIRECTORY, "d", "", 0);
    send_data(s, 0, "abc");
    stream_send_end(s);
}

static void tell_more_than_size(struct stream_sender *s)
{
    send_entry(s, ENTRY_FILE, "f", "", 3);
    send_data(s, 0, "abcd");
    stream_send_end(s);
}

static void tell_far_offset(struct stream_sender *s)
{
    send_entry(s, ENTRY_FILE, "f", "", 3);
    send_data(s, UINT64_MAX, "abc");
    stream_send_end(s);
}

static void tell_backwards(struct stream_sender *s)
{
    send_entry(s, ENTRY_FILE, "f", "", 9);
    send_data(s, 3, "abc");
    send_data(s, 0, "abc");
    stream_send_end(s);
}

static void tell_two_large(struct stream_sender *s)
{
    send_entry(s, ENTRY_FILE, "f", "", 600);
    send_entry(s, ENTRY_FILE, "g", "", 600);
    stream_send_end(s);
}

static void tell_huge(struct stream_sender *s)
{
    send_entry(s, ENTRY_FILE, "f", "", 1);
    send_entry(s, ENTRY_FILE, "g", "", UINT64_MAX);
    stream_send_end(s);
}

static void tell_many(struct stream_sender *s)
{
    char name[] = "a";

    for (; *name <= 'k'; (*name)++)
        send_entry(s, ENTRY_FILE, name, "", 0);
    stream_send_end(s);
}

static void tell_escape(struct stream_sender *s)
{
    send_entry(s, ENTRY_FILE, "../f", "", 0);
    stream_send_end(s);
}

static void tell_unknown_kind(struct stream_sender *s)
{
    send_entry(s, (enum entry_kind)77, "f", "", 0);
    stream_send_end(s);
}

static void writer_accepts_good_streams(void **state)
{
    struct worker_message last;

    (void)state;
    run_writer(tell_good, &last);
    if (last.type != WORKER_DONE)
        fail_msg("%s", last.text);
    assert_int_equal(last.n_entries, 2);
    assert_int_equal(last.n_bytes, 10);
    run_writer(tell_no_end, &last);
    assert_int_equal(last.type, WORKER_STOPPED);
}

static void writer_rejects_lies(void **state)
{
    static const struct {
        tell_fn *tell;
        const char *why;
    } cases[] = {
        {tell_data_first, "other data"},
        {tell_data_for_directory, "other data"},
        {tell_more_than_size, "other data"},
        {tell_far_offset, "other data"},
        {tell_backwards, "other data"},
        {tell_two_large, "more than 1000 bytes"},
        {tell_huge, "more than 1000 bytes"},
        {tell_many, "more than 10 entries"},
        {tell_escape, "\"..\""},
        {tell_unknown_kind, "neither a file"},
    };
    struct worker_message last;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_writer(cases[i].tell, &last);
        assert_int_equal(last.type, WORKER_FAILED);
        assert_int_equal(last.code, HALLMARK_ERR_UNSAFE);
        if (!strstr(last.text, cases[i].why))
            fail_msg("\"%s\" does not say \"%s\"", last.text, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_accepts_what_was_sent),
        cmocka_unit_test(stream_rejects_nonsense),
        cmocka_unit_test(writer_accepts_good_streams),
        cmocka_unit_test(writer_rejects_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
