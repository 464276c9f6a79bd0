/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* armor: one spelling of ASCII armor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "corpus.h"
#include "format/armor.h"

/* One or more blocks, and nothing else. */
static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct bytes out = {0};
    bool ok;

    (void)file;
    do
        ok = armor_decode(&text, "SIGNATURE", "Release.gpg", &out, err);
    while (ok && text.len);
    if (ok)
        assert_int_not_equal(out.len, 0);
    bytes_free(&out);
    return ok;
}

static void armor_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("armor/good", parse);
}

static void armor_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"S34-message", "Release.gpg: \"-----BEGIN PGP MESSAGE-----\" where "
                        "\"-----BEGIN PGP SIGNATURE-----\" is wanted"},
        {"S35-public-key", "\"-----BEGIN PGP PUBLIC KEY BLOCK-----\" where"},
        {"S38-clearsigned", "\"-----BEGIN PGP SIGNED MESSAGE-----\" where"},
        {"S39-text-after", "Release.gpg: \"Origin: Evil\" where"},
        {"S39-text-before", "Release.gpg: \"Origin: Evil\" where"},
        {"S39-text-between", "Release.gpg: \"Origin: Evil\" where"},
        {"begin-trailing-blank", "Release.gpg: \"-----BEGIN PGP SIGNATURE----- \" where"},
        {"blank-line-after", "Release.gpg: \"\" where"},
        {"blank-line-before", "Release.gpg: \"\" where"},
        {"blank-line-in-body", "line 4 of the PGP SIGNATURE has not the length"},
        {"body-after-padding", "line 4 of the PGP SIGNATURE has not the length"},
        {"body-line-longer", "line 4 of the PGP SIGNATURE has not the length"},
        {"body-line-of-80", "line 3 of the PGP SIGNATURE has not the length"},
        {"body-of-three-digits", "line 4 of the PGP SIGNATURE is not base64"},
        {"body-short-lines-inside", "line 5 of the PGP SIGNATURE has not the length"},
        {"body-trailing-blank", "line 3 of the PGP SIGNATURE is not base64"},
        {"body-with-hole", "line 3 of the PGP SIGNATURE is not base64"},
        {"crc-short", "line 5 of the PGP SIGNATURE is no checksum"},
        {"crc-twice", "line 6 of the PGP SIGNATURE is not the END line"},
        {"crc-with-padding", "line 5 of the PGP SIGNATURE is no checksum"},
        {"crc-wrong", "line 5 of the PGP SIGNATURE is a wrong checksum"},
        {"dash-escaped", "Release.gpg: \"- -----BEGIN PGP SIGNATURE-----\" where"},
        {"empty", "Release.gpg: no PGP SIGNATURE"},
        {"empty-body", "line 3 of the PGP SIGNATURE ends a block that holds nothing"},
        {"end-missing", "line 6 of the PGP SIGNATURE is missing"},
        {"end-of-other-kind", "line 6 of the PGP SIGNATURE is not the END line"},
        {"header-name-with-blank", "line 2 of the PGP SIGNATURE is neither a header"},
        {"header-trailing-blank", "line 2 of the PGP SIGNATURE has blanks at its end"},
        {"header-without-blank", "line 2 of the PGP SIGNATURE is neither a header"},
        {"header-without-colon", "line 2 of the PGP SIGNATURE is neither a header"},
        {"header-without-value", "line 2 of the PGP SIGNATURE is neither a header"},
        {"no-empty-line", "line 2 of the PGP SIGNATURE is neither a header"},
        {"no-newline-at-end", "line 6 of the PGP SIGNATURE has no newline at its end"},
        {"only-begin", "line 2 of the PGP SIGNATURE is missing"},
        {"padding-bits", "line 4 of the PGP SIGNATURE is not base64"},
        {"padding-before-last-line", "line 4 of the PGP SIGNATURE has not the length"},
        {"pseudo-empty-line", "line 2 of the PGP SIGNATURE is neither a header"},
        {"second-block-cut", "line 4 of the PGP SIGNATURE is missing"},
    };

    (void)state;
    corpus_assert_rejects("armor/bad", parse, HALLMARK_ERR_SIGNATURE, cases,
                          sizeof cases / sizeof *cases);
}

