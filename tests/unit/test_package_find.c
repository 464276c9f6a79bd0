/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which file a name means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "repo/package_find.h"

static struct release make_release(const char *const *paths)
{
    struct release release = {.hashes = RELEASE_SHA256};
    struct release_entry entry = {.size = 0};
    struct hallmark_error err = {0};

    for (; *paths; paths++) {
        entry.path = *paths;
        release_add(&release, &entry);
    }
    assert_true(release_sort(&release, &err));
    return release;
}

static const char *const paths[] = {"a/hello-2.9.tar.gz",
                                    "a/hello-2.10.tar.gz",
                                    "hello-2.10.tar.gz.asc",
                                    "hello-doc-3.0.tar.gz",
                                    "b/twice-1.0.tar.gz",
                                    "b/twice-1.0.tar.xz",
                                    "c/same-1.0.tar.gz",
                                    "d/same-1.0.tar.gz",
                                    "rc/tool-1.0~rc1.tar.gz",
                                    "rc/tool-1.0.tar.gz",
                                    "README",
                                    "hello",
                                    NULL};

static void assert_finds(const char *name, const char *path)
{
    struct release release = make_release(paths);
    struct hallmark_error err = {0};
    const struct release_entry *entry = package_find(&release, name, &err);

    assert_non_null(entry);
    assert_string_equal(entry->path, path);
    release_free(&release);
}

static void assert_rejects(const char *name, enum hallmark_errcode code, const char *reason)
{
    struct release release = make_release(paths);
    struct hallmark_error err = {0};

    assert_null(package_find(&release, name, &err));
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.text, reason));
    release_free(&release);
}

static void package_find_accepts_paths(void **state)
{
    (void)state;
    assert_finds("a/hello-2.9.tar.gz", "a/hello-2.9.tar.gz");
    assert_finds("README", "README");
    assert_finds("hello", "hello"); /* a file of just this name comes before any version */
}

static void package_find_accepts_file_names(void **state)
{
    (void)state;
    assert_finds("hello-2.9.tar.gz", "a/hello-2.9.tar.gz");
    assert_finds("twice-1.0.tar.xz", "b/twice-1.0.tar.xz");
}

static void package_find_accepts_the_newest(void **state)
{
    (void)state;
    assert_finds("tool", "rc/tool-1.0.tar.gz");
    assert_finds("hello-doc", "hello-doc-3.0.tar.gz");
}

static void package_find_rejects_ambiguity(void **state)
{
    (void)state;
    assert_rejects("twice", HALLMARK_ERR_USAGE, "b/twice-1.0.tar.gz, b/twice-1.0.tar.xz");
    assert_rejects("same-1.0.tar.gz", HALLMARK_ERR_USAGE,
                   "several files answer to this name: c/same-1.0.tar.gz, d/same-1.0.tar.gz");
}

static void package_find_rejects_the_unknown(void **state) /* P03 */
{
    (void)state;
    assert_rejects("nothing", HALLMARK_ERR_NO_PACKAGE, "the manifest lists no such package");
    assert_rejects("../README", HALLMARK_ERR_NO_PACKAGE, "../README");
    assert_rejects("", HALLMARK_ERR_NO_PACKAGE, "no such package");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(package_find_accepts_paths),
        cmocka_unit_test(package_find_accepts_file_names),
        cmocka_unit_test(package_find_accepts_the_newest),
        cmocka_unit_test(package_find_rejects_ambiguity),
        cmocka_unit_test(package_find_rejects_the_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
