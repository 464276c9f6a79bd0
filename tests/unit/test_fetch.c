/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a repository's bytes come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "system/fetch.h"
#include "temporary.h"

struct fixture {
    char *dir;  /* without links */
    char *repo; /* dir/a b */
};

static int set_up(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);
    struct hallmark_error err = {0};
    char *dir = temporary_new();
    int fd;

    f->dir = path_resolve(dir, &err);
    free(dir);
    f->repo = path_join(f->dir, "a b");
    assert_int_equal(mkdir(f->repo, 0755), 0);
    fd = file_open_directory(f->repo, &err);
    assert_true(file_create(fd, "InRelease", bytes_view_str("text"), 0644, &err));
    assert_int_equal(mkdirat(fd, "pool", 0755), 0);
    assert_true(file_create(fd, "pool/x", bytes_view_str("data"), 0644, &err));
    assert_int_equal(symlinkat("pool/x", fd, "link"), 0);
    assert_int_equal(symlinkat("pool", fd, "way"), 0);
    assert_int_equal(mkfifoat(fd, "fifo", 0644), 0);
    close(fd);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    temporary_remove(f->dir);
    free(f->repo);
    free(f);
    return 0;
}

static void fetch_accepts_every_spelling(void **state)
{
    struct fixture *f = *state;
    char *wanted = alloc_printf("file://%s/a%%20b", f->dir);
    char *spellings[] = {alloc_strdup(f->repo), alloc_printf("%s/./pool/../", f->repo),
                         alloc_strdup(wanted), alloc_printf("file://localhost%s/a%%20b", f->dir),
                         alloc_printf("file:%s/%%61%%20b/", f->dir)};
    struct hallmark_error err = {0};
    size_t i;

    for (i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        struct fetch *fetch = fetch_open(spellings[i], NULL, &err);

        assert_non_null(fetch);
        assert_string_equal(fetch_url(fetch), wanted);
        assert_null(fetch_file(fetch));
        fetch_close(fetch);
        free(spellings[i]);
    }
    free(wanted);
}

static void fetch_accepts_a_file(void **state)
{
    struct fixture *f = *state;
    char *file = path_join(f->repo, "InRelease"),
         *wanted = alloc_printf("file://%s/a%%20b", f->dir);
    struct hallmark_error err = {0};
    struct fetch *fetch = fetch_open(file, NULL, &err);

    assert_non_null(fetch);
    assert_string_equal(fetch_file(fetch), "InRelease");
    assert_string_equal(fetch_url(fetch), wanted);
    fetch_close(fetch);
    free(file);
    free(wanted);
}

static void assert_rejects(const char *location, enum hallmark_errcode code, const char *reason)
{
    struct hallmark_error err = {0};

    assert_null(fetch_open(location, NULL, &err));
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, reason));
}

static void fetch_rejects_locations(void **state)
{
    (void)state;
    assert_rejects("ftp://example.org/x", HALLMARK_ERR_USAGE, "only directories and URLs of file");
    assert_rejects("http://example.org/x?y", HALLMARK_ERR_USAGE, "has a query");
    assert_rejects("file://host/x", HALLMARK_ERR_USAGE, "file:///DIRECTORY");
    assert_rejects("file:x", HALLMARK_ERR_USAGE, "file:///DIRECTORY");
    assert_rejects("file:///a%00b", HALLMARK_ERR_USAGE, "file:///DIRECTORY");
    assert_rejects("file:///a%2", HALLMARK_ERR_USAGE, "file:///DIRECTORY");
    assert_rejects("/nonexistent/x", HALLMARK_ERR_IO, "No such file");
    assert_rejects("", HALLMARK_ERR_IO, "No such file");
}

static void fetch_accepts_documents(void **state)
{
    struct fixture *f = *state;
    struct hallmark_error err = {0};
    struct fetch *fetch = fetch_open(f->repo, NULL, &err);
    struct bytes out = {0};
    bool exists;

    assert_true(fetch_document(fetch, "InRelease", 4, &out, &exists, &err));
    assert_true(exists);
    assert_string_equal(out.data, "text");
    assert_true(fetch_document(fetch, "Release", 4, &out, &exists, &err));
    assert_false(exists);
    assert_false(fetch_document(fetch, "InRelease", 3, &out, &exists, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "InRelease: is larger than 3 bytes"));
    bytes_free(&out);
    fetch_close(fetch);
}

static void fetch_rejects_what_is_no_file(void **state) /* N18 */
{
    static const struct {
        const char *path, *reason;
    } bad[] = {
        {"link", "is not a regular file"}, {"fifo", "is not a regular file"},
        {"pool", "is not a regular file"}, {"way/x", "is missing"}, /* a link is no directory */
        {"pool/x/y", "is missing"},        {"nothing", "is missing, but it is listed"}};
    struct fixture *f = *state;
    struct hallmark_error err = {0};
    struct fetch *fetch = fetch_open(f->repo, NULL, &err);
    size_t i;
    int fd;

    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        error_clear(&err);
        assert_int_equal(fetch_package(fetch, bad[i].path, &err), -1);
        assert_int_equal(err.code, HALLMARK_ERR_CONTENT);
        if (!strstr(err.text, bad[i].reason))
            fail_msg("%s: %s", bad[i].path, err.text);
    }
    error_clear(&err);
    fd = fetch_package(fetch, "pool/x", &err);
    assert_true(fd >= 0);
    close(fd);
    fetch_close(fetch);
}

/* What fetch_items() says of two items at most. */
struct seen {
    struct bytes data[2];
    struct hallmark_error why[2];
    unsigned n_ends[2];
    bool stop_take, stop_end;
};

