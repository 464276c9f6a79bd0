/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* url: one spelling for one place, and no password in any text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/url.h"

static void url_accepts_one_spelling(void **state)
{
    static const char *const cases[][2] = {
        {"http://example.org", "http://example.org"},
        {"HTTP://Example.ORG:80/", "http://example.org"},
        {"https://example.org:443//a//b/", "https://example.org/a/b"},
        {"https://example.org:80/a", "https://example.org:80/a"},
        {"http://example.org:/a", "http://example.org/a"},
        {"http://[::1]:8080/a", "http://[::1]:8080/a"},
        {"http://[FE80::1]", "http://[fe80::1]"},
        {"http://user:secret@example.org/a", "http://example.org/a"},
        {"http://example.org/%7euser/a%20b%2b", "http://example.org/~user/a%20b%2B"},
        {"http://example.org/a+b,c;d=e:f@g", "http://example.org/a+b,c;d=e:f@g"},
        {"http://example.org/a...b/.c", "http://example.org/a...b/.c"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hallmark_error err = {0};
        struct url url;

        if (!url_parse(&url, cases[i][0], &err))
            fail_msg("%s", err.text);
        assert_string_equal(url.text, cases[i][1]);
        assert_int_equal(url.is_https, cases[i][1][4] == 's');
        url_free(&url);
    }
}

static void url_accepts_credentials(void **state)
{
    struct hallmark_error err = {0};
    struct url url;

    (void)state;
    assert_true(url_parse(&url, "https://us%65r:p%40ss%3Aw@example.org:8443/a", &err));
    assert_string_equal(url.credentials, "user:p@ss:w");
    assert_string_equal(url.origin, "https://example.org:8443");
    assert_string_equal(url.text, "https://example.org:8443/a");
    url_free(&url);
}

static void assert_rejects(const char *text, const char *reason)
{
    struct hallmark_error err = {0};
    struct url url = {0};

    if (url_parse(&url, text, &err))
        fail_msg("accepted: %s", text);
    assert_int_equal(err.code, HALLMARK_ERR_USAGE);
    if (!strstr(err.text, reason))
        fail_msg("%s", err.text);
    if (strstr(err.text, "secret"))
        fail_msg("a password: %s", err.text);
    assert_null(url.text);
}

static void url_rejects_what_is_none(void **state)
{
    char *long_url = alloc_array(LIMITS_URL_BYTES + 2, 1);

    (void)state;
    assert_rejects("", "is not a URL of http or https");
    assert_rejects("ftp://example.org/", "is not a URL of http or https");
    assert_rejects("http:/example.org/", "is not a URL of http or https");
    assert_rejects("http://", "no well-formed host");
    assert_rejects("http:///a", "no well-formed host");
    assert_rejects("http://:80/", "no well-formed host");
    assert_rejects("http://-a/", "no well-formed host");
    assert_rejects("http://.a/", "no well-formed host");
    assert_rejects("http://a b/", "no well-formed host");
    assert_rejects("http://a\\b/", "no well-formed host");
    assert_rejects("http://[]/", "no well-formed host");
    assert_rejects("http://[::1/", "no well-formed host");
    assert_rejects("http://[::x]/", "no well-formed host");
    assert_rejects("http://a:0/", "no well-formed host");
    assert_rejects("http://a:65536/", "no well-formed host");
    assert_rejects("http://a:99999999999999999999/", "no well-formed host");
    assert_rejects("http://a:8o/", "no well-formed host");
    assert_rejects("http://a:-1/", "no well-formed host");
    assert_rejects("http://a:8+1/", "no well-formed host");
    memset(long_url, 'a', LIMITS_URL_BYTES + 1);
    memcpy(long_url, "http://", 7);
    assert_rejects(long_url, "is too long for a URL");
    free(long_url);
}

static void url_rejects_paths(void **state)
{
    (void)state;
    assert_rejects("http://a/?q", "has a query or a fragment");
    assert_rejects("http://a?q", "has a query or a fragment");
    assert_rejects("http://a/b#c", "has a query or a fragment");
    assert_rejects("http://a/b/../c", "holds \".\" or \"..\"");
    assert_rejects("http://a/.", "holds \".\" or \"..\"");
    assert_rejects("http://a/%2e%2E/c", "holds \".\" or \"..\"");
    assert_rejects("http://a/b%2fc", "no path may hold");
    assert_rejects("http://a/b%5cc", "no path may hold");
    assert_rejects("http://a/b\\c", "no path may hold");
    assert_rejects("http://a/b%00", "no path may hold");
    assert_rejects("http://a/b%0ac", "no path may hold");
    assert_rejects("http://a/b%7fc", "no path may hold");
    assert_rejects("http://a/b\x7f", "no path may hold");
    assert_rejects("http://a/b%", "no path may hold");
    assert_rejects("http://a/b%4", "no path may hold");
    assert_rejects("http://a/b%zz", "no path may hold");
    assert_rejects("http://a/b c", "percent-encoded");
    assert_rejects("http://a/\xc3\xa9", "percent-encoded");
    assert_rejects("http://a/<b>", "percent-encoded");
}

static void url_rejects_other_places(void **state)
{
    (void)state;
    assert_true(url_is_http("http://a"));
    assert_true(url_is_http("HTTPS://a"));
    assert_false(url_is_http("/srv/a"));
    assert_false(url_is_http("file:///srv/a"));
    assert_false(url_is_http("http:/a"));
    assert_false(url_is_http("xhttp://a"));
    assert_false(url_is_http(""));
}

static void url_rejects_without_the_password(void **state)
{
    (void)state;
    assert_rejects("http://user:secret@/", "http://***@/: has no well-formed host");
    assert_rejects("http://user:secret/more@a:b/", "http://***@a:b/: ");
    assert_rejects("http://user:secret@secret@a/", "http://***@a/: ");
    assert_rejects("http://user:sec ret@a/", "no well-formed host");
    assert_rejects("http://user:secret%00@a/", "http://***@a/: ");
    assert_rejects("http://user:secret@a/?x", "http://***@a/?x: has a query");
}

static void assert_redacted(const char *text, const char *wanted)
{
    char *redacted = url_redact(text);

    assert_string_equal(redacted, wanted);
    free(redacted);
}

static void url_accepts_texts_to_redact(void **state)
{
    (void)state;
    assert_redacted("", "");
    assert_redacted("no URL, a@b", "no URL, a@b");
    assert_redacted("http://a/b", "http://a/b");
    assert_redacted("to https://u:p@a/b, http://v@c/ and d@e",
                    "to https://***@a/b, http://***@c/ and d@e");
    assert_redacted("http://u:p@q@a", "http://***@a");
    assert_redacted("://@", "://***@");
}

static void url_accepts_paths(void **state)
{
    struct bytes out = {0};
    char decoded[] = "a%20%2Bb%7e";
    char bad[] = "%0";

    (void)state;
    url_append_path(&out, "pool/a+b_1:2~3 ?#%/x");
    assert_string_equal(out.data, "pool/a%2Bb_1%3A2~3%20%3F%23%25/x");
    bytes_free(&out);
    assert_true(url_decode(decoded));
    assert_string_equal(decoded, "a +b~");
    assert_false(url_decode(bad));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_accepts_one_spelling),
        cmocka_unit_test(url_accepts_credentials),
        cmocka_unit_test(url_rejects_what_is_none),
        cmocka_unit_test(url_rejects_paths),
        cmocka_unit_test(url_rejects_other_places),
        cmocka_unit_test(url_rejects_without_the_password),
        cmocka_unit_test(url_accepts_texts_to_redact),
        cmocka_unit_test(url_accepts_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
