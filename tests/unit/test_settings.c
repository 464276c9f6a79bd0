/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* settings: hallmark.conf(5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "corpus.h"
#include "format/release.h"
#include "format/settings.h"

#define FINGERPRINT "0123456789ABCDEF0123456789ABCDEF01234567"

static void assert_same(const struct hallmark_settings *a, const struct hallmark_settings *b)
{
    size_t i;

    for (i = 0; i < SETTINGS_N_FIELDS; i++)
        if (a->values[i])
            assert_string_equal(a->values[i], b->values[i]);
        else
            assert_null(b->values[i]);
}

/* What is written of settings is accepted again and is the same. */
static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct hallmark_settings settings = {0}, again = {0};
    struct bytes written = {0};
    bool ok = settings_parse(&settings, text, "a.conf", err);
    size_t i;

    if (ok) {
        settings_write(&settings, &written);
        if (!settings_parse(&again, bytes_view(&written), "again", err))
            fail_msg("%s: %s in %s", file, err->text, written.data);
    }
    assert_same(&settings, &again);
    assert_int_equal(settings.n_suites, again.n_suites);
    for (i = 0; i < settings.n_suites; i++)
        assert_same(&settings.suites[i], &again.suites[i]);
    bytes_free(&written);
    settings_clear(&again);
    settings_clear(&settings);
    return ok;
}

static void settings_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("settings/good", parse);
}

