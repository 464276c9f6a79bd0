/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding things by path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/path_table.h"

enum { MANY = 5000, PATH_MAX_LEN = 32 };

static char paths[MANY][PATH_MAX_LEN];

static const char *path_of(const void *ctx, size_t index)
{
    assert_ptr_equal(ctx, paths);
    assert_in_range(index, 0, MANY - 1);
    return paths[index];
}

static void path_table_accepts_many_paths(void **state)
{
    struct path_table table;
    size_t i, found;

    (void)state;
    path_table_init(&table);
    for (i = 0; i < MANY; i++) {
        snprintf(paths[i], sizeof paths[i], "pool/%zu/%zu.deb", i % 7, i);
        assert_false(path_table_find(&table, paths[i], path_of, paths, &found));
        path_table_add(&table, paths[i], i);
    }
    for (i = 0; i < MANY; i++) {
        assert_true(path_table_find(&table, paths[i], path_of, paths, &found));
        assert_int_equal(found, i);
    }
    path_table_free(&table);
}

static void path_table_rejects_others(void **state)
{
    static const char *const others[] = {"", "pool/0/0.de", "pool/0/0.debx", "Pool/0/0.deb"};
    struct path_table table;
    size_t i, found = 77;

    (void)state;
    path_table_init(&table);
    assert_false(path_table_find(&table, "pool/0/0.deb", path_of, paths, &found));
    strcpy(paths[0], "pool/0/0.deb");
    path_table_add(&table, paths[0], 0);
    for (i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(path_table_find(&table, others[i], path_of, paths, &found));
    assert_int_equal(found, 77);
    path_table_free(&table);
}

/* Such a pair is made by a path that changes after it was added. */
static void path_table_rejects_another_path_of_the_same_hash(void **state)
{
    struct path_table table;
    size_t found;

    (void)state;
    path_table_init(&table);
    strcpy(paths[0], "first");
    path_table_add(&table, paths[0], 0);
    strcpy(paths[0], "other");
    assert_false(path_table_find(&table, "first", path_of, paths, &found));
    strcpy(paths[1], "first");
    path_table_add(&table, paths[1], 1);
    assert_true(path_table_find(&table, "first", path_of, paths, &found));
    assert_int_equal(found, 1);
    path_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_table_accepts_many_paths),
        cmocka_unit_test(path_table_rejects_others),
        cmocka_unit_test(path_table_rejects_another_path_of_the_same_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
