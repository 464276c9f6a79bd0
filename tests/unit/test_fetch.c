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
        struct fetch *fetch = fetch_open(spellings[i], &err);

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
    struct fetch *fetch = fetch_open(file, &err);

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

    assert_null(fetch_open(location, &err));
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, reason));
}

static void fetch_rejects_locations(void **state)
{
    (void)state;
    assert_rejects("https://example.org/x", HALLMARK_ERR_USAGE, "only directories and file://");
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
    struct fetch *fetch = fetch_open(f->repo, &err);
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
    struct fetch *fetch = fetch_open(f->repo, &err);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetch_accepts_every_spelling),  cmocka_unit_test(fetch_accepts_a_file),
        cmocka_unit_test(fetch_rejects_locations),       cmocka_unit_test(fetch_accepts_documents),
        cmocka_unit_test(fetch_rejects_what_is_no_file),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
