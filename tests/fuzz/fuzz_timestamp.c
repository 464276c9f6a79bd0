/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* timestamp: a date that is read is written to the same second; any number is written to a date. */
#include <stdint.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/timestamp.h"
#include "invariant.h"

static void check_date(int64_t when)
{
    char text[TIMESTAMP_TEXT_LEN];
    int64_t back = -1;

    INVARIANT(when >= 0 && when <= LIMITS_TIMESTAMP_MAX);
    timestamp_write_rfc1123(when, text);
    INVARIANT(timestamp_parse_rfc1123(bytes_view_str(text), &back) && back == when);
    timestamp_write_rfc3339(when, text);
    INVARIANT(timestamp_parse_any(text, &back) && back == when);
}

static void check_number(int64_t number)
{
    char text[TIMESTAMP_TEXT_LEN];
    int64_t back;

    timestamp_write_rfc1123(number, text);
    INVARIANT(timestamp_parse_rfc1123(bytes_view_str(text), &back));
    timestamp_write_duration(number, text);
    INVARIANT(strlen(text) < sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A corpus file is a line. */
    size_t len = size && data[size - 1] == '\n' ? size - 1 : size;
    char *text = alloc_strndup((const char *)data, len);
    int64_t when = -1;

    if (timestamp_parse_rfc1123(bytes_view_of(data, len), &when))
        check_date(when);
    if (timestamp_parse_any(text, &when))
        check_date(when);
    if (timestamp_parse_duration(text, &when))
        INVARIANT(when > 0 && when <= LIMITS_TIMESTAMP_MAX);
    if (size >= sizeof when) {
        memcpy(&when, data, sizeof when);
        check_number(when);
    }
    free(text);
    return 0;
}
