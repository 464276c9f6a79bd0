/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* timestamp: dates in one spelling, and lengths of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/timestamp.h"

static void timestamp_accepts_rfc1123(void **state)
{
    static const struct {
        const char *text;
        int64_t when;
    } cases[] = {
        {"Thu, 01 Jan 1970 00:00:00 UTC", 0},
        {"Sat, 11 Nov 2023 09:59:32 UTC", 1699696772},
        {"Sat, 11 Nov 2023 09:59:32 GMT", 1699696772},
        {"Sat, 11 Nov 2023 09:59:32 Z", 1699696772},
        {"Sat, 11 Nov 2023 09:59:32 +0000", 1699696772},
        {"Tue, 7 Nov 2023 09:59:32 UTC", 1699351172},
        {"Tue, 07 Nov 2023 09:59:32 UTC", 1699351172},
        {"Tue, 29 Feb 2000 00:00:00 UTC", 951782400},
        {"Thu, 29 Feb 2024 23:59:59 UTC", 1709251199},
        {"Tue, 19 Jan 2038 03:14:08 UTC", 2147483648},
        {"Fri, 31 Dec 9999 23:59:59 UTC", LIMITS_TIMESTAMP_MAX},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t when = -1;

        if (!timestamp_parse_rfc1123(bytes_view_str(cases[i].text), &when))
            fail_msg("refused: %s", cases[i].text);
        assert_int_equal(when, cases[i].when);
    }
}

static void timestamp_rejects_rfc1123(void **state)
{
    static const char *const bad[] = {
        "",
        "Sat",
        "Sat, ",
        "Fri, 11 Nov 2023 09:59:32 UTC",
        "sat, 11 Nov 2023 09:59:32 UTC",
        "Saturday, 11 Nov 2023 09:59:32 UTC",
        "11 Nov 2023 09:59:32 UTC",
        "Sat,11 Nov 2023 09:59:32 UTC",
        "Sat, 11  Nov 2023 09:59:32 UTC",
        "Sat,  7 Nov 2023 09:59:32 UTC",
        "Sat, 011 Nov 2023 09:59:32 UTC",
        "Sat, 11 nov 2023 09:59:32 UTC",
        "Sat, 11 11 2023 09:59:32 UTC",
        "Sat, 11 Nov 23 09:59:32 UTC",
        "Sat, 11 Nov 02023 09:59:32 UTC",
        "Sat, 11 Nov 2023 9:59:32 UTC",
        "Sat, 11 Nov 2023 24:00:00 UTC",
        "Sat, 11 Nov 2023 09:60:00 UTC",
        "Sat, 11 Nov 2023 09:59:60 UTC",
        "Sat, 11 Nov 2023 09:59 UTC",
        "Sat, 11 Nov 2023 09:59:32",
        "Sat, 11 Nov 2023 09:59:32 ",
        "Sat, 11 Nov 2023 09:59:32 utc",
        "Sat, 11 Nov 2023 09:59:32 UTC ",
        "Sat, 11 Nov 2023 09:59:32 +0100",
        "Sat, 11 Nov 2023 09:59:32 -0000",
        "Sat, 11 Nov 2023 09:59:32 +000",
        "Sat, 11 Nov 2023 09:59:32 CET",
        "Sat, 11 Nov -023 09:59:32 UTC",
        "Wed, 0 Nov 2023 00:00:00 UTC",
        "Sun, 31 Nov 2024 00:00:00 UTC",
        "Wed, 29 Feb 2023 00:00:00 UTC",
        "Mon, 29 Feb 2100 00:00:00 UTC",
        "Thu, 30 Feb 2024 00:00:00 UTC",
        "Wed, 31 Dec 1969 23:59:59 UTC",
        "Sat, 01 Jan 0000 00:00:00 UTC",
        "Sat, 01 Jan 10000 00:00:00 UTC",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t when = 77;

        if (timestamp_parse_rfc1123(bytes_view_str(bad[i]), &when))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(when, 77);
    }
    assert_false(
        timestamp_parse_rfc1123(bytes_view_of("Sat, 11 Nov 2023 09:59:32 UTC", 28), &(int64_t){0}));
}

/* Every day up to the year 9999, against the C library. */
/* What is behind the end does not count, and only digits are digits. */
static void timestamp_rejects_cut_and_odd_dates(void **state)
{
    static const char whole[] = "Sat, 11 Nov 2023 09:59:32 UTC";
    static const char *const odd[] = {
        "Sun, 2/ Nov 2023 09:59:32 UTC", "Sat, 0; Nov 2023 09:59:32 UTC",
        "Sat, 11 Nov 202: 09:59:32 UTC", "Sat, 11 Nov 2023 0::59:32 UTC",
        "Sat, 11 Nov 2023 09:5/:32 UTC", "Sat, 11 Nov 2023 09:59:2: UTC"};
    int64_t when;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof whole - 1; i++)
        if (timestamp_parse_rfc1123(bytes_view_of(whole, i), &when))
            fail_msg("accepted: %.*s", (int)i, whole);
    assert_true(timestamp_parse_rfc1123(bytes_view_of(whole, i), &when));
    for (i = 0; i < sizeof odd / sizeof *odd; i++)
        if (timestamp_parse_rfc1123(bytes_view_str(odd[i]), &when))
            fail_msg("accepted: %s", odd[i]);
}

