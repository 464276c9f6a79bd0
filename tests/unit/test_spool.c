/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spool: what was put into it is read again, and lent, wherever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "corpus.h"
#include "repo/spool.h"
#include "temporary.h"

/* More than is kept in memory. */
enum { N = 300000, LEN = 16 };

static struct bytes_view text_of(unsigned i, char out[LEN + 1])
{
    snprintf(out, LEN + 1, "%015u\n", i);
    return bytes_view_of(out, LEN);
}

static void check(struct spool *spool, unsigned i)
{
    struct hallmark_error err = {0};
    char wanted[LEN + 1], text[LEN];
    const char *lent;

    text_of(i, wanted);
    assert_true(spool_read(spool, (uint64_t)i * LEN, text, LEN, &err));
    assert_memory_equal(text, wanted, LEN);
    lent = spool_lend(spool, (uint64_t)i * LEN, LEN, &err);
    assert_non_null(lent);
    assert_memory_equal(lent, wanted, LEN);
}

static void spool_accepts_texts(void **state)
{
    struct hallmark_error err = {0};
    char *dir = temporary_new(), text[LEN + 1];
    int fd = file_open_directory(dir, &err);
    struct spool *spool = spool_new(fd);
    const char *lent;
    uint64_t offset;
    unsigned i;
    (void)state;

    for (i = 0; i < N; i++) {
        assert_true(spool_add(spool, text_of(i, text), &offset, &err));
        assert_int_equal(offset, (uint64_t)i * LEN);
        if (i % 1000 == 0)
            check(spool, i / 2); /* in between, too */
    }
    for (i = 0; i < N; i++)
        check(spool, i);
    for (i = N; i > 0; i -= 7 < i ? 7 : i)
        check(spool, i - 1);
    /* More than is read ahead. */
    lent = spool_lend(spool, LEN, (size_t)(N - 1) * LEN, &err);
    assert_non_null(lent);
    assert_memory_equal(lent + (size_t)(N - 2) * LEN, text_of(N - 1, text).data, LEN);
    spool_free(spool);
    file_close(&fd);
    temporary_remove(dir);
}

static void spool_rejects_what_is_not_there(void **state)
{
    struct hallmark_error err = {0};
    struct spool *spool = spool_new(-1);
    uint64_t offset;
    (void)state;

    assert_true(spool_add(spool, bytes_view_str("text"), &offset, &err));
    assert_non_null(spool_lend(spool, 1, 3, &err));
    assert_null(spool_lend(spool, 1, 4, &err));
    corpus_assert_error(&err, HALLMARK_ERR_IO, "is shorter than what was put into it");
    error_clear(&err);
    assert_null(spool_lend(spool, 5, 1, &err));
    corpus_assert_error(&err, HALLMARK_ERR_IO, "is shorter than what was put into it");
    assert_non_null(spool_lend(spool, 0, 4, &err));
    spool_free(spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spool_accepts_texts),
        cmocka_unit_test(spool_rejects_what_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