static void settings_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"apt-codename-of-two", "Codename: cannot be the same of several suites"},
        {"apt-compression", "Compression: \"lz4\" is no compression that this version writes"},
        {"apt-no-suite", "a.conf: Suite: is missing; the layout apt needs at least one"},
        {"apt-contents", "line 4: Contents: \"maybe\" is neither yes nor no"},
        {"apt-not-automatic", "line 4: Not-Automatic: \"maybe\" is neither yes nor no"},
        {"apt-rule-component", "Rules: \"contrib\" is no component in Components"},
        {"apt-rule-four-words", "Rules: \"* * * s\" is not NAME VERSION ARCHITECTURE SUITES"},
        {"apt-rule-suite", "Rules: \"t\" is no suite in Suite"},
        {"apt-stanza-components", "line 6: Components is no setting of a suite"},
        {"apt-stanza-no-suite", "line 6: the stanza does not name one suite"},
        {"apt-stanza-twice", "Suite: \"b\" has two stanzas"},
        {"apt-stanza-two-suites", "line 5: the stanza does not name one suite"},
        {"apt-stanza-unknown-suite", "Suite: \"c\" is not among the suites of the first"},
        {"apt-suite-in-suite", "Suite: \"a/b\" would be a part of the directory of \"a\""},
        {"apt-suite-is-component", "Suite: \"main\" is the name of a component as well"},
        {"architecture-with-quote", "a.conf: line 2: Architectures: \"\"x\" is not a word of"},
        {"components-dash", "a.conf: line 2: Components: \"-x\" is not a word of letters"},
        {"components-twice", "a.conf: line 2: Components: \"main\" stands there twice"},
        {"duplicate-field", "a.conf: line 2: the field \"Name\" was on line 1 already"},
        {"empty", "a.conf: holds no field"},
        {"exclude-absolute",
         "a.conf: line 2: Exclude: \"/tmp/*\" is not a pattern for paths below"},
        {"exclude-empty", "a.conf: line 2: Exclude: \"\" is empty"},
        {"exclude-too-long", "is longer than 4032 bytes"},
        {"fingerprint-address",
         "Sign-With: \"release@example.org\" is not a fingerprint of 40 or 64"},
        {"fingerprint-grouped", "Sign-With: \"0123\" is not a fingerprint of 40 or 64"},
        {"fingerprint-not-hex", "Sign-With: \"gggggggggggggggggggggggggggggggggggggggg\" is not a"},
        {"fingerprint-second-short", "\"9ABCDEF0123456789ABCDEF0123456789ABCDEF\" is not a finger"},
        {"fingerprint-short", "Sign-With: \"0123456789ABCDEF\" is not a fingerprint of 40 or 64"},
        {"fingerprint-twice", "Sign-With: \"" FINGERPRINT "\" stands there twice"},
        {"gnupg-home-tilde", "a.conf: line 2: GnuPG-Home: \"~/.gnupg\" is not an absolute path"},
        {"hashes-lower-case", "Hashes: \"sha256\" is no digest that this version writes: SHA256"},
        {"hashes-md5", "a.conf: line 2: Hashes: \"MD5\" is no digest that this version writes"},
        {"keep-for-zero", "Keep-For: \"0\" is not a length of time such as 90m, 12h, 7d or 2w"},
        {"keep-generations-1001", "\"1001\" is not a whole number from 1 to 1000"},
        {"keep-generations-huge", "\"18446744073709551617\" is not a whole number from 1 to 1000"},
        {"keep-generations-leading-zero", "\"03\" is not a whole number from 1 to 1000"},
        {"keep-generations-word", "\"three\" is not a whole number from 1 to 1000"},
        {"keep-generations-zero", "Keep-Generations: \"0\" is not a whole number from 1 to 1000"},
        {"layout-rpm", "Layout: \"rpm\" is no layout that this version knows: plain, apt"},
        {"max-vanished-101", "Max-Vanished: \"101%\" is not a share from 0% to 100%"},
        {"max-vanished-leading-zero", "Max-Vanished: \"05%\" is not a share from 0% to 100%"},
        {"max-vanished-only-percent", "Max-Vanished: \"%\" is not a share from 0% to 100%"},
        {"max-vanished-without-percent", "Max-Vanished: \"20\" is not a share from 0% to 100%"},
        {"name-dash-first", "a.conf: line 2: Name: \"-a\" is not a name of at most 64"},
        {"name-dot-first", "a.conf: line 2: Name: \".a\" is not a name of at most 64"},
        {"name-empty", "a.conf: line 2: the field \"Name\" is empty"},
        {"name-too-long", "is not a name of at most 64"},
        {"name-with-blank", "a.conf: line 2: Name: \"a b\" is not a name of at most 64"},
        {"name-with-slash", "a.conf: line 2: Name: \"a/b\" is not a name of at most 64"},
        {"origin-bidi",
         "a.conf: line 2: Origin: \"a\\xe2\\x80\\xaeb\" is not one line of printable"},
        {"origin-empty", "a.conf: line 2: the field \"Origin\" is empty"},
        {"origin-folded",
         "a.conf: line 2: the field \"Origin\" is continued; it has one line only"},
        {"origin-with-tab", "a.conf: line 2: Origin: \"a\\x09b\" is not one line of printable"},
        {"plain-contents", "a.conf: Contents: is for the layout apt only"},
        {"plain-compression", "a.conf: Compression: is for the layout apt only"},
        {"plain-rules", "a.conf: Rules: is for the layout apt only"},
        {"plain-stanza", "a.conf: a second stanza describes a suite"},
        {"refresh-before-equal", "a.conf: Refresh-Before: \"4d\" is not less than Valid-For"},
        {"refresh-before-more-than-default", "a.conf: Refresh-Before: \"8d\" is not less than"},
        {"refresh-before-words", "Refresh-Before: \"soon\" is not a length of time such as"},
        {"root-relative", "a.conf: line 2: Root: \"srv\" is not an absolute path"},
        {"second-stanza", "a.conf: line 3: Root is no setting of a suite; it belongs"},
        {"state-relative", "a.conf: line 2: State: \"./state\" is not an absolute path"},
        {"suite-dot-dot", "a.conf: line 2: Suite: \"a/../b\" is not a word of letters"},
        {"suite-slash-first", "a.conf: line 2: Suite: \"/a\" is not a word of letters"},
        {"suite-slash-last", "a.conf: line 2: Suite: \"a/\" is not a word of letters"},
        {"suite-two-words", "a.conf: Suite: \"a b\" names several suites, which is for"},
        {"unknown-field", "a.conf: line 2: there is no setting \"Orgin\""},
        {"valid-for-fraction", "Valid-For: \"1.5d\" is not a length of time such as 90m, 12h"},
        {"valid-for-huge", "Valid-For: \"99999999999w\" is not a length of time such as"},
        {"valid-for-negative", "Valid-For: \"-1d\" is not a length of time such as 90m, 12h"},
        {"valid-for-short", "a.conf: line 2: Valid-For: \"59s\" is shorter than a minute"},
        {"valid-for-words", "a.conf: line 2: Valid-For: \"7 days\" is not a length of time such as "
                            "90m, 12h, 7d or 2w"},
        {"valid-for-zero", "Valid-For: \"0d\" is not a length of time such as 90m, 12h, 7d or 2w"},
    };

    (void)state;
    corpus_assert_rejects("settings/bad", parse, HALLMARK_ERR_USAGE, cases,
                          sizeof cases / sizeof *cases);
}

