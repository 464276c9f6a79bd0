/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that come over a network, compared with what is signed. In the place of a server is
 * __wrap_fetch_items(), which gives whatever answers a test wants, good and bad ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/digest.h"
#include "repo/check_remote.h"

/* How a server answers when it is asked for one file. */
enum answer {
    GOOD,
    NONE,     /* it says nothing at all about it */
    SHORT,    /* the end comes early, and is called an end */
    OTHER,    /* other bytes of the same number */
    LONG,     /* a byte too many */
    BROKEN,   /* half of it, then an error */
    RESTARTED /* half of something else, which is void; then all of it */
};

enum { MAX_FILES = 5000, N_LOCATIONS = 2, ATTEMPTS = 2 };

/* What the locations do: files are called "0", "1" and so on, and say so. */
static struct {
    enum answer answers[N_LOCATIONS][ATTEMPTS][8]; /* of files 0 to 7; all others are good */
    unsigned n_asked[N_LOCATIONS][8];
    size_t n_rounds;
    bool is_lost;      /* the transport fails behind the last answer */
    bool is_backwards; /* the last one is answered first */
} server;

static struct fetch *const locations[N_LOCATIONS] = {(struct fetch *)&server.answers[0],
                                                     (struct fetch *)&server.answers[1]};

struct fixture {
    struct failover failover;
    struct hallmark_repository repository;
    struct check_remote *remote;
    struct hallmark_error problems[MAX_FILES];
    bool is_told[MAX_FILES];
    size_t n_told;
    int64_t n_bytes;
};

static void text_of(size_t number, char text[32])
{
    snprintf(text, 32, "this is file %zu", number);
}

/* ---- The server ----------------------------------------------------------------------------- */

static bool give(const struct fetch_sink *sink, size_t i, const char *text, enum answer answer,
                 struct hallmark_error *err)
{
    struct hallmark_error broken = {.code = HALLMARK_ERR_IO, .text = "the connection broke"};
    size_t len = strlen(text), half = len / 2;

    switch (answer) {
    case NONE:
        return true;
    case SHORT:
        return sink->take(sink->ctx, i, text, half, err) && sink->end(sink->ctx, i, NULL, err);
    case OTHER:
        return sink->take(sink->ctx, i, "THIS", 4, err) &&
               sink->take(sink->ctx, i, text + 4, len - 4, err) &&
               sink->end(sink->ctx, i, NULL, err);
    case LONG:
        return sink->take(sink->ctx, i, text, len, err) && sink->take(sink->ctx, i, "x", 1, err) &&
               sink->end(sink->ctx, i, NULL, err);
    case BROKEN:
        return sink->take(sink->ctx, i, text, half, err) && sink->end(sink->ctx, i, &broken, err);
    case RESTARTED:
        if (!sink->take(sink->ctx, i, "nothing", 7, err) || !sink->restart(sink->ctx, i, err))
            return false;
        break;
    case GOOD:
        break;
    }
    return sink->take(sink->ctx, i, text, half, err) &&
           sink->take(sink->ctx, i, text + half, len - half, err) &&
           sink->end(sink->ctx, i, NULL, err);
}

bool __wrap_fetch_items(struct fetch *fetch, const struct fetch_item *items, size_t n_items,
                        const struct fetch_sink *sink, struct hallmark_error *err);

bool __wrap_fetch_items(struct fetch *fetch, const struct fetch_item *items, size_t n_items,
                        const struct fetch_sink *sink, struct hallmark_error *err)
{
    size_t location = fetch == locations[1], k, i, number;
    enum answer answer;
    char text[32];
    unsigned n;

    server.n_rounds++;
    for (k = 0; k < n_items; k++) {
        i = server.is_backwards ? n_items - 1 - k : k;
        number = (size_t)atoi(items[i].path);
        text_of(number, text);
        assert_int_equal(items[i].size, strlen(text));
        answer = GOOD;
        if (number < 8) {
            n = server.n_asked[location][number]++;
            assert_true(n < ATTEMPTS);
            answer = server.answers[location][n][number];
        }
        if (!give(sink, i, text, answer, err))
            return false;
    }
    return !server.is_lost || error_set(err, HALLMARK_ERR_IO, "the network is down");
}

/* ---- The caller ----------------------------------------------------------------------------- */