static bool see_bytes(void *ctx, size_t i, const void *data, size_t len, struct hallmark_error *err)
{
    struct seen *seen = ctx;

    assert_int_equal(seen->n_ends[i], 0);
    bytes_append(&seen->data[i], data, len);
    return !seen->stop_take || error_set(err, HALLMARK_ERR_IO, "enough");
}

static bool see_restart(void *ctx, size_t i, struct hallmark_error *err)
{
    (void)err;
    ((struct seen *)ctx)->data[i].len = 0;
    return true;
}

static bool see_end(void *ctx, size_t i, const struct hallmark_error *why,
                    struct hallmark_error *err)
{
    struct seen *seen = ctx;

    seen->n_ends[i]++;
    if (why)
        seen->why[i] = *why;
    return !seen->stop_end || error_set(err, HALLMARK_ERR_IO, "the end");
}

static bool fetch_two(const char *repo, const struct fetch_item items[2], struct seen *seen,
                      struct hallmark_error *err)
{
    struct fetch_sink sink = {
        .take = see_bytes, .restart = see_restart, .end = see_end, .ctx = seen};
    struct fetch *fetch = fetch_open(repo, NULL, err);
    bool ok = fetch_items(fetch, items, 2, &sink, err);

    fetch_close(fetch);
    return ok;
}

static void fetch_accepts_items(void **state)
{
    struct fixture *f = *state;
    struct fetch_item items[] = {
        {.path = "pool/x", .size = 4},
        {.path = "nothing", .by_hash = "link", .size = 4, .is_index = true}};
    struct hallmark_error err = {0};
    struct seen seen = {0};
    size_t i;

    assert_true(fetch_two(f->repo, items, &seen, &err));
    for (i = 0; i < 2; i++) {
        assert_int_equal(seen.n_ends[i], 1);
        assert_int_equal(seen.why[i].code, HALLMARK_OK);
        assert_int_equal(seen.data[i].len, 4);
        assert_string_equal(seen.data[i].data, "data");
        bytes_free(&seen.data[i]);
    }
}

static void fetch_rejects_items(void **state)
{
    static const struct {
        struct fetch_item item;
        const char *reason;
    } bad[] = {{{.path = "pool/y", .size = 4}, "pool/y: is missing, but it is listed"},
               {{.path = "pool/x", .size = 3}, "pool/x: has 4 bytes, 3 were listed"},
               {{.path = "pool/x", .size = 5}, "pool/x: has 4 bytes, 5 were listed"},
               {{.path = "link", .size = 4}, "link: is not a regular file"}};
    struct fixture *f = *state;
    struct hallmark_error err = {0};
    size_t i;

    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fetch_item items[] = {bad[i].item, {.path = "pool/x", .size = 4}};
        struct seen seen = {0};

        assert_true(fetch_two(f->repo, items, &seen, &err));
        assert_int_equal(seen.n_ends[0], 1);
        assert_int_equal(seen.why[0].code, HALLMARK_ERR_CONTENT);
        if (!strstr(seen.why[0].text, bad[i].reason))
            fail_msg("%s", seen.why[0].text);
        assert_int_equal(seen.data[0].len, 0);
        assert_int_equal(seen.data[1].len, 4);
        bytes_free(&seen.data[1]);
    }
}

static void fetch_accepts_the_end(void **state)
{
    struct fixture *f = *state;
    struct fetch_item items[] = {{.path = "pool/x", .size = 4}, {.path = "pool/x", .size = 4}};
    struct hallmark_error err = {0};
    struct seen take = {.stop_take = true}, end = {.stop_end = true};

    assert_false(fetch_two(f->repo, items, &take, &err));
    assert_string_equal(err.text, "enough");
    assert_int_equal(take.n_ends[0], 0);
    error_clear(&err);
    assert_false(fetch_two(f->repo, items, &end, &err));
    assert_string_equal(err.text, "the end");
    assert_int_equal(end.n_ends[1], 0);
    bytes_free(&take.data[0]);
    bytes_free(&end.data[0]);
}

static void fetch_accepts_a_directory_below(void **state)
{
    struct fixture *f = *state;
    struct hallmark_error err = {0};
    struct fetch *fetch = fetch_open(f->repo, NULL, &err);

    assert_false(fetch_is_remote(fetch));
    assert_false(fetch_enter(fetch, "nothing", &err));
    assert_true(fetch_has(fetch, "InRelease"));
    assert_true(fetch_enter(fetch, "pool", NULL));
    assert_true(fetch_has(fetch, "x"));
    assert_false(fetch_has(fetch, "InRelease"));
    assert_non_null(strstr(fetch_url(fetch), "/a%20b/pool"));
    fetch_close(fetch);
}

static void fetch_accepts_validators(void **state)
{
    static const char *const good[] = {"\"x\"", "@1", "@17953416000"};
    static const char *const bad[] = {
        "",   "\"\"", "x",   "W/\"1\"", "\"a b\"",       "\"x",  "@",
        "@0", "@1 ",  "@-1", "@1x",     "@179534160000", "\"@1", "\"\x7f\""};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(fetch_is_validator(bytes_view_str(good[i])));
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(fetch_is_validator(bytes_view_str(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetch_accepts_every_spelling),
        cmocka_unit_test(fetch_accepts_a_file),
        cmocka_unit_test(fetch_rejects_locations),
        cmocka_unit_test(fetch_accepts_documents),
        cmocka_unit_test(fetch_rejects_what_is_no_file),
        cmocka_unit_test(fetch_accepts_items),
        cmocka_unit_test(fetch_rejects_items),
        cmocka_unit_test(fetch_accepts_the_end),
        cmocka_unit_test(fetch_accepts_a_directory_below),
        cmocka_unit_test(fetch_accepts_validators),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
