/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* deb822: one stanza, strictly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "corpus.h"
#include "format/deb822.h"

/* Files whose names begin with "settings" are in the style that allows comments. */
static enum deb822_style style_of(const char *file)
{
    return strncmp(file, "settings", strlen("settings")) == 0 ? DEB822_COMMENTS : DEB822_STRICT;
}

static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct deb822 stanza = {0};
    bool ok = deb822_parse(&stanza, text, style_of(file), "Release", err);

    if (!ok)
        assert_null(stanza.fields);
    deb822_free(&stanza);
    return ok;
}

static void deb822_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("deb822/good", parse);
}

static void deb822_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"blank-line-at-end", "Release: line 3 is blank"},
        {"blank-line-at-start", "Release: line 1 is blank"},
        {"comment", "Release: line 2 is no field"},
        {"continuation-first", "Release: line 1 continues nothing"},
        {"continuation-with-tab", "Release: line 2 starts with a tab"},
        {"duplicate-field", "Release: line 3: the field \"Date\" was on line 1 already"},
        {"duplicate-field-other-case", "Release: line 2: the field \"DATE\" was on line 1 already"},
        {"empty", "Release: holds no field"},
        {"field-starts-with-dash", "Release: line 1 is no field"},
        {"long-line", "Release: line 2 is longer than 4096 bytes"},
        {"name-empty", "Release: line 1 is no field"},
        {"name-with-blank", "Release: line 1 is no field"},
        {"name-starts-with-dash", "Release: line 1 is no field"},
        {"name-starts-with-hash", "Release: line 2 is no field"},
        {"no-colon", "Release: line 2 is no field"},
        {"no-newline-at-end", "Release: line 2 has no newline at its end"},
        {"second-stanza", "Release: line 2 is blank"},
        {"settings-comment-then-continuation", "Release: line 3 continues nothing"},
        {"settings-only-comments", "Release: holds no field"},
        {"settings-second-stanza", "Release: line 4 begins a second stanza"},
        {"too-many-fields", "Release: line 257 is one field more than the limit of 256"},
        {"trailing-blank", "Release: line 1 has blanks at its end"},
        {"trailing-blank-in-empty-field", "Release: line 1 has blanks at its end"},
        {"trailing-tab", "Release: line 2 has blanks at its end"},
    };

    (void)state;
    corpus_assert_rejects("deb822/bad", parse, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

/* What cannot stand in a text file. */
static void deb822_rejects_hostile_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *reason;
    } cases[] = {
#define CASE(text, reason) {text, sizeof text - 1, reason}
        CASE("A: b\0\n", "line 1 holds a NUL"),
        CASE("A\0B: c\n", "line 1 holds a NUL"),
        CASE("A: b\r\n", "line 1 holds a carriage return"),
        CASE("A: b\n c\rd\n", "line 2 holds a carriage return"),
        CASE("A: \x1b[31m\n", "line 1 holds a control character"),
        CASE("A: b\x7f\n", "line 1 holds a control character"),
        CASE("A: b\fc\n", "line 1 holds a control character"),
        CASE("A: b\vc\n", "line 1 holds a control character"),
        CASE("A: \xc2\x85z\n", "line 1 holds a control character"),
        CASE("A: \xff\n", "line 1 is not UTF-8"),
        CASE("A: \xc0\xaf\n", "line 1 is not UTF-8"),
        CASE("A: \xed\xa0\x80\n", "line 1 is not UTF-8"),
        CASE("A: \xf4\x90\x80\x80\n", "line 1 is not UTF-8"),
        CASE("A: \xe2\x82\n", "line 1 is not UTF-8"),
        CASE("\xc3\xa4: b\n", "line 1 is no field"),
        CASE("\x7f: b\n", "line 1 holds a control character"),
#undef CASE
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hallmark_error err = {0};

        assert_false(parse(bytes_view_of(cases[i].text, cases[i].len), "", &err));
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, cases[i].reason);
    }
}

