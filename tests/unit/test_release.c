/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* release: the manifest. The names of the bad files begin with the case that they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "base/encoding.h"
#include "base/limits.h"
#include "corpus.h"
#include "format/packages.h"
#include "format/release.h"

#define DATE "Date: Sat, 21 Nov 2026 00:53:02 UTC\n"
#define HASH "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"

/* What is written of a manifest is accepted again and says the same. */
static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct release release = {0}, again = {0};
    struct bytes written = {0};
    bool ok = release_parse(&release, text, err);

    (void)file;
    if (ok) {
        release_write(&release, &written);
        if (!release_parse(&again, bytes_view(&written), err))
            fail_msg("%s: %s in %s", file, err->text, written.data);
        assert_true(release_is_same_content(&release, &again));
        assert_int_equal(release.date, again.date);
        assert_int_equal(release.valid_until, again.valid_until);
        assert_int_not_equal(release.hashes, 0);
    } else {
        assert_null(release.entries);
        assert_null(release.origin);
    }
    bytes_free(&written);
    release_free(&again);
    release_free(&release);
    return ok;
}

static void release_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("release/good", parse);
}

static void release_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"M01-two-dates", "Release: line 2: the field \"Date\" was on line 1 already"},
        {"M01-two-sections", "Release: line 4: the field \"SHA256\" was on line 2 already"},
        {"M01-two-suites", "Release: line 2: the field \"Suite\" was on line 1 already"},
        {"M01-two-valid-until", "Release: line 3: the field \"Valid-Until\" was on line 2"},
        {"M04-md5-only", "Release: neither SHA256 nor SHA512"},
        {"M04-sha1-only", "Release: neither SHA256 nor SHA512"},
        {"M04-xxh64-only", "Release: neither SHA256 nor SHA512"},
        {"M06-size-2-63", "line 3: the size \"9223372036854775808\" is not a number below"},
        {"M06-size-2-64", "line 3: the size \"18446744073709551616\" is not a number below"},
        {"M06-size-double-zero", "Release: line 3: the size \"00\" is not a number below 2^63"},
        {"M06-size-exponent", "Release: line 3: the size \"1e3\" is not a number below 2^63"},
        {"M06-size-fraction", "Release: line 3: the size \"5.0\" is not a number below 2^63"},
        {"M06-size-hex", "Release: line 3: the size \"0x10\" is not a number below 2^63"},
        {"M06-size-missing", "Release: line 3: is not \" HASH SIZE PATH\""},
        {"M06-size-negative", "Release: line 3: the size \"-1\" is not a number below 2^63"},
        {"M06-size-plus", "Release: line 3: the size \"+1\" is not a number below 2^63"},
        {"M06-size-twenty-nines", "line 3: the size \"99999999999999999999\" is not a number"},
        {"M06-size-zeros", "Release: line 3: the size \"007\" is not a number below 2^63"},
        {"M07-hash-long", "Release: line 3: the hash is not 64 lower-case hexadecimal digits"},
        {"M07-hash-missing", "Release: line 3: is not \" HASH SIZE PATH\""},
        {"M07-hash-not-hex", "Release: line 3: the hash is not 64 lower-case hexadecimal digits"},
        {"M07-hash-short", "Release: line 3: the hash is not 64 lower-case hexadecimal digits"},
        {"M07-hash-upper-case", "Release: line 3: the hash is not 64 lower-case hexadecimal"},
        {"M07-only-hash", "Release: line 3: is not \" HASH SIZE PATH\""},
        {"M07-sha1-in-sha256", "Release: line 3: the hash is not 64 lower-case hexadecimal"},
        {"M07-tab-before-hash", "Release: line 3: the hash is not 64 lower-case hexadecimal"},
        {"M07-tab-between", "Release: line 3: is not \" HASH SIZE PATH\""},
        {"M07-two-blanks", "Release: line 3: the hash is not 64 lower-case hexadecimal digits"},
        {"M08-absolute", "Release: line 4: the name \"/etc/passwd\" is absolute"},
        {"M09-dot", "Release: line 4: the name \"./a\" has a component \".\""},
        {"M09-dot-dot", "Release: line 4: the name \"../a\" has a component \".\" or \"..\""},
        {"M09-dot-dot-alone", "the name \"..\" has a component"},
        {"M09-dot-dot-inside", "the name \"a/../b\" has a component"},
        {"M09-dot-dot-last", "the name \"a/..\" has a component"},
        {"M09-dot-inside", "the name \"a/./b\" has a component"},
        {"M09-double-slash", "the name \"a//b\" has an empty component"},
        {"M09-trailing-slash", "the name \"a/\" has an empty component"},
        {"M10-backslash", "the name \"a\\b\" holds a backslash"},
        {"M10-blank-in-name", "the name \"a b\" holds a blank"},
        {"M11-case-twins", "Release: \"Pool/A\" and \"pool/a\" differ only in case"},
        {"M11-duplicate-path", "Release: \"a\" is listed twice"},
        {"M11-duplicate-path-in-sha512", "Release: \"a\" is listed twice"},
        {"M11-duplicate-path-other-hash", "Release: \"a\" is listed twice"},
        {"M11-not-ascii", "holds a blank, a control character, or one that is not ASCII"},
        {"M12-65-deep", "is more than 64 directories deep"},
        {"M12-component-of-256", "has a component of more than 255 bytes"},
        {"M12-file-and-deep-directory", "\"x/a\" and \"x/a/b/c\" would be file and directory"},
        {"M12-file-and-directory", "Release: \"a\" and \"a/b\" would be file and directory"},
        {"M12-file-and-directory-other-case", "\"a\" and \"A/b\" would be file and directory"},
        {"M12-path-of-4000", "Release: line 4: a name of 3999 bytes, at most 3946 fit on a line"},
        {"M16-date-1969",
         "Release: line 1: Date is \"Wed, 31 Dec 1969 23:59:59 UTC\"; a date like"},
        {"M16-date-1970",
         "Release: line 1: Date is \"Thu, 01 Jan 1970 00:00:00 UTC\"; a date like"},
        {"M16-date-1970-end", "Date is \"Thu, 31 Dec 1970 23:59:59 UTC\"; a date like"},
        {"M16-date-24-61", "Date is \"Sat, 21 Nov 2026 24:61:00 UTC\"; a date like"},
        {"M16-date-29-feb-2100", "Date is \"Mon, 29 Feb 2100 00:00:00 UTC\"; a date like"},
        {"M16-date-30-feb", "Date is \"Sun, 30 Feb 2025 00:00:00 UTC\"; a date like"},
        {"M16-date-9999", "Release: line 1: Date is not before 9999"},
        {"M16-date-empty", "Release: line 1: the field \"Date\" is empty"},
        {"M16-date-epoch", "Date is \"1795222382\"; a date like"},
        {"M16-date-german", "Date is \"Sa, 21 Nov 2026 00:53:02 UTC\"; a date like"},
        {"M16-date-iso", "Date is \"2026-11-21T00:53:02Z\"; a date like"},
        {"M16-date-leap-second", "Date is \"Sat, 21 Nov 2026 00:53:60 UTC\"; a date like"},
        {"M16-date-minus-zero", "Date is \"Sat, 21 Nov 2026 00:53:02 -0000\"; a date like"},
        {"M16-date-missing", "Release: no field \"Date\""},
        {"M16-date-no-zone", "Date is \"Sat, 21 Nov 2026 00:53:02\"; a date like"},
        {"M16-date-one-digit-hour", "Date is \"Sat, 21 Nov 2026 0:53:02 UTC\"; a date like"},
        {"M16-date-text-behind", "Date is \"Sat, 21 Nov 2026 00:53:02 UTC yes\"; a date like"},
        {"M16-date-two-digit-year", "Date is \"Sat, 21 Nov 26 00:53:02 UTC\"; a date like"},
        {"M16-date-wrong-weekday", "Date is \"Sun, 21 Nov 2026 00:53:02 UTC\"; a date like"},
        {"M16-date-year-10000", "Date is \"Sat, 01 Jan 10000 00:00:00 UTC\"; a date like"},
        {"M16-date-zone", "Date is \"Sat, 21 Nov 2026 00:53:02 +0100\"; a date like"},
        {"M18-valid-until-before-date", "Release: line 2: Valid-Until is not later than Date"},
        {"M18-valid-until-empty", "Release: line 2: the field \"Valid-Until\" is empty"},
        {"M18-valid-until-is-date", "Release: line 2: Valid-Until is not later than Date"},
        {"M18-valid-until-iso", "Release: line 2: Valid-Until is \"2027-01-01\"; a date like"},
        {"M20-valid-until-1970", "Valid-Until is \"Thu, 01 Jan 1970 00:00:00 UTC\"; a date like"},
        {"M20-valid-until-year-10000", "Valid-Until is \"Sat, 01 Jan 10000 00:00:00 UTC\"; a date"},
        {"M21-blank-line-at-end", "Release: line 4 is blank"},
        {"M21-folded-architectures", "Release: line 1: the field \"Architectures\" is continued"},
        {"M21-folded-by-hash", "Release: line 2: the field \"Acquire-By-Hash\" is continued"},
        {"M21-folded-codename", "Release: line 1: the field \"Codename\" is continued"},
        {"M21-folded-components", "Release: line 1: the field \"Components\" is continued"},
        {"M21-folded-date", "Release: line 1: the field \"Date\" is continued"},
        {"M21-folded-description", "Release: line 1: the field \"Description\" is continued"},
        {"M21-folded-label", "Release: line 1: the field \"Label\" is continued"},
        {"M21-folded-origin", "Release: line 1: the field \"Origin\" is continued"},
        {"M21-folded-suite", "Release: line 1: the field \"Suite\" is continued"},
        {"M21-folded-valid-until", "Release: line 2: the field \"Valid-Until\" is continued"},
        {"M21-folded-version", "Release: line 1: the field \"Version\" is continued"},
        {"M21-second-stanza", "Release: line 2 is blank"},
        {"M21-tab-indent", "Release: line 3 starts with a tab"},
        {"bidi-in-label", "line 1: the field \"Label\" holds a character that is not printable"},
        {"dash-in-name", "the name \"a/-rf\" has a component that starts with \"-\""},
        {"empty", "Release: holds no field"},
        {"empty-label", "Release: line 1: the field \"Label\" is empty"},
        {"entry-beside-section-name", "Release: line 2: an entry beside the name of its section"},
        {"entry-of-one-word", "Release: line 3: is not \" HASH SIZE PATH\""},
        {"lists-below-release", "Release: line 4: lists \"Release\", a name that the manifest"},
        {"lists-generations", "Release: line 4: lists \".hallmark\", a name that the manifest"},
        {"tab-in-label", "line 1: the field \"Label\" holds a character that is not printable"},
    };

    (void)state;
    corpus_assert_rejects("release/bad", parse, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

static void release_rejects_disagreeing_sections(void **state)
{
    static const struct corpus_case cases[] = {
        {"other-path", "SHA256 and SHA512 disagree: \"a\" stands in one of them only"},
        {"other-size", "SHA256 and SHA512 disagree: \"a\" has two sizes"},
        {"path-in-sha256-only", "SHA256 and SHA512 disagree: \"b\" stands in one of them only"},
        {"path-in-sha512-only", "SHA256 and SHA512 disagree: \"a\" stands in one of them only"},
        {"sha512-empty", "SHA256 and SHA512 disagree: \"a\" stands in one of them only"},
    };

    (void)state;
    corpus_assert_rejects("release/disagree", parse, HALLMARK_ERR_CONTENT, cases,
                          sizeof cases / sizeof *cases);
}

/* M10, M11: what cannot stand in a text file. */
static void release_rejects_hostile_names(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        const char *reason;
    } cases[] = {
#define CASE(name, reason) {name, sizeof name - 1, reason}
        CASE("a\0b", "line 3 holds a NUL"),
        CASE("a\x1b[2Jb", "line 3 holds a control character"),
        CASE("a\x7f", "line 3 holds a control character"),
        CASE("a\rb", "line 3 holds a carriage return"),
        CASE("a\xff", "line 3 is not UTF-8"),
        CASE("a\xc0\xae\xc0\xae/b", "line 3 is not UTF-8"),
        CASE("a\xe2\x80\xae"
             "b",
             "not ASCII"),
        CASE("a\xcc\x88", "not ASCII"),
        CASE("a\xc2\xa0"
             "b",
             "not ASCII"),
#undef CASE
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes text = {0};
        struct hallmark_error err = {0};

        bytes_append_str(&text, DATE "SHA256:\n " HASH " 5 ");
        bytes_append(&text, cases[i].name, cases[i].len);
        bytes_append_str(&text, "\n");
        assert_false(parse(bytes_view(&text), "", &err));
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, cases[i].reason);
        bytes_free(&text);
    }
}

