/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source_list: hallmark.sources(5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "corpus.h"
#include "format/source_list.h"

#define FINGERPRINT "0123456789ABCDEF0123456789ABCDEF01234567"
#define LEAST       "URIs: https://example.org/releases\nSuites: ./\n"

static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct source_list list = {0};
    bool ok = source_list_parse(&list, text, "a.sources", err);

    (void)file;
    source_list_free(&list);
    return ok;
}

static void source_list_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("source_list/good", parse);
}

static void source_list_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"allow-downgrade", "a.sources: line 3: Allow-Downgrade-To-Insecure: yes asks for less"},
        {"allow-insecure", "a.sources: line 3: Allow-Insecure: yes asks for less than a good"},
        {"allow-weak", "a.sources: line 3: Allow-Weak: yes asks for less than a good"},
        {"architecture-dash", "line 3: Architectures: \"-x\" is no name"},
        {"architectures-add", "line 3: Architectures-Add: would choose other files"},
        {"carriage-return", "line 1 holds a carriage return"},
        {"clock-skew-words", "line 3: Clock-Skew: has 2 words, one is wanted"},
        {"component-dot-dot", "line 3: Components: \"..\" is no name"},
        {"components-of-flat", "line 1: the suite \"./\" ends with \"/\" and has no components"},
        {"continues-nothing", "line 1 continues nothing"},
        {"date-max-future-negative", "line 3: Date-Max-Future: \"-1\" is no whole number"},
        {"duplicate-field", "line 3: the field \"Suites\" was on line 2 already"},
        {"empty", "a.sources: holds no field"},
        {"exclude", "line 3: Exclude: would choose other files"},
        {"inrelease-path", "line 3: InRelease-Path: would choose other files"},
        {"max-age-number", "line 3: Max-Age: \"7x\" is not a length of time"},
        {"no-components", "line 1: the suite \"stable\" has no Components"},
        {"no-suites", "line 1: has no Suites"},
        {"no-uris", "line 1: has no URIs"},
        {"not-utf8", "line 3 is not UTF-8"},
        {"old-style", "line 1 is no field \"Name: value\""},
        {"only-comments", "a.sources: holds no field"},
        {"origin-empty", "line 3: Origin: is empty"},
        {"origin-folded", "line 3: Origin: is not one line of text"},
        {"require-expiry-maybe", "line 3: Require-Expiry: \"maybe\" is neither yes nor no"},
        {"require-expiry-words", "line 3: Require-Expiry: has 2 words, one is wanted"},
        {"second-stanza-bad", "line 8: Trusted: trust comes from signatures alone"},
        {"signed-by-empty", "line 3: Signed-By: is empty"},
        {"signed-by-key-id", "line 3: Signed-By: \"89ABCDEF01234567\" is no absolute path, no"},
        {"signed-by-relative", "line 3: Signed-By: \"keys/a.gpg\" is no absolute path"},
        {"signed-by-tail",
         "line 3: Signed-By: \"0123456789ABCDEF0123456789ABCDEF01234567x\" is no"},
        {"snapshot", "line 3: Snapshot: would choose other files"},
        {"suite-absolute", "line 2: Suites: \"/etc/\" is no name of a suite, and no path"},
        {"suite-dot-dot", "line 2: Suites: \"../y\" is no name of a suite"},
        {"suite-dot-dot-flat", "line 2: Suites: \"./../y/\" is no name of a suite"},
        {"suite-escaped", "line 2: Suites: \"a%2fb\" is no name of a suite"},
        {"suite-twice", "line 2: Suites: \"a\" stands there twice"},
        {"suite-variable", "line 2: Suites: \"$(ARCH)/\" is no name of a suite"},
        {"threshold-17", "line 3: Threshold: \"17\" is no whole number, or out of range"},
        {"threshold-leading-zero", "line 3: Threshold: \"02\" is no whole number"},
        {"threshold-words", "line 3: Threshold: has 2 words, one is wanted"},
        {"threshold-zero", "line 3: Threshold: \"0\" is no number of signatures"},
        {"too-many-stanzas", "more than 64 stanzas"},
        {"too-many-words", "line 3: Components: has more than 64 words"},
        {"trusted-no", "line 3: Trusted: trust comes from signatures alone"},
        {"trusted-yes", "line 3: Trusted: trust comes from signatures alone"},
        {"type-rpm", "line 1: Types: \"rpm\" is neither deb nor deb-src"},
        {"unknown-field", "line 3: there is no field \"Treshold\""},
        {"uri-cdrom", "line 1: URIs: \"cdrom:[Debian]/\" is no URI of http, https or file"},
        {"uri-mirror", "URIs: \"mirror+https://example.org/list\" is no URI of http"},
        {"uri-password", "URIs: \"ftp://***@example.org/\" is no URI of http"},
        {"uri-path", "line 1: URIs: \"/srv/x\" is no URI of http, https or file"},
        {"uri-query", "line 1: https://example.org/a?b: "},
        {"uri-relative", "line 1: URIs: \"file:srv/x\" is no URI of http"},
        {"valid-until-max-huge", "line 3: Valid-Until-Max: \"99999999999999999999\" is no"},
    };

    (void)state;
    corpus_assert_rejects("source_list/bad", parse, HALLMARK_ERR_USAGE, cases,
                          sizeof cases / sizeof *cases);
}

