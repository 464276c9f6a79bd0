/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy for one entry of an archive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "system/entry.h"

static struct entry make(enum entry_kind kind, const char *path, const char *target)
{
    return (struct entry){.kind = kind,
                          .mode = 0644,
                          .mtime = 1700000000,
                          .path = bytes_view_str(path),
                          .target = bytes_view_str(target)};
}

static void assert_view(struct bytes_view view, const char *text)
{
    assert_int_equal(view.len, strlen(text));
    assert_memory_equal(view.data, text, view.len);
}

static void assert_refused(struct entry entry, enum hallmark_links links, const char *why)
{
    struct hallmark_error err = {0};

    assert_false(entry_check(&entry, links, &err));
    assert_int_equal(err.code, HALLMARK_ERR_UNSAFE);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void assert_accepted(struct entry entry, enum hallmark_links links, const char *path)
{
    struct hallmark_error err = {0};

    if (!entry_check(&entry, links, &err))
        fail_msg("%s", err.text);
    assert_view(entry.path, path);
}

static void entry_accepts_paths(void **state)
{
    static const struct {
        enum entry_kind kind;
        const char *path, *becomes;
    } cases[] = {
        {ENTRY_FILE, "a", "a"},
        {ENTRY_FILE, "./a", "a"},
        {ENTRY_FILE, "././a/b", "a/b"},
        {ENTRY_FILE, "...", "..."},
        {ENTRY_FILE, "..a/b..", "..a/b.."},
        {ENTRY_FILE, "a b\\c-d", "a b\\c-d"},
        {ENTRY_FILE, "-rf", "-rf"},
        {ENTRY_FILE, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
        {ENTRY_DIRECTORY, "a/", "a"},
        {ENTRY_DIRECTORY, "./a/b/", "a/b"},
        {ENTRY_DIRECTORY, "./", ""},
        {ENTRY_DIRECTORY, ".", ""},
        {ENTRY_DIRECTORY, "././", ""},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_accepted(make(cases[i].kind, cases[i].path, ""), HALLMARK_LINKS_INSIDE,
                        cases[i].becomes);
}

static void entry_rejects_paths(void **state)
{
    static const struct {
        enum entry_kind kind;
        const char *path, *why;
    } cases[] = {
        {ENTRY_FILE, "", "empty name"},
        {ENTRY_FILE, "..", "\"..\""},
        {ENTRY_FILE, "../x", "\"..\""},
        {ENTRY_FILE, "./../x", "\"..\""},
        {ENTRY_FILE, "d/../../x", "\"..\""},
        {ENTRY_DIRECTORY, "d/..", "\"..\""},
        {ENTRY_DIRECTORY, "../", "\"..\""},
        {ENTRY_FILE, "/x", "absolute"},
        {ENTRY_DIRECTORY, "/", "absolute"},
        {ENTRY_DIRECTORY, "//", "absolute"},
        {ENTRY_FILE, ".//x", "absolute"},
        {ENTRY_FILE, "a//b", "empty component"},
        {ENTRY_FILE, "a/./b", "\".\""},
        {ENTRY_DIRECTORY, "a//", "ends in"},
        {ENTRY_FILE, "a/", "ends in"},
        {ENTRY_FILE, ".", "tree itself"},
        {ENTRY_SYMLINK, "./", "tree itself"},
        {ENTRY_HARDLINK, ".", "tree itself"},
        {ENTRY_FILE, "a\nb", "printable"},
        {ENTRY_FILE, "a\x1b[0m", "printable"},
        {ENTRY_FILE, "a\x7f", "printable"},
        {ENTRY_FILE, "caf\xe9", "printable"},
        {ENTRY_FILE, "\xc0\xae\xc0\xae/x", "printable"},
        {ENTRY_FILE,
         "a\xe2\x80\xae"
         "b",
         "printable"},
        {ENTRY_DEVICE, "a", "device"},
        {ENTRY_FIFO, "a", "fifo"},
        {ENTRY_SOCKET, "a", "socket"},
        {ENTRY_OTHER, "a", "neither"},
        {(enum entry_kind)0, "a", "neither"},
        {(enum entry_kind)99, "a", "neither"},
    };
    struct entry nul = make(ENTRY_FILE, "", "");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(make(cases[i].kind, cases[i].path, "x"), HALLMARK_LINKS_ANY, cases[i].why);
    nul.path = bytes_view_of("a\0b", 3);
    assert_refused(nul, HALLMARK_LINKS_ANY, "printable");
}

/* N times "d/", and LEN times "x". */
static char *long_path(size_t n, size_t len)
{
    char *path = calloc(1, 2 * n + len + 1);
    size_t i;

    assert_non_null(path);
    for (i = 0; i < n; i++)
        memcpy(path + 2 * i, "d/", 2);
    memset(path + 2 * n, 'x', len);
    return path;
}

static void entry_rejects_long_paths(void **state)
{
    char *fits = long_path(LIMITS_DEPTH - 1, LIMITS_COMPONENT_BYTES);
    char *component = long_path(0, LIMITS_COMPONENT_BYTES + 1);
    char *depth = long_path(LIMITS_DEPTH, 1);
    char *path = long_path(2000, LIMITS_PATH_BYTES - 4000 + 1);

    (void)state;
    assert_accepted(make(ENTRY_FILE, fits, ""), HALLMARK_LINKS_INSIDE, fits);
    assert_refused(make(ENTRY_FILE, component, ""), HALLMARK_LINKS_INSIDE, "255");
    assert_refused(make(ENTRY_FILE, depth, ""), HALLMARK_LINKS_INSIDE, "64 directories");
    assert_refused(make(ENTRY_FILE, path, ""), HALLMARK_LINKS_INSIDE, "4095");
    free(fits);
    free(component);
    free(depth);
    free(path);
}

static void entry_accepts_symlinks_that_stay_inside(void **state)
{
    static const char *const cases[][2] = {
        {"l", "a"},         {"l", "a/b"},         {"d/l", "../a"},  {"d/e/l", "../../a"},
        {"d/l", ".."},      {"l", "."},           {"l", "./a//b/"}, {"l", "a/../b"},
        {"d/l", "a/../.."}, {"d/l", "../d/../e"}, {"l", "..."},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_accepted(make(ENTRY_SYMLINK, cases[i][0], cases[i][1]), HALLMARK_LINKS_INSIDE,
                        cases[i][0]);
}

static void entry_rejects_symlinks_that_leave(void **state)
{
    static const char *const cases[][2] = {
        {"l", "/etc/passwd"}, {"l", ".."},       {"l", "../x"},       {"d/l", "../../x"},
        {"l", "a/../../x"},   {"./l", "./../x"}, {"l", "a//../../x"}, {"d/l", "../d/../../x"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused(make(ENTRY_SYMLINK, cases[i][0], cases[i][1]), HALLMARK_LINKS_INSIDE,
                       "leaves the tree");
        assert_accepted(make(ENTRY_SYMLINK, cases[i][0], cases[i][1]), HALLMARK_LINKS_ANY,
                        cases[i][0][0] == '.' ? "l" : cases[i][0]);
    }
}

static void entry_rejects_symlink_targets(void **state)
{
    char *target = long_path(0, LIMITS_PATH_BYTES + 1);

    (void)state;
    assert_refused(make(ENTRY_SYMLINK, "l", ""), HALLMARK_LINKS_ANY, "empty");
    assert_refused(make(ENTRY_SYMLINK, "l", target), HALLMARK_LINKS_ANY, "4095");
    assert_refused(make(ENTRY_SYMLINK, "l", "a\nb"), HALLMARK_LINKS_ANY, "not printable");
    assert_refused(make(ENTRY_SYMLINK, "l", "a\xff"), HALLMARK_LINKS_ANY, "not printable");
    free(target);
}

static void entry_rejects_hardlink_targets(void **state)
{
    static const char *const targets[] = {"/etc/passwd", "../x", "", ".", "a/../b", "a//b", "a/"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_refused(make(ENTRY_HARDLINK, "h", targets[i]), HALLMARK_LINKS_ANY, "hard link");
}

static void entry_accepts_hardlinks(void **state)
{
    struct entry entry = make(ENTRY_HARDLINK, "./h", "./a/b");
    struct hallmark_error err = {0};

    (void)state;
    assert_true(entry_check(&entry, HALLMARK_LINKS_INSIDE, &err));
    assert_view(entry.path, "h");
    assert_view(entry.target, "a/b");
}

static void entry_rejects_data_on_what_is_no_file(void **state)
{
    static const enum entry_kind kinds[] = {ENTRY_DIRECTORY, ENTRY_SYMLINK, ENTRY_HARDLINK};
    struct entry entry;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        entry = make(kinds[i], "a", "b");
        entry.size = 1;
        assert_refused(entry, HALLMARK_LINKS_ANY, "holds data");
    }
}

static void entry_accepts_and_masks_modes(void **state)
{
    static const struct {
        enum entry_kind kind;
        unsigned mode, becomes;
    } cases[] = {
        {ENTRY_FILE, 06755, 0755},      {ENTRY_FILE, 07777, 0755},  {ENTRY_FILE, 0, 0600},
        {ENTRY_FILE, 0666, 0644},       {ENTRY_FILE, 0400, 0600},   {ENTRY_FILE, 0555, 0755},
        {ENTRY_DIRECTORY, 07777, 0755}, {ENTRY_DIRECTORY, 0, 0700}, {ENTRY_DIRECTORY, 0500, 0700},
        {ENTRY_DIRECTORY, 0750, 0750},
    };
    struct hallmark_error err = {0};
    struct entry entry;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        entry = make(cases[i].kind, "a", "");
        entry.mode = cases[i].mode;
        assert_true(entry_check(&entry, HALLMARK_LINKS_INSIDE, &err));
        assert_int_equal(entry.mode, cases[i].becomes);
    }
}

static void entry_accepts_and_clamps_times(void **state)
{
    static const struct {
        int64_t mtime;
        uint32_t nsec;
        int64_t becomes;
        uint32_t becomes_nsec;
    } cases[] = {
        {0, 5, 0, 5},
        {-1, 5, 0, 0},
        {INT64_MIN, 0, 0, 0},
        {LIMITS_TIMESTAMP_MAX, 999999999, LIMITS_TIMESTAMP_MAX, 999999999},
        {LIMITS_TIMESTAMP_MAX + 1, 5, LIMITS_TIMESTAMP_MAX, 0},
        {INT64_MAX, 0, LIMITS_TIMESTAMP_MAX, 0},
        {1, 1000000000, 1, 0},
    };
    struct hallmark_error err = {0};
    struct entry entry;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        entry = make(ENTRY_FILE, "a", "");
        entry.mtime = cases[i].mtime;
        entry.mtime_nsec = cases[i].nsec;
        assert_true(entry_check(&entry, HALLMARK_LINKS_INSIDE, &err));
        assert_true(entry.mtime == cases[i].becomes);
        assert_int_equal(entry.mtime_nsec, cases[i].becomes_nsec);
    }
}

static void entry_accepts_a_walk_over_crossings(void **state)
{
    static const struct {
        const char *path, *target;
        const char *crossings[4];
    } cases[] = {
        {"l", "a/b", {NULL}},
        {"d/l", "../a", {NULL}},
        {"l", "a/../b", {"a"}},
        {"d/l", "a/../..", {"d/a"}},
        {"l", "p/q/../..", {"p/q", "p"}},
        {"x/y/l", "../a//./b/../../../c/..", {"x/a/b", "x/a", "c"}},
    };
    struct entry entry;
    struct entry_walk walk;
    size_t i, n;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        entry = make(ENTRY_SYMLINK, cases[i].path, cases[i].target);
        entry_walk_start(&walk, &entry);
        for (n = 0; entry_walk_next(&walk); n++) {
            assert_non_null(cases[i].crossings[n]);
            assert_view(bytes_view(&walk.path), cases[i].crossings[n]);
        }
        assert_null(cases[i].crossings[n]);
        entry_walk_end(&walk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_accepts_paths),
        cmocka_unit_test(entry_rejects_paths),
        cmocka_unit_test(entry_rejects_long_paths),
        cmocka_unit_test(entry_accepts_symlinks_that_stay_inside),
        cmocka_unit_test(entry_rejects_symlinks_that_leave),
        cmocka_unit_test(entry_rejects_symlink_targets),
        cmocka_unit_test(entry_rejects_hardlink_targets),
        cmocka_unit_test(entry_accepts_hardlinks),
        cmocka_unit_test(entry_rejects_data_on_what_is_no_file),
        cmocka_unit_test(entry_accepts_and_masks_modes),
        cmocka_unit_test(entry_accepts_and_clamps_times),
        cmocka_unit_test(entry_accepts_a_walk_over_crossings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
