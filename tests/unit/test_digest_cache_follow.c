/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* digest_cache: one that follows another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest_caches.h"
#include "temporary.h"

/* Both ways, as the bytes of WANTED. */
static void assert_saved(struct digest_cache *cache, const struct bytes *wanted)
{
    struct hallmark_error err = {0};
    struct bytes written = {0}, saved = {0};
    char *dir = temporary_new();
    int fd = file_open_directory(dir, &err);

    digest_cache_write(cache, &written);
    assert_true(digest_cache_save(cache, fd, &err));
    assert_true(file_read(fd, DIGEST_CACHE_FILE, wanted->len, &saved, NULL, &err));
    assert_int_equal(written.len, wanted->len);
    assert_memory_equal(written.data, wanted->data, wanted->len);
    assert_int_equal(saved.len, wanted->len);
    assert_memory_equal(saved.data, wanted->data, wanted->len);
    bytes_free(&written);
    bytes_free(&saved);
    file_close(&fd);
    temporary_remove(dir);
}

/* What follows another cache is the same bytes as what was put into an empty one: whatever is in
 * both, gone, new, or changed. */
static void digest_cache_accepts_what_follows(void **state)
{
    static const struct {
        const char *path;
        unsigned char seed;
    } cases[][6] = {
        {{"a", 1}, {"b/c", 2}, {"d", 3}},
        {{"b/c", 2}},
        {{"0", 9}, {"a", 1}, {"aa", 8}, {"b/c", 7}, {"d", 3}, {"e", 6}},
        {{"d", 3}, {"e", 6}},
        {{"x", 1}},
        {{NULL, 0}},
    };
    struct digest_cache *base, *plain, *follower;
    struct bytes a = {0};
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        base = three();
        plain = digest_cache_new();
        follower = digest_cache_follow(base);
        for (k = 0; k < 6 && cases[i][k].path; k++) {
            put(plain, cases[i][k].path, cases[i][k].seed);
            put(follower, cases[i][k].path, cases[i][k].seed);
        }
        assert_int_equal(digest_cache_count(follower), k);
        assert_int_equal(digest_cache_compare(base, follower), digest_cache_compare(base, plain));
        for (k = 0; k < 6 && cases[i][k].path; k++)
            assert_true(finds(follower, cases[i][k].path, cases[i][k].seed));
        digest_cache_write(plain, &a);
        assert_saved(follower, &a);
        digest_cache_free(base);
        bytes_free(&a);
        digest_cache_free(plain);
        digest_cache_free(follower);
    }
}

/* A file that was hashed once more: its time is new, though nothing else is. */
static void digest_cache_accepts_new_times_of_what_follows(void **state)
{
    struct digest_cache *base = three(), *follower = digest_cache_follow(base);
    struct digest_cache_record record = record_of(2), found;

    (void)state;
    record.hashed_at += hour;
    assert_true(digest_cache_put(follower, "b/c", &record));
    assert_true(digest_cache_find(follower, "b/c", &record.stamp, &found));
    assert_int_equal(found.hashed_at, record.hashed_at);
    assert_false(digest_cache_put(follower, "b/c", &record));
    assert_false(digest_cache_put(follower, "a", &record));
    digest_cache_free(follower);
    digest_cache_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_cache_accepts_what_follows),
        cmocka_unit_test(digest_cache_accepts_new_times_of_what_follows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
