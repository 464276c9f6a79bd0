/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement: which suites and component a package goes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "corpus.h"
#include "format/placement.h"

/* Settings with these values; NULL: not set. */
static void set(struct hallmark_settings *settings, const char *suites, const char *components,
                const char *rules)
{
    struct hallmark_error err = {0};

    *settings = (struct hallmark_settings){.n_suites = 0};
    assert_true(settings_set(settings, SETTINGS_SUITE, suites, &err));
    assert_true(settings_set(settings, SETTINGS_COMPONENTS, components, &err));
    assert_true(settings_set(settings, SETTINGS_RULES, rules, &err));
}

/* A package NAME 1.0 for amd64 at PATH goes to SUITES (bits) and COMPONENT. */
static void assert_placed(const struct placement *p, const char *path, const char *name,
                          uint64_t suites, size_t component)
{
    struct placement_package package = {path, name, "1.0~rc1", "amd64"};
    struct hallmark_error err = {0};
    struct placed placed;

    if (!placement_find(p, &package, &placed, &err))
        fail_msg("%s", err.text);
    if (placed.suites != suites || (suites && placed.component != component))
        fail_msg("%s: suites %#x, component %zu", path, (unsigned)placed.suites, placed.component);
}

static void placement_accepts_directories(void **state)
{
    struct hallmark_settings settings;
    struct placement p;

    (void)state;
    set(&settings, "stable testing bookworm/updates", "main contrib main/extra", NULL);
    assert_true(placement_init(&p, &settings, NULL));
    assert_placed(&p, "pool/stable/a.deb", "a", 1, 0);
    assert_placed(&p, "pool/testing/contrib/a/a.deb", "a", 2, 1);
    assert_placed(&p, "pool/testing/contribs/a.deb", "a", 2, 0);
    assert_placed(&p, "pool/testing/contrib", "a", 2, 0);
    assert_placed(&p, "pool/bookworm/updates/main/a.deb", "a", 4, 0);
    assert_placed(&p, "pool/stable/main/extra/a.deb", "a", 1, 2);
    placement_free(&p);
    settings_clear(&settings);
}

static void placement_accepts_one_suite_anywhere(void **state)
{
    struct hallmark_settings settings;
    struct placement p;

    (void)state;
    set(&settings, "stable", NULL, NULL);
    assert_true(placement_init(&p, &settings, NULL));
    assert_placed(&p, "pool/a.deb", "a", 1, 0);
    assert_placed(&p, "pool/stable/a.deb", "a", 1, 0);
    assert_placed(&p, "pool/contrib/a.deb", "a", 1, 0);
    placement_free(&p);
    settings_clear(&settings);
}

static void placement_accepts_rules(void **state)
{
    struct hallmark_settings settings;
    struct placement p;

    (void)state;
    set(&settings, "stable testing", "main contrib",
        "secret * * - .\n* *~rc? i386 stable main\nhello-[a-z]* *~rc* amd64 testing,stable "
        "contrib\n"
        "all * * * .\nhere * * . contrib\n?? * * testing .");
    assert_true(placement_init(&p, &settings, NULL));
    assert_placed(&p, "pool/stable/a.deb", "secret", 0, 0);
    assert_placed(&p, "pool/a.deb", "hello-doc", 3, 1);
    assert_placed(&p, "pool/testing/contrib/a.deb", "all", 3, 1);
    assert_placed(&p, "pool/testing/a.deb", "here", 2, 1);
    assert_placed(&p, "pool/stable/contrib/a.deb", "xy", 2, 1);
    assert_placed(&p, "pool/stable/contrib/a.deb", "xyz", 1, 1);
    placement_free(&p);
    settings_clear(&settings);
}

static void placement_rejects_no_suite(void **state)
{
    static const char *const paths[] = {"pool/a.deb", "pool/stables/a.deb", "pool/stable",
                                        "pools/stable/a.deb", "stable"};
    struct hallmark_settings settings;
    struct hallmark_error err;
    struct placed placed;
    struct placement p;
    size_t i;

    (void)state;
    set(&settings, "stable testing", NULL, "here * * . main");
    assert_true(placement_init(&p, &settings, NULL));
    for (i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct placement_package package = {paths[i], i ? "a" : "here", "1", "all"};

        err = (struct hallmark_error){0};
        assert_false(placement_find(&p, &package, &placed, &err));
        corpus_assert_error(&err, HALLMARK_ERR_USAGE, "is of no suite: no rule fits it");
    }
    placement_free(&p);
    settings_clear(&settings);
}

static void placement_rejects_settings(void **state)
{
    static const struct {
        const char *suites, *components, *rules, *reason;
    } cases[] = {
        {NULL, NULL, NULL, "Suite: is missing; the layout apt needs at least one"},
        {"a a/b", NULL, NULL, "Suite: \"a/b\" would be a part of the directory of \"a\""},
        {"a b", "x b", NULL, "Suite: \"b\" is the name of a component as well"},
        {"a b", "x", "* * * a,c x", "Rules: \"c\" is no suite in Suite"},
        {"a b", "x", "* * * a, x\n* * * ,a x", "Rules: \"\" is no suite in Suite"},
        {"a b", "x", "* * * a y", "Rules: \"y\" is no component in Components"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hallmark_settings settings;
        struct hallmark_error err = {0};
        struct placement p;

        set(&settings, cases[i].suites, cases[i].components, cases[i].rules);
        assert_false(placement_init(&p, &settings, &err));
        corpus_assert_error(&err, HALLMARK_ERR_USAGE, cases[i].reason);
        settings_clear(&settings);
    }
    assert_null(placement_rule_fault("a b c d e"));
    assert_non_null(placement_rule_fault("a b c d"));
    assert_non_null(placement_rule_fault("a b c d e f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placement_accepts_directories),
        cmocka_unit_test(placement_accepts_one_suite_anywhere),
        cmocka_unit_test(placement_accepts_rules),
        cmocka_unit_test(placement_rejects_no_suite),
        cmocka_unit_test(placement_rejects_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