static void release_accepts_values_as_documented(void **state)
{
    static const char text[] =
        "Origin: Debian\nlabel: L\xc3\xa4"
        "bel\nSuite: stable\nCodename: x\n"
        "Version: 12-updates\n" DATE "Valid-Until: Sat, 28 Nov 2026 00:53:02 UTC\n"
        "Architectures: all  amd64\nComponents: updates/main\n"
        "Description: a  b\nSHA256:\n " HASH "       0 z\n " HASH " 18 a/b\n";
    struct release r = {0};
    struct hallmark_error err = {0};
    unsigned char hash[RELEASE_SHA256_LEN];

    (void)state;
    if (!release_parse(&r, bytes_view_str(text), &err))
        fail_msg("%s", err.text);
    assert_string_equal(r.origin, "Debian");
    assert_string_equal(r.label, "L\xc3\xa4"
                                 "bel");
    assert_string_equal(r.suite, "stable");
    assert_string_equal(r.codename, "x");
    assert_string_equal(r.version, "12-updates");
    assert_string_equal(r.description, "a  b");
    assert_int_equal(r.date, 1795222382);
    assert_int_equal(r.valid_until, 1795222382 + 7 * 86400);
    assert_int_equal(r.architectures.n_items, 2);
    assert_string_equal(r.architectures.items[1], "amd64");
    assert_int_equal(r.components.n_items, 1);
    assert_int_equal(r.hashes, RELEASE_SHA256);
    assert_int_equal(r.n_entries, 2);
    assert_string_equal(r.entries[0].path, "a/b");
    assert_int_equal(r.entries[0].size, 18);
    assert_string_equal(r.entries[1].path, "z");
    assert_int_equal(r.entries[1].size, 0);
    assert_true(encoding_unhex(hash, sizeof hash, bytes_view_str(HASH)));
    assert_memory_equal(r.entries[0].sha256, hash, sizeof hash);
    assert_ptr_equal(release_find(&r, "a/b"), &r.entries[0]);
    assert_ptr_equal(release_find(&r, "z"), &r.entries[1]);
    assert_null(release_find(&r, "a"));
    assert_null(release_find(&r, ""));
    release_free(&r);
    assert_null(release_find(&r, "a"));
    release_free(NULL);
}