static void deb822_accepts_the_longest_line(void **state)
{
    struct bytes text = {0};
    struct hallmark_error err = {0};
    size_t i;

    (void)state;
    bytes_append_str(&text, "A:");
    for (i = 2; i < LIMITS_LINE_BYTES; i++)
        bytes_append_str(&text, "x");
    bytes_append_str(&text, "\n");
    assert_true(parse(bytes_view(&text), "", &err));
    text.data[text.len - 1] = 'x';
    bytes_append_str(&text, "\n");
    assert_false(parse(bytes_view(&text), "", &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "line 1 is longer than 4096 bytes");
    bytes_free(&text);
}

static void assert_field(const struct deb822 *stanza, const char *name, const char *value,
                         size_t line)
{
    const struct deb822_field *field = deb822_find(stanza, name);

    assert_non_null(field);
    if (!bytes_view_equals(field->value, value))
        fail_msg("%s is \"%.*s\"", name, (int)field->value.len, field->value.data);
    assert_int_equal(field->line, line);
}

static void deb822_accepts_values_as_documented(void **state)
{
    static const char text[] = "Origin: Debian\n"
                               "Label:no blank\n"
                               "Empty:\n"
                               "Blanks: \t two  words\tand a tab\n"
                               "SHA256:\n"
                               " one\n"
                               "  two\n"
                               "First: word\n"
                               " .\n"
                               "Colons: a: b: c\n";
    struct deb822 stanza = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_true(deb822_parse(&stanza, bytes_view_str(text), DEB822_STRICT, "x", &err));
    assert_int_equal(stanza.n_fields, 7);
    assert_field(&stanza, "origin", "Debian", 1);
    assert_field(&stanza, "LABEL", "no blank", 2);
    assert_field(&stanza, "Empty", "", 3);
    assert_field(&stanza, "Blanks", "two  words\tand a tab", 4);
    assert_field(&stanza, "SHA256", "\n one\n  two", 5);
    assert_field(&stanza, "First", "word\n .", 8);
    assert_field(&stanza, "Colons", "a: b: c", 10);
    assert_null(deb822_find(&stanza, "Orig"));
    assert_null(deb822_find(&stanza, "Origins"));
    assert_true(bytes_view_equals(stanza.fields[1].name, "Label"));
    deb822_free(&stanza);
    assert_null(stanza.fields);
    deb822_free(NULL);
}

static void deb822_accepts_one_line_values(void **state)
{
    struct deb822 stanza = {0};
    struct hallmark_error err = {0};
    char *value = NULL;

    (void)state;
    assert_true(deb822_parse(&stanza, bytes_view_str("A: b\nC:\nD: e\n f\nG:\n h\n"), DEB822_STRICT,
                             "Release", &err));
    assert_true(deb822_get_line(&stanza, "a", &value, &err));
    assert_string_equal(value, "b");
    free(value);
    assert_true(deb822_get_line(&stanza, "Z", &value, &err));
    assert_null(value);
    assert_false(deb822_get_line(&stanza, "C", &value, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "Release: line 2: the field \"C\" is empty");
    err = (struct hallmark_error){0};
    assert_false(deb822_get_line(&stanza, "D", &value, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "Release: line 3: the field \"D\" is continued");
    err = (struct hallmark_error){0};
    assert_false(deb822_get_line(&stanza, "G", &value, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "Release: line 5: the field \"G\" is continued");
    assert_null(value);
    deb822_free(&stanza);
}

static void deb822_accepts_what_it_writes(void **state)
{
    struct bytes text = {0};
    struct deb822 stanza = {0};
    struct hallmark_error err = {0};

    (void)state;
    deb822_write(&text, "Origin",
                 "Gr\xc3\xbc\xc3\x9f"
                 "e");
    deb822_write(&text, "Label", NULL);
    deb822_write(&text, "Suite", "");
    deb822_write(&text, "Version", "1");
    assert_string_equal(text.data, "Origin: Gr\xc3\xbc\xc3\x9f"
                                   "e\nVersion: 1\n");
    assert_true(deb822_parse(&stanza, bytes_view(&text), DEB822_STRICT, "x", &err));
    assert_field(&stanza, "Origin",
                 "Gr\xc3\xbc\xc3\x9f"
                 "e",
                 1);
    deb822_free(&stanza);
    bytes_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deb822_accepts_good_files),
        cmocka_unit_test(deb822_rejects_bad_files),
        cmocka_unit_test(deb822_rejects_hostile_bytes),
        cmocka_unit_test(deb822_accepts_the_longest_line),
        cmocka_unit_test(deb822_accepts_values_as_documented),
        cmocka_unit_test(deb822_accepts_one_line_values),
        cmocka_unit_test(deb822_accepts_what_it_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
