/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dates and lengths of time, one spelling each. */
#include "base/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 604800 };

static const char weekdays[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct calendar {
    int year, month, day, hour, minute, second; /* month 1 to 12 */
};

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first of January of YEAR, which is 1970 or later. */
static int64_t days_before_year(int year)
{
    int64_t y = year - 1;

    return (y * 365 + y / 4 - y / 100 + y / 400) - 719162;
}

static bool from_calendar(const struct calendar *c, int64_t *out)
{
    int64_t days;
    int month;

    if (c->year < 1970 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > days_in_month(c->year, c->month) || c->hour > 23 || c->minute > 59 ||
        c->second > 59)
        return false;
    days = days_before_year(c->year) + c->day - 1;
    for (month = 1; month < c->month; month++)
        days += days_in_month(c->year, month);
    *out = days * DAY + c->hour * HOUR + c->minute * MINUTE + c->second;
    return true;
}

static int64_t clamp(int64_t when)
{
    if (when < 0)
        return 0;
    return when < LIMITS_TIMESTAMP_MAX ? when : LIMITS_TIMESTAMP_MAX;
}

static struct calendar to_calendar(int64_t when)
{
    struct calendar c = {.year = 1970, .month = 1};
    int64_t days;

    when = clamp(when);
    days = when / DAY;
    c.year += (int)(days / 366); /* at most a few years short */
    while (days_before_year(c.year + 1) <= days)
        c.year++;
    days -= days_before_year(c.year);
    while (days >= days_in_month(c.year, c.month))
        days -= days_in_month(c.year, c.month++);
    c.day = (int)days + 1;
    c.hour = (int)(when % DAY / HOUR);
    c.minute = (int)(when % HOUR / MINUTE);
    c.second = (int)(when % MINUTE);
    return c;
}

/* Takes exactly N_DIGITS digits off *TEXT. */
static bool take_number(struct bytes_view *text, size_t n_digits, int *out)
{
    size_t i;

    if (text->len < n_digits)
        return false;
    for (*out = 0, i = 0; i < n_digits; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        *out = *out * 10 + (text->data[i] - '0');
    }
    text->data += n_digits;
    text->len -= n_digits;
    return true;
}

static bool take_text(struct bytes_view *text, const char *s)
{
    size_t len = strlen(s);

    if (text->len < len || memcmp(text->data, s, len) != 0)
        return false;
    text->data += len;
    text->len -= len;
    return true;
}

/* Takes one of the three-letter NAMES; *OUT is its index. */
static bool take_name(struct bytes_view *text, const char *names, int *out)
{
    int i;

    if (text->len < 3)
        return false;
    for (i = 0; names[3 * i]; i++)
        if (memcmp(text->data, names + 3 * i, 3) == 0) {
            *out = i;
            text->data += 3;
            text->len -= 3;
            return true;
        }
    return false;
}

static bool take_clock(struct bytes_view *text, struct calendar *c)
{
    return take_number(text, 2, &c->hour) && take_text(text, ":") &&
           take_number(text, 2, &c->minute) && take_text(text, ":") &&
           take_number(text, 2, &c->second);
}

bool timestamp_parse_rfc1123(struct bytes_view text, int64_t *out)
{
    struct calendar c;
    int weekday, month;
    int64_t when;
    size_t day_len;

    if (!take_name(&text, weekdays, &weekday) || !take_text(&text, ", "))
        return false;
    day_len = text.len > 1 && text.data[1] == ' ' ? 1 : 2;
    if (!take_number(&text, day_len, &c.day) || !take_text(&text, " ") ||
        !take_name(&text, months, &month) || !take_text(&text, " ") ||
        !take_number(&text, 4, &c.year) || !take_text(&text, " ") || !take_clock(&text, &c) ||
        !take_text(&text, " "))
        return false;
    c.month = month + 1;
    if (!bytes_view_equals(text, "UTC") && !bytes_view_equals(text, "GMT") &&
        !bytes_view_equals(text, "Z") && !bytes_view_equals(text, "+0000"))
        return false;
    /* 1970-01-01 was a Thursday. */
    if (!from_calendar(&c, &when) || (when / DAY + 4) % 7 != weekday)
        return false;
    *out = when;
    return true;
}

void timestamp_write_rfc1123(int64_t when, char out[TIMESTAMP_TEXT_LEN])
{
    struct calendar c = to_calendar(when);
    int weekday = (int)((clamp(when) / DAY + 4) % 7);

    snprintf(out, TIMESTAMP_TEXT_LEN, "%.3s, %02d %.3s %04d %02d:%02d:%02d UTC",
             weekdays + 3 * weekday, c.day, months + 3 * (c.month - 1), c.year, c.hour, c.minute,
             c.second);
}

void timestamp_write_rfc3339(int64_t when, char out[TIMESTAMP_TEXT_LEN])
{
    struct calendar c = to_calendar(when);

    snprintf(out, TIMESTAMP_TEXT_LEN, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day,
             c.hour, c.minute, c.second);
}

/* Digits without sign or leading zeros, at most LIMITS_TIMESTAMP_MAX. */
static bool take_count(struct bytes_view *text, int64_t *out)
{
    size_t n = 0;

    for (*out = 0; n < text->len && text->data[n] >= '0' && text->data[n] <= '9'; n++) {
        *out = *out * 10 + (text->data[n] - '0');
        if (*out > LIMITS_TIMESTAMP_MAX)
            return false;
    }
    if (n == 0 || (n > 1 && text->data[0] == '0'))
        return false;
    text->data += n;
    text->len -= n;
    return true;
}

bool timestamp_parse_any(const char *text, int64_t *out)
{
    struct bytes_view rest = bytes_view_str(text);
    struct calendar c = {0};
    int64_t when;

    if (take_text(&rest, "@")) {
        if (!take_count(&rest, &when) || rest.len)
            return false;
        *out = when;
        return true;
    }
    if (timestamp_parse_rfc1123(rest, out))
        return true;
    if (!take_number(&rest, 4, &c.year) || !take_text(&rest, "-") ||
        !take_number(&rest, 2, &c.month) || !take_text(&rest, "-") ||
        !take_number(&rest, 2, &c.day))
        return false;
    if (rest.len && (!take_text(&rest, "T") || !take_clock(&rest, &c) || !take_text(&rest, "Z")))
        return false;
    if (rest.len)
        return false;
    return from_calendar(&c, out);
}

bool timestamp_parse_duration(const char *text, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", MINUTE}, {"h", HOUR}, {"d", DAY}, {"w", WEEK}};
    struct bytes_view rest = bytes_view_str(text);
    int64_t count;
    size_t i;

    if (!take_count(&rest, &count) || count == 0)
        return false;
    for (i = 0; i < sizeof units / sizeof *units; i++)
        if (bytes_view_equals(rest, units[i].name)) {
            if (count > LIMITS_TIMESTAMP_MAX / units[i].seconds)
                return false;
            *out = count * units[i].seconds;
            return true;
        }
    return false;
}

void timestamp_write_duration(int64_t seconds, char out[TIMESTAMP_TEXT_LEN])
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"day", DAY}, {"hour", HOUR}, {"minute", MINUTE}, {"second", 1}};
    size_t i = 0, len;
    int64_t count;

    while (i < 3 && seconds < units[i].seconds)
        i++;
    count = seconds / units[i].seconds;
    snprintf(out, TIMESTAMP_TEXT_LEN, "%" PRId64 " %s%s", count, units[i].name,
             count == 1 ? "" : "s");
    if (i == 3)
        return;
    seconds -= count * units[i].seconds;
    count = seconds / units[i + 1].seconds;
    len = strlen(out);
    if (count)
        snprintf(out + len, TIMESTAMP_TEXT_LEN - len, " %" PRId64 " %s%s", count, units[i + 1].name,
                 count == 1 ? "" : "s");
}

int64_t timestamp_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}
