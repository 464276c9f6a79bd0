/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compress_block: blocks that were made one by one are one file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "corpus.h"
#include "system/compress_block.h"
#include "system/decompress.h"
#include "temporary.h"

/* Appends what FILE, compressed as KIND, holds. */
static void expand(const struct bytes *file, enum package_compression kind, struct bytes *out)
{
    struct decompress_window window = {.len = file->len};
    struct hallmark_error err = {0};
    struct decompress *decompress;
    char *dir = temporary_new();
    struct bytes_view part;

    window.fd = open(dir, O_TMPFILE | O_RDWR, 0600);
    assert_true(window.fd >= 0);
    assert_true(file_write_all(window.fd, file->data, file->len));
    decompress = decompress_open(&window, kind, &err);
    assert_non_null(decompress);
    do {
        assert_true(decompress_next(decompress, &part));
        bytes_append(out, part.data, part.len);
    } while (part.len);
    decompress_close(decompress);
    close(window.fd);
    temporary_remove(dir);
}

/* A file of N blocks, of lengths that differ. */
static void assert_blocks(enum compress_method method, enum package_compression kind, unsigned n)
{
    struct bytes file = {0}, text = {0}, block = {0}, back = {0};
    struct hallmark_error err = {0};
    struct compress_block_frame *frame = compress_block_start(method, &file, &err);
    size_t start;
    unsigned i;

    assert_non_null(frame);
    for (i = 0; i < n; i++) {
        start = text.len;
        while (text.len < start + (size_t)i * i * 999 + 7)
            bytes_printf(&text, "%u: %zu\n", i, text.len * 7919 % 10007);
        block.len = 0;
        assert_true(compress_block(method, bytes_view_of(text.data + start, text.len - start),
                                   &block, &err));
        assert_true(compress_block_add(frame, bytes_view(&block), &err));
        bytes_append(&file, block.data, block.len);
    }
    assert_true(compress_block_end(frame, &file, &err));
    compress_block_free(frame);
    expand(&file, kind, &back);
    assert_int_equal(back.len, text.len);
    if (text.len)
        assert_memory_equal(back.data, text.data, text.len);
    bytes_free(&file);
    bytes_free(&text);
    bytes_free(&block);
    bytes_free(&back);
}

static void compress_block_accepts_any_number(void **state)
{
    unsigned n;

    (void)state;
    for (n = 1; n < 12; n += 5) {
        assert_blocks(COMPRESS_XZ, PACKAGE_XZ, n);
        assert_blocks(COMPRESS_GZIP, PACKAGE_GZIP, n);
        assert_blocks(COMPRESS_ZSTD, PACKAGE_ZSTD, n);
    }
}

static void compress_block_accepts_the_same_twice(void **state)
{
    struct bytes text = {0}, a = {0}, b = {0};
    struct hallmark_error err = {0};
    enum compress_method method;

    (void)state;
    while (text.len < COMPRESS_BLOCK_MAX / 4)
        bytes_printf(&text, "%zu\n", text.len * 7919 % 10007);
    for (method = COMPRESS_GZIP; method <= COMPRESS_ZSTD; method++) {
        a.len = b.len = 0;
        assert_true(compress_block(method, bytes_view(&text), &a, &err));
        assert_true(compress_block(method, bytes_view(&text), &b, &err));
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
    }
    bytes_free(&text);
    bytes_free(&a);
    bytes_free(&b);
}

static void compress_block_rejects_other_bytes(void **state)
{
    struct hallmark_error err = {0};
    struct bytes file = {0}, block = {0};
    struct compress_block_frame *frame = compress_block_start(COMPRESS_XZ, &file, &err);
    size_t len;

    (void)state;
    assert_non_null(frame);
    assert_true(compress_block(COMPRESS_XZ, bytes_view_str("some text"), &block, &err));
    for (len = 0; len < block.len; len++) {
        error_clear(&err);
        assert_false(compress_block_add(frame, bytes_view_of(block.data, len), &err));
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "not a block of xz");
    }
    block.data[1] ^= 1;
    error_clear(&err);
    assert_false(compress_block_add(frame, bytes_view(&block), &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "not a block of xz");
    compress_block_free(frame);
    bytes_free(&file);
    bytes_free(&block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compress_block_accepts_any_number),
        cmocka_unit_test(compress_block_accepts_the_same_twice),
        cmocka_unit_test(compress_block_rejects_other_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
