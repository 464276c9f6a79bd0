/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The consumer's memory of revoked keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/path.h"
#include "repo/revocations.h"
#include "temporary.h"

#define V4 "0123456789ABCDEF0123456789ABCDEF01234567"
#define V6 "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

static int set_up(void **state)
{
    *state = temporary_new();
    return 0;
}

static int tear_down(void **state)
{
    temporary_remove(*state);
    return 0;
}

/* Saves KEY alone in DIR. */
static bool save(const char *dir, const char *key, struct hallmark_error *err)
{
    struct strlist list = {0};
    bool ok;

    strlist_add(&list, key);
    ok = revocations_save(dir, &list, err);
    strlist_free(&list);
    return ok;
}

static void write_file(const char *dir, const char *text)
{
    char *path = path_join(dir, "verified/revoked-keys");
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static void revocations_accepts_nothing(void **state)
{
    struct strlist none = {0};
    struct hallmark_error err = {0};
    char *path = path_join(*state, "verified");

    assert_true(revocations_load(*state, &none, &err));
    assert_int_equal(none.n_items, 0);
    assert_true(revocations_save(*state, &none, &err));
    assert_int_equal(access(path, F_OK), -1);
    free(path);
}

static void revocations_accepts_what_it_saved(void **state)
{
    struct strlist loaded = {0};
    struct hallmark_error err = {0};
    char *path = path_join(*state, "verified/revoked-keys");
    struct stat first, second;

    assert_true(save(*state, V4, &err));
    assert_true(save(*state, V6, &err));
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(first.st_mode & 0777, 0600);
    assert_true(save(*state, V4, &err));
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    assert_true(revocations_load(*state, &loaded, &err));
    assert_int_equal(loaded.n_items, 2);
    assert_string_equal(loaded.items[0], V4);
    assert_string_equal(loaded.items[1], V6);
    strlist_free(&loaded);
    free(path);
}

/* What is damaged is neither read as less nor written over. */
static void revocations_rejects_damage(void **state)
{
    static const char *const bad[] = {"",
                                      "garbage\n",
                                      "Revoked-Keys:\n",
                                      "Revoked-Keys: " V4,
                                      "Other: " V4 "\n",
                                      "Revoked-Keys:\n " V4 "0\n",
                                      "Revoked-Keys:\n " V4 "G\n",
                                      "Revoked-Keys:\n 0123456789ABCDEF\n",
                                      "Revoked-Keys:\n 0123456789abcdef0123456789abcdef01234567\n",
                                      "Revoked-Keys:\n " V4
                                      "\n 0123456789ABCDEF0123456789ABCDEF0123456G\n"};
    struct strlist loaded = {0};
    struct hallmark_error err = {0};
    size_t i;

    assert_true(save(*state, V4, &err));
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_file(*state, bad[i]);
        error_clear(&err);
        assert_false(revocations_load(*state, &loaded, &err));
        assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
        assert_non_null(strstr(err.text, "/verified/revoked-keys: "));
        strlist_free(&loaded);
        error_clear(&err);
        assert_false(save(*state, V4, &err));
        assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    }
}

static void revocations_rejects_too_many(void **state)
{
    struct strlist list = {0}, loaded = {0};
    struct hallmark_error err = {0};
    char key[65];
    int i;

    for (i = 0; i < LIMITS_REVOKED_KEYS; i++) {
        snprintf(key, sizeof key, "%064X", (unsigned)i);
        strlist_add(&list, key);
    }
    assert_true(revocations_save(*state, &list, &err));
    assert_false(save(*state, V4, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "4097 revoked keys, at most 4096 are remembered"));
    assert_true(revocations_load(*state, &loaded, &err));
    assert_int_equal(loaded.n_items, LIMITS_REVOKED_KEYS);
    strlist_free(&loaded);
    strlist_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(revocations_accepts_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revocations_accepts_what_it_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revocations_rejects_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revocations_rejects_too_many, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
