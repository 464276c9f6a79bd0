/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ustar: the headers of a bundle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "corpus.h"
#include "format/ustar.h"

static void make(const char *path, uint64_t size, char block[USTAR_BLOCK])
{
    struct ustar_file file = {.size = size};

    strcpy(file.path, path);
    assert_true(ustar_write(&file, block, NULL));
}

static void ustar_accepts_what_it_has_written(void **state)
{
    char path[USTAR_PATH_LEN + 1], block[USTAR_BLOCK];
    struct ustar_file found;
    struct hallmark_error err = {0};
    size_t len;

    (void)state;
    for (len = 1; len <= USTAR_PATH_LEN; len++) {
        memset(path, 'a', len);
        path[len] = '\0';
        if (len > 100)
            path[len - 101] = '/';
        if (len == 101)
            continue; /* it would start with "/" */
        make(path, len * 1000, block);
        if (!ustar_parse(&found, bytes_view_of(block, sizeof block), &err))
            fail_msg("%zu: %s", len, err.text);
        assert_string_equal(found.path, path);
        assert_int_equal(found.size, len * 1000);
    }
}

static void ustar_accepts_the_largest_size(void **state)
{
    char block[USTAR_BLOCK];
    struct ustar_file found;

    (void)state;
    make("x", (1ULL << 33) - 1, block);
    assert_true(ustar_parse(&found, bytes_view_of(block, sizeof block), NULL));
    assert_true(found.size == (1ULL << 33) - 1);
    assert_int_equal(ustar_padding(0), 0);
    assert_int_equal(ustar_padding(1), 511);
    assert_int_equal(ustar_padding(512), 0);
}

static void ustar_rejects_every_other_byte(void **state)
{
    char block[USTAR_BLOCK];
    struct ustar_file found;
    size_t i;

    (void)state;
    make("pool/a", 5, block);
    for (i = 0; i < USTAR_BLOCK; i++) {
        struct hallmark_error err = {0};

        block[i] ^= 1;
        assert_false(ustar_parse(&found, bytes_view_of(block, sizeof block), &err));
        assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
        block[i] ^= 1;
    }
    assert_true(ustar_parse(&found, bytes_view_of(block, sizeof block), NULL));
}

/* By this alone a bundle is told from a directory's name, so that it says what is wrong with it. */
static void ustar_rejects_other_blocks(void **state)
{
    char block[USTAR_BLOCK];

    (void)state;
    make("InRelease", 5, block);
    assert_true(ustar_is_header(bytes_view_of(block, USTAR_BLOCK)));
    assert_false(ustar_is_header(bytes_view_of(block, USTAR_BLOCK - 1)));
    assert_false(ustar_is_header(bytes_view_of(block, 0)));
    block[0] = '\0';
    assert_false(ustar_is_header(bytes_view_of(block, USTAR_BLOCK)));
    make("InRelease", 5, block);
    *(char *)memmem(block, sizeof block, "ustar", 5) = 'U';
    assert_false(ustar_is_header(bytes_view_of(block, USTAR_BLOCK)));
}

static void ustar_rejects_bad_names(void **state)
{
    static const char *const paths[] = {"../x", "/x", "a/../b", "a//b", "a/", "-x", "a b", "."};
    char block[USTAR_BLOCK];
    struct ustar_file found;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct hallmark_error err = {0};

        make(paths[i], 0, block);
        assert_false(ustar_parse(&found, bytes_view_of(block, sizeof block), &err));
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "the name of a member");
    }
}

static void ustar_rejects_what_does_not_fit(void **state)
{
    struct ustar_file file = {.size = 1ULL << 33, .path = "x"};
    struct hallmark_error err = {0};
    char block[USTAR_BLOCK];

    (void)state;
    assert_false(ustar_write(&file, block, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "too large for a bundle");
    error_clear(&err);
    file.size = 0;
    memset(file.path, 'a', 101);
    assert_false(ustar_write(&file, block, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "too long for a bundle");
    error_clear(&err);
    assert_false(ustar_parse(&file, bytes_view_of(block, 100), &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "is no header of ustar");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ustar_accepts_what_it_has_written),
        cmocka_unit_test(ustar_accepts_the_largest_size),
        cmocka_unit_test(ustar_rejects_every_other_byte),
        cmocka_unit_test(ustar_rejects_other_blocks),
        cmocka_unit_test(ustar_rejects_bad_names),
        cmocka_unit_test(ustar_rejects_what_does_not_fit),
    };

    return cmocka_run_group_tests_name("ustar", tests, NULL, NULL);
}
