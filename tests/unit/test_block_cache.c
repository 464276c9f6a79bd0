/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* block_cache: a block is found by the hash of its text, and only if it is what it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus.h"
#include "repo/block_cache.h"
#include "system/compress_block.h"
#include "temporary.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

enum { MODE = 0644 };

static const unsigned char key_a[DIGEST_SHA256_LEN] = {1}, key_b[DIGEST_SHA256_LEN] = {2};

struct place {
    char *dir;
    int fd;
};

static struct place start(void)
{
    struct hallmark_error err = {0};
    struct place place = {.dir = temporary_new()};

    place.fd = file_open_directory(place.dir, &err);
    assert_true(place.fd >= 0);
    return place;
}

static void stop(struct place *place)
{
    file_close(&place->fd);
    temporary_remove(place->dir);
}

static void add(struct block_cache *cache, unsigned file, const unsigned char *key, uint64_t offset,
                const char *block)
{
    struct block_cache_place place = {.file = file, .form = 1, .offset = offset};
    struct hallmark_error err = {0};

    assert_true(block_cache_add(cache, &place, key, bytes_view_str(block), &err));
}

/* A file "index" of two blocks, published and remembered. */
static void publish(const struct place *place)
{
    struct hallmark_error err = {0};
    struct block_cache *cache = block_cache_load(place->fd, place->fd);
    unsigned file = block_cache_start(cache, "index");

    assert_true(file_replace(place->fd, "index", bytes_view_str("..block Ablock B"), MODE, &err));
    add(cache, file, key_a, 2, "block A");
    add(cache, file, key_b, 9, "block B");
    assert_true(block_cache_save(cache, &err));
    block_cache_free(cache);
}

static bool finds(const struct place *place, unsigned form, const unsigned char *key,
                  const char *wanted)
{
    struct block_cache *cache = block_cache_load(place->fd, place->fd);
    struct bytes out = {0};
    bool found = block_cache_find(cache, form, key, &out);

    assert_int_equal(out.len, found ? strlen(wanted) : 0);
    if (found)
        assert_memory_equal(out.data, wanted, out.len);
    bytes_free(&out);
    block_cache_free(cache);
    return found;
}

