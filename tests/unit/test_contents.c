/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contents: packed lists of files, and the index that they are merged into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "corpus.h"
#include "format/contents.h"

/* The paths of a packed list, each with a newline behind; false where it is damaged. */
static bool unpack(struct bytes_view list, struct bytes *out)
{
    struct contents_cursor cursor = {.rest = list};
    bool is_whole;

    while (contents_next(&cursor)) {
        bytes_append(out, cursor.path.data, cursor.path.len);
        bytes_append(out, "\n", 1);
    }
    is_whole = cursor.rest.len == 0;
    bytes_free(&cursor.path);
    return is_whole;
}

/* What is packed can be unpacked, and packing that again makes no difference. */
static bool pack(struct bytes_view paths, const char *file, struct hallmark_error *err)
{
    struct bytes list = {0}, again = {0}, text = {0};
    bool ok = contents_pack(paths, "x.deb", &list, err);

    (void)file;
    if (ok) {
        assert_true(unpack(bytes_view(&list), &text));
        assert_true(contents_pack(bytes_view(&text), "x.deb", &again, err));
        assert_int_equal(again.len, list.len);
        if (list.len)
            assert_memory_equal(again.data, list.data, list.len);
    }
    bytes_free(&list);
    bytes_free(&again);
    bytes_free(&text);
    return ok;
}

static bool read_packed(struct bytes_view list, const char *file, struct hallmark_error *err)
{
    struct bytes text = {0};
    bool ok = unpack(list, &text);

    (void)file;
    bytes_free(&text);
    return ok || error_set(err, HALLMARK_ERR_MALFORMED, "damaged");
}

static void contents_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("contents/good", pack);
}

