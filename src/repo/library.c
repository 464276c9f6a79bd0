/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What belongs to the library as a whole. */
#include <hallmark.h>

#include "base/error.h"
#include "base/timestamp.h"

enum { DEFAULT_CLOCK_SKEW = 10 }; /* seconds, as apt allows */

const char *hallmark_version(void)
{
    return PACKAGE_VERSION;
}

void hallmark_policy_init(struct hallmark_policy *policy)
{
    *policy = (struct hallmark_policy){
        .threshold = 1,
        .clock_skew = DEFAULT_CLOCK_SKEW,
        .now = timestamp_now(),
    };
}

bool hallmark_time_parse(const char *text, enum hallmark_time kind, int64_t *out,
                         struct hallmark_error *err)
{
    error_clear(err);
    if (kind == HALLMARK_TIME_LENGTH)
        return timestamp_parse_duration(text, out) ||
               error_set(err, HALLMARK_ERR_USAGE,
                         "\"%s\" is not a length of time such as 90s, 15m, 12h, 7d or 2w", text);
    return timestamp_parse_any(text, out) ||
           error_set(err, HALLMARK_ERR_USAGE,
                     "\"%s\" is not a date such as 2026-11-22 or 2026-11-22T10:00:00Z", text);
}