/* A block with HEADER (LEN bytes, its newline included) as its one header. */
static void assert_header_rejected(const char *header, size_t len, const char *reason)
{
    struct bytes text = {0};
    struct hallmark_error err = {0};

    bytes_append_str(&text, "-----BEGIN PGP SIGNATURE-----\n");
    bytes_append(&text, header, len);
    bytes_append_str(&text, "\nAAEC\n-----END PGP SIGNATURE-----\n");
    assert_false(parse(bytes_view(&text), "", &err));
    corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, reason);
    bytes_free(&text);
}

static void armor_rejects_hostile_bytes(void **state)
{
    struct bytes_view crlf = bytes_view_str(
        "-----BEGIN PGP SIGNATURE-----\r\n\r\nAAEC\r\n-----END PGP SIGNATURE-----\r\n");
    struct hallmark_error err = {0};
    char *header;

    (void)state;
    assert_header_rejected("Comment: a\rb\n", 13, "line 2 of the PGP SIGNATURE is not printable");
    assert_header_rejected("Comment: a\0b\n", 13, "line 2 of the PGP SIGNATURE is not printable");
    assert_header_rejected("Comment: \x1b[m\n", 13, "line 2 of the PGP SIGNATURE is not printable");
    assert_header_rejected("Comment: \xff"
                           "a\n",
                           12, "line 2 of the PGP SIGNATURE is not printable");
    assert_header_rejected("Comment: a\t\n", 12, "line 2 of the PGP SIGNATURE is not printable");
    header = alloc_printf("Comment: %05000d\n", 1);
    assert_header_rejected(header, strlen(header),
                           "line 2 of the PGP SIGNATURE is longer than 4096");
    free(header);
    assert_false(parse(crlf, "", &err));
    corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, "-----BEGIN PGP SIGNATURE-----\\x0d\" where");
}

static void armor_accepts_blocks_one_by_one(void **state)
{
    /* The checksum is what gpg --enarmor writes for these bytes. */
    static const char two[] =
        "-----BEGIN PGP SIGNATURE-----\n\naGVsbG8gd29ybGQ=\n=%s\n"
        "-----END PGP SIGNATURE-----\n"
        "-----BEGIN PGP SIGNATURE-----\n\nISEh\n-----END PGP SIGNATURE-----\n";
    char *text = alloc_printf(two, "sDy3");
    struct bytes_view rest = bytes_view_str(text);
    struct bytes out = {0};
    struct hallmark_error err = {0};

    (void)state;
    bytes_append_str(&out, "> ");
    if (!armor_decode(&rest, "SIGNATURE", "x", &out, &err))
        fail_msg("%s", err.text);
    assert_string_equal(out.data, "> hello world");
    assert_true(armor_decode(&rest, "SIGNATURE", "x", &out, &err));
    assert_int_equal(rest.len, 0);
    assert_string_equal(out.data, "> hello world!!!");
    bytes_free(&out);
    free(text);
}

static void armor_rejects_without_a_trace(void **state)
{
    static const char text[] = "-----BEGIN PGP SIGNATURE-----\n\naGVsbG8gd29ybGQ=\n=AAAA\n"
                               "-----END PGP SIGNATURE-----\n";
    struct bytes_view rest = bytes_view_str(text);
    struct bytes out = {0};
    struct hallmark_error err = {0};

    (void)state;
    bytes_append_str(&out, "> ");
    assert_false(armor_decode(&rest, "SIGNATURE", "x", &out, &err));
    corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, "x: line 4 of the PGP SIGNATURE is a wrong");
    assert_int_equal(out.len, 2);
    assert_ptr_equal(rest.data, text);
    assert_int_equal(rest.len, sizeof text - 1);
    bytes_free(&out);
}