static void each(void *ctx, const struct content *content, const struct hallmark_error *problem)
{
    struct fixture *f = ctx;
    size_t number = (size_t)atoi(content->package.path);

    assert_int_equal(number, f->n_told); /* in the order in which they were added */
    f->n_told++;
    f->is_told[number] = true;
    if (problem) {
        assert_int_not_equal(problem->code, HALLMARK_OK);
        f->problems[number] = *problem;
    }
}

static void progress(void *ctx, int64_t n_bytes)
{
    struct fixture *f = ctx;

    f->n_bytes += n_bytes;
    assert_true(f->n_bytes >= 0);
}

static int set_up(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);
    struct check_remote_options options = {
        .repository = &f->repository, .each = each, .progress = progress, .ctx = f};
    size_t i;

    memset(&server, 0, sizeof server);
    f->failover.n_locations = 1;
    f->repository.failover = &f->failover;
    f->repository.place.fetch = locations[0];
    for (i = 0; i < N_LOCATIONS; i++)
        f->failover.locations[i].place.fetch = locations[i];
    f->failover.locations[1].is_open = true;
    f->remote = check_remote_new(&options);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    check_remote_free(f->remote);
    free(f);
    return 0;
}

/* Adds file NUMBER as a manifest lists it. */
static void add(struct fixture *f, size_t number)
{
    struct release release = {.hashes = RELEASE_SHA256};
    struct release_entry entry = {.size = 0};
    struct hallmark_error err = {0};
    struct digest_value digest;
    struct content *content;
    char text[32], path[32];

    text_of(number, text);
    snprintf(path, sizeof path, "%zu", number);
    entry.path = path;
    entry.size = strlen(text);
    assert_true(digest_bytes(DIGEST_SHA256, bytes_view_str(text), &digest, &err));
    memcpy(entry.sha256, digest.sha256, sizeof entry.sha256);
    content = content_of_entry(&release, &entry, path, CONTENT_PACKAGE);
    check_remote_add(f->remote, content);
    content_free(content);
}

/* Checks N files; all are told. */
static void check(struct fixture *f, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        add(f, i);
    check_remote_flush(f->remote);
    assert_int_equal(f->n_told, n);
    for (i = 0; i < n; i++)
        assert_true(f->is_told[i]);
}

static void assert_good(const struct fixture *f, size_t number)
{
    if (f->problems[number].code)
        print_error("%zu: %s\n", number, f->problems[number].text);
    assert_int_equal(f->problems[number].code, HALLMARK_OK);
}

static void assert_bad(const struct fixture *f, size_t number, enum hallmark_errcode code,
                       const char *text)
{
    const struct hallmark_error *found = &f->problems[number];

    if (found->code != code || !strstr(found->text, text))
        print_error("%zu: found %d \"%s\", wanted %d \"%s\"\n", number, (int)found->code,
                    found->text, (int)code, text);
    assert_int_equal(found->code, code);
    assert_non_null(strstr(found->text, text));
}

/* What file NUMBER is answered every time, by the first location. */
static void answer(size_t number, enum answer answer)
{
    size_t n;

    for (n = 0; n < ATTEMPTS; n++)
        server.answers[0][n][number] = answer;
}

static void check_remote_accepts_good_files(void **state)
{
    struct fixture *f = *state;
    size_t i;

    answer(1, RESTARTED);
    check(f, 4);
    for (i = 0; i < 4; i++)
        assert_good(f, i);
    assert_int_equal(server.n_rounds, 1);
    assert_int_equal(f->n_bytes, 4 * strlen("this is file 0"));
}

/* In whatever order they come, they are told in their own. */
static void check_remote_accepts_any_order(void **state)
{
    struct fixture *f = *state;

    server.is_backwards = true;
    answer(2, OTHER);
    check(f, 6);
    assert_good(f, 1);
    assert_bad(f, 2, HALLMARK_ERR_CONTENT, "2: SHA256 is ");
    assert_good(f, 3);
}

static void check_remote_accepts_more_than_one_round(void **state)
{
    struct fixture *f = *state;
    size_t i;

    check(f, MAX_FILES);
    for (i = 0; i < MAX_FILES; i++)
        assert_good(f, i);
    assert_int_equal(server.n_rounds, 2);
    check_remote_flush(f->remote); /* nothing is left */
    assert_int_equal(f->n_told, MAX_FILES);
    assert_int_equal(server.n_rounds, 2);
}