#define ENTRY(path) " 9b7add6b7ea5de67aaa2085bc1066310b5c049b14a7c1a0caa662df5b4d655da 5 " path "\n"

/* What update compares, so that nothing that was changed waits for the next change of a package. */
static void release_accepts_no_other_field_as_the_same(void **state)
{
    static const char *const changes[] = {
        "Origin: o\n",
        "Label: l\n",
        "Suite: s\n",
        "Codename: c\n",
        "Version: 1\n",
        "Description: d\n",
        "Acquire-By-Hash: yes\n",
        "No-Support-for-Architecture-all: Packages\n",
        "NotAutomatic: yes\n",
        "NotAutomatic: yes\nButAutomaticUpgrades: yes\n",
        "Architectures: amd64\n",
        "Components: main\n",
        "Architectures: arm64\n",
        "Components: contrib\n",
    };
    enum { N = sizeof changes / sizeof *changes };
    struct release r[N + 2] = {0};
    struct hallmark_error err = {0};
    size_t i, k;

    (void)state;
    for (i = 0; i < N + 2; i++) {
        struct bytes text = {0};

        bytes_printf(&text, "%s%sSHA256:\n " HASH " 5 %s\n", i < N ? changes[i] : "", DATE,
                     i == N + 1 ? "b" : "a");
        if (!release_parse(&r[i], bytes_view(&text), &err))
            fail_msg("%s", err.text);
        bytes_free(&text);
    }
    for (i = 0; i < N + 2; i++)
        for (k = 0; k < N + 2; k++)
            if (release_is_same_content(&r[i], &r[k]) != (i == k))
                fail_msg("%zu and %zu", i, k);
    for (i = 0; i < N + 2; i++)
        release_free(&r[i]);
}