static void armor_rejects_every_cut(void **state)
{
    static const char text[] = "-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v1\n\n"
                               "aGVsbG8gd29ybGQ=\n=sDy3\n-----END PGP SIGNATURE-----\n";
    size_t len;

    (void)state;
    for (len = 0; len < sizeof text; len++) {
        char *copy = alloc_regrow(alloc_strndup(text, len), len, 1);
        struct bytes_view rest = bytes_view_of(copy, len);
        struct bytes out = {0};
        struct hallmark_error err = {0};

        assert_int_equal(armor_decode(&rest, "SIGNATURE", "x", &out, &err), len == sizeof text - 1);
        bytes_free(&out);
        free(copy);
    }
}

/* Lines that are as long as the right ones. */
static void armor_rejects_other_edges(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"-----BEGIN PGP SIGNATURX-----\n\nAAEC\n-----END PGP SIGNATURE-----\n",
         "SIGNATURX-----\" where"},
        {"-----BEGIX PGP SIGNATURE-----\n\nAAEC\n-----END PGP SIGNATURE-----\n", "BEGIX"},
        {"-----BEGIN PGP SIGNATURE-----\n\nAAEC\n-----END PGP SIGNATURX-----\n",
         "is not the END line"},
        {"-----BEGIN PGP SIGNATURE-----\n\nAAEC\n-----FIN PGP SIGNATURE-----\n",
         "is not the END line"},
        {"-----BEGIN PGP SIGNATURE-----\n\nAAEC\n-----END PGP SIGNATURE----\n",
         "is not the END line"},
        {"-----BEGIN PGP SIGNATURE-----\n: value\n\nAAEC\n-----END PGP SIGNATURE-----\n",
         "line 2 of the PGP SIGNATURE is neither a header"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hallmark_error err = {0};

        assert_false(parse(bytes_view_str(cases[i].text), "", &err));
        corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, cases[i].reason);
    }
}

/* Whatever the length: what is encoded is one block that is decoded, and as gpg would write it. */
static void armor_accepts_what_it_encodes(void **state)
{
    struct bytes text = {0}, out = {0};
    struct bytes_view rest;
    char data[200];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 37);
    for (i = 1; i <= sizeof data; i++) {
        text.len = out.len = 0;
        armor_encode(bytes_view_of(data, i), "PUBLIC KEY BLOCK", &text);
        rest = bytes_view(&text);
        assert_true(armor_decode(&rest, "PUBLIC KEY BLOCK", "x", &out, NULL));
        assert_int_equal(rest.len, 0);
        assert_int_equal(out.len, i);
        assert_memory_equal(out.data, data, i);
    }
    text.len = 0;
    armor_encode(bytes_view_of("\0\1\2", 3), "SIGNATURE", &text);
    assert_string_equal(text.data, "-----BEGIN PGP SIGNATURE-----\n\nAAEC\n=ybVn\n"
                                   "-----END PGP SIGNATURE-----\n");
    bytes_free(&text);
    bytes_free(&out);
}

static void armor_accepts_other_kinds(void **state)
{
    struct bytes_view rest = bytes_view_str(
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAEC\n-----END PGP PUBLIC KEY BLOCK-----\n");
    struct bytes out = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_true(armor_is_armored(rest));
    assert_true(armor_decode(&rest, "PUBLIC KEY BLOCK", "x", &out, &err));
    assert_int_equal(out.len, 3);
    assert_false(armor_is_armored(bytes_view(&out)));
    assert_false(armor_is_armored(bytes_view_str("-----BEGIN PGP")));
    assert_false(armor_is_armored(bytes_view_str(" -----BEGIN PGP SIGNATURE-----")));
    bytes_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(armor_accepts_good_files),
        cmocka_unit_test(armor_rejects_bad_files),
        cmocka_unit_test(armor_rejects_hostile_bytes),
        cmocka_unit_test(armor_accepts_blocks_one_by_one),
        cmocka_unit_test(armor_rejects_without_a_trace),
        cmocka_unit_test(armor_rejects_every_cut),
        cmocka_unit_test(armor_rejects_other_edges),
        cmocka_unit_test(armor_accepts_what_it_encodes),
        cmocka_unit_test(armor_accepts_other_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
