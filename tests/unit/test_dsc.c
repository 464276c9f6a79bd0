/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dsc: the control files of source packages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "corpus.h"
#include "format/dsc.h"

#define HASH "31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b"

static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct dsc dsc = {.files = NULL};
    bool ok = dsc_parse(&dsc, text, "x.dsc", err);

    if (ok && strcmp(file, "one-file") != 0) {
        assert_true(bytes_view_equals(dsc.source, "hello"));
        assert_true(dsc.n_files >= 2);
        assert_true(bytes_view_equals(dsc.files[0].name, "hello_2.10.orig.tar.gz"));
        assert_int_equal(dsc.files[0].size, 725946);
        assert_int_equal(dsc.files[0].sha256[0], 0x31);
        assert_int_equal(dsc.files[0].sha256[31], 0x6b);
    } else if (!ok) {
        assert_null(dsc.files);
        assert_null(dsc.stanza.fields);
    }
    dsc_free(&dsc);
    return ok;
}

static void dsc_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("dsc/good", parse);
}

static void dsc_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"duplicate-field", "x.dsc: line 10: the field \"Source\" was on line 2 already"},
        {"empty", "x.dsc: holds no field"},
        {"files-md5-short", "x.dsc: Files: \" cd0ffea3884a4e79330338dcc2987d6 725946 hello_2.1"},
        {"files-one-less",
         "Files: \"hello_2.10-3.debian.tar.xz\" is missing, which Checksums-Sha256"},
        {"files-one-more", "x.dsc: Files: \"hello.xz\" is not in Checksums-Sha256"},
        {"files-other-name", "Files: \"hello_2.10-3.Debian.tar.xz\" is not in Checksums-Sha256"},
        {"files-other-size", "\"hello_2.10-3.debian.tar.xz\" has another size in Checksums-Sha256"},
        {"files-twice", "x.dsc: Files: \"hello_2.10.orig.tar.gz\" is listed twice"},
        {"list-empty", "x.dsc: line 4: Checksums-Sha256 lists its files on the lines"},
        {"list-on-first-line", "line 4: Checksums-Sha256 lists its files on the lines behind"},
        {"name-absolute", "x.dsc: Checksums-Sha256: \"/etc/passwd\" is no name for a file"},
        {"name-and-more", "gz x\" is not \" HASH SIZE NAME\""},
        {"name-backslash", "\"a\\b\" is no name for a file beside the .dsc"},
        {"name-dash", "\"-rf\" is no name for a file beside the .dsc"},
        {"name-dot-dot", "\"..\" is no name for a file beside the .dsc"},
        {"name-in-directory", "\"pool/hello_2.10.orig.tar.gz\" is no name for a file"},
        {"name-long", "is no name for a file beside the .dsc"},
        {"name-missing", "\"\" is no name for a file beside the .dsc"},
        {"name-not-ascii", "is no name for a file beside the .dsc"},
        {"name-parent", "\"../hello_2.10.orig.tar.gz\" is no name for a file"},
        {"name-tab", "is not \" HASH SIZE NAME\""},
        {"name-twice", "Checksums-Sha256: \"hello_2.10.orig.tar.gz\" is listed twice"},
        {"no-files", "x.dsc: has no field Files"},
        {"no-format", "x.dsc: has no field Format"},
        {"no-newline-at-end", "has no newline at its end"},
        {"no-sha256", "x.dsc: has no field Checksums-Sha256"},
        {"no-source", "x.dsc: has no field Source"},
        {"no-version", "x.dsc: has no field Version"},
        {"second-stanza", "x.dsc: line 11 begins a second stanza"},
        {"sha1-other-size", "Checksums-Sha1: \"hello_2.10-3.debian.tar.xz\" has another size"},
        {"sha256-is-sha1", "is not \" HASH SIZE NAME\""},
        {"sha256-short", "is not \" HASH SIZE NAME\""},
        {"sha256-upper-case", "is not \" HASH SIZE NAME\""},
        {"sha512-is-sha256", "x.dsc: Checksums-Sha512: \" 31e06613"},
        {"signed-blank-line-of-blanks", "x.dsc: line 3 is neither a Hash header nor the empty"},
        {"signed-carriage-return-in-text", "x.dsc: line 5 holds a carriage return or a NUL"},
        {"signed-carriage-returns", "x.dsc: line 1 is not \"-----BEGIN PGP SIGNED MESSAGE-----\""},
        {"signed-crc-wrong", "x.dsc: "},
        {"signed-empty", "x.dsc: the signed text is empty"},
        {"signed-escaped-line", "x.dsc: line 4 starts with \"-\""},
        {"signed-nested", "x.dsc: line 4 starts with \"-\""},
        {"signed-no-end", "x.dsc: "},
        {"signed-no-signature", "x.dsc: line 13 is missing"},
        {"signed-other-header", "x.dsc: line 3 is neither a Hash header nor the empty line"},
        {"signed-text-after", "x.dsc: 14 bytes behind the end of the signature, none are wanted"},
        {"signed-text-before", "x.dsc: line 3 begins a second stanza"},
        {"signed-twice", "bytes behind the"},
        {"signed-two-stanzas", "x.dsc: line 11 begins a second stanza"},
        {"size-huge", "is not \" HASH SIZE NAME\""},
        {"size-leading-zero", "is not \" HASH SIZE NAME\""},
        {"size-missing", "is not \" HASH SIZE NAME\""},
        {"size-negative", "is not \" HASH SIZE NAME\""},
        {"source-slash", "x.dsc: line 2: \"../hello\" is no Source"},
        {"source-upper-case", "x.dsc: line 2: \"Hello\" is no Source"},
        {"version-bad", "x.dsc: line 3: \"x\" is no Version"},
    };

    (void)state;
    corpus_assert_rejects("dsc/bad", parse, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

/* A .dsc with so many files. */
static bool parse_files(size_t n, struct hallmark_error *err)
{
    struct bytes text = {0};
    struct dsc dsc;
    size_t i;
    bool ok;

    bytes_append_str(&text, "Format: 1.0\nSource: x\nVersion: 1\nChecksums-Sha256:\n");
    for (i = 0; i < n; i++)
        bytes_printf(&text, " " HASH " %zu f%zu\n", i, i);
    bytes_append_str(&text, "Files:\n");
    for (i = n; i > 0; i--)
        bytes_printf(&text, " %.32s %zu f%zu\n", HASH, i - 1, i - 1);
    ok = dsc_parse(&dsc, bytes_view(&text), "x", err);
    if (ok) {
        assert_int_equal(dsc.n_files, n);
        assert_int_equal(dsc.files[n - 1].size, n - 1);
        dsc_free(&dsc);
    }
    bytes_free(&text);
    return ok;
}

static void dsc_rejects_too_many_files(void **state)
{
    struct hallmark_error err = {0};

    (void)state;
    assert_true(parse_files(LIMITS_DSC_FILES, &err));
    assert_false(parse_files(LIMITS_DSC_FILES + 1, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "is one file more than the limit of 1000");
}

static void dsc_rejects_a_large_document(void **state)
{
    struct hallmark_error err = {0};
    struct bytes text = {0};
    struct dsc dsc;

    (void)state;
    memset(bytes_reserve(&text, LIMITS_DSC_BYTES + 1), 'x', LIMITS_DSC_BYTES + 1);
    text.len = LIMITS_DSC_BYTES + 1;
    assert_false(dsc_parse(&dsc, bytes_view(&text), "x", &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "x: has 524289 bytes, at most 524288 are wanted");
    bytes_free(&text);
}

static void dsc_rejects_a_nul(void **state)
{
    static const char text[] =
        "-----BEGIN PGP SIGNED MESSAGE-----\n\nFormat: 1\0.0\n"
        "-----BEGIN PGP SIGNATURE-----\n\nAAEC\n-----END PGP SIGNATURE-----\n";
    struct hallmark_error err = {0};
    struct dsc dsc;

    (void)state;
    assert_false(dsc_parse(&dsc, bytes_view_of(text, sizeof text - 1), "x", &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "x: line 3 holds a carriage return or a NUL");
}

static void dsc_accepts_its_own_names_only(void **state)
{
    (void)state;
    assert_true(dsc_is_path(bytes_view_str("pool/x.dsc")));
    assert_false(dsc_is_path(bytes_view_str(".dsc")));
    assert_false(dsc_is_path(bytes_view_str("x.DSC")));
    assert_false(dsc_is_path(bytes_view_str("x.dsc.gz")));
    assert_false(dsc_is_path(bytes_view_str("")));
    assert_true(dsc_is_list(bytes_view_str("files")));
    assert_true(dsc_is_list(bytes_view_str("Checksums-SHA512")));
    assert_false(dsc_is_list(bytes_view_str("Package-List")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dsc_accepts_good_files),
        cmocka_unit_test(dsc_rejects_bad_files),
        cmocka_unit_test(dsc_rejects_too_many_files),
        cmocka_unit_test(dsc_rejects_a_large_document),
        cmocka_unit_test(dsc_rejects_a_nul),
        cmocka_unit_test(dsc_accepts_its_own_names_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
