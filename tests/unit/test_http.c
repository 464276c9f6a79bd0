/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * http: what a network process says is not believed. The one of this test, which takes the place of
 * the real one, says what each test wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "system/http.h"
#include "system/http_worker.h"
#include "system/worker.h"

/* What the process says to its n-th request; the process inherits it. */
struct line {
    size_t request;
    struct http_answer answer;
    const char *text;
    size_t len; /* that is sent; 0: that of TEXT */
};

static const struct line *script;
static size_t n_lines;

static void say(int control, const struct line *line)
{
    struct http_answer answer = line->answer;
    size_t len = line->len ? line->len : strlen(line->text);
    struct iovec iov[] = {{.iov_base = &answer, .iov_len = sizeof answer},
                          {.iov_base = (void *)(uintptr_t)line->text, .iov_len = len}};

    if (!answer.len)
        answer.len = (uint32_t)len;
    if (writev(control, iov, 2) < 0)
        _exit(1);
}

void http_worker_run(int control)
{
    struct http_setup *setup = alloc_array(1, sizeof *setup);
    struct http_request *request = alloc_array(1, sizeof *request);
    size_t n = 0, i;

    if (!worker_take(control, setup, sizeof *setup, NULL, 0))
        _exit(1);
    do {
        for (i = 0; i < n_lines; i++)
            if (script[i].request == n)
                say(control, &script[i]);
        n++;
    } while (recv(control, request, sizeof *request, 0) > 0 && request->size < 1000);
    _exit(0);
}

struct seen {
    struct bytes data;
    unsigned n_restarts, n_ends;
    struct hallmark_error why;
    char etag[HTTP_ETAG_MAX];
};

static bool see_etag(void *ctx, size_t i, const char *etag, struct hallmark_error *err)
{
    (void)i;
    (void)err;
    strcpy(((struct seen *)ctx)->etag, etag);
    return true;
}

static bool see_bytes(void *ctx, size_t i, const void *data, size_t len, struct hallmark_error *err)
{
    (void)i;
    (void)err;
    bytes_append(&((struct seen *)ctx)->data, data, len);
    return true;
}

static bool see_restart(void *ctx, size_t i, struct hallmark_error *err)
{
    struct seen *seen = ctx;

    (void)i;
    (void)err;
    seen->n_restarts++;
    seen->data.len = 0;
    return true;
}

static bool see_end(void *ctx, size_t i, const struct hallmark_error *why,
                    struct hallmark_error *err)
{
    struct seen *seen = ctx;

    (void)i;
    (void)err;
    seen->n_ends++;
    if (why)
        seen->why = *why;
    return true;
}

/* Asks for ITEM a process that says LINES. */
static bool get(enum http_kind kind, const struct fetch_item *item, const struct line *lines,
                size_t n, struct seen *seen, struct hallmark_error *err)
{
    struct fetch_sink sink = {.set_etag = see_etag,
                              .take = see_bytes,
                              .restart = see_restart,
                              .end = see_end,
                              .ctx = seen};
    struct url url;
    struct http *http;
    bool ok;

    script = lines;
    n_lines = n;
    assert_true(url_parse(&url, "http://u:secret@example.org/r", NULL));
    http = http_new(&url, NULL);
    ok = http_get(http, kind, item, 1, &sink, err);
    http_free(http);
    return ok;
}

#define READY                                                                                      \
    {                                                                                              \
        0, {.type = HTTP_READY}, "", 0                                                             \
    }
#define SAYS(n, kind, text)                                                                        \
    {                                                                                              \
        n, {.type = kind}, text, 0                                                                 \
    }

static void http_accepts_a_file(void **state)
{
    static const struct line lines[] = {READY,
                                        SAYS(1, HTTP_ETAG, "\"x\""),
                                        SAYS(1, HTTP_DATA, "da"),
                                        SAYS(1, HTTP_RESTART, ""),
                                        SAYS(1, HTTP_DATA, "da"),
                                        SAYS(1, HTTP_DATA, "ta"),
                                        SAYS(1, HTTP_DONE, "")};
    struct fetch_item item = {.path = "a", .size = 4};
    struct hallmark_error err = {0};
    struct seen seen = {0};

    (void)state;
    assert_true(get(HTTP_FILE, &item, lines, 7, &seen, &err));
    assert_int_equal(seen.n_ends, 1);
    assert_int_equal(seen.why.code, HALLMARK_OK);
    assert_int_equal(seen.n_restarts, 1);
    assert_string_equal(seen.etag, "\"x\"");
    assert_int_equal(seen.data.len, 4);
    assert_memory_equal(seen.data.data, "data", 4);
    bytes_free(&seen.data);
}