static void contents_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"control-character", "damaged"},
        {"cut-in-a-character", "damaged"},
        {"no-blank", "damaged"},
        {"no-newline-at-end", "damaged"},
        {"no-number", "damaged"},
        {"not-utf-8", "damaged"},
        {"nothing-but-shared", "damaged"},
        {"number-huge", "damaged"},
        {"number-leading-zero", "damaged"},
        {"number-long", "damaged"},
        {"only-a-number", "damaged"},
        {"order", "damaged"},
        {"path-long", "damaged"},
        {"same-twice", "damaged"},
        {"shares-of-nothing", "damaged"},
        {"shares-too-little", "damaged"},
        {"shares-too-much", "damaged"},
    };

    (void)state;
    corpus_assert_rejects("contents/bad", read_packed, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

static void assert_packs(const char *paths, const char *want)
{
    struct bytes list = {0}, text = {0};

    assert_true(contents_pack(bytes_view_str(paths), "x.deb", &list, NULL));
    assert_true(unpack(bytes_view(&list), &text));
    assert_string_equal(text.data ? text.data : "", want);
    bytes_free(&list);
    bytes_free(&text);
}

static void contents_accepts_paths_in_any_order(void **state)
{
    (void)state;
    assert_packs("./usr/b\n./usr/a\n/usr/a\nusr/c d\n./etc/x\n", "etc/x\nusr/a\nusr/b\nusr/c d\n");
    assert_packs(".\n./\n/\n\n..\n.a\n.//b\n", "..\n.a\nb\n");
    assert_packs("a\x01\nb\x7f\nc\xc3\nd\xc3\xa9\ne\xc2\x85\nf\tg\n", "d\xc3\xa9\n");
    assert_packs("a\xff\nab\na\n", "a\nab\n");
    assert_packs("", "");
}

/* The longest paths there can be, that have as much in common as possible. */
static void contents_accepts_long_paths(void **state)
{
    struct bytes paths = {0}, text = {0}, list = {0};
    char *a = alloc_array(LIMITS_PATH_BYTES + 2, 1);

    (void)state;
    memset(a, 'a', LIMITS_PATH_BYTES + 1);
    bytes_printf(&paths, "%s\n%.*s\n%.*sb\n", a, LIMITS_PATH_BYTES, a, LIMITS_PATH_BYTES - 1, a);
    assert_true(contents_pack(bytes_view(&paths), "x.deb", &list, NULL));
    assert_int_equal(list.len, 2 + LIMITS_PATH_BYTES + 1 + 5 + 1 + 1);
    assert_true(unpack(bytes_view(&list), &text));
    assert_int_equal(text.len, 2 * (LIMITS_PATH_BYTES + 1));
    free(a);
    bytes_free(&paths);
    bytes_free(&text);
    bytes_free(&list);
}

static void contents_rejects_too_many_files(void **state)
{
    struct hallmark_error err = {0};
    struct bytes paths = {0}, list = {0};
    size_t i;

    (void)state;
    for (i = 0; i <= LIMITS_ARCHIVE_ENTRIES; i++)
        bytes_append_str(&paths, "x\n");
    assert_false(contents_pack(bytes_view(&paths), "x.deb", &list, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "x.deb: holds more than 1000000 files");
    err = (struct hallmark_error){0};
    paths.len = 0;
    bytes_reserve(&paths, LIMITS_CONTENTS_BYTES + 1);
    memset(paths.data, '\n', LIMITS_CONTENTS_BYTES + 1);
    paths.len = LIMITS_CONTENTS_BYTES + 1;
    assert_false(contents_pack(bytes_view(&paths), "x.deb", &list, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "have more than 67108864 bytes");
    paths.len--;
    assert_true(contents_pack(bytes_view(&paths), "x.deb", &list, &err));
    assert_int_equal(list.len, 0);
    bytes_free(&paths);
}

static void contents_accepts_sections(void **state)
{
    static const char *const cases[][2] = {
        {"devel", "devel/x"},
        {"contrib/net", "contrib/net/x"},
        {"", "x"},
        {"a b", "x"},
        {"a,b", "x"},
        {"\xc3\xa9", "x"},
        {"A-1_.+", "A-1_.+/x"},
    };
    struct bytes label = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        label.len = 0;
        contents_label(bytes_view_str(cases[i][0]), bytes_view_str("x"), &label);
        assert_string_equal(label.data, cases[i][1]);
    }
    bytes_free(&label);
}

static bool collect(void *ctx, struct bytes_view part, struct hallmark_error *err)
{
    (void)err;
    assert_true(part.len > 0);
    bytes_append(ctx, part.data, part.len);
    return true;
}

static bool refuse(void *ctx, struct bytes_view part, struct hallmark_error *err)
{
    (void)ctx;
    (void)part;
    return error_set(err, HALLMARK_ERR_IO, "no space");
}

static void contents_accepts_a_merge(void **state)
{
    static const char *const paths[] = {"usr/b\nusr/a\netc/c\n", "usr/b\n", "", "usr/b\nusr/\n",
                                        "usr/b\nz\n"};
    static const char *const labels[] = {"x/p", "p", "empty", "x/o", "x/p"};
    struct contents *contents = contents_new();
    struct bytes lists[5] = {{0}}, text = {0};
    size_t i;

    (void)state;
    for (i = 0; i < 5; i++) {
        assert_true(contents_pack(bytes_view_str(paths[i]), "", &lists[i], NULL));
        contents_add(contents, bytes_view_str(labels[i]), bytes_view(&lists[i]));
    }
    assert_true(contents_write(contents, collect, &text, NULL));
    assert_string_equal(text.data,
                        "etc/c                                                   x/p\n"
                        "usr/                                                    x/o\n"
                        "usr/a                                                   x/p\n"
                        "usr/b                                                   p,x/o,x/p\n"
                        "z                                                       x/p\n");
    contents_free(contents);
    for (i = 0; i < 5; i++)
        bytes_free(&lists[i]);
    bytes_free(&text);
}

static void contents_accepts_long_lines_and_nothing(void **state)
{
    struct contents *contents = contents_new();
    struct bytes list = {0}, text = {0};

    (void)state;
    assert_true(contents_write(contents, collect, &text, NULL));
    assert_int_equal(text.len, 0);
    assert_true(
        contents_pack(bytes_view_str("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffff\n"
                                     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffff\n"
                                     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffff\n"),
                      "", &list, NULL));
    contents_add(contents, bytes_view_str("p"), bytes_view(&list));
    assert_true(contents_write(contents, collect, &text, NULL));
    assert_string_equal(text.data, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffff p\n"
                                   "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffff p\n"
                                   "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffff p\n");
    contents_free(contents);
    contents_free(NULL);
    bytes_free(&list);
    bytes_free(&text);
}

/* In more parts than one, and sorted whatever the number of lists is. */
static void contents_accepts_many_lists(void **state)
{
    enum { LISTS = 700, PATHS = 30 };
    struct contents *contents = contents_new();
    struct bytes paths = {0}, lists[LISTS] = {{0}}, text = {0};
    struct bytes_view rest, line, last = {"\0", 1};
    size_t i, j, n = 0;

    (void)state;
    for (i = 0; i < LISTS; i++) {
        paths.len = 0;
        for (j = 0; j < PATHS; j++)
            bytes_printf(&paths, "usr/share/%zu/%zu\n", i * 31 % 97, i * PATHS + j);
        assert_true(contents_pack(bytes_view(&paths), "", &lists[i], NULL));
        contents_add(contents, bytes_view_str("p"), bytes_view(&lists[i]));
    }
    assert_true(contents_write(contents, collect, &text, NULL));
    for (rest = bytes_view(&text); bytes_view_next_line(&rest, &line); n++) {
        assert_true(memcmp(last.data, line.data, last.len < line.len ? last.len : line.len) < 0);
        last = line;
    }
    assert_int_equal(n, LISTS * PATHS);
    contents_free(contents);
    for (i = 0; i < LISTS; i++)
        bytes_free(&lists[i]);
    bytes_free(&paths);
    bytes_free(&text);
}

static void contents_rejects_damage_and_failing_sinks(void **state)
{
    struct contents *contents = contents_new();
    struct hallmark_error err = {0};
    struct bytes text = {0};

    (void)state;
    contents_add(contents, bytes_view_str("p"), bytes_view_str("0 a\n0 b"));
    assert_false(contents_write(contents, collect, &text, &err));
    corpus_assert_error(&err, HALLMARK_ERR_IO, "Contents: a list of files is damaged");
    contents_free(contents);
    err = (struct hallmark_error){0};
    contents = contents_new();
    contents_add(contents, bytes_view_str("p"), bytes_view_str("a"));
    assert_false(contents_write(contents, collect, &text, &err));
    corpus_assert_error(&err, HALLMARK_ERR_IO, "Contents: a list of files is damaged");
    contents_free(contents);
    err = (struct hallmark_error){0};
    contents = contents_new();
    contents_add(contents, bytes_view_str("p"), bytes_view_str("0 a\n"));
    contents_add(contents, bytes_view_str("p"), bytes_view_str("0 b\n"));
    assert_false(contents_write(contents, refuse, NULL, &err));
    corpus_assert_error(&err, HALLMARK_ERR_IO, "no space");
    contents_free(contents);
    bytes_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_accepts_good_files),
        cmocka_unit_test(contents_rejects_bad_files),
        cmocka_unit_test(contents_accepts_paths_in_any_order),
        cmocka_unit_test(contents_accepts_long_paths),
        cmocka_unit_test(contents_rejects_too_many_files),
        cmocka_unit_test(contents_accepts_sections),
        cmocka_unit_test(contents_accepts_a_merge),
        cmocka_unit_test(contents_accepts_long_lines_and_nothing),
        cmocka_unit_test(contents_accepts_many_lists),
        cmocka_unit_test(contents_rejects_damage_and_failing_sinks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
