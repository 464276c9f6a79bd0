/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sources: the index of source packages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/strlist.h"
#include "corpus.h"
#include "format/sources.h"

/* What is parsed is written again as it was, but for the order. */
static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct sources sources = {0}, again = {0};
    struct bytes written = {0};
    bool ok = sources_parse(&sources, text, err);

    if (ok) {
        assert_true(sources_sort(&sources, err));
        assert_true(sources_write(&sources, &written, err));
        assert_int_equal(written.len, text.len);
        if (strcmp(file, "not-sorted") != 0 && text.len)
            assert_memory_equal(written.data, text.data, text.len);
        assert_true(sources_parse(&again, bytes_view(&written), err));
        assert_int_equal(again.n_stanzas, sources.n_stanzas);
    } else {
        assert_null(sources.stanzas);
    }
    bytes_free(&written);
    sources_free(&again);
    sources_free(&sources);
    return ok;
}

static void sources_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("sources/good", parse);
}

static void sources_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"directory-absolute", "Sources: line 1: has no valid field Directory"},
        {"directory-dot-dot", "Sources: line 1: has no valid field Directory"},
        {"directory-empty", "Sources: line 1: has no valid field Directory"},
        {"directory-slash-last", "Sources: line 1: has no valid field Directory"},
        {"empty-line-first", "Sources: line 1: a stanza was expected"},
        {"lists-differ",
         "Sources: line 1: Checksums-Sha512: \"hello_2.10.orig.tar.gz\" has another"},
        {"name-in-directory", "\"x/hello_2.10.orig.tar.gz\" is no name for a file beside the .dsc"},
        {"no-directory", "Sources: line 1: has no valid field Directory"},
        {"no-dsc", "Sources: line 1: lists 0 .dsc files, exactly one is wanted"},
        {"no-empty-line", "Sources: line 1: no empty line ends the stanza"},
        {"no-newline-at-end", "Sources: has no newline at its end"},
        {"no-package", "Sources: line 1: has no valid field Package"},
        {"no-sha256", "Sources: line 1: has no field Checksums-Sha256"},
        {"no-version", "Sources: line 1: has no valid field Version"},
        {"only-blanks-line", "Sources: line 1: line 2 holds nothing but blanks"},
        {"second-bad", "Sources: line 9: has no valid field Version"},
        {"twice", "Sources: \"pool/main/h/hello/hello_2.10-3.dsc\" is listed twice"},
        {"two-dsc", "Sources: line 1: lists 2 .dsc files, exactly one is wanted"},
        {"two-empty-lines", "Sources: line 9: a stanza was expected"},
        {"two-empty-lines-between", "Sources: line 9: a stanza was expected"},
        {"version-bad", "Sources: line 1: has no valid field Version"},
    };

    (void)state;
    corpus_assert_rejects("sources/bad", parse, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* The stanza of a .dsc at DSC_PATH with one file at PATH. */
static void write_stanza(const char *text, char *dsc_path, char *path, unsigned hashes,
                         struct bytes *out)
{
    unsigned char sha512[2][RELEASE_SHA512_LEN];
    struct release_entry entries[] = {{.path = dsc_path, .size = 7, .sha512 = sha512[0]},
                                      {.path = path, .size = 9, .sha512 = sha512[1]}};
    struct hallmark_error err = {0};
    struct dsc dsc;

    memset(entries[0].sha256, 0xaa, sizeof entries[0].sha256);
    memset(entries[1].sha256, 0xbb, sizeof entries[1].sha256);
    memset(sha512[0], 0xaa, sizeof sha512[0]);
    memset(sha512[1], 0xbb, sizeof sha512[1]);
    if (!dsc_parse(&dsc, bytes_view_str(text), "x.dsc", &err))
        fail_msg("%s", err.text);
    sources_write_stanza(&dsc, entries, hashes, out);
    dsc_free(&dsc);
}

static const char text[] = "Format: 1.0 \nsource: x\nDirectory: /etc\nBinary: a,\n b\nVersion: 1\n"
                           "Checksums-Sha1:\n cccccccccccccccccccccccccccccccccccccccc 9 f\n"
                           "Checksums-Sha256:\n " HASH_B " 9 f\n"
                           "Package: other\nPackage-List:\n a deb\n"
                           "Files:\n dddddddddddddddddddddddddddddddd 9 f\n";

/* Nothing of what a .dsc claims about files, and no MD5 or SHA-1, gets into the index. */
static void sources_accepts_fields_in_their_order(void **state)
{
    char dsc_path[] = "pool/x_1.dsc", path[] = "pool/f";
    struct bytes out = {0};

    (void)state;
    write_stanza(text, dsc_path, path, RELEASE_SHA256, &out);
    assert_string_equal(out.data, "Package: x\nFormat: 1.0\nBinary: a,\n b\nVersion: 1\n"
                                  "Package-List:\n a deb\nDirectory: pool\nChecksums-Sha256:\n"
                                  " " HASH_A " 7 x_1.dsc\n " HASH_B " 9 f\n");
    bytes_free(&out);
}

static void sources_accepts_both_hashes_and_the_root(void **state)
{
    char dsc_path[] = "x_1.dsc", path[] = "f";
    struct bytes out = {0};

    (void)state;
    write_stanza(text, dsc_path, path, RELEASE_SHA256 | RELEASE_SHA512, &out);
    assert_non_null(strstr(out.data, "\nDirectory: .\nChecksums-Sha256:\n"));
    assert_non_null(strstr(out.data, "\nChecksums-Sha512:\n " HASH_A HASH_A
                                     " 7 x_1.dsc\n " HASH_B HASH_B " 9 f\n"));
    bytes_free(&out);
}

/* Adds a source package; the text must stay. */
static void add(struct sources *sources, struct strlist *texts, const char *name,
                const char *version)
{
    char *dsc_path = alloc_printf("d%zu/x.dsc", texts->n_items), path[] = "d/f";
    char *dsc = alloc_printf("Format: 1.0\nSource: %s\nVersion: %s\nChecksums-Sha256:\n " HASH_B
                             " 9 f\nFiles:\n dddddddddddddddddddddddddddddddd 9 f\n",
                             name, version);
    struct bytes out = {0};

    write_stanza(dsc, dsc_path, path, RELEASE_SHA256, &out);
    strlist_add_view(texts, bytes_view(&out));
    assert_true(sources_add(sources, bytes_view_str(texts->items[texts->n_items - 1]), "x", NULL));
    bytes_free(&out);
    free(dsc);
    free(dsc_path);
}

static void sources_accepts_the_order_of_versions(void **state)
{
    static const char *const order[] = {"d1", "d3", "d4", "d0", "d2"};
    struct sources sources = {0};
    struct strlist texts = {0};
    size_t i;

    (void)state;
    add(&sources, &texts, "b", "1.10");
    add(&sources, &texts, "a", "9");
    add(&sources, &texts, "b", "1:0");
    add(&sources, &texts, "b", "1.9~rc1");
    add(&sources, &texts, "b", "1.9");
    assert_true(sources_sort(&sources, NULL));
    for (i = 0; i < sources.n_stanzas; i++)
        assert_true(bytes_view_equals(sources.stanzas[i].directory, order[i]));
    assert_int_equal(i, sizeof order / sizeof *order);
    sources_free(&sources);
    strlist_free(&texts);
}

/* One version, two .dsc files: the same bytes are no harm, others are. */
static void sources_rejects_two_contents_of_a_version(void **state)
{
    struct sources sources = {0};
    struct strlist texts = {0};
    struct hallmark_error err = {0};

    (void)state;
    add(&sources, &texts, "a", "1.0");
    add(&sources, &texts, "a", "1.1");
    add(&sources, &texts, "a", "0:1.00");
    assert_true(sources_sort(&sources, &err));
    sources.stanzas[1].dsc.sha256[0] ^= 1;
    assert_false(sources_sort(&sources, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "d0/x.dsc and d2/x.dsc: both are the source of a 1.0, but their content");
    sources_free(&sources);
    strlist_free(&texts);
}

static void sources_accepts_finding_by_path(void **state)
{
    struct sources sources = {0};
    struct bytes index = {0};
    struct dsc_file *files;
    size_t n_files;
    int i;

    (void)state;
    for (i = 9; i >= 0; i--)
        bytes_printf(&index,
                     "Package: p%d\nVersion: 1\nDirectory: %s\nChecksums-Sha256:\n " HASH_A
                     " %d x%d.dsc\n " HASH_B " 5 y\n\n",
                     i, i % 2 ? "a/b" : ".", i, i);
    assert_true(sources_parse(&sources, bytes_view(&index), NULL));
    for (i = 0; i < 10; i++) {
        char *path = alloc_printf("%sx%d.dsc", i % 2 ? "a/b/" : "", i);
        const struct sources_stanza *stanza = sources_find(&sources, path);

        assert_non_null(stanza);
        assert_int_equal(stanza->dsc.size, i);
        assert_true(sources_parse_files(stanza, &files, &n_files, NULL));
        assert_int_equal(n_files, 2);
        assert_true(bytes_view_equals(files[1].name, "y"));
        assert_int_equal(files[1].sha256[31], 0xbb);
        free(files);
        free(path);
    }
    assert_null(sources_find(&sources, "a/b/x0.dsc"));
    assert_null(sources_find(&sources, "x1.dsc"));
    assert_null(sources_find(&sources, ""));
    sources_free(&sources);
    assert_null(sources_find(&sources, "x0.dsc"));
    bytes_free(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_accepts_good_files),
        cmocka_unit_test(sources_rejects_bad_files),
        cmocka_unit_test(sources_accepts_fields_in_their_order),
        cmocka_unit_test(sources_accepts_both_hashes_and_the_root),
        cmocka_unit_test(sources_accepts_the_order_of_versions),
        cmocka_unit_test(sources_rejects_two_contents_of_a_version),
        cmocka_unit_test(sources_accepts_finding_by_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