/* As apt-ftparchive writes them; nobody opens them because of that. */
static void release_accepts_and_passes_over_manifests(void **state)
{
    static const char text[] = "Date: Sat, 21 Nov 2026 00:53:02 UTC\nSHA256:\n" ENTRY("InRelease")
        ENTRY("Packages") ENTRY("Release") ENTRY("Release.gpg") ENTRY("main/Release");
    struct hallmark_error err = {0};
    struct release release;

    (void)state;
    if (!release_parse(&release, bytes_view_str(text), &err))
        fail_msg("%s", err.text);
    assert_int_equal(release.n_entries, 2);
    assert_string_equal(release.entries[0].path, "Packages");
    assert_string_equal(release.entries[1].path, "main/Release");
    release_free(&release);
}

/* A manifest of N entries whose names FORMAT makes of a number. */
static void make_manifest(struct bytes *out, size_t n, const char *format)
{
    size_t i;
    char *name;

    bytes_append_str(out, DATE "SHA256:\n");
    for (i = 0; i < n; i++) {
        /* multiplied by a prime: an order that is not sorted */
        name = strchr(format, '%') ? alloc_printf("%s%06zu", format + 1, i * 7919 % 999983)
                                   : alloc_printf("%06zu%s", i * 7919 % 999983, format);
        bytes_printf(out, " " HASH " 5 %s\n", name);
        free(name);
    }
}