static void must_parse(struct source_list *out, const char *text)
{
    struct hallmark_error err = {0};

    if (!source_list_parse(out, bytes_view_str(text), "a", &err))
        fail_msg("%s", err.text);
}

static void source_list_accepts_and_keeps_what_is_said(void **state)
{
    struct source_list list = {0};
    const struct source_list_stanza *s;

    (void)state;
    must_parse(&list, "Types: deb\nURIs: http://a/x file:/b\nSuites: one two\nComponents: main c\n"
                      "Architectures: amd64\nSigned-By: /k.gpg," FINGERPRINT "!\nThreshold: 2\n"
                      "Max-Age: 2h\nClock-Skew: 5s\nRequire-Expiry: no\nOrigin: An Origin\n"
                      "Codename: juniper\n");
    assert_int_equal(list.n_stanzas, 1);
    s = &list.stanzas[0];
    assert_true(s->is_enabled);
    assert_int_equal(s->uris.n_items, 2);
    assert_string_equal(s->uris.items[1], "file:/b");
    assert_int_equal(s->suites.n_items, 2);
    assert_string_equal(s->components.items[1], "c");
    assert_string_equal(s->architectures.items[0], "amd64");
    assert_int_equal(s->keyrings.n_items, 1);
    assert_string_equal(s->keyrings.items[0], "/k.gpg");
    assert_string_equal(s->signed_by.items[0], FINGERPRINT "!");
    assert_int_equal(s->threshold, 2);
    assert_int_equal(s->max_age, 7200);
    assert_int_equal(s->clock_skew, 5);
    assert_int_equal(s->expiry, HALLMARK_EXPIRY_OPTIONAL);
    assert_string_equal(s->origin, "An Origin");
    assert_string_equal(s->codename, "juniper");
    assert_null(s->key);
    source_list_free(&list);
}

static void source_list_accepts_defaults_that_are_strict(void **state)
{
    struct source_list list = {0};

    (void)state;
    must_parse(&list, LEAST "Check-Valid-Until: no\nCheck-Date: no\nValid-Until-Min: 9999\n");
    assert_int_equal(list.stanzas[0].expiry, HALLMARK_EXPIRY_REQUIRED);
    assert_int_equal(list.stanzas[0].max_age, SOURCE_LIST_NOT_SAID);
    assert_int_equal(list.stanzas[0].clock_skew, SOURCE_LIST_NOT_SAID);
    assert_int_equal(list.stanzas[0].threshold, 0);
    source_list_free(&list);
}

static void source_list_accepts_the_stricter_of_two_limits(void **state)
{
    static const char *const texts[] = {
        LEAST "Max-Age: 1h\nValid-Until-Max: 7200\nClock-Skew: 5s\nDate-Max-Future: 10\n",
        LEAST "Valid-Until-Max: 3600\nMax-Age: 2h\nDate-Max-Future: 5\nClock-Skew: 10s\n",
        LEAST "Max-Age: 2h\nValid-Until-Max: 3600\nClock-Skew: 10s\nDate-Max-Future: 5\n",
        LEAST "Valid-Until-Max: 7200\nMax-Age: 1h\nDate-Max-Future: 10\nClock-Skew: 5s\n",
    };
    struct source_list list = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        must_parse(&list, texts[i]);
        assert_int_equal(list.stanzas[0].max_age, 3600);
        assert_int_equal(list.stanzas[0].clock_skew, 5);
        source_list_free(&list);
    }
}

static void source_list_accepts_a_key_in_the_field(void **state)
{
    struct source_list list = {0};

    (void)state;
    must_parse(&list, LEAST "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"
                            "# between\n =x\n -----END PGP PUBLIC KEY BLOCK-----\n");
    assert_string_equal(list.stanzas[0].key, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n=x\n"
                                             "-----END PGP PUBLIC KEY BLOCK-----\n");
    assert_int_equal(list.stanzas[0].signed_by.n_items, 0);
    source_list_free(&list);
}