static void timestamp_accepts_what_it_writes(void **state)
{
    int64_t day;

    (void)state;
    for (day = 0; day * 86400 <= LIMITS_TIMESTAMP_MAX; day += day < 50000 ? 1 : 97) {
        int64_t when = day * 86400 + day % 86400, back = -1;
        time_t t = when;
        struct tm tm;
        char text[TIMESTAMP_TEXT_LEN], wanted[TIMESTAMP_TEXT_LEN];

        assert_non_null(gmtime_r(&t, &tm));
        strftime(wanted, sizeof wanted, "%a, %d %b %Y %H:%M:%S UTC", &tm);
        timestamp_write_rfc1123(when, text);
        assert_string_equal(text, wanted);
        assert_true(timestamp_parse_rfc1123(bytes_view_str(text), &back));
        assert_int_equal(back, when);
        strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%SZ", &tm);
        timestamp_write_rfc3339(when, text);
        assert_string_equal(text, wanted);
        assert_true(timestamp_parse_any(text, &back));
        assert_int_equal(back, when);
    }
}

/* Whatever the number, the text is one of a date. */
static void timestamp_accepts_any_number(void **state)
{
    static const int64_t cases[] = {INT64_MIN, -5 * 86400, -86400, -1};
    char text[TIMESTAMP_TEXT_LEN];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        timestamp_write_rfc1123(cases[i], text);
        assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 UTC");
        timestamp_write_rfc3339(cases[i], text);
        assert_string_equal(text, "1970-01-01T00:00:00Z");
    }
    timestamp_write_rfc1123(INT64_MAX, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 UTC");
    timestamp_write_rfc3339(LIMITS_TIMESTAMP_MAX + 1, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
}

static void timestamp_accepts_any_form(void **state)
{
    static const struct {
        const char *text;
        int64_t when;
    } cases[] = {
        {"2023-11-11T09:59:32Z", 1699696772},
        {"2023-11-11", 1699660800},
        {"@1699696772", 1699696772},
        {"@0", 0},
        {"@253402300799", LIMITS_TIMESTAMP_MAX},
        {"Sat, 11 Nov 2023 09:59:32 UTC", 1699696772},
        {"1970-01-01", 0},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t when = -1;

        assert_true(timestamp_parse_any(cases[i].text, &when));
        assert_int_equal(when, cases[i].when);
    }
}

static void timestamp_rejects_any_form(void **state)
{
    static const char *const bad[] = {
        "",
        "@",
        "@-1",
        "@+1",
        "@01",
        "@1 ",
        "@1x",
        "@253402300800",
        "@18446744073709551617",
        "1699696772",
        "2023-11-1",
        "2023-1-11",
        "2023-13-01",
        "2023-00-01",
        "2023-02-29",
        "2023-11-31",
        "2023-11-00",
        "1969-12-31",
        "2023-11-11T09:59:32",
        "2023-11-11 09:59:32Z",
        "2023-11-11T09:59:32+00:00",
        "2023-11-11t09:59:32z",
        "2023-11-11T09:59:32ZZ",
        "2023-11-11T24:00:00Z",
        "2023-11-11T",
        "2023-11-11Z",
        "20231111",
        " 2023-11-11",
        "now",
        "2023/11/11",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t when = 77;

        if (timestamp_parse_any(bad[i], &when))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(when, 77);
    }
}

static void timestamp_accepts_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"1", 1},
        {"90s", 90},
        {"15m", 900},
        {"12h", 43200},
        {"7d", 604800},
        {"2w", 1209600},
        {"253402300799", LIMITS_TIMESTAMP_MAX},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = -1;

        assert_true(timestamp_parse_duration(cases[i].text, &seconds));
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void timestamp_rejects_durations(void **state)
{
    static const char *const bad[] = {"",
                                      "0",
                                      "0d",
                                      "00",
                                      "01d",
                                      "-1d",
                                      "+1d",
                                      "1.5d",
                                      "1 d",
                                      "d",
                                      "1D",
                                      "1dd",
                                      "1d1h",
                                      "1y",
                                      " 1d",
                                      "1d ",
                                      "253402300800",
                                      "253402300799m",
                                      "418983w1",
                                      "99999999999999999999",
                                      "9223372036854775808",
                                      "418986w",
                                      "1e3"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t seconds = 77;

        if (timestamp_parse_duration(bad[i], &seconds))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(seconds, 77);
    }
}

static void timestamp_accepts_durations_for_people(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {
        {0, "0 seconds"},           {1, "1 second"},
        {59, "59 seconds"},         {60, "1 minute"},
        {61, "1 minute 1 second"},  {3600, "1 hour"},
        {3605, "1 hour"},           {7260, "2 hours 1 minute"},
        {86400, "1 day"},           {86700, "1 day"},
        {529200, "6 days 3 hours"},
    };
    char text[TIMESTAMP_TEXT_LEN];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        timestamp_write_duration(cases[i].seconds, text);
        assert_string_equal(text, cases[i].text);
    }
    timestamp_write_duration(INT64_MAX, text);
    assert_string_equal(text, "106751991167300 days 15 hours");
    timestamp_write_duration(INT64_MIN, text);
    assert_true(strlen(text) < sizeof text);
}

static void timestamp_accepts_the_clock(void **state)
{
    int64_t now = timestamp_now();

    (void)state;
    assert_in_range(time(NULL) - now, 0, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamp_accepts_rfc1123),
        cmocka_unit_test(timestamp_rejects_rfc1123),
        cmocka_unit_test(timestamp_rejects_cut_and_odd_dates),
        cmocka_unit_test(timestamp_accepts_what_it_writes),
        cmocka_unit_test(timestamp_accepts_any_number),
        cmocka_unit_test(timestamp_accepts_any_form),
        cmocka_unit_test(timestamp_rejects_any_form),
        cmocka_unit_test(timestamp_accepts_durations),
        cmocka_unit_test(timestamp_rejects_durations),
        cmocka_unit_test(timestamp_accepts_durations_for_people),
        cmocka_unit_test(timestamp_accepts_the_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