/* Something on the way may have damaged it: it is asked for once more, and no longer. */
static void check_remote_accepts_a_second_attempt(void **state)
{
    struct fixture *f = *state;

    server.answers[0][0][0] = OTHER;
    server.answers[0][0][1] = SHORT;
    check(f, 3);
    assert_good(f, 0);
    assert_good(f, 1);
    assert_good(f, 2);
    assert_int_equal(server.n_asked[0][0], 2);
    assert_int_equal(server.n_asked[0][2], 1);
    assert_int_equal(f->n_bytes, 3 * strlen("this is file 0"));
}

/* Whatever a server answers: only what has the signed hash is good. */
static void check_remote_rejects_bad_answers(void **state)
{
    struct fixture *f = *state;

    answer(0, SHORT);
    answer(2, OTHER);
    answer(3, LONG);
    answer(4, BROKEN);
    check(f, 6);
    assert_bad(f, 0, HALLMARK_ERR_CONTENT, "0: SHA256 is ");
    assert_good(f, 1);
    assert_bad(f, 2, HALLMARK_ERR_CONTENT, "the manifest says ");
    assert_bad(f, 3, HALLMARK_ERR_CONTENT, "3: SHA256 is ");
    assert_bad(f, 4, HALLMARK_ERR_IO, "the connection broke");
    assert_good(f, 5);
    assert_int_equal(server.n_asked[0][4], 1); /* what cannot be had is not asked for again */
}

/* What nobody has answered is not good. */
static void check_remote_rejects_silence(void **state)
{
    struct fixture *f = *state;

    answer(1, NONE);
    check(f, 3);
    assert_good(f, 0);
    assert_bad(f, 1, HALLMARK_ERR_IO, "1: there was no answer");
    assert_good(f, 2);
}

static void check_remote_rejects_what_a_lost_network_left(void **state)
{
    struct fixture *f = *state;

    server.is_lost = true;
    answer(1, NONE);
    answer(2, SHORT);
    check(f, 4);
    assert_good(f, 0); /* it had come as a whole before */
    assert_bad(f, 1, HALLMARK_ERR_IO, "the network is down");
    assert_bad(f, 2, HALLMARK_ERR_CONTENT, "2: SHA256 is ");
    assert_good(f, 3);
}

static void check_remote_accepts_from_another_location(void **state)
{
    struct fixture *f = *state;

    f->failover.n_locations = 2;
    answer(0, OTHER);
    answer(1, BROKEN);
    answer(2, NONE);
    server.answers[1][0][1] = OTHER; /* only for now */
    check(f, 4);
    assert_good(f, 0);
    assert_good(f, 1);
    assert_int_equal(server.n_asked[1][0], 1);
    assert_int_equal(server.n_asked[1][1], 2);
    assert_int_equal(server.n_asked[1][3], 0); /* it was good */
}

/* Silence about some, and what came of the others, is no reason not to ask the next one. */
static void check_remote_accepts_from_another_location_after_silence(void **state)
{
    struct fixture *f = *state;

    f->failover.n_locations = 2;
    answer(0, BROKEN);
    answer(1, NONE);
    check(f, 3);
    assert_good(f, 0);
    assert_good(f, 1);
    assert_good(f, 2);
}

static void check_remote_rejects_no_location(void **state)
{
    struct fixture *f = *state;

    f->failover.n_locations = 0;
    check(f, 1);
    assert_bad(f, 0, HALLMARK_ERR_IO, "0: no location has answered");
    assert_int_equal(server.n_rounds, 0);
}

/* What is wrong weighs more than what could not be had. */
static void check_remote_rejects_what_no_location_has(void **state)
{
    struct fixture *f = *state;
    size_t n;

    f->failover.n_locations = 2;
    answer(0, BROKEN);
    answer(1, OTHER);
    for (n = 0; n < ATTEMPTS; n++) {
        server.answers[1][n][0] = OTHER;
        server.answers[1][n][1] = BROKEN;
    }
    check(f, 3);
    assert_bad(f, 0, HALLMARK_ERR_CONTENT, "0: SHA256 is ");
    assert_bad(f, 1, HALLMARK_ERR_CONTENT, "1: SHA256 is ");
    assert_good(f, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(check_remote_accepts_good_files),
        TEST(check_remote_accepts_any_order),
        TEST(check_remote_accepts_more_than_one_round),
        TEST(check_remote_accepts_a_second_attempt),
        TEST(check_remote_rejects_bad_answers),
        TEST(check_remote_rejects_silence),
        TEST(check_remote_rejects_what_a_lost_network_left),
        TEST(check_remote_accepts_from_another_location),
        TEST(check_remote_accepts_from_another_location_after_silence),
        TEST(check_remote_rejects_no_location),
        TEST(check_remote_rejects_what_no_location_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
