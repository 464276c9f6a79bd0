/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* encoding: hexadecimal, base64, UTF-8, and text that is safe to show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"

static void encoding_accepts_hex(void **state)
{
    static const unsigned char data[] = {0x00, 0x0f, 0xf0, 0xff, 0x1b};
    unsigned char back[sizeof data] = {0};
    char text[2 * sizeof data + 1];

    (void)state;
    encoding_hex(text, data, sizeof data);
    assert_string_equal(text, "000ff0ff1b");
    assert_true(encoding_unhex(back, sizeof back, bytes_view_str(text)));
    assert_memory_equal(back, data, sizeof data);
    encoding_hex(text, data, 0);
    assert_string_equal(text, "");
    assert_true(encoding_unhex(back, 0, bytes_view_str("")));
}

static void encoding_rejects_hex(void **state)
{
    static const char *const bad[] = {"",     "0",    "000",  "00000", "0g00", "00 0", "AB00",
                                      "00aB", "-100", "0x00", "00/0",  "00:0", "00`0", "\377000"};
    unsigned char out[2];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(encoding_unhex(out, sizeof out, bytes_view_str(bad[i])));
    assert_false(encoding_unhex(out, sizeof out,
                                bytes_view_of("00\0"
                                              "0",
                                              4)));
}

static void encoding_accepts_base64(void **state)
{
    /* RFC 4648 section 10 */
    static const char *const cases[][2] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"+/+/", "\xfb\xff\xbf"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes out = {0};

        assert_true(encoding_unbase64(&out, bytes_view_str(cases[i][0])));
        assert_true(bytes_view_equals(bytes_view(&out), cases[i][1]));
        out.len = 0;
        encoding_base64(&out, bytes_view_str(cases[i][1]));
        assert_true(bytes_view_equals(bytes_view(&out), cases[i][0]));
        bytes_free(&out);
    }
}

static void encoding_rejects_base64(void **state)
{
    static const char *const bad[] = {
        "A",    "AA",       "AAA",      "AAAAA",    "A===",   "====", "=AAA",      "AA=A", "AB==",
        "AAB=", "AA==AAAA", "AAA=AAAA", "AAAA====", "AAAA\n", "AA A", "AA\nA",     "AA-_", "AA.A",
        "AA@A", "AA[A",     "AA`A",     "AA{A",     "AA,A",   "AA:A", "A\303\244A"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes out = {0};

        if (encoding_unbase64(&out, bytes_view_str(bad[i])))
            fail_msg("accepted: %s", bad[i]);
        bytes_free(&out);
    }
    /* What is behind the end does not count. */
    for (i = 1; i < 8; i++) {
        struct bytes out = {0};

        if (i != 4)
            assert_false(encoding_unbase64(&out, bytes_view_of("AAAAAAAA", i)));
        bytes_free(&out);
    }
}

static void encoding_accepts_utf8(void **state)
{
    static const struct {
        const char *text;
        unsigned code;
    } cases[] = {
        {"a", 'a'},
        {"\x7f", 0x7f},
        {"\xc2\x80", 0x80},
        {"\xdf\xbf", 0x7ff},
        {"\xe0\xa0\x80", 0x800},
        {"\xed\x9f\xbf", 0xd7ff},
        {"\xee\x80\x80", 0xe000},
        {"\xef\xbf\xbf", 0xffff},
        {"\xf0\x90\x80\x80", 0x10000},
        {"\xf4\x8f\xbf\xbf", 0x10ffff},
    };
    unsigned code;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(encoding_utf8(bytes_view_str(cases[i].text), &code),
                         strlen(cases[i].text));
        assert_int_equal(code, cases[i].code);
    }
    assert_int_equal(encoding_utf8(bytes_view_of("\0", 1), &code), 1);
    assert_int_equal(code, 0);
    assert_int_equal(encoding_utf8(bytes_view_str("\xc3\xa4z"), &code), 2);
}