/* Under its hash there is none; and a server that refuses may have it under its name as well. */
static void http_accepts_the_second_name(void **state)
{
    static const struct line missing[] = {READY, SAYS(1, HTTP_MISSING, ""),
                                          SAYS(2, HTTP_DATA, "data"), SAYS(2, HTTP_DONE, "")};
    static const struct line refused[] = {
        READY,
        SAYS(1, HTTP_DATA, "x"),
        {1, {.type = HTTP_FAILED, .code = HALLMARK_ERR_IO}, "status 403", 0},
        SAYS(2, HTTP_DATA, "data"),
        SAYS(2, HTTP_DONE, "")};
    static const struct line wrong[] = {
        READY, {1, {.type = HTTP_FAILED, .code = HALLMARK_ERR_CONTENT}, "has 5 bytes", 0}};
    struct fetch_item item = {.path = "a", .by_hash = "by-hash/x", .size = 4, .is_index = true};
    struct hallmark_error err = {0};
    struct seen seen = {0};

    (void)state;
    assert_true(get(HTTP_FILE, &item, missing, 4, &seen, &err));
    assert_int_equal(seen.why.code, HALLMARK_OK);
    assert_int_equal(seen.data.len, 4);
    seen.data.len = 0;
    assert_true(get(HTTP_FILE, &item, refused, 5, &seen, &err));
    assert_int_equal(seen.why.code, HALLMARK_OK);
    assert_int_equal(seen.data.len, 4);
    assert_true(get(HTTP_FILE, &item, wrong, 2, &seen, &err));
    assert_int_equal(seen.why.code, HALLMARK_ERR_CONTENT);
    assert_string_equal(seen.why.text, "a: has 5 bytes");
    bytes_free(&seen.data);
}

static void http_rejects_what_cannot_be_had(void **state)
{
    static const struct line missing[] = {READY, SAYS(1, HTTP_MISSING, "")};
    static const struct line failed[] = {
        READY, {1, {.type = HTTP_FAILED, .code = HALLMARK_ERR_IO}, "slow\x1b[2J", 0}};
    struct fetch_item item = {.path = "a", .size = 4};
    struct hallmark_error err = {0};
    struct seen seen = {0};

    (void)state;
    assert_true(get(HTTP_FILE, &item, missing, 2, &seen, &err));
    assert_int_equal(seen.why.code, HALLMARK_ERR_CONTENT);
    assert_string_equal(seen.why.text, "a: is missing, but it is listed");
    assert_true(get(HTTP_DOCUMENT, &item, missing, 2, &seen, &err));
    assert_int_equal(seen.why.code, HALLMARK_ERR_NO_PACKAGE);
    assert_true(get(HTTP_FILE, &item, failed, 2, &seen, &err));
    assert_int_equal(seen.why.code, HALLMARK_ERR_IO);
    assert_non_null(strstr(seen.why.text, "http://example.org/r/a: slow"));
    assert_null(strchr(seen.why.text, '\x1b'));
}

static void assert_rejects(enum http_kind kind, const struct line *line, const char *reason)
{
    struct line lines[] = {READY, *line};
    struct fetch_item item = {.path = "a", .size = 4};
    struct hallmark_error err = {0};
    struct seen seen = {0};

    if (get(kind, &item, lines, 2, &seen, &err))
        fail_msg("accepted, expected: %s", reason);
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    if (!strstr(err.text, reason) || strstr(err.text, "secret"))
        fail_msg("%s", err.text);
    assert_true(seen.data.len <= 4);
    assert_int_equal(seen.n_ends, 0);
    bytes_free(&seen.data);
}

