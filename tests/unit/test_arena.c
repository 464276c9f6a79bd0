/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arena: what was reserved stays as it is, however much is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"

enum { N = 50000 };

static void arena_accepts_many_texts(void **state)
{
    static const char *texts[N];
    struct arena arena = {0};
    char text[32];
    size_t i;
    (void)state;

    for (i = 0; i < N; i++) {
        snprintf(text, sizeof text, "text number %zu", i);
        texts[i] = arena_strdup(&arena, text);
    }
    for (i = 0; i < N; i++) {
        snprintf(text, sizeof text, "text number %zu", i);
        assert_string_equal(texts[i], text);
    }
    arena_free(&arena);
    assert_null(arena.last);
}

/* One that fills a chunk, one that is larger, and those behind it. */
static void arena_accepts_large_texts(void **state)
{
    static const size_t lens[] = {0, 1, 256 * 1024 - 24, 256 * 1024 - 23, 1024 * 1024, 3, 0};
    char *texts[sizeof lens / sizeof *lens];
    struct arena arena = {0};
    size_t i, k;
    (void)state;

    for (i = 0; i < sizeof lens / sizeof *lens; i++) {
        texts[i] = arena_reserve(&arena, lens[i]);
        memset(texts[i], 'a' + (int)i, lens[i]);
    }
    for (i = 0; i < sizeof lens / sizeof *lens; i++)
        for (k = 0; k < lens[i]; k++)
            assert_int_equal(texts[i][k], 'a' + (int)i);
    arena_free(&arena);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_accepts_many_texts),
        cmocka_unit_test(arena_accepts_large_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
