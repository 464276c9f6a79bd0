/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* index_path: which files of a manifest are indexes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "format/index_path.h"

static void assert_parses(const char *path, const char *plain, const char *component,
                          const char *architecture)
{
    struct index_path index;

    if (!index_path_parse(&index, path))
        fail_msg("%s", path);
    assert_true(bytes_view_equals(index.plain, plain));
    assert_true(bytes_view_equals(index.component, component));
    assert_true(bytes_view_equals(index.architecture, architecture));
    assert_int_equal(index.kind, strstr(path, "Sources")          ? INDEX_PATH_SOURCES
                                 : strstr(path, "Unpacked-Sizes") ? INDEX_PATH_UNPACKED_SIZES
                                                                  : INDEX_PATH_PACKAGES);
}

static void index_path_accepts_indexes(void **state)
{
    (void)state;
    assert_parses("Packages", "Packages", "", "");
    assert_parses("Sources.gz", "Sources", "", "");
    assert_parses("main/binary-amd64/Packages.xz", "main/binary-amd64/Packages", "main", "amd64");
    assert_parses("main/source/Sources.bz2", "main/source/Sources", "main", "source");
    assert_parses("Unpacked-Sizes", "Unpacked-Sizes", "", "");
    assert_parses("main/binary-amd64/Unpacked-Sizes.gz", "main/binary-amd64/Unpacked-Sizes", "main",
                  "amd64");
    assert_parses("updates/main/binary-all/Packages.zst", "updates/main/binary-all/Packages",
                  "updates/main", "all");
    assert_parses("main/debian-installer/binary-i386/Packages.lzma",
                  "main/debian-installer/binary-i386/Packages", "main/debian-installer", "i386");
}

static void index_path_accepts_compressions(void **state)
{
    struct index_path index;

    (void)state;
    assert_true(index_path_parse(&index, "Packages.gz") && index.is_readable);
    assert_int_equal(index.compression, PACKAGE_NAME_GZIP);
    assert_true(index_path_parse(&index, "a/binary-b/Packages.zst") && index.is_readable);
    assert_int_equal(index.compression, PACKAGE_NAME_ZSTD);
    assert_true(index_path_parse(&index, "Packages.lz4"));
    assert_false(index.is_readable);
}

static void index_path_knows_the_root(void **state)
{
    (void)state;
    assert_true(index_path_is_at_root("Packages.zst") &&
                index_path_is_at_root("Unpacked-Sizes.xz"));
    assert_false(index_path_is_at_root("packages") || index_path_is_at_root("a/Packages") ||
                 index_path_is_at_root("main/binary-amd64/Packages"));
}

static void index_path_rejects_other_files(void **state)
{
    static const char *const paths[] = {
        "",
        "packages",
        "unpacked-sizes",
        "main/source/Unpacked-Sizes",
        "Packages.asc",
        "Packages.gz.gz",
        "Packages.diff/Index",
        "a/Packages",
        "binary-amd64/Packages",
        "/binary-amd64/Packages",
        "main/binary-/Packages",
        "main/binary-amd64/Sources",
        "main/source/Packages",
        "source/Sources",
        "main/source/Release",
        "main/Contents-amd64.gz",
        "main/binary-amd64/Packages/x",
        "main/binary-amd64/by-hash/SHA256/Packages",
    };
    struct index_path index;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof paths / sizeof *paths; i++)
        if (index_path_parse(&index, paths[i]))
            fail_msg("%s", paths[i]);
}

static bool has(const char *path, const char *component)
{
    struct index_path index;

    assert_true(index_path_parse(&index, path));
    return index_path_has_component(&index, component);
}

static void index_path_accepts_components(void **state)
{
    (void)state;
    assert_true(has("main/binary-amd64/Packages", "main"));
    assert_true(has("main/binary-amd64/Packages", "updates/main"));
    assert_true(has("updates/main/binary-amd64/Packages", "main"));
    assert_true(has("updates/main/binary-amd64/Packages", "updates/main"));
    assert_true(has("main/debian-installer/binary-amd64/Packages", "main/debian-installer"));
}

static void index_path_rejects_components(void **state)
{
    (void)state;
    assert_false(has("main/binary-amd64/Packages", "contrib"));
    assert_false(has("main/binary-amd64/Packages", "mai"));
    assert_false(has("main/binary-amd64/Packages", "mainly"));
    assert_false(has("main/binary-amd64/Packages", ""));
    assert_false(has("main/debian-installer/binary-amd64/Packages", "main"));
    assert_false(has("updates/main/binary-amd64/Packages", "updates"));
    assert_false(has("a/main/binary-amd64/Packages", "b/main"));
}

static void index_path_accepts_directories(void **state)
{
    struct index_path index;

    (void)state;
    assert_true(bytes_view_equals(index_path_directory("a/b/Packages"), "a/b/"));
    assert_true(bytes_view_equals(index_path_directory("Packages"), ""));
    assert_true(index_path_parse(&index, "main/debian-installer/binary-amd64/Packages"));
    assert_true(index_path_is_installer(&index));
    assert_true(index_path_parse(&index, "main/binary-amd64/Packages"));
    assert_false(index_path_is_installer(&index));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_path_accepts_indexes),
        cmocka_unit_test(index_path_accepts_compressions),
        cmocka_unit_test(index_path_knows_the_root),
        cmocka_unit_test(index_path_rejects_other_files),
        cmocka_unit_test(index_path_accepts_components),
        cmocka_unit_test(index_path_rejects_components),
        cmocka_unit_test(index_path_accepts_directories),
    };

    return cmocka_run_group_tests_name("index_path", tests, NULL, NULL);
}
