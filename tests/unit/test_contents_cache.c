/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contents_cache: lists of files are kept, those of packages that are gone are dropped, damage is
 * seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "corpus.h"
#include "repo/contents_cache.h"
#include "temporary.h"

enum { MANY = 3000 };

static struct {
    char *path;
    int fd;
} dir;

/* A hash that tells the number, in an order of its own. */
static const unsigned char *hash_of(unsigned number)
{
    static unsigned char hash[DIGEST_SHA256_LEN];

    hash[0] = (unsigned char)(number * 37);
    memcpy(hash + 1, &number, sizeof number);
    return hash;
}

static void put(struct contents_cache *cache, unsigned number)
{
    char *list = alloc_printf("0 file %u\n", number);

    assert_true(contents_cache_put(cache, hash_of(number), bytes_view_str(list), NULL));
    free(list);
}

static void assert_has(struct contents_cache *cache, unsigned number)
{
    char *list = alloc_printf("0 file %u\n", number);
    struct bytes_view found;

    assert_true(contents_cache_has(cache, hash_of(number)));
    assert_true(contents_cache_get(cache, hash_of(number), &found, NULL));
    assert_true(bytes_view_equals(found, list));
    free(list);
}

static struct contents_cache *open_cache(void)
{
    struct hallmark_error why = {0};
    struct contents_cache *cache = contents_cache_open(dir.fd, CONTENTS_CACHE_WRITE, &why);

    if (why.code)
        fail_msg("%s", why.text);
    return cache;
}

static void contents_cache_accepts_what_it_wrote(void **state)
{
    struct contents_cache *cache = open_cache();
    unsigned i;

    (void)state;
    assert_false(contents_cache_has(cache, hash_of(1)));
    for (i = 0; i < MANY; i++)
        put(cache, i);
    put(cache, 7); /* the same package in two places */
    assert_true(contents_cache_save(cache, NULL));
    for (i = 0; i < MANY; i++)
        assert_has(cache, i);
    contents_cache_free(cache);
    cache = open_cache();
    for (i = 0; i < MANY; i++)
        assert_has(cache, i);
    assert_false(contents_cache_has(cache, hash_of(MANY)));
    contents_cache_free(cache);
}

/* After the test above. Nothing new: nothing is written; something new: what nobody asked for is
 * gone. */
static void contents_cache_accepts_less(void **state)
{
    struct contents_cache *cache = open_cache();
    struct stat before, after;

    (void)state;
    assert_int_equal(fstatat(dir.fd, CONTENTS_CACHE_FILE, &before, 0), 0);
    assert_true(contents_cache_has(cache, hash_of(3)));
    assert_true(contents_cache_save(cache, NULL));
    assert_int_equal(fstatat(dir.fd, CONTENTS_CACHE_FILE, &after, 0), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    put(cache, MANY);
    assert_true(contents_cache_save(cache, NULL));
    assert_has(cache, 3);
    assert_has(cache, MANY);
    assert_false(contents_cache_has(cache, hash_of(4)));
    contents_cache_free(cache);
}

static void contents_cache_accepts_nowhere(void **state)
{
    struct hallmark_error why = {0};
    struct contents_cache *cache = contents_cache_open(-1, CONTENTS_CACHE_WRITE, &why);

    (void)state;
    assert_int_equal(why.code, HALLMARK_OK);
    put(cache, 1);
    assert_true(contents_cache_save(cache, NULL));
    assert_false(contents_cache_has(cache, hash_of(1)));
    contents_cache_free(cache);
    contents_cache_free(NULL);
}

static void write_cache(struct bytes_view data)
{
    assert_true(file_replace(dir.fd, CONTENTS_CACHE_FILE, data, 0600, NULL));
}

/* Whatever byte of the header or the table is another one, and wherever the file ends. */
static void contents_cache_rejects_damage(void **state)
{
    struct contents_cache *cache = open_cache();
    struct bytes_view list;
    struct bytes data = {0};
    struct hallmark_error err;
    size_t i, table;

    (void)state;
    put(cache, 1);
    put(cache, 2);
    assert_true(contents_cache_save(cache, NULL));
    contents_cache_free(cache);
    assert_true(file_read(dir.fd, CONTENTS_CACHE_FILE, 1 << 20, &data, NULL, NULL));
    table = sizeof(struct contents_cache_header) + 2 * sizeof(struct contents_cache_record);
    assert_int_equal(data.len, table + 2 * strlen("0 file 1\n"));
    for (i = 0; i < data.len; i++) {
        data.data[i] ^= 4;
        write_cache(bytes_view(&data));
        data.data[i] ^= 4;
        err = (struct hallmark_error){0};
        cache = contents_cache_open(dir.fd, CONTENTS_CACHE_READ, &err);
        assert_int_equal(err.code, i < table ? HALLMARK_ERR_MALFORMED : HALLMARK_OK);
        assert_int_equal(contents_cache_has(cache, hash_of(1)), i >= table);
        if (i >= table && !(contents_cache_get(cache, hash_of(1), &list, &err) &&
                            contents_cache_get(cache, hash_of(2), &list, &err))) {
            corpus_assert_error(&err, HALLMARK_ERR_IO, "contents: is damaged, and was removed");
            assert_int_equal(faccessat(dir.fd, CONTENTS_CACHE_FILE, F_OK, 0), -1);
        } else if (i >= table) {
            fail_msg("damage at %zu is not seen", i);
        }
        contents_cache_free(cache);
    }
    for (i = 0; i < data.len; i++) {
        write_cache(bytes_view_of(data.data, i));
        err = (struct hallmark_error){0};
        cache = contents_cache_open(dir.fd, CONTENTS_CACHE_READ, &err);
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "contents: is damaged");
        contents_cache_free(cache);
    }
    bytes_free(&data);
}

static int set_up(void **state)
{
    (void)state;
    dir.path = temporary_new();
    dir.fd = file_open_directory(dir.path, NULL);
    assert_true(dir.fd >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    file_close(&dir.fd);
    temporary_remove(dir.path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_cache_accepts_what_it_wrote),
        cmocka_unit_test(contents_cache_accepts_less),
        cmocka_unit_test(contents_cache_accepts_nowhere),
        cmocka_unit_test(contents_cache_rejects_damage),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
