/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* control: the control file of a package. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "corpus.h"
#include "format/control.h"

static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct control control = {.stanza = {.fields = NULL}};
    bool ok = control_parse(&control, text, "a.deb: control", err);

    (void)file;
    if (ok) {
        assert_true(control.package.len && control.version.len && control.architecture.len);
        assert_true(control.stanza.n_fields >= 3);
    } else {
        assert_null(control.stanza.fields);
    }
    control_free(&control);
    return ok;
}

static void control_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("control/good", parse);
}

static void control_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"architecture-empty", "a.deb: control: line 3: \"\" is no Architecture"},
        {"architecture-two", "line 3: \"amd64 arm64\" is no Architecture"},
        {"architecture-upper-case", "line 3: \"AMD64\" is no Architecture"},
        {"blank-line-inside", "line 5 begins a second stanza"},
        {"carriage-return", "line 1 holds a carriage return"},
        {"comment", "line 1 is no field"},
        {"conffiles", "line 4: the field Conffiles is for packages that are installed"},
        {"duplicate-field", "line 4: the field \"package\" was on line 1 already"},
        {"empty", "a.deb: control: holds no field"},
        {"escape", "line 4 holds a control character"},
        {"latin-1", "line 4 is not UTF-8"},
        {"no-architecture", "a.deb: control: has no field Architecture"},
        {"no-newline-at-end", "line 3 has no newline at its end"},
        {"no-package", "a.deb: control: has no field Package"},
        {"no-version", "a.deb: control: has no field Version"},
        {"only-blanks-line", "line 5 holds nothing but blanks"},
        {"only-tab-line", "line 5 holds nothing but blanks"},
        {"package-empty", "line 1: \"\" is no Package"},
        {"package-slash", "line 1: \"../hello\" is no Package"},
        {"package-starts-with-dash", "line 1: \"-hello\" is no Package"},
        {"package-two-lines", "is no Package"},
        {"package-two-words", "line 1: \"hel lo\" is no Package"},
        {"package-underscore", "line 1: \"hel_lo\" is no Package"},
        {"package-upper-case", "line 1: \"Hello\" is no Package"},
        {"second-stanza", "line 5 begins a second stanza"},
        {"status", "line 4: the field Status is for packages that are installed"},
        {"version-blank", "line 2: \"2 10\" is no Version"},
        {"version-empty", "line 2: \"\" is no Version"},
        {"version-epoch-empty", "line 2: \":2\" is no Version"},
        {"version-epoch-huge", "line 2: \"9999999999:2\" is no Version"},
        {"version-epoch-letters", "line 2: \"a:2\" is no Version"},
        {"version-letter-first", "line 2: \"a2.10\" is no Version"},
        {"version-only-epoch", "line 2: \"1:\" is no Version"},
        {"version-only-revision", "line 2: \"-3\" is no Version"},
        {"version-revision-colon", "line 2: \"1:2-3:4\" is no Version"},
        {"version-revision-empty", "line 2: \"2-\" is no Version"},
        {"version-slash", "line 2: \"2/3\" is no Version"},
        {"version-underscore", "line 2: \"2_10\" is no Version"},
    };

    (void)state;
    corpus_assert_rejects("control/bad", parse, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

static void control_accepts_what_is_in_it(void **state)
{
    struct control control;

    (void)state;
    assert_true(control_parse(
        &control, bytes_view_str("Version: 1:2-3 \nARCHITECTURE:all\nPackage:  hello\n"), "x",
        NULL));
    assert_true(bytes_view_equals(control.package, "hello"));
    assert_true(bytes_view_equals(control.version, "1:2-3"));
    assert_true(bytes_view_equals(control.architecture, "all"));
    control_free(&control);
}

/* LEN bytes in all, most of them in two lines. */
static bool parse_long(size_t len, struct hallmark_error *err)
{
    struct bytes text = {0};
    bool ok;

    bytes_append_str(&text, "Package: x\nVersion: 1\nArchitecture: all\nProvides: ");
    while (text.len < len / 2)
        bytes_append_str(&text, "p");
    bytes_append_str(&text, "\n ");
    while (text.len + 1 < len)
        bytes_append_str(&text, "p");
    bytes_append_str(&text, "\n");
    ok = parse(bytes_view(&text), "", err);
    bytes_free(&text);
    return ok;
}

static void control_rejects_more_than_the_limit(void **state)
{
    struct hallmark_error err = {0};

    (void)state;
    assert_true(parse_long(LIMITS_STANZA_BYTES, &err));
    assert_false(parse_long(LIMITS_STANZA_BYTES + 1, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "a.deb: control: has 532481 bytes, at most 532480 are wanted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_accepts_good_files),
        cmocka_unit_test(control_rejects_bad_files),
        cmocka_unit_test(control_accepts_what_is_in_it),
        cmocka_unit_test(control_rejects_more_than_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