static double seconds_to_parse(struct bytes_view text, size_t n)
{
    struct release r = {0};
    struct hallmark_error err = {0};
    struct timespec start, end;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    if (!release_parse(&r, text, &err))
        fail_msg("%s", err.text);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_int_equal(r.n_entries, n);
    release_free(&r);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

/* M25: no choice of names makes it slow. The bound is generous, for valgrind and busy machines. */
static void release_accepts_100000_entries(void **state)
{
    static const char *const formats[] = {"/a.tar.gz", "%pool/aaaaaaaaaaaa/a-"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct bytes text = {0};
        double seconds;

        make_manifest(&text, 100000, formats[i]);
        assert_true(text.len <= LIMITS_MANIFEST_BYTES);
        seconds = seconds_to_parse(bytes_view(&text), 100000);
        print_message("100000 entries, %zu bytes: %.3f s\n", text.len, seconds);
        assert_true(seconds < 20);
        bytes_free(&text);
    }
}

/* M03 */
static void release_rejects_what_is_too_large(void **state)
{
    struct bytes text = {0};
    struct release r = {0};
    struct hallmark_error err = {0};
    size_t i;

    (void)state;
    make_manifest(&text, 130000, "/a.gz");
    assert_true(text.len > LIMITS_MANIFEST_BYTES);
    assert_false(release_parse(&r, bytes_view(&text), &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "bytes, at most 10000000 are wanted");
    bytes_free(&text);

    err = (struct hallmark_error){0};
    bytes_append_str(&text, DATE "SHA256:\n");
    for (i = 0; i <= LIMITS_ENTRIES; i++)
        bytes_append_str(&text, " a\n");
    assert_false(release_parse(&r, bytes_view(&text), &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "line 2: 200001 entries, at most 200000");
    bytes_free(&text);

    err = (struct hallmark_error){0};
    r.n_entries = LIMITS_ENTRIES + 1; /* at which nobody looks */
    assert_false(release_sort(&r, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "Release: 200001 entries, at most 200000");
    r.n_entries = 0;

    err = (struct hallmark_error){0};
    bytes_append_str(&text, "Origin: ");
    for (i = 0; i < 1000000 / 8; i++)
        bytes_append_str(&text, "xxxxxxxx");
    bytes_append_str(&text, "\n" DATE);
    assert_false(release_parse(&r, bytes_view(&text), &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "Release: line 1 is longer than 4096 bytes");
    bytes_free(&text);
}

static void release_accepts_indexes_as_no_packages(void **state)
{
    static const char text[] = DATE "Acquire-By-Hash: YES\nSHA256:\n"
                                    " " HASH " 1 Packages\n"
                                    " " HASH " 1 Packages.txt\n"
                                    " " HASH " 1 Packages.xz\n"
                                    " " HASH " 1 Unpacked-Sizes\n"
                                    " " HASH " 1 pool/Packages.gz\n";
    struct release release = {0};
    struct bytes out = {0};

    (void)state;
    assert_true(release_parse(&release, bytes_view_str(text), NULL));
    assert_true(release.acquire_by_hash);
    assert_int_equal(release.n_entries, 5);
    assert_int_equal(release_count_packages(&release), 2);
    release_write(&release, &out);
    assert_non_null(strstr(out.data, "\nAcquire-By-Hash: yes\nSHA256:\n"));
    bytes_free(&out);
    release_free(&release);
    assert_true(
        release_parse(&release, bytes_view_str(DATE "Acquire-By-Hash: no\nSHA256:\n"), NULL));
    assert_false(release.acquire_by_hash);
    release_free(&release);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release_accepts_good_files),
        cmocka_unit_test(release_rejects_bad_files),
        cmocka_unit_test(release_accepts_indexes_as_no_packages),
        cmocka_unit_test(release_rejects_disagreeing_sections),
        cmocka_unit_test(release_rejects_hostile_names),
        cmocka_unit_test(release_accepts_values_as_documented),
        cmocka_unit_test(release_accepts_no_other_field_as_the_same),
        cmocka_unit_test(release_accepts_and_passes_over_manifests),
        cmocka_unit_test(release_accepts_100000_entries),
        cmocka_unit_test(release_rejects_what_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
