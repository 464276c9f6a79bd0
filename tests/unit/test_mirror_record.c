/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a mirror remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "corpus.h"
#include "repo/mirror_record.h"
#include "temporary.h"

static bool parse(struct bytes_view data, const char *file, struct hallmark_error *err)
{
    struct mirror_record record = {0};
    struct mirror_retired_list retired = {0};
    bool ok = strncmp(file, "retired", 7) == 0 ? mirror_record_parse_retired(&retired, data, err)
                                               : mirror_record_parse(&record, data, err);

    mirror_record_free(&record);
    mirror_record_free_retired(&retired);
    return ok;
}

static void mirror_record_accepts_corpus(void **state)
{
    (void)state;
    corpus_assert_accepts("mirror_record/good", parse);
}

static void mirror_record_rejects_corpus(void **state)
{
    static const char incomplete[] = "mirror: has no valid Source or Manifests";
    static const char retired[] = "is not \"SECONDS PATH\", or out of order";
    static const struct corpus_case cases[] = {
        {"date-octal", incomplete},
        {"date-too-late", incomplete},
        {"directory-above", incomplete},
        {"directory-missing", incomplete},
        {"hash-short", incomplete},
        {"manifest-twice", incomplete},
        {"manifests-beside", incomplete},
        {"manifests-empty", incomplete},
        {"no-manifests", incomplete},
        {"no-source", incomplete},
        {"retired-above", retired},
        {"retired-absolute", retired},
        {"retired-blank-line", "retired: line 1 is not"},
        {"retired-negative", retired},
        {"retired-no-newline", "retired: ends without a newline"},
        {"retired-no-time", retired},
        {"retired-order", "retired: line 2 is not"},
        {"retired-twice", "retired: line 2 is not"},
        {"source-twice", "mirror: line 2"},
    };

    (void)state;
    corpus_assert_rejects("mirror_record/bad", parse, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

static void mirror_record_accepts_what_it_saved(void **state)
{
    static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char *dir = temporary_new();
    int fd = file_open_directory(dir, NULL);
    struct mirror_record record = {.source = alloc_strdup("file:///srv/a")}, loaded = {0};
    struct mirror_retired_list retired = {0}, loaded_retired = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_true(mirror_record_load(fd, &loaded, &loaded_retired, &err));
    assert_null(loaded.source);
    assert_int_equal(loaded_retired.n_items, 0);
    assert_true(mirror_record_load(-1, &loaded, &loaded_retired, &err));
    strlist_add(&record.components, "main");
    strlist_add(&record.architectures, "amd64");
    strlist_add(&record.architectures, "source");
    mirror_record_add(&record, "dists/stable", hash, 1700000000);
    mirror_record_add(&record, ".", hash, 1);
    mirror_record_retire(&retired, "a", 5);
    mirror_record_retire(&retired, "b/c", 0);
    assert_true(mirror_record_save(fd, &record, &err));
    assert_true(mirror_record_save_retired(fd, &retired, &err));
    assert_true(mirror_record_load(fd, &loaded, &loaded_retired, &err));
    assert_string_equal(loaded.source, "file:///srv/a");
    assert_int_equal(loaded.components.n_items, 1);
    assert_string_equal(loaded.architectures.items[1], "source");
    assert_int_equal(loaded.n_suites, 2);
    assert_int_equal(mirror_record_find(&loaded, "dists/stable")->date, 1700000000);
    assert_string_equal(mirror_record_find(&loaded, ".")->sha256, hash);
    assert_null(mirror_record_find(&loaded, "dists"));
    assert_int_equal(loaded_retired.n_items, 2);
    assert_string_equal(loaded_retired.items[1].path, "b/c");
    assert_int_equal(loaded_retired.items[0].since, 5);
    mirror_record_free(&record);
    mirror_record_free(&loaded);
    mirror_record_free_retired(&retired);
    mirror_record_free_retired(&loaded_retired);
    file_close(&fd);
    temporary_remove(dir);
}

static void mirror_record_rejects_damaged_files(void **state)
{
    char *dir = temporary_new();
    int fd = file_open_directory(dir, NULL);
    struct mirror_record record = {0};
    struct mirror_retired_list retired = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_true(file_replace(fd, "retired", bytes_view_str("x\n"), 0600, &err));
    assert_false(mirror_record_load(fd, &record, &retired, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "retired: line 1");
    err = (struct hallmark_error){0};
    assert_true(file_replace(fd, "mirror", bytes_view_str("x\n"), 0600, &err));
    assert_false(mirror_record_load(fd, &record, &retired, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "mirror: line 1");
    file_close(&fd);
    temporary_remove(dir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirror_record_accepts_corpus),
        cmocka_unit_test(mirror_record_rejects_corpus),
        cmocka_unit_test(mirror_record_accepts_what_it_saved),
        cmocka_unit_test(mirror_record_rejects_damaged_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