static void settings_rejects_values_alone(void **state)
{
    static const struct {
        enum settings_field field;
        const char *value, *reason;
    } cases[] = {
        {SETTINGS_ORIGIN, "", "Origin: \"\" is empty"},
        {SETTINGS_ORIGIN, " a", "Origin: \" a\" has blanks at its ends"},
        {SETTINGS_ORIGIN, "a ", "Origin: \"a \" has blanks at its ends"},
        {SETTINGS_ORIGIN, "a\nSuite: b", "Origin: \"a\\x0aSuite: b\" is not one line of printable"},
        {SETTINGS_ORIGIN, "a\xff", "Origin: \"a\\xff\" is not one line of printable UTF-8"},
        {SETTINGS_ORIGIN, "a\x1b[m", "Origin: \"a\\x1b[m\" is not one line of printable UTF-8"},
        {SETTINGS_ROOT, "/srv\n/x", "Root: \"/srv\\x0a/x\" is not one line of printable UTF-8"},
        {SETTINGS_COMPONENTS, " ", "Components: \" \" has blanks at its ends"},
        {SETTINGS_VALID_FOR, "30", "Valid-For: \"30\" is shorter than a minute"},
    };
    struct hallmark_settings settings = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hallmark_error err = {0};

        assert_false(settings_set(&settings, cases[i].field, cases[i].value, &err));
        corpus_assert_error(&err, HALLMARK_ERR_USAGE, cases[i].reason);
        assert_null(settings.values[cases[i].field]);
    }
}

static void settings_accepts_values_alone(void **state)
{
    struct hallmark_settings settings = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_true(settings_set(&settings, SETTINGS_NAME, "a", &err));
    assert_true(settings_set(&settings, SETTINGS_NAME, "b", &err));
    assert_string_equal(settings.values[SETTINGS_NAME], "b");
    assert_false(settings_set(&settings, SETTINGS_NAME, "b/", &err));
    assert_string_equal(settings.values[SETTINGS_NAME], "b");
    assert_true(settings_set(&settings, SETTINGS_NAME, NULL, &err));
    assert_null(settings.values[SETTINGS_NAME]);
    assert_true(settings_set(&settings, SETTINGS_NAME, NULL, &err));
    assert_true(settings_set(&settings, SETTINGS_COMPONENTS, "main   extra", &err));
    assert_string_equal(settings.values[SETTINGS_COMPONENTS], "main extra");
    assert_true(settings_set(&settings, SETTINGS_SIGN_WITH,
                             "0123456789abcdef0123456789abcdef01234567", &err));
    assert_string_equal(settings.values[SETTINGS_SIGN_WITH], FINGERPRINT);
    settings_clear(&settings);
    assert_null(settings.values[SETTINGS_COMPONENTS]);
}

static void settings_accepts_field_names(void **state)
{
    unsigned i;

    (void)state;
    for (i = 0; i < SETTINGS_N_FIELDS; i++)
        assert_int_equal(settings_find_field(settings_field_name((enum settings_field)i)), i);
    assert_int_equal(settings_find_field("keep-FOR"), SETTINGS_KEEP_FOR);
    assert_string_equal(settings_field_name(SETTINGS_GNUPG_HOME), "GnuPG-Home");
    assert_int_equal(settings_find_field("Keep"), SETTINGS_N_FIELDS);
    assert_int_equal(settings_find_field(""), SETTINGS_N_FIELDS);
}

