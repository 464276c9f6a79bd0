/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The consumer's memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "repo/state.h"
#include "temporary.h"

static const char url[] = "file:///srv/a";

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

static struct release_floor floor_of(int64_t date, char digit)
{
    struct release_floor floor = {.date = date};

    memset(floor.sha256, digit, RELEASE_TRUST_DIGEST_LEN);
    return floor;
}

/* The one state file in DIR; free(3) releases the name. */
static char *state_file(const char *dir)
{
    char *verified = path_join(dir, "verified"), *path = NULL;
    DIR *stream = opendir(verified);
    struct dirent *entry;

    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL)
        if (strlen(entry->d_name) == 64)
            path = path_join(verified, entry->d_name);
    closedir(stream);
    free(verified);
    assert_non_null(path);
    return path;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Loads what is remembered of URL over what LOADED had. */
static bool load(const char *dir, const char *of, struct release_floor *loaded,
                 struct hallmark_error *err)
{
    state_free(loaded);
    return state_load(dir, of, loaded, err);
}

static void state_accepts_what_it_saved(void **state)
{
    struct release_floor floor = floor_of(1700000000, 'a'), loaded = {0};
    struct hallmark_error err = {0};
    struct stat st;
    char *path;

    assert_true(load(*state, url, &loaded, &err));
    assert_int_equal(loaded.date, 0);
    assert_true(state_save(*state, url, &floor, &err));
    assert_true(load(*state, url, &loaded, &err));
    assert_int_equal(loaded.date, 1700000000);
    assert_string_equal(loaded.sha256, floor.sha256);
    assert_true(load(*state, "file:///srv/b", &loaded, &err));
    assert_int_equal(loaded.date, 0);
    path = state_file(*state);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(path);
    state_free(&loaded);
}

/* Texts of every kind, and none, come back as they were; an older file has none of them. */
static void state_accepts_texts(void **state)
{
    struct release_floor floor = floor_of(1700000000, 'a'), loaded = {0};
    struct hallmark_error err = {0};
    char *path;

    floor.origin = "Debian \"Archive\"";
    floor.label = "-";
    assert_true(state_save(*state, url, &floor, &err));
    assert_true(load(*state, url, &loaded, &err));
    assert_string_equal(loaded.origin, floor.origin);
    assert_string_equal(loaded.label, "-");
    assert_string_equal(loaded.codename, "");
    path = state_file(*state);
    write_file(path, "Repository: file:///srv/a\nDate: Tue, 14 Nov 2023 22:13:20 UTC\nSHA256: "
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
    assert_true(load(*state, url, &loaded, &err));
    assert_null(loaded.origin);
    assert_null(loaded.codename);
    write_file(path, "Repository: file:///srv/a\nDate: Tue, 14 Nov 2023 22:13:20 UTC\nSHA256: "
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
                     "Origin: \"\nLabel: x\n");
    assert_false(load(*state, url, &loaded, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "the field \"Origin\" has no quotation marks"));
    free(path);
}

static void state_accepts_only_newer(void **state)
{
    struct release_floor first = floor_of(1700000000, 'a'), older = floor_of(1600000000, 'b'),
                         newer = floor_of(1800000000, 'c'), loaded = {0};
    struct hallmark_error err = {0};

    assert_true(state_save(*state, url, &first, &err));
    assert_true(state_save(*state, url, &older, &err));
    assert_true(load(*state, url, &loaded, &err));
    assert_int_equal(loaded.date, first.date);
    assert_true(state_save(*state, url, &newer, &err));
    assert_true(load(*state, url, &loaded, &err));
    assert_int_equal(loaded.date, newer.date);
    state_free(&loaded);
}

static void state_rejects_damage(void **state)
{
    static const char *const bad[] = {
        "",
        "garbage\n",
        "Repository: file:///srv/a\n",
        "Repository: file:///srv/b\nDate: Tue, 14 Nov 2023 22:13:20 UTC\nSHA256: "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        "Repository: file:///srv/a\nDate: yesterday\nSHA256: "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        "Repository: file:///srv/a\nDate: Tue, 14 Nov 2023 22:13:20 UTC\nSHA256: aaaa\n"};
    struct release_floor floor = floor_of(1700000000, 'a'), loaded = {0};
    struct hallmark_error err = {0};
    char *path;
    size_t i;

    assert_true(state_save(*state, url, &floor, &err));
    path = state_file(*state);
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_file(path, bad[i]);
        error_clear(&err);
        assert_false(load(*state, url, &loaded, &err));
        assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
        assert_non_null(strstr(err.text, "/verified/"));
        error_clear(&err);
        assert_false(state_save(*state, url, &floor, &err));
    }
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(state_accepts_what_it_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(state_accepts_texts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(state_accepts_only_newer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(state_rejects_damage, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
