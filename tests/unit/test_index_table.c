/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* index_table: what was taken is found again, all of it, by names and by files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "repo/index_table.h"

struct seen {
    struct bytes text;
    size_t n;
};

/* "NAME VERSION ARCHITECTURE PATH SIZE INDEX" of each, with the first bytes of both hashes. */
static bool see(void *ctx, const struct package_index_entry *e, struct hallmark_error *err)
{
    struct seen *seen = ctx;

    (void)err;
    seen->n++;
    bytes_printf(&seen->text, "%.*s %.*s %.*s %.*s %ju %s %u %x %x\n", (int)e->name.len,
                 e->name.data, (int)e->version.len, e->version.data, (int)e->architecture.len,
                 e->architecture.data, (int)e->path.len, e->path.data, (uintmax_t)e->size,
                 e->index ? e->index : "-", e->hashes, e->sha256[0], e->sha512[63]);
    return true;
}

static bool refuse(void *ctx, const struct package_index_entry *e, struct hallmark_error *err)
{
    (void)ctx;
    (void)e;
    return error_set(err, HALLMARK_ERR_USAGE, "no more");
}

static void add(struct index_table *table, const char *name, const char *version, const char *path,
                const char *index)
{
    struct package_index_entry e = {.name = bytes_view_str(name),
                                    .version = bytes_view_str(version),
                                    .architecture = bytes_view_str("amd64"),
                                    .path = bytes_view_str(path),
                                    .size = strlen(path),
                                    .hashes = RELEASE_SHA256,
                                    .index = index};

    memset(e.sha256, name[0], sizeof e.sha256);
    memset(e.sha512, version[0], sizeof e.sha512);
    assert_true(index_table_take(table, &e, NULL));
}

static void assert_finds(const struct index_table *table, const char *name, const char *file,
                         const char *wanted)
{
    struct seen seen = {0};
    struct package_index_sink sink = {.take = see, .ctx = &seen};

    assert_true(index_table_find(table, bytes_view_str(name), bytes_view_str(file), &sink, NULL));
    assert_string_equal(seen.text.data ? seen.text.data : "", wanted);
    bytes_free(&seen.text);
}

static void index_table_accepts_names_and_files(void **state)
{
    struct index_table *table = index_table_new();
    char index[] = "main/Packages";

    (void)state;
    add(table, "a", "1", "pool/a_1.deb", index);
    add(table, "b", "1", "pool/b_1.deb", index);
    add(table, "a", "2", "a_2.deb", "other/Packages");
    add(table, "c", "3", "x/a_1.deb", NULL);
    memset(index, '?', sizeof index - 1); /* it was only lent */
    assert_finds(table, "a", "a",
                 "a 1 amd64 pool/a_1.deb 12 main/Packages 1 61 31\n"
                 "a 2 amd64 a_2.deb 7 other/Packages 1 61 32\n");
    assert_finds(table, "x", "a_1.deb",
                 "a 1 amd64 pool/a_1.deb 12 main/Packages 1 61 31\n"
                 "c 3 amd64 x/a_1.deb 9 - 1 63 33\n");
    assert_finds(table, "b", "b_1.deb",
                 "b 1 amd64 pool/b_1.deb 12 main/Packages 1 62 31\n"
                 "b 1 amd64 pool/b_1.deb 12 main/Packages 1 62 31\n");
    assert_finds(table, "a_1.deb", "pool/a_1.deb", "");
    assert_finds(table, "", "", "");
    index_table_free(table);
}

static void index_table_accepts_many(void **state)
{
    struct index_table *table = index_table_new();
    struct seen seen = {0};
    struct package_index_sink sink = {.take = see, .ctx = &seen};
    char name[32], path[64];
    unsigned i;

    (void)state;
    assert_finds(table, "n0", "n0", "");
    for (i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "n%u", i % 2500);
        snprintf(path, sizeof path, "pool/f%u", i);
        add(table, name, "1", path, NULL);
    }
    for (i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "n%u", i);
        snprintf(path, sizeof path, "f%u", i);
        seen.n = 0;
        assert_true(
            index_table_find(table, bytes_view_str(name), bytes_view_str(path), &sink, NULL));
        assert_int_equal(seen.n, i < 2500 ? 3 : 1);
    }
    bytes_free(&seen.text);
    index_table_free(table);
    index_table_free(NULL);
}

static void index_table_rejects_what_its_reader_refuses(void **state)
{
    struct index_table *table = index_table_new();
    struct package_index_sink sink = {.take = refuse};
    struct hallmark_error err = {0};

    (void)state;
    add(table, "a", "1", "pool/a_1.deb", NULL);
    assert_true(index_table_find(table, bytes_view_str("b"), bytes_view_str("b"), &sink, &err));
    assert_false(index_table_find(table, bytes_view_str("a"), bytes_view_str("b"), &sink, &err));
    assert_string_equal(err.text, "no more");
    error_clear(&err);
    assert_false(
        index_table_find(table, bytes_view_str("b"), bytes_view_str("a_1.deb"), &sink, &err));
    assert_string_equal(err.text, "no more");
    index_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_table_accepts_names_and_files),
        cmocka_unit_test(index_table_accepts_many),
        cmocka_unit_test(index_table_rejects_what_its_reader_refuses),
    };

    return cmocka_run_group_tests_name("index_table", tests, NULL, NULL);
}