static void http_rejects_a_process_that_lies(void **state)
{
    static const struct {
        enum http_kind kind;
        struct line line;
        const char *reason;
    } lies[] = {
        {HTTP_FILE, SAYS(1, HTTP_DATA, "datax"), "hands over too much"},
        {HTTP_DOCUMENT, SAYS(1, HTTP_DATA, "datax"), "hands over too much"},
        {HTTP_PROBE, SAYS(1, HTTP_DATA, "d"), "hands over too much"},
        {HTTP_FILE, SAYS(1, HTTP_DONE, ""), "hands over too little"},
        {HTTP_FILE, SAYS(1, HTTP_READY, ""), "answers what nobody has asked"},
        {HTTP_FILE, {1, {.type = HTTP_DONE, .id = 1}, "", 0}, "answers what nobody has asked"},
        {HTTP_FILE,
         {1, {.type = HTTP_DONE, .id = HTTP_SLOTS}, "", 0},
         "answers what nobody has asked"},
        {HTTP_FILE,
         {1, {.type = HTTP_DATA, .id = UINT32_MAX}, "d", 0},
         "answers what nobody has asked"},
        {HTTP_FILE, SAYS(1, 0, ""), "makes no sense"},
        {HTTP_FILE, SAYS(1, HTTP_FAILED + 1, ""), "makes no sense"},
        {HTTP_FILE, {1, {.type = HTTP_DATA, .len = 3}, "da", 0}, "makes no sense"},
        {HTTP_FILE, {1, {.type = HTTP_DATA, .len = UINT32_MAX}, "da", 0}, "makes no sense"},
        {HTTP_FILE, {1, {.type = HTTP_FAILED, .code = HALLMARK_OK}, "", 0}, "makes no sense"},
        {HTTP_FILE,
         {1, {.type = HTTP_FAILED, .code = HALLMARK_ERR_SIGNATURE}, "", 0},
         "makes no sense"},
        {HTTP_FILE, SAYS(1, HTTP_ETAG, "\"a\nb\""), "an odd ETag"},
        {HTTP_FILE, SAYS(1, HTTP_ETAG, "@1795341600"), "an odd ETag"},
        {HTTP_FILE, {1, {.type = HTTP_ETAG}, "\"a\0b\"", 5}, "an odd ETag"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof lies / sizeof *lies; i++)
        assert_rejects(lies[i].kind, &lies[i].line, lies[i].reason);
}

/* Puts an answer with TEXT behind what is in OUT. */
static void pack(struct bytes *out, enum http_answer_type type, const char *text)
{
    struct http_answer answer = {.type = type, .len = (uint32_t)strlen(text)};

    bytes_append(out, &answer, sizeof answer);
    bytes_append_str(out, text);
}

static void http_accepts_answers_in_one_packet(void **state)
{
    struct bytes rest = {0};
    struct fetch_item item = {.path = "a", .size = 4};
    struct line lines[] = {READY, {.request = 1, .answer = {.type = HTTP_DATA, .len = 1}}};
    struct hallmark_error err = {0};
    struct seen seen = {0};

    (void)state;
    bytes_append_str(&rest, "d");
    pack(&rest, HTTP_ETAG, "\"y\"");
    pack(&rest, HTTP_DATA, "ata");
    pack(&rest, HTTP_DONE, "");
    lines[1].text = rest.data;
    lines[1].len = rest.len;
    assert_true(get(HTTP_FILE, &item, lines, 2, &seen, &err));
    assert_int_equal(seen.n_ends, 1);
    assert_int_equal(seen.why.code, HALLMARK_OK);
    assert_string_equal(seen.etag, "\"y\"");
    assert_int_equal(seen.data.len, 4);
    assert_memory_equal(seen.data.data, "data", 4);
    bytes_free(&seen.data);
    bytes_free(&rest);
}

/* What follows an answer in its packet is checked like the first one. */
static void http_rejects_packets(void **state)
{
    struct bytes rest = {0};
    struct line line = {.request = 1, .answer = {.type = HTTP_DATA, .len = 1}};
    struct http_answer longer = {.type = HTTP_DATA, .len = 3};

    (void)state;
    bytes_append_str(&rest, "d");
    pack(&rest, HTTP_DATA, "a");
    line.text = rest.data;
    line.len = rest.len - 2; /* half of an answer */
    assert_rejects(HTTP_FILE, &line, "makes no sense");
    rest.len = 1;
    bytes_append(&rest, &longer, sizeof longer);
    bytes_append_str(&rest, "at");
    line.text = rest.data;
    line.len = rest.len;
    assert_rejects(HTTP_FILE, &line, "makes no sense");
    rest.len = 1;
    pack(&rest, HTTP_DATA, "atax");
    line.text = rest.data;
    line.len = rest.len;
    assert_rejects(HTTP_FILE, &line, "hands over too much");
    memset(bytes_reserve(&rest, HTTP_DATA_MAX + 1), 'x', HTTP_DATA_MAX + 1);
    line.answer.len = HTTP_DATA_MAX + 1;
    line.text = rest.data;
    line.len = HTTP_DATA_MAX + 1;
    assert_rejects(HTTP_FILE, &line, "makes no sense");
    bytes_free(&rest);
}

static void http_rejects_a_process_that_ends(void **state)
{
    static const struct line lines[] = {READY};
    static const struct line failed[] = {
        {0, {.type = HTTP_FAILED, .code = HALLMARK_ERR_IO}, "no sandbox", 0}};
    struct fetch_item item = {.path = "a", .size = 1000}; /* at which that of this test ends */
    struct hallmark_error err = {0};
    struct seen seen = {0};

    (void)state;
    assert_false(get(HTTP_FILE, &item, lines, 1, &seen, &err));
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    assert_non_null(strstr(err.text, "http://example.org/r: the network process has ended"));
    error_clear(&err);
    assert_false(get(HTTP_FILE, &item, failed, 1, &seen, &err));
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    assert_string_equal(err.text, "no sandbox");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_accepts_a_file),
        cmocka_unit_test(http_accepts_the_second_name),
        cmocka_unit_test(http_rejects_what_cannot_be_had),
        cmocka_unit_test(http_rejects_a_process_that_lies),
        cmocka_unit_test(http_accepts_answers_in_one_packet),
        cmocka_unit_test(http_rejects_packets),
        cmocka_unit_test(http_rejects_a_process_that_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
