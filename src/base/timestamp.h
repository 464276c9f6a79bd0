/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Dates as seconds since 1970-01-01 UTC, from 0 to LIMITS_TIMESTAMP_MAX, and lengths of time. The
 * proleptic Gregorian calendar, no leap seconds, no local time.
 */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdint.h>

#include "base/bytes.h"

enum { TIMESTAMP_TEXT_LEN = 40 }; /* room for every text that is written here */

/* "Sat, 11 Nov 2023 09:59:32 UTC": RFC 1123 section 5.2.14 with a name or +0000 for UTC, as apt
 * reads. The weekday must be right; the day has one or two digits; "GMT", "Z" and "+0000" stand for
 * UTC. */
bool timestamp_parse_rfc1123(struct bytes_view text, int64_t *out);
void timestamp_write_rfc1123(int64_t when, char out[TIMESTAMP_TEXT_LEN]);

/* "2023-11-11T09:59:32Z" (RFC 3339, UTC only), "2023-11-11" (its first second), "@1699696772", or
 * the form of timestamp_parse_rfc1123(): what a person types. */
bool timestamp_parse_any(const char *text, int64_t *out);

/* "2023-11-11T09:59:32Z". */
void timestamp_write_rfc3339(int64_t when, char out[TIMESTAMP_TEXT_LEN]);

/* "90s", "15m", "12h", "7d", "2w": a positive whole number and its unit, in seconds; no unit:
 * seconds. */
bool timestamp_parse_duration(const char *text, int64_t *out);

/* "6 days 3 hours": the two largest units, for people. */
void timestamp_write_duration(int64_t seconds, char out[TIMESTAMP_TEXT_LEN]);

/* The system's clock. */
int64_t timestamp_now(void);

#endif