static void source_list_accepts_comments_inside_of_values(void **state)
{
    struct source_list list = {0};

    (void)state;
    must_parse(&list, "URIs:\n http://a/\n# http://b/\n#\n http://c/\nSuites: ./\n");
    assert_int_equal(list.stanzas[0].uris.n_items, 2);
    assert_string_equal(list.stanzas[0].uris.items[1], "http://c/");
    source_list_free(&list);
    must_parse(&list, LEAST "Origin: one line\n# and no more\nCodename: x\n");
    assert_string_equal(list.stanzas[0].origin, "one line");
    source_list_free(&list);
    must_parse(&list, "# first\nURIs: http://a/\n# behind a field\nSuites: ./\n# at the end\n\n"
                      "# before a stanza\nURIs:\n# before a tab\n\thttp://b/\nSuites: ./\n#\n#");
    assert_int_equal(list.n_stanzas, 2);
    assert_int_equal(list.stanzas[0].uris.n_items, 1);
    assert_int_equal(list.stanzas[1].uris.n_items, 1);
    assert_string_equal(list.stanzas[1].uris.items[0], "http://b/");
    source_list_free(&list);
}

static void source_list_accepts_a_disabled_stanza_unread(void **state)
{
    struct source_list list = {0};

    (void)state;
    must_parse(&list, "Trusted: yes\nEnabled: no\n\n" LEAST);
    assert_int_equal(list.n_stanzas, 2);
    assert_false(list.stanzas[0].is_enabled);
    assert_int_equal(list.stanzas[0].suites.n_items, 0);
    assert_true(list.stanzas[1].is_enabled);
    assert_int_equal(list.stanzas[1].line, 4);
    source_list_free(&list);
}

/* What is for repo-verify alone need not say what apt asks for. */
static void source_list_accepts_a_stanza_without_types(void **state)
{
    struct source_list list = {0};

    (void)state;
    must_parse(&list, "URIs: http://a/\nSuites: stable\n");
    assert_int_equal(list.stanzas[0].components.n_items, 0);
    source_list_free(&list);
}

static void source_list_accepts_locations(void **state)
{
    static const char *const cases[][3] = {
        {"https://a/debian", "stable", "https://a/debian/dists/stable"},
        {"https://a/debian//", "stable/updates", "https://a/debian/dists/stable/updates"},
        {"https://a/x", "./", "https://a/x/"},
        {"https://a/x/", "/", "https://a/x/"},
        {"file:///x", "sub/y/", "file:///x/sub/y"},
        {"file:///x", "./sub/", "file:///x/sub"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *location = source_list_location(cases[i][0], cases[i][1]);

        assert_string_equal(location, cases[i][2]);
        free(location);
    }
}

static void source_list_rejects_what_is_no_name(void **state)
{
    char text[66];

    (void)state;
    assert_true(source_list_is_name("debian"));
    assert_true(source_list_is_name("0.a_b-C"));
    assert_false(source_list_is_name(""));
    assert_false(source_list_is_name("."));
    assert_false(source_list_is_name("-x"));
    assert_false(source_list_is_name("a/b"));
    assert_false(source_list_is_name("a b"));
    assert_false(source_list_is_name("a:b"));
    memset(text, 'a', 65);
    text[65] = '\0';
    assert_false(source_list_is_name(text));
    assert_true(source_list_is_name(text + 1));
}

static void source_list_rejects_a_large_file(void **state)
{
    struct source_list list = {0};
    struct hallmark_error err = {0};
    struct bytes text = {0};

    (void)state;
    bytes_append_str(&text, LEAST);
    while (text.len <= LIMITS_SOURCE_BYTES)
        bytes_append_str(&text, "# ........................................................\n");
    assert_false(source_list_parse(&list, bytes_view(&text), "a", &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "at most 1048576 are wanted");
    bytes_free(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_list_accepts_good_files),
        cmocka_unit_test(source_list_rejects_bad_files),
        cmocka_unit_test(source_list_accepts_and_keeps_what_is_said),
        cmocka_unit_test(source_list_accepts_defaults_that_are_strict),
        cmocka_unit_test(source_list_accepts_the_stricter_of_two_limits),
        cmocka_unit_test(source_list_accepts_a_key_in_the_field),
        cmocka_unit_test(source_list_accepts_comments_inside_of_values),
        cmocka_unit_test(source_list_accepts_a_disabled_stanza_unread),
        cmocka_unit_test(source_list_accepts_a_stanza_without_types),
        cmocka_unit_test(source_list_accepts_locations),
        cmocka_unit_test(source_list_rejects_what_is_no_name),
        cmocka_unit_test(source_list_rejects_a_large_file),
    };

    return cmocka_run_group_tests_name("source_list", tests, NULL, NULL);
}
