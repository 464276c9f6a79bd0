/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What gpg has said is found again of the same bytes, and of no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/openpgp_verdicts.h"

static struct openpgp_verdict_key key_of(const char *signatures, const char *data)
{
    struct openpgp_verdict_key key;
    struct hallmark_error err = {0};

    if (!openpgp_verdicts_key(&key, bytes_view_str(signatures), bytes_view_str(data), &err))
        fail_msg("%s", err.text);
    return key;
}

static void openpgp_verdicts_accepts_the_same_bytes(void **state)
{
    struct openpgp_verdicts verdicts = {0};
    struct openpgp_signatures found = {.n_items = 1};
    struct openpgp_verdict_key key = key_of("s", "data");
    const struct openpgp_signatures *again;

    (void)state;
    assert_null(openpgp_verdicts_find(&verdicts, &key));
    found.items[0].created = 7;
    openpgp_verdicts_add(&verdicts, &key, &found);
    key = key_of("t", "data");
    found.items[0].created = 8;
    openpgp_verdicts_add(&verdicts, &key, &found);
    key = key_of("s", "data");
    again = openpgp_verdicts_find(&verdicts, &key);
    assert_non_null(again);
    assert_int_equal(again->n_items, 1);
    assert_int_equal(again->items[0].created, 7);
    openpgp_verdicts_free(&verdicts);
}

static void openpgp_verdicts_rejects_other_bytes(void **state)
{
    static const char *const others[][2] = {{"s", "Data"}, {"S", "data"}, {"sd", "ata"},
                                            {"", "sdata"}, {"data", "s"}, {"s", "data "}};
    struct openpgp_verdicts verdicts = {0};
    struct openpgp_signatures found = {.n_items = 1};
    struct openpgp_verdict_key key = key_of("s", "data");
    size_t i;

    (void)state;
    openpgp_verdicts_add(&verdicts, &key, &found);
    for (i = 0; i < sizeof others / sizeof *others; i++) {
        key = key_of(others[i][0], others[i][1]);
        assert_null(openpgp_verdicts_find(&verdicts, &key));
    }
    openpgp_verdicts_free(&verdicts);
}

static void openpgp_verdicts_accepts_to_forget_what_is_too_many(void **state)
{
    struct openpgp_verdicts verdicts = {0};
    struct openpgp_signatures found = {.n_items = 1};
    struct openpgp_verdict_key key;
    char data[] = "?";

    (void)state;
    for (data[0] = 1; data[0] <= OPENPGP_VERDICTS_MAX + 1; data[0]++) {
        key = key_of("s", data);
        openpgp_verdicts_add(&verdicts, &key, &found);
        assert_int_equal(openpgp_verdicts_find(&verdicts, &key) != NULL,
                         data[0] <= OPENPGP_VERDICTS_MAX);
    }
    openpgp_verdicts_free(&verdicts);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(openpgp_verdicts_accepts_the_same_bytes),
        cmocka_unit_test(openpgp_verdicts_rejects_other_bytes),
        cmocka_unit_test(openpgp_verdicts_accepts_to_forget_what_is_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
