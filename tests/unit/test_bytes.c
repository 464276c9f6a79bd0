/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bytes: growing buffers and views; and the lists, errors and allocations that are built on them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

static void bytes_accepts_appending(void **state)
{
    struct bytes b = {0};
    size_t i;

    (void)state;
    assert_int_equal(bytes_view(&b).len, 0);
    assert_non_null(bytes_view(&b).data);
    bytes_append(&b, "", 0);
    assert_string_equal(b.data, "");
    bytes_append_str(&b, "abc");
    bytes_append(&b, "d\0e", 3);
    bytes_printf(&b, "%s-%d", "x", 42);
    bytes_printf(&b, "%s", "");
    assert_int_equal(b.len, 10);
    assert_memory_equal(b.data, "abcd\0ex-42", 11);
    for (i = 0; i < 100000; i++) {
        bytes_append(&b, "y", 1);
        assert_int_equal(b.data[b.len], '\0');
        assert_true(b.cap > b.len);
    }
    assert_int_equal(b.len, 100010);
    assert_int_equal(strspn(b.data + 10, "y"), 100000);
    memcpy(bytes_reserve(&b, 5), "12345", 5);
    b.len += 5;
    bytes_append(&b, "", 0);
    assert_string_equal(b.data + 100010, "12345");
    bytes_free(&b);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    bytes_free(&b);
    bytes_append_str(&b, "secret");
    bytes_wipe(&b);
    assert_null(b.data);
    bytes_wipe(&b);
}

static void bytes_accepts_formats_of_any_length(void **state)
{
    struct bytes b = {0};

    (void)state;
    bytes_printf(&b, "%0300d", 7);
    assert_int_equal(b.len, 300);
    bytes_printf(&b, "%0100000d", 7);
    assert_int_equal(b.len, 100300);
    assert_int_equal(strlen(b.data), 100300);
    bytes_free(&b);
}

static void bytes_accepts_lines(void **state)
{
    struct bytes_view rest = bytes_view_str("a\n\nbc\n\0d"), line;

    (void)state;
    rest.len = 8;
    assert_true(bytes_view_next_line(&rest, &line));
    assert_true(bytes_view_equals(line, "a"));
    assert_true(bytes_view_next_line(&rest, &line));
    assert_true(bytes_view_equals(line, ""));
    assert_true(bytes_view_next_line(&rest, &line));
    assert_true(bytes_view_equals(line, "bc"));
    assert_true(bytes_view_next_line(&rest, &line));
    assert_int_equal(line.len, 2);
    assert_memory_equal(line.data, "\0d", 2);
    assert_false(bytes_view_next_line(&rest, &line));
    rest = bytes_view_str("");
    assert_false(bytes_view_next_line(&rest, &line));
    rest = bytes_view_str("\n");
    assert_true(bytes_view_next_line(&rest, &line));
    assert_int_equal(line.len, 0);
    assert_false(bytes_view_next_line(&rest, &line));
}

static void bytes_accepts_comparisons(void **state)
{
    (void)state;
    assert_true(bytes_view_equals(bytes_view_of("abc", 2), "ab"));
    assert_false(bytes_view_equals(bytes_view_of("abc", 2), "abc"));
    assert_false(bytes_view_equals(bytes_view_of("a\0", 2), "a"));
    assert_true(
        bytes_view_equals_nocase(bytes_view_str("Valid-Until"), bytes_view_str("vALID-uNTIL")));
    assert_false(bytes_view_equals_nocase(bytes_view_str("a"), bytes_view_str("ab")));
    assert_false(bytes_view_equals_nocase(bytes_view_str("@"), bytes_view_str("`")));
    assert_false(bytes_view_equals_nocase(bytes_view_str("["), bytes_view_str("{")));
    assert_int_equal(bytes_lower('A'), 'a');
    assert_int_equal(bytes_lower('Z'), 'z');
    assert_int_equal(bytes_lower('\xc4'), '\xc4');
}

static void bytes_accepts_lists(void **state)
{
    struct strlist list = {0};
    char *joined;

    (void)state;
    joined = strlist_join(&list);
    assert_string_equal(joined, "");
    free(joined);
    strlist_sort(&list);
    assert_false(strlist_has(&list, ""));
    strlist_add_words(&list, bytes_view_str(" main\tcontrib  \n non-free\n"));
    strlist_add_words(&list, bytes_view_str(" \n"));
    strlist_add(&list, "a b");
    strlist_add_view(&list, bytes_view_of("xyz", 1));
    assert_int_equal(list.n_items, 5);
    assert_null(list.items[5]);
    strlist_sort(&list);
    joined = strlist_join(&list);
    assert_string_equal(joined, "a b contrib main non-free x");
    free(joined);
    assert_true(strlist_has(&list, "main"));
    assert_false(strlist_has(&list, "mai"));
    strlist_free(&list);
    assert_null(list.items);
    strlist_add_words(&list, bytes_view_str("a b c d e f g h i j k l m n o p q r s t u v w x y z"));
    assert_int_equal(list.n_items, 26);
    assert_string_equal(list.items[25], "z");
    assert_null(list.items[26]);
    strlist_free(&list);
}

static void bytes_accepts_errors(void **state)
{
    struct hallmark_error err = {0};
    char *endless = alloc_printf("%05000d", 1);

    (void)state;
    assert_false(error_set(NULL, HALLMARK_ERR_IO, "x"));
    assert_false(error_prefix(&err, "nothing"));
    assert_string_equal(err.text, "");
    assert_false(error_set(&err, HALLMARK_ERR_MALFORMED, "a\x1b%s", "\n"));
    assert_false(error_set(&err, HALLMARK_ERR_IO, "too late"));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    assert_string_equal(err.text, "a\\x1b\\x0a");
    assert_false(error_prefix(&err, "file%c", '\t'));
    assert_string_equal(err.text, "file\\x09: a\\x1b\\x0a");
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    error_clear(&err);
    assert_int_equal(err.code, HALLMARK_OK);
    errno = ENOENT;
    assert_false(error_set_errno(&err, "x"));
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    assert_non_null(strstr(err.text, "x: "));
    assert_non_null(strstr(err.text, strerror(ENOENT)));
    error_clear(&err);
    error_set(&err, HALLMARK_ERR_USAGE, "%s", endless);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    error_prefix(&err, "%s", endless);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    error_clear(NULL);
    free(endless);
}

static void bytes_accepts_allocations(void **state)
{
    size_t cap = 0, i;
    int *numbers = NULL;
    char *text = alloc_strndup("abc", 2), *zeros = alloc_array(100, 10);

    (void)state;
    assert_string_equal(text, "ab");
    for (i = 0; i < 1000; i++)
        assert_int_equal(zeros[i], 0);
    for (i = 0; i < 1000; i++) {
        numbers = alloc_one_more(numbers, i, &cap, sizeof *numbers);
        assert_true(cap > i);
        numbers[i] = (int)i;
    }
    for (i = 0; i < 1000; i++)
        assert_int_equal(numbers[i], i);
    free(numbers);
    free(zeros);
    free(text);
    free(alloc_array(0, 0));
    text = alloc_strdup("");
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_accepts_appending),
        cmocka_unit_test(bytes_accepts_formats_of_any_length),
        cmocka_unit_test(bytes_accepts_lines),
        cmocka_unit_test(bytes_accepts_comparisons),
        cmocka_unit_test(bytes_accepts_lists),
        cmocka_unit_test(bytes_accepts_errors),
        cmocka_unit_test(bytes_accepts_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
