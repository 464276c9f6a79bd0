/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verifier's policy, checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/limits.h"
#include "trust/policy.h"

#define ALICE "0123456789ABCDEF0123456789ABCDEF01234567"
#define BOB   "89ABCDEF0123456789ABCDEF0123456789ABCDEF"
#define SUB   "FFFFFFFF0123456789ABCDEF0123456789ABCDEF"

static void assert_rejects(struct hallmark_policy in, const char *reason)
{
    struct hallmark_error err = {0};
    struct policy out = {0};

    assert_false(policy_from(&out, &in, &err));
    assert_int_equal(err.code, HALLMARK_ERR_USAGE);
    assert_non_null(strstr(err.text, reason));
}

static void policy_accepts_pins(void **state)
{
    const char *pins[] = {"0123456789abcdef0123456789abcdef01234567", SUB "!", NULL};
    struct hallmark_policy in;
    struct hallmark_error err = {0};
    struct policy policy = {0};

    (void)state;
    hallmark_policy_init(&in);
    in.signed_by = pins;
    in.threshold = 2;
    assert_true(policy_from(&policy, &in, &err));
    assert_int_equal(policy.n_pins, 2);
    assert_true(policy_has_pin(&policy, ALICE, ALICE));
    assert_true(policy_has_pin(&policy, BOB, ALICE)); /* any key of the primary key */
    assert_true(policy_has_pin(&policy, SUB, BOB));   /* K12: exactly this key */
    assert_false(policy_has_pin(&policy, BOB, BOB));
    assert_false(policy_has_pin(&policy, BOB, SUB)); /* "!" pins no primary key */
    policy_free(&policy);
}

static void policy_accepts_any_key_without_pins(void **state)
{
    struct hallmark_policy in;
    struct hallmark_error err = {0};
    struct policy policy = {0};

    (void)state;
    hallmark_policy_init(&in);
    assert_int_equal(in.threshold, 1);
    assert_int_equal(in.expiry, HALLMARK_EXPIRY_REQUIRED);
    assert_int_equal(in.clock_skew, 10);
    assert_true(policy_from(&policy, &in, &err));
    assert_true(policy_has_pin(&policy, ALICE, BOB));
    policy_free(&policy);
}

static void policy_rejects_key_ids(void **state) /* K08 */
{
    const char *pins[] = {NULL, NULL};
    static const char *const bad[] = {"01234567",
                                      "89ABCDEF01234567",
                                      "",
                                      "!",
                                      ALICE "0",
                                      ALICE "!!",
                                      "0123456789ABCDEF0123456789ABCDEF0123456G",
                                      " " ALICE,
                                      "0x" ALICE};
    struct hallmark_policy in;
    size_t i;

    (void)state;
    hallmark_policy_init(&in);
    in.signed_by = pins;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        pins[0] = bad[i];
        assert_rejects(in, "is not a full fingerprint");
    }
}

static void policy_rejects_thresholds(void **state)
{
    const char *pins[] = {ALICE, NULL};
    struct hallmark_policy in;

    (void)state;
    hallmark_policy_init(&in);
    in.threshold = 0;
    assert_rejects(in, "the threshold is 0, it must be from 1 to 16");
    in.threshold = 17;
    assert_rejects(in, "the threshold is 17");
    in.threshold = 2;
    in.signed_by = pins;
    assert_rejects(in, "the threshold is 2, but only 1 keys are trusted");
}

static void policy_rejects_times(void **state)
{
    static const int64_t wrong[] = {-1, INT64_MIN, LIMITS_TIMESTAMP_MAX + 1, INT64_MAX};
    struct hallmark_policy in;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hallmark_policy_init(&in);
        in.max_age = wrong[i];
        assert_rejects(in, "greatest age");
        hallmark_policy_init(&in);
        in.clock_skew = wrong[i];
        assert_rejects(in, "clock skew");
        hallmark_policy_init(&in);
        in.now = wrong[i];
        assert_rejects(in, "current time");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policy_accepts_pins),
        cmocka_unit_test(policy_accepts_any_key_without_pins),
        cmocka_unit_test(policy_rejects_key_ids),
        cmocka_unit_test(policy_rejects_thresholds),
        cmocka_unit_test(policy_rejects_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
