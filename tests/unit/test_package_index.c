/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* package_index: Packages and Sources, whoever wrote them; in one piece and byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "corpus.h"
#include "format/package_index.h"

/* What was taken: a line for each entry. */
static bool note(void *ctx, const struct package_index_entry *entry, struct hallmark_error *err)
{
    struct bytes *out = ctx;

    (void)err;
    bytes_printf(out, "%.*s %.*s %.*s %.*s %ju %u\n", (int)entry->name.len, entry->name.data,
                 (int)entry->version.len, entry->version.data, (int)entry->architecture.len,
                 entry->architecture.data, (int)entry->path.len, entry->path.data,
                 (uintmax_t)entry->size, entry->hashes);
    if (entry->n_entries)
        bytes_printf(out, "%s: %ju entries, %ju bytes\n", entry->index, (uintmax_t)entry->n_entries,
                     (uintmax_t)entry->n_unpacked);
    return true;
}

/* Reads TEXT in parts of STEP bytes. */
static bool read_all(struct bytes_view text, const char *file, size_t step, struct bytes *out,
                     struct hallmark_error *err)
{
    struct package_index_sink sink = {.take = note, .ctx = out};
    enum index_path_kind kind = strncmp(file, "sources", 7) == 0    ? INDEX_PATH_SOURCES
                                : strncmp(file, "unpacked", 8) == 0 ? INDEX_PATH_UNPACKED_SIZES
                                                                    : INDEX_PATH_PACKAGES;
    struct package_index *index = package_index_new(kind, "Index", &sink);
    bool ok = true;
    size_t n;

    for (; ok && text.len; text = bytes_view_of(text.data + n, text.len - n)) {
        n = step < text.len ? step : text.len;
        ok = package_index_feed(index, bytes_view_of(text.data, n), err);
    }
    ok = ok && package_index_finish(index, err);
    package_index_free(index);
    return ok;
}

static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct bytes whole = {0}, single = {0};
    struct hallmark_error other = {0};
    bool ok = read_all(text, file, text.len, &whole, err);

    assert_int_equal(ok, read_all(text, file, 1, &single, &other));
    assert_string_equal(err->text, other.text);
    assert_int_equal(whole.len, single.len);
    if (whole.len)
        assert_string_equal(whole.data, single.data);
    bytes_free(&whole);
    bytes_free(&single);
    return ok;
}

static void assert_gives(const char *file, const char *text, const char *wanted)
{
    struct hallmark_error err = {0};
    struct bytes out = {0};

    if (!read_all(bytes_view_str(text), file, 7, &out, &err))
        fail_msg("%s", err.text);
    assert_string_equal(out.data, wanted);
    bytes_free(&out);
}

static void package_index_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("package_index/good", parse);
}

