/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* path: which names a manifest may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/path.h"

/* N times PART, free(3) releases it. */
static char *repeat(const char *part, size_t n)
{
    struct bytes out = {0};

    bytes_append(&out, "", 0);
    while (n-- > 0)
        bytes_append_str(&out, part);
    return out.data;
}

static void assert_accepted(const char *path)
{
    struct hallmark_error err = {0};

    if (!path_check(bytes_view_str(path), "x", &err))
        fail_msg("%s", err.text);
    assert_int_equal(err.code, HALLMARK_OK);
}

static void assert_rejected(const char *path, size_t len, const char *reason)
{
    char *copy = alloc_regrow(alloc_strndup(path, len), len, 1);
    struct hallmark_error err = {0};

    if (path_check(bytes_view_of(copy, len), "Release: line 7", &err))
        fail_msg("accepted: %s", path);
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    if (!strstr(err.text, reason) || strncmp(err.text, "Release: line 7: the name \"", 27) != 0)
        fail_msg("%s, wanted: %s", err.text, reason);
    free(copy);
}

static void path_accepts_names(void **state)
{
    static const char *const good[] = {"a",
                                       "pool/main/h/hello/hello_2.10-3_amd64.deb",
                                       "main/binary-all/Packages.diff/Index",
                                       "a+b~c:d=e,f@g%20h!i#j",
                                       "...",
                                       "..a/b..",
                                       ".hidden",
                                       "a-/b-c",
                                       "\"quoted\"'`$(x)"};
    char *component = repeat("x", LIMITS_COMPONENT_BYTES);
    char *deep = repeat("d/", LIMITS_DEPTH - 1), *deepest = alloc_printf("%sf", deep);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof good / sizeof *good; i++)
        assert_accepted(good[i]);
    assert_accepted(component);
    assert_accepted(deepest);
    free(component);
    free(deep);
    free(deepest);
}

static void path_rejects_names(void **state)
{
    static const struct {
        const char *path;
        size_t len;
        const char *reason;
    } cases[] = {
#define CASE(path, reason) {path, sizeof path - 1, reason}
        CASE("", "is empty"),
        CASE("/", "is absolute"),
        CASE("/etc/passwd", "is absolute"),
        CASE(".", "has a component \".\" or \"..\""),
        CASE("..", "has a component \".\" or \"..\""),
        CASE("./a", "has a component"),
        CASE("../a", "has a component"),
        CASE("a/..", "has a component"),
        CASE("a/../b", "has a component"),
        CASE("a/./b", "has a component"),
        CASE("a//b", "has an empty component"),
        CASE("a/", "has an empty component"),
        CASE("-rf", "has a component that starts with \"-\""),
        CASE("a/-rf", "has a component that starts with \"-\""),
        CASE("a b", "holds a blank"),
        CASE(" a", "holds a blank"),
        CASE("a\tb", "holds a blank, a control character"),
        CASE("a\nb", "\"a\\x0ab\" holds a blank"),
        CASE("a\rb", "holds a blank"),
        CASE("a\0b", "holds a blank"),
        CASE("\0", "holds a blank"),
        CASE("a\x1b[31m", "\\x1b[31m\" holds a blank"),
        CASE("a\x7f", "holds a blank"),
        CASE("a\\b", "holds a backslash"),
        CASE("a-long-name\\and a blank", "holds a backslash"),
        CASE("a long-name-and\\a backslash", "holds a blank"),
        CASE("d/another-long-name\\", "holds a backslash"),
        CASE("another-long-name /d", "holds a blank"),
        CASE("\xc3\xa4", "one that is not ASCII"),
        CASE("a\xcc\x88", "one that is not ASCII"),
        CASE("a\xff", "one that is not ASCII"),
        CASE("a\xe2\x80\xae", "one that is not ASCII"),
#undef CASE
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_rejected(cases[i].path, cases[i].len, cases[i].reason);
}

static void path_rejects_what_is_too_long(void **state)
{
    char *component = repeat("x", LIMITS_COMPONENT_BYTES + 1);
    char *deep = repeat("d/", LIMITS_DEPTH), *deeper = alloc_printf("%sf", deep);
    char *path = repeat("0123456789/", LIMITS_PATH_BYTES / 11 + 1);
    size_t len = LIMITS_PATH_BYTES + 1;

    (void)state;
    assert_rejected(component, strlen(component), "has a component of more than 255 bytes");
    assert_rejected(deeper, strlen(deeper), "is more than 64 directories deep");
    assert_rejected(path, len, "is longer than 4095 bytes");
    assert_rejected(path, len - 1, "is more than 64 directories deep");
    free(component);
    free(deep);
    free(deeper);
    free(path);
}

static void path_accepts_parts(void **state)
{
    static const char *const joined[][3] = {{"", "b", "b"},
                                            {"a", "b", "a/b"},
                                            {"a/", "b", "a/b"},
                                            {"/", "b", "/b"},
                                            {"a/b", "c/d", "a/b/c/d"}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof joined / sizeof *joined; i++) {
        char *path = path_join(joined[i][0], joined[i][1]);

        assert_string_equal(path, joined[i][2]);
        free(path);
    }
    assert_string_equal(path_basename("a/b/c"), "c");
    assert_string_equal(path_basename("c"), "c");
    assert_string_equal(path_basename("a/"), "");
    assert_string_equal(path_basename(""), "");
}

static void path_accepts_what_exists(void **state)
{
    struct hallmark_error err = {0};
    char *path = path_resolve("/./dev/../dev//null", &err);

    (void)state;
    assert_non_null(path);
    assert_string_equal(path, "/dev/null");
    free(path);
    assert_null(path_resolve("/dev/null/nothing", &err));
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    assert_non_null(strstr(err.text, "/dev/null/nothing: "));
    assert_non_null(strstr(err.text, strerror(ENOTDIR)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_accepts_names),
        cmocka_unit_test(path_rejects_names),
        cmocka_unit_test(path_rejects_what_is_too_long),
        cmocka_unit_test(path_accepts_parts),
        cmocka_unit_test(path_accepts_what_exists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
