/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compress: what comes out is what gzip and xz read, and always the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "system/compress.h"
#include "system/decompress.h"
#include "temporary.h"

enum { LARGE = 3 * 1024 * 1024 };

typedef bool compress_fn(struct bytes_view data, struct bytes *out, struct hallmark_error *err);

/* DATA, compressed by COMPRESS and read again, is DATA. */
static void assert_round_trip(compress_fn *compress, enum package_compression kind,
                              struct bytes_view data)
{
    struct bytes first = {0}, second = {0}, back = {0};
    struct hallmark_error err = {0};
    struct decompress_window window = {.fd = -1};
    struct decompress *decompress;
    struct bytes_view part;
    char *dir = temporary_new();

    assert_true(compress(data, &first, &err));
    assert_true(compress(data, &second, &err));
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    window.fd = open(dir, O_TMPFILE | O_RDWR, 0600);
    assert_true(window.fd >= 0);
    assert_true(file_write_all(window.fd, first.data, first.len));
    window.len = first.len;
    decompress = decompress_open(&window, kind, &err);
    assert_non_null(decompress);
    do {
        assert_true(decompress_next(decompress, &part));
        bytes_append(&back, part.data, part.len);
    } while (part.len);
    assert_int_equal(back.len, data.len);
    if (data.len)
        assert_memory_equal(back.data, data.data, data.len);
    decompress_close(decompress);
    close(window.fd);
    temporary_remove(dir);
    bytes_free(&first);
    bytes_free(&second);
    bytes_free(&back);
}

static void assert_all_sizes(compress_fn *compress, enum package_compression kind)
{
    char *data = alloc_array(LARGE, 1);
    size_t i;
    unsigned x = 1;

    assert_round_trip(compress, kind, bytes_view_str("a"));
    assert_round_trip(compress, kind, bytes_view_of(data, LARGE));
    for (i = 0; i < LARGE; i++) /* what cannot be compressed, too */
        data[i] = (char)((x = x * 1103515245U + 12345U) >> 16);
    assert_round_trip(compress, kind, bytes_view_of(data, LARGE));
    free(data);
}

static void compress_accepts_gzip(void **state)
{
    (void)state;
    assert_all_sizes(compress_gzip, PACKAGE_GZIP);
    assert_round_trip(compress_gzip, PACKAGE_GZIP, bytes_view_of("", 0));
}

static void compress_accepts_xz(void **state)
{
    (void)state;
    assert_all_sizes(compress_xz, PACKAGE_XZ);
}

/* RFC 1952 section 2.3: no name, no time. */
static void compress_accepts_no_trace_of_time(void **state)
{
    static const char nothing[7] = {0};
    struct bytes out = {0};

    (void)state;
    bytes_append_str(&out, "before");
    assert_true(compress_gzip(bytes_view_str("text"), &out, NULL));
    assert_memory_equal(out.data, "before\x1f\x8b\x08", 9);
    assert_memory_equal(out.data + 9, nothing, 5);
    bytes_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compress_accepts_gzip),
        cmocka_unit_test(compress_accepts_xz),
        cmocka_unit_test(compress_accepts_no_trace_of_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
