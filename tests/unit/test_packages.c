/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* packages: the index of a flat apt repository. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "corpus.h"
#include "format/packages.h"

#define HASH "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"

/* What is parsed is written again as it was, but for the order. */
static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct packages packages = {0}, again = {0};
    struct bytes written = {0};
    bool ok = packages_parse(&packages, text, err);

    if (ok) {
        assert_true(packages_sort(&packages, err));
        assert_true(packages_write(&packages, &written, err));
        assert_int_equal(written.len, text.len);
        if (strcmp(file, "not-sorted") != 0 && text.len)
            assert_memory_equal(written.data, text.data, text.len);
        assert_true(packages_parse(&again, bytes_view(&written), err));
        assert_int_equal(again.n_stanzas, packages.n_stanzas);
    } else {
        assert_null(packages.stanzas);
    }
    bytes_free(&written);
    packages_free(&again);
    packages_free(&packages);
    return ok;
}

static void packages_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("packages/good", parse);
}

static void packages_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"empty-line-first", "Packages: line 1: a stanza was expected"},
        {"filename-absolute", "Packages: line 1: has no valid field Filename"},
        {"filename-blank", "Packages: line 1: has no valid field Filename"},
        {"filename-dot-dot", "Packages: line 1: has no valid field Filename"},
        {"filename-two-lines", "Packages: line 1: has no valid field Filename"},
        {"no-empty-line", "Packages: line 1: no empty line ends the stanza"},
        {"no-filename", "Packages: line 1: has no valid field Filename"},
        {"no-newline-at-end", "Packages: has no newline at its end"},
        {"no-sha256", "Packages: line 1: has no valid field SHA256"},
        {"no-size", "Packages: line 1: has no valid field Size"},
        {"only-blanks-line", "Packages: line 1: line 7 holds nothing but blanks"},
        {"second-bad", "Packages: line 8: has no field Version"},
        {"sha256-short", "Packages: line 1: has no valid field SHA256"},
        {"sha256-upper-case", "Packages: line 1: has no valid field SHA256"},
        {"sha512-empty", "Packages: line 1: has no valid field SHA512"},
        {"sha512-short", "Packages: line 1: has no valid field SHA512"},
        {"size-huge", "Packages: line 1: has no valid field Size"},
        {"size-leading-zero", "Packages: line 1: has no valid field Size"},
        {"size-negative", "Packages: line 1: has no valid field Size"},
        {"twice", "Packages: \"pool/hello_2.10-3_amd64.deb\" is listed twice"},
        {"two-empty-lines", "Packages: line 8: a stanza was expected"},
        {"two-empty-lines-between", "Packages: line 8: a stanza was expected"},
        {"version-bad", "Packages: line 1: line 2: \"x\" is no Version"},
    };

    (void)state;
    corpus_assert_rejects("packages/bad", parse, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

/* The stanza of CONTROL in a file at PATH. */
static void write_stanza(const char *control_text, char *path, unsigned hashes, struct bytes *out)
{
    unsigned char sha512[RELEASE_SHA512_LEN];
    struct release_entry entry = {.path = path, .size = 7, .sha512 = sha512};
    struct control control;
    struct hallmark_error err = {0};

    memset(entry.sha256, 0xab, sizeof entry.sha256);
    memset(sha512, 0xcd, sizeof sha512);
    if (!control_parse(&control, bytes_view_str(control_text), "control", &err))
        fail_msg("%s", err.text);
    packages_write_stanza(&control, &entry, hashes, out);
    control_free(&control);
}

static void packages_accepts_fields_in_their_order(void **state)
{
    struct bytes out = {0};
    char path[] = "pool/x.deb", hex[2 * RELEASE_SHA256_LEN + 1], *want;
    size_t i;

    (void)state;
    for (i = 0; i + 1 < sizeof hex; i += 2)
        memcpy(hex + i, "ab", 3);
    write_stanza("\nVersion: 1\nDescription: one  \n two\t\n .\n\tthree\nsha1: 00\nPackage: x\n"
                 "SIZE: 4\nSection:\nArchitecture: all\nConflicts:\n a,\n b\nMD5sum: 0\n\n",
                 path, RELEASE_SHA256, &out);
    want = alloc_printf("Version: 1\nDescription: one\n two\n .\n\tthree\nPackage: x\nSection:\n"
                        "Architecture: all\nConflicts:\n a,\n b\nFilename: pool/x.deb\nSize: 7\n"
                        "SHA256: %s\n",
                        hex);
    assert_string_equal(out.data, want);
    free(want);
    bytes_free(&out);
}

/* Adds a package; the text must stay. */
static void add(struct packages *packages, struct strlist *texts, const char *name,
                const char *version, const char *architecture)
{
    char *control =
        alloc_printf("Package: %s\nVersion: %s\nArchitecture: %s\n", name, version, architecture);
    char *path = alloc_printf("%zu.deb", texts->n_items);
    struct bytes out = {0};

    write_stanza(control, path, RELEASE_SHA256 | RELEASE_SHA512, &out);
    strlist_add_view(texts, bytes_view(&out));
    assert_true(
        packages_add(packages, bytes_view_str(texts->items[texts->n_items - 1]), "x", NULL));
    bytes_free(&out);
    free(path);
    free(control);
}

static void packages_accepts_the_order_of_versions(void **state)
{
    static const char *const order[] = {"1", "3", "4", "0", "2", "5"};
    struct packages packages = {0};
    struct strlist texts = {0};
    char *found;
    size_t i;

    (void)state;
    add(&packages, &texts, "b", "1.10", "all");
    add(&packages, &texts, "a", "9", "all");
    add(&packages, &texts, "b", "1:0", "all");
    add(&packages, &texts, "b", "1.9~rc1", "all");
    add(&packages, &texts, "b", "1.9", "amd64");
    add(&packages, &texts, "b-c", "0", "all");
    assert_true(packages_sort(&packages, NULL));
    assert_int_equal(packages.n_stanzas, sizeof order / sizeof *order);
    for (i = 0; i < packages.n_stanzas; i++) {
        found = alloc_strndup(packages.stanzas[i].filename.data, 1);
        assert_string_equal(found, order[i]);
        free(found);
        assert_int_equal(packages.stanzas[i].hashes, RELEASE_SHA256 | RELEASE_SHA512);
        assert_int_equal(packages.stanzas[i].sha512[63], 0xcd);
    }
    packages_free(&packages);
    strlist_free(&texts);
}

/* One version, two files: the same bytes are no harm, others are. */
static void packages_rejects_two_contents_of_a_version(void **state)
{
    struct packages packages = {0};
    struct strlist texts = {0};
    struct hallmark_error err = {0};

    (void)state;
    add(&packages, &texts, "a", "1.0", "all");
    add(&packages, &texts, "a", "1.0", "amd64");
    add(&packages, &texts, "a", "0:1.00", "all");
    assert_true(packages_sort(&packages, &err));
    packages.stanzas[1].sha256[0] ^= 1;
    assert_false(packages_sort(&packages, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "0.deb and 2.deb: both are a 1.0 for all, but their content differs");
    packages_free(&packages);
    strlist_free(&texts);
}

static void packages_accepts_finding_by_filename(void **state)
{
    struct packages packages = {0};
    struct bytes text = {0};
    const struct packages_stanza *stanza;
    int i;

    (void)state;
    for (i = 9; i >= 0; i--)
        bytes_printf(&text,
                     "Package: p%d\nVersion: 1\nArchitecture: all\nFilename: %d/x.deb\nSize: %d\n"
                     "SHA256: " HASH "\n\n",
                     i, i, i);
    assert_true(packages_parse(&packages, bytes_view(&text), NULL));
    stanza = packages_find(&packages, "7/x.deb");
    assert_non_null(stanza);
    assert_int_equal(stanza->size, 7);
    assert_true(bytes_view_equals(stanza->package, "p7"));
    assert_null(packages_find(&packages, "7/x.de"));
    assert_null(packages_find(&packages, ""));
    packages_free(&packages);
    assert_null(packages_find(&packages, "7/x.deb"));
    bytes_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packages_accepts_good_files),
        cmocka_unit_test(packages_rejects_bad_files),
        cmocka_unit_test(packages_accepts_fields_in_their_order),
        cmocka_unit_test(packages_accepts_the_order_of_versions),
        cmocka_unit_test(packages_rejects_two_contents_of_a_version),
        cmocka_unit_test(packages_accepts_finding_by_filename),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
