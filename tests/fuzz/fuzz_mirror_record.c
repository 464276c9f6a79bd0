/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mirror_record: what is accepted is written so that it is accepted again and is the same. */
#include <stdint.h>

#include "invariant.h"
#include "repo/mirror_record.h"

static void check_record(struct bytes_view data)
{
    struct mirror_record record = {0}, again = {0};
    struct hallmark_error err = {0};
    struct bytes text = {0}, second = {0};
    bool ok = mirror_record_parse(&record, data, &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (ok) {
        INVARIANT(record.source && record.n_suites > 0);
        mirror_record_write(&record, &text);
        INVARIANT(mirror_record_parse(&again, bytes_view(&text), &err));
        INVARIANT(again.n_suites == record.n_suites);
        mirror_record_write(&again, &second);
        INVARIANT(text.len == second.len && memcmp(text.data, second.data, text.len) == 0);
    }
    bytes_free(&text);
    bytes_free(&second);
    mirror_record_free(&record);
    mirror_record_free(&again);
}

static void check_retired(struct bytes_view data)
{
    struct mirror_retired_list list = {0};
    struct hallmark_error err = {0};
    struct bytes text = {0};
    bool ok = mirror_record_parse_retired(&list, data, &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (ok) {
        mirror_record_write_retired(&list, &text);
        INVARIANT(text.len == data.len &&
                  (!text.len || memcmp(text.data, data.data, text.len) == 0));
    }
    bytes_free(&text);
    mirror_record_free_retired(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_record(bytes_view_of(data, size));
    check_retired(bytes_view_of(data, size));
    return 0;
}