static void package_index_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"blank-line-of-carriage-return", "line 7 is no field"},
        {"carriage-returns", "has no valid Package"},
        {"comment", "line 1 is no field"},
        {"continues-nothing", "line 1 continues nothing"},
        {"continues-nothing-behind-stanza", "line 8 continues nothing"},
        {"filename-absolute", "no valid Filename"},
        {"filename-blank", "no valid Filename"},
        {"filename-dash", "no valid Filename"},
        {"filename-dot-dot", "no valid Filename"},
        {"filename-dot-dot-behind-dot", "no valid Filename"},
        {"filename-double-slash", "no valid Filename"},
        {"filename-empty", "no valid Filename"},
        {"filename-twice", "line 7 has a field that the stanza had already"},
        {"filename-two-lines", "line 5 continues a field that has one line only"},
        {"name-dash", "line 2 is no field"},
        {"name-delete", "line 2 is no field"},
        {"name-hash", "line 2 is no field"},
        {"no-architecture", "has no field Architecture"},
        {"no-colon", "line 7 is no field"},
        {"no-filename", "has no field Filename"},
        {"no-package", "line 1 has no field Package"},
        {"no-size", "the stanza at line 1 has no field Size"},
        {"no-version", "has no field Version"},
        {"only-blanks-line", "line 7 holds nothing but blanks"},
        {"package-blank", "no valid Package"},
        {"package-empty", "no valid Package"},
        {"package-escape", "no valid Package: \"hello\\x1b[31m"},
        {"second-bad", "the stanza at line 8 has no field Size"},
        {"sha256-continued", "line 7 continues a field"},
        {"sha256-empty", "no valid SHA256"},
        {"sha256-not-hex", "no valid SHA256"},
        {"sha256-short", "no valid SHA256"},
        {"sha256-twice", "line 7 has a field that"},
        {"sha256-upper-case", "no valid SHA256"},
        {"sha512-short", "no valid SHA512"},
        {"size-hex", "no valid Size"},
        {"size-huge", "no valid Size"},
        {"size-leading-zero", "no valid Size"},
        {"size-negative", "no valid Size"},
        {"size-twice", "line 7 has a field that the stanza had already"},
        {"sources-directory-absolute", "is not \" HASH SIZE NAME\""},
        {"sources-directory-dot-dot", "is not \" HASH SIZE NAME\""},
        {"sources-entry-beside-name", "line 6 has an entry beside the name of a list"},
        {"sources-four-columns", "is not \" HASH SIZE NAME\""},
        {"sources-hash-short", "is not \" HASH SIZE NAME\""},
        {"sources-name-dot-dot", "is not \" HASH SIZE NAME\""},
        {"sources-name-with-slash", "is not \" HASH SIZE NAME\""},
        {"sources-no-directory", "has no field Directory"},
        {"sources-no-name", "is not \" HASH SIZE NAME\""},
        {"sources-size-plus", "is not \" HASH SIZE NAME\""},
        {"sources-weak", "neither Checksums-Sha256 nor"},
        {"unpacked-entries-negative", "no valid Entries: \"-1\""},
        {"unpacked-entries-twice", "line 3 has a field that the stanza had already"},
        {"unpacked-filename-dot-dot", "no valid Filename"},
        {"unpacked-no-entries", "the stanza at line 1 has no field Entries"},
        {"unpacked-no-filename", "the stanza at line 1 has no field Filename"},
        {"unpacked-no-size", "the stanza at line 1 has no field Unpacked-Size"},
        {"unpacked-size-huge", "no valid Unpacked-Size"},
        {"version-empty", "no valid Version"},
    };

    (void)state;
    corpus_assert_rejects("package_index/bad", parse, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

#define HASH "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"

static void package_index_accepts_and_gives_entries(void **state)
{
    (void)state;
    assert_gives("packages",
                 "Package: a\nDescription: x\n Filename: no\nVersion: 1:2-3\nArchitecture: all\n"
                 "Filename: ./p/a.deb\nSize: 9\nSHA256: " HASH "\n\n"
                 "Package: b\nVersion: 1\nArchitecture: arm64\nFilename: b\nSize: 0\n",
                 "a 1:2-3 all p/a.deb 9 1\nb 1 arm64 b 0 0\n");
    assert_gives("sources",
                 "Package: a\nVersion: 1\nArchitecture: any all\nChecksums-Sha256:\n " HASH
                 " 5 a.dsc\n " HASH "   6  a.tar.gz\nDirectory: ./p/\n",
                 "a 1 source p/a.dsc 5 1\na 1 source p/a.tar.gz 6 1\n");
    assert_gives("unpacked", "Filename: p/a.deb\nEntries: 3\nUnpacked-Size: 70\nPackage: other\n",
                 "   p/a.deb 0 0\nIndex: 3 entries, 70 bytes\n");
}

/* Fields of one stanza say nothing about the next one. */
static void package_index_rejects_what_the_stanza_before_had(void **state)
{
    static const char text[] = "Package: a\nVersion: 1\nArchitecture: all\nFilename: a\nSize: 1\n\n"
                               "Package: b\nVersion: 1\nArchitecture: all\nFilename: b\n\n";
    struct hallmark_error err = {0};
    struct bytes out = {0};

    (void)state;
    assert_false(read_all(bytes_view_str(text), "packages", sizeof text, &out, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "the stanza at line 7 has no field Size");
    bytes_free(&out);
}

static void package_index_rejects_long_lines(void **state)
{
    struct bytes text = {0}, out = {0};
    struct hallmark_error err = {0};
    size_t i;

    (void)state;
    bytes_append_str(&text, "Description: ");
    for (i = 0; i < LIMITS_CONTROL_BYTES; i++)
        bytes_append_str(&text, "x");
    assert_false(read_all(bytes_view(&text), "packages", 4096, &out, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "line 1 is longer than 524288 bytes");
    error_clear(&err);
    bytes_append_str(&text, "\n");
    assert_false(read_all(bytes_view(&text), "packages", text.len, &out, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "line 1 is longer than 524288 bytes");
    bytes_free(&text);
}

/* Without the end of its line: however much is fed at once, no more than that is kept. */
static void package_index_rejects_what_has_no_end(void **state)
{
    static char text[LIMITS_CONTROL_BYTES + 1];
    static const size_t steps[] = {sizeof text, sizeof text / 2 + 1};
    struct package_index_sink sink = {.take = note};
    struct hallmark_error err;
    size_t i, n;

    (void)state;
    memset(text, 'x', sizeof text);
    for (i = 0; i < 2; i++) {
        struct package_index *index = package_index_new(INDEX_PATH_PACKAGES, "Index", &sink);

        error_clear(&err);
        for (n = 0; n < 3 && package_index_feed(index, bytes_view_of(text, steps[i]), &err); n++)
            ;
        assert_int_equal(n, 2 * i);
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "line 1 is longer than 524288 bytes");
        package_index_free(index);
    }
}

static void package_index_rejects_a_long_list(void **state)
{
    struct bytes text = {0}, out = {0};
    struct hallmark_error err = {0};

    (void)state;
    bytes_append_str(&text, "Package: a\nChecksums-Sha256:\n");
    while (text.len < 2 * LIMITS_STANZA_BYTES)
        bytes_append_str(&text,
                         " 87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7 1 a\n");
    assert_false(read_all(bytes_view(&text), "sources", 4096, &out, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "makes a field longer than 532480 bytes");
    bytes_free(&text);
    bytes_free(&out);
}

static void package_index_rejects_nul(void **state)
{
    static const char text[] = "Package: a\0b\n";
    struct hallmark_error err = {0};
    struct bytes out = {0};

    (void)state;
    assert_false(read_all(bytes_view_of(text, sizeof text - 1), "packages", 64, &out, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "line 1 holds a NUL");
}

static bool refuse(void *ctx, const struct package_index_entry *entry, struct hallmark_error *err)
{
    (void)ctx;
    (void)entry;
    return error_set(err, HALLMARK_ERR_CONTENT, "enough");
}

static void package_index_rejects_what_the_sink_rejects(void **state)
{
    struct package_index_sink sink = {.take = refuse};
    struct package_index *index = package_index_new(INDEX_PATH_PACKAGES, "Index", &sink);
    struct hallmark_error err = {0};

    (void)state;
    assert_false(package_index_feed(index,
                                    bytes_view_str("Package: a\nVersion: 1\nArchitecture: all\n"
                                                   "Filename: a\nSize: 1\n\n"),
                                    &err));
    corpus_assert_error(&err, HALLMARK_ERR_CONTENT, "enough");
    package_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(package_index_accepts_good_files),
        cmocka_unit_test(package_index_rejects_bad_files),
        cmocka_unit_test(package_index_accepts_and_gives_entries),
        cmocka_unit_test(package_index_rejects_what_the_stanza_before_had),
        cmocka_unit_test(package_index_rejects_long_lines),
        cmocka_unit_test(package_index_rejects_what_has_no_end),
        cmocka_unit_test(package_index_rejects_a_long_list),
        cmocka_unit_test(package_index_rejects_nul),
        cmocka_unit_test(package_index_rejects_what_the_sink_rejects),
    };

    return cmocka_run_group_tests_name("package_index", tests, NULL, NULL);
}
