/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files are read again though they have not changed, and what must then be true of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "corpus.h"
#include "digest_caches.h"
#include "repo/digest_cache.h"

/* A cache of N files, at most 26, hashed one an hour, the last one first. */
static struct digest_cache *hashed_backwards(unsigned char n)
{
    struct digest_cache *cache = digest_cache_new();
    struct digest_cache_record record;
    unsigned char i;

    for (i = 0; i < n; i++) {
        char path[2] = {(char)('a' + i), '\0'};

        record = record_of(i);
        record.hashed_at += hour * (n - i);
        assert_true(digest_cache_put(cache, path, &record));
    }
    return cache;
}

static void digest_cache_scrub_accepts_a_share(void **state)
{
    static const struct {
        unsigned percent;
        unsigned char n, n_hidden;
    } cases[] = {{1, 20, 1},   {5, 20, 1},    {6, 20, 2}, {50, 20, 10},
                 {99, 20, 20}, {100, 20, 20}, {1, 1, 1},  {100, 1, 1}};
    struct digest_cache *cache;
    size_t i;
    unsigned char k;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        cache = hashed_backwards(cases[i].n);
        digest_cache_scrub(cache, cases[i].percent);
        for (k = 0; k < cases[i].n; k++) {
            char path[2] = {(char)('a' + k), '\0'};

            /* The last ones were hashed first. */
            assert_int_equal(finds(cache, path, k), k < cases[i].n - cases[i].n_hidden);
        }
        digest_cache_free(cache);
    }
    cache = digest_cache_new();
    digest_cache_scrub(cache, 100);
    assert_false(finds(cache, "a", 1));
    digest_cache_free(cache);
}

/* Else the same ones would be read again in the next run. */
static void digest_cache_scrub_rejects_scrubbed_as_same(void **state)
{
    struct digest_cache *old = three(), *new = three();

    (void)state;
    assert_int_equal(digest_cache_compare(old, new), DIGEST_CACHE_SAME);
    digest_cache_scrub(old, 1);
    assert_int_equal(digest_cache_compare(old, new), DIGEST_CACHE_CHANGED);
    digest_cache_free(old);
    digest_cache_free(new);
}

static void digest_cache_scrub_rejects_other_bytes_under_the_same_stamp(void **state)
{
    struct digest_cache *cache = three(), *fresh = digest_cache_new();
    struct digest_cache_record record = record_of(2);
    struct hallmark_error err = {0};

    (void)state;
    digest_cache_scrub(cache, 100);
    assert_true(digest_cache_check(cache, "b/c", &record, &err));
    record.digest.sha256[31] ^= 1;
    assert_false(digest_cache_check(cache, "b/c", &record, &err));
    corpus_assert_error(&err, HALLMARK_ERR_CONTENT,
                        "b/c: has other bytes than on Tue, 14 Nov 2023 23:13:20 UTC, though");
    err = (struct hallmark_error){0};
    /* What is not known, what was written to, and what could have been. */
    assert_true(digest_cache_check(NULL, "b/c", &record, &err));
    assert_true(digest_cache_check(cache, "b/d", &record, &err));
    record.stamp.ctime++;
    assert_true(digest_cache_check(cache, "b/c", &record, &err));
    record = record_of(2);
    record.stamp.ctime = record.hashed_at;
    assert_true(digest_cache_put(fresh, "b/c", &record));
    record.digest.sha256[0] ^= 1;
    assert_true(digest_cache_check(fresh, "b/c", &record, &err));
    digest_cache_free(fresh);
    digest_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_cache_scrub_accepts_a_share),
        cmocka_unit_test(digest_cache_scrub_rejects_scrubbed_as_same),
        cmocka_unit_test(digest_cache_scrub_rejects_other_bytes_under_the_same_stamp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