/* The first two would be "/" and a surrogate, were they taken for what they say. */
static void encoding_rejects_text_that_is_not_printable(void **state)
{
    static const char *const bad[] = {"a\xc0\xaf", "\xed\xa0\x80", "a\xff",       "a\xc3",
                                      "a\tb",      "a\x7f",        "\xe2\x80\xae"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(encoding_is_printable_text(bytes_view_str(bad[i])));
    assert_false(encoding_is_printable_text(bytes_view_of("a\0b", 3)));
    assert_true(encoding_is_printable_text(bytes_view_str("a \xc3\xa4~")));
    assert_true(encoding_is_printable_text(bytes_view_str("")));
}

static void encoding_rejects_utf8(void **state)
{
    static const char *const bad[] = {"",
                                      "\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xc3",
                                      "\xc3z",
                                      "\xe2\x82",
                                      "\xe2\x82z",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf0\x9f\x98",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xfe",
                                      "\xff",
                                      "\xf7\xbf\xbf\xbf"};
    unsigned code;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(encoding_utf8(bytes_view_str(bad[i]), &code), 0);
    /* What is behind the end does not count. */
    assert_int_equal(encoding_utf8(bytes_view_of("z", 0), &code), 0);
    assert_int_equal(encoding_utf8(bytes_view_of("\xc3\xa4", 1), &code), 0);
    assert_int_equal(encoding_utf8(bytes_view_of("\xe2\x82\xac", 2), &code), 0);
    assert_int_equal(encoding_utf8(bytes_view_of("\xf0\x9f\x98\x80", 3), &code), 0);
}

static void encoding_accepts_printable(void **state)
{
    static const unsigned good[] = {' ', '~', 0xa0, 0xe4, 0x4e2d, 0x1f642, 0x20ac};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(encoding_is_printable(good[i]));
    assert_true(encoding_is_printable_text(bytes_view_str("")));
    assert_true(encoding_is_printable_text(bytes_view_str("Gr\xc3\xbc\xc3\x9f"
                                                          "e \xf0\x9f\x99\x82")));
}

static void encoding_rejects_printable(void **state)
{
    static const unsigned bad[] = {0,      '\t',   '\n',   '\r',   0x1b,    0x1f,
                                   0x7f,   0x80,   0x85,   0x9b,   0x9f,    0xad,
                                   0x61c,  0x200b, 0x200e, 0x2028, 0x2029,  0x202e,
                                   0x2066, 0x2069, 0xfeff, 0xfffe, 0xe0001, 0x10ffff};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(encoding_is_printable(bad[i]));
    assert_false(encoding_is_printable_text(bytes_view_str("a\tb")));
    assert_false(encoding_is_printable_text(bytes_view_str("a\xff")));
    assert_false(encoding_is_printable_text(bytes_view_str("a\xe2\x80\xae")));
    assert_false(encoding_is_printable_text(bytes_view_of("a\0", 2)));
}

static void assert_escaped(size_t out_len, const char *text, size_t len, const char *wanted)
{
    char *out = malloc(out_len);

    assert_non_null(out);
    memset(out, 'x', out_len);
    encoding_escape(out, out_len, text, len);
    assert_string_equal(out, wanted);
    free(out);
}

static void encoding_accepts_sizes(void **state)
{
    uint64_t size = 1;

    (void)state;
    assert_true(encoding_parse_size(bytes_view_str("0"), &size));
    assert_int_equal(size, 0);
    assert_true(encoding_parse_size(bytes_view_of("1234", 3), &size));
    assert_int_equal(size, 123);
    assert_true(encoding_parse_size(bytes_view_str("9223372036854775807"), &size));
    assert_int_equal(size, INT64_MAX);
}

/* The long ones are small numbers when their overflow is not seen. */
static void encoding_rejects_sizes(void **state)
{
    static const char *const bad[] = {"",
                                      "00",
                                      "01",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1/",
                                      "1:",
                                      "0x1",
                                      "1e3",
                                      "9223372036854775808",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "36893488147419103240",
                                      "99999999999999999999"};
    uint64_t size;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        if (encoding_parse_size(bytes_view_str(bad[i]), &size))
            fail_msg("accepted: \"%s\"", bad[i]);
}

static void encoding_accepts_text_to_show(void **state)
{
    (void)state;
    assert_escaped(40, "plain", 5, "plain");
    assert_escaped(40, "", 0, "");
    assert_escaped(40, "a\x1b[31mb\n", 8, "a\\x1b[31mb\\x0a");
    assert_escaped(40, "a\0b", 3, "a\\x00b");
    assert_escaped(40, "\xc3\xa4\xff\xc3", 4, "\xc3\xa4\\xff\\xc3");
    assert_escaped(40,
                   "\xe2\x80\xae"
                   "b",
                   4, "\\xe2\\x80\\xaeb");
    assert_escaped(1, "abc", 3, "");
    assert_escaped(3, "abc", 3, "ab");
    assert_escaped(4, "abc", 3, "abc");
    assert_escaped(4, "a\n", 2, "a"); /* never half an escape */
    assert_escaped(6, "a\n", 2, "a\\x0a");
    assert_escaped(5, "a\n", 2, "a");
    assert_escaped(2, "\xc3\xa4", 2, ""); /* never half a character */
    assert_escaped(3, "\xc3\xa4", 2, "\xc3\xa4");
}

/* Every byte at every place of a word, and of the rest of one. */
static void encoding_accepts_plain_text(void **state)
{
    char text[21];
    size_t at, len;
    unsigned byte;

    (void)state;
    for (len = 0; len < sizeof text; len++) {
        memset(text, 'a', sizeof text);
        assert_int_equal(encoding_count_plain(bytes_view_of(text, len)), len);
        for (at = 0; at < len; at++) {
            for (byte = 0; byte < 256; byte++) {
                text[at] = (char)byte;
                assert_int_equal(encoding_count_plain(bytes_view_of(text, len)),
                                 byte >= 0x20 && byte < 0x7f ? len : at);
            }
            text[at] = '~';
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_accepts_hex),
        cmocka_unit_test(encoding_rejects_hex),
        cmocka_unit_test(encoding_accepts_base64),
        cmocka_unit_test(encoding_rejects_base64),
        cmocka_unit_test(encoding_accepts_utf8),
        cmocka_unit_test(encoding_rejects_text_that_is_not_printable),
        cmocka_unit_test(encoding_rejects_utf8),
        cmocka_unit_test(encoding_accepts_printable),
        cmocka_unit_test(encoding_rejects_printable),
        cmocka_unit_test(encoding_accepts_plain_text),
        cmocka_unit_test(encoding_accepts_sizes),
        cmocka_unit_test(encoding_rejects_sizes),
        cmocka_unit_test(encoding_accepts_text_to_show),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