static void block_cache_accepts_what_is_published(void **state)
{
    struct place place = start();
    struct stat st;

    (void)state;
    assert_false(finds(&place, 1, key_a, ""));
    publish(&place);
    assert_true(finds(&place, 1, key_a, "block A"));
    assert_true(finds(&place, 1, key_b, "block B"));
    assert_int_equal(fstatat(place.fd, BLOCK_CACHE_FILE, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    stop(&place);
}

static void block_cache_rejects_other_forms_and_texts(void **state)
{
    static const unsigned char other[DIGEST_SHA256_LEN] = {3};
    struct place place = start();

    (void)state;
    publish(&place);
    assert_false(finds(&place, 2, key_a, ""));
    assert_false(finds(&place, 1, other, ""));
    stop(&place);
}

static void block_cache_rejects_changed_blocks(void **state)
{
    struct hallmark_error err = {0};
    struct place place = start();

    (void)state;
    publish(&place);
    assert_true(file_replace(place.fd, "index", bytes_view_str("..block Ablock C"), MODE, &err));
    assert_true(finds(&place, 1, key_a, "block A"));
    assert_false(finds(&place, 1, key_b, ""));
    assert_true(file_replace(place.fd, "index", bytes_view_str("..block"), MODE, &err));
    assert_false(finds(&place, 1, key_a, ""));
    assert_int_equal(unlinkat(place.fd, "index", 0), 0);
    assert_false(finds(&place, 1, key_a, ""));
    stop(&place);
}

static void block_cache_rejects_what_others_can_write(void **state)
{
    struct place place = start();

    (void)state;
    publish(&place);
    assert_int_equal(fchmodat(place.fd, BLOCK_CACHE_FILE, 0620, 0), 0);
    assert_false(finds(&place, 1, key_a, ""));
    assert_int_equal(fchmodat(place.fd, BLOCK_CACHE_FILE, 0602, 0), 0);
    assert_false(finds(&place, 1, key_a, ""));
    assert_int_equal(fchmodat(place.fd, BLOCK_CACHE_FILE, 0644, 0), 0);
    assert_true(finds(&place, 1, key_a, "block A"));
    stop(&place);
}

/* What is not made anew stays known; what is, and what is no longer published, is forgotten. */
static void block_cache_accepts_new_files(void **state)
{
    static const unsigned char key_c[DIGEST_SHA256_LEN] = {4};
    struct hallmark_error err = {0};
    struct place place = start();
    struct block_cache *cache;
    struct bytes out = {0};

    (void)state;
    publish(&place);
    cache = block_cache_load(place.fd, place.fd);
    add(cache, block_cache_start(cache, "second"), key_c, 0, "block C");
    assert_true(file_replace(place.fd, "second", bytes_view_str("block C"), MODE, &err));
    assert_true(block_cache_save(cache, &err));
    block_cache_free(cache);
    assert_true(finds(&place, 1, key_a, "block A"));
    assert_true(finds(&place, 1, key_c, "block C"));

    cache = block_cache_load(place.fd, place.fd);
    add(cache, block_cache_start(cache, "index"), key_c, 0, "block C");
    assert_true(block_cache_find(cache, 1, key_a, &out));
    assert_int_equal(unlinkat(place.fd, "second", 0), 0);
    assert_true(file_replace(place.fd, "index", bytes_view_str("block C"), MODE, &err));
    assert_true(block_cache_save(cache, &err));
    block_cache_free(cache);
    bytes_free(&out);
    assert_false(finds(&place, 1, key_a, ""));
    assert_true(finds(&place, 1, key_c, "block C"));
    stop(&place);
}

static void block_cache_accepts_nothing_to_save(void **state)
{
    struct hallmark_error err = {0};
    struct place place = start();
    struct block_cache *cache = block_cache_load(place.fd, place.fd);
    struct stat st;

    (void)state;
    assert_true(block_cache_save(cache, &err));
    assert_int_equal(fstatat(place.fd, BLOCK_CACHE_FILE, &st, 0), -1);
    block_cache_free(cache);
    stop(&place);
}

static void assert_refused(const char *lines, const char *reason)
{
    char *text = alloc_printf("hallmark-blocks 1 %s\n%s", compress_block_maker(), lines);
    struct hallmark_error err = {0};

    assert_null(block_cache_parse(bytes_view_str(text), &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, reason);
    free(text);
}

static void block_cache_rejects_bad_lines(void **state)
{
    static const char *const bad[] = {
        "\n",
        "1\n",
        "8 " HEX " " HEX " 0 1 a\n",
        "1 " HEX "0 " HEX " 0 1 a\n",
        "1 " HEX " 0011 0 1 a\n",
        "1 " HEX " " HEX " -1 1 a\n",
        "1 " HEX " " HEX " 9223372036854775807 1 a\n",
        "1 " HEX " " HEX " 0 4194305 a\n",
        "1 " HEX " " HEX " 0 1\n",
        "1 " HEX " " HEX " 0 1 \n",
        "1 " HEX " " HEX " 0 1 /a\n",
        "1 " HEX " " HEX " 0 1 ../a\n",
        "1 " HEX " " HEX " 0 1 a b\n",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(bad[i], "blocks: line 2: does not describe a block");
    assert_refused("1 " HEX " " HEX " 0 1 a\nx\n", "blocks: line 3: ");
}

static void block_cache_rejects_other_versions(void **state)
{
    static const char *const bad[] = {"", "\n", "hallmark-blocks 1 \n", "hallmark-blocks 2 x\n"};
    struct hallmark_error err = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        error_clear(&err);
        assert_null(block_cache_parse(bytes_view_str(bad[i]), &err));
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "blocks: line 1: is of another version");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_cache_accepts_what_is_published),
        cmocka_unit_test(block_cache_rejects_other_forms_and_texts),
        cmocka_unit_test(block_cache_rejects_changed_blocks),
        cmocka_unit_test(block_cache_rejects_what_others_can_write),
        cmocka_unit_test(block_cache_accepts_new_files),
        cmocka_unit_test(block_cache_accepts_nothing_to_save),
        cmocka_unit_test(block_cache_rejects_bad_lines),
        cmocka_unit_test(block_cache_rejects_other_versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