static void settings_accepts_no_values(void **state)
{
    struct hallmark_settings settings = {0};
    struct strlist words = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_int_equal(settings_valid_for(&settings), 7 * 86400);
    assert_int_equal(settings_refresh_before(&settings), 7 * 43200);
    assert_int_equal(settings_keep_for(&settings), 86400);
    assert_int_equal(settings_keep_generations(&settings), 3);
    assert_int_equal(settings_max_vanished(&settings), 50);
    assert_int_equal(settings_hashes(&settings), RELEASE_SHA256);
    settings_words(&settings, SETTINGS_EXCLUDE, &words);
    assert_int_equal(words.n_items, 0);
    assert_true(settings_check(&settings, &err));
}

static void settings_accepts_values_as_documented(void **state)
{
    static const char text[] =
        "# ours\nName: a\nValid-For: 10h\nRefresh-Before: 90m\nKeep-For: 2w\n"
        "Keep-Generations: 12\nMax-Vanished: 5%\nHashes: SHA512\nExclude: *.tmp\n *~\n";
    struct hallmark_settings settings = {0};
    struct strlist words = {0};
    struct bytes written = {0};
    struct hallmark_error err = {0};

    (void)state;
    if (!settings_parse(&settings, bytes_view_str(text), "a.conf", &err))
        fail_msg("%s", err.text);
    assert_int_equal(settings_valid_for(&settings), 36000);
    assert_int_equal(settings_refresh_before(&settings), 5400);
    assert_int_equal(settings_keep_for(&settings), 14 * 86400);
    assert_int_equal(settings_keep_generations(&settings), 12);
    assert_int_equal(settings_max_vanished(&settings), 5);
    assert_int_equal(settings_hashes(&settings), RELEASE_SHA256 | RELEASE_SHA512);
    settings_words(&settings, SETTINGS_EXCLUDE, &words);
    assert_int_equal(words.n_items, 2);
    assert_string_equal(words.items[1], "*~");
    settings_write(&settings, &written);
    assert_string_equal(written.data,
                        "# hallmark.conf(5)\nName: a\nHashes: SHA512\nValid-For: 10h\n"
                        "Refresh-Before: 90m\nExclude: *.tmp *~\nKeep-Generations: 12\n"
                        "Keep-For: 2w\nMax-Vanished: 5%\n");
    assert_true(settings_set(&settings, SETTINGS_REFRESH_BEFORE, NULL, &err));
    assert_int_equal(settings_refresh_before(&settings), 18000);
    assert_true(settings_set(&settings, SETTINGS_REFRESH_BEFORE, "11h", &err));
    assert_false(settings_check(&settings, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "Refresh-Before: \"11h\" is not less than");
    bytes_free(&written);
    strlist_free(&words);
    settings_clear(&settings);
}

static void settings_rejects_what_is_too_large(void **state)
{
    struct hallmark_settings settings = {0};
    struct bytes text = {0};
    struct hallmark_error err = {0};

    (void)state;
    while (text.len <= LIMITS_SETTINGS_BYTES)
        bytes_append_str(&text, "# a comment\n");
    bytes_append_str(&text, "Name: a\n");
    assert_false(settings_parse(&settings, bytes_view(&text), "a.conf", &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "bytes, at most 65536 are wanted");
    bytes_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_accepts_good_files),
        cmocka_unit_test(settings_rejects_bad_files),
        cmocka_unit_test(settings_rejects_values_alone),
        cmocka_unit_test(settings_accepts_values_alone),
        cmocka_unit_test(settings_accepts_field_names),
        cmocka_unit_test(settings_accepts_no_values),
        cmocka_unit_test(settings_accepts_values_as_documented),
        cmocka_unit_test(settings_rejects_what_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
