/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* release: a manifest that is built, entry by entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "corpus.h"
#include "format/release.h"

#define DATE "Date: Sat, 21 Nov 2026 00:53:02 UTC\n"

/* Adds an entry, which is lent until the next one. */
static struct release_entry *add(struct release *r, const char *path, uint64_t size)
{
    struct release_entry entry = {.path = path, .size = size};

    release_add(r, &entry);
    return &r->entries[r->n_entries - 1];
}

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B32 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

#define SHA512 "SHA512:\n " A32 A32 A32 A32 " 1 a\n " B32 B32 B32 B32 " 2 b\n"
#define SHA256 "SHA256:\n " B32 B32 " 2 b\n " A32 A32 " 1 a\n"

/* Each entry has its own SHA512, whatever the order of the sections and in them; a copy keeps it.
 */
static void release_accepts_sha512(void **state)
{
    static const char *const texts[] = {DATE SHA512, DATE SHA512 SHA256, DATE SHA256 SHA512};
    struct hallmark_error err = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct release r = {0}, copy = {.hashes = RELEASE_SHA512};

        assert_true(release_parse(&r, bytes_view_str(texts[i]), &err));
        release_add(&copy, &r.entries[1]);
        assert_int_equal(r.entries[0].sha512[0], 0xaa);
        assert_int_equal(r.entries[0].sha512[RELEASE_SHA512_LEN - 1], 0xaa);
        assert_int_equal(r.entries[1].sha256[0], i == 0 ? 0 : 0xbb);
        release_free(&r);
        assert_string_equal(copy.entries[0].path, "b");
        assert_int_equal(copy.entries[0].sha512[0], 0xbb);
        assert_int_equal(copy.entries[0].sha512[RELEASE_SHA512_LEN - 1], 0xbb);
        release_free(&copy);
    }
}

static void release_accepts_what_is_built(void **state)
{
    static const char wanted[] =
        "Origin: Example\nSuite: stable\n" DATE "Valid-Until: Sat, 28 Nov 2026 00:53:02 UTC\n"
        "Architectures: all amd64\nSHA256:\n"
        " 0000000000000000000000000000000000000000000000000000000000000000 123456789 a\n"
        " ff00000000000000000000000000000000000000000000000000000000000000        5 b\n";
    struct release r = {.origin = alloc_strdup("Example"),
                        .suite = alloc_strdup("stable"),
                        .date = 1795222382,
                        .valid_until = 1795222382 + 7 * 86400,
                        .hashes = RELEASE_SHA256};
    struct release other = {0};
    struct bytes text = {0};
    struct hallmark_error err = {0};

    (void)state;
    strlist_add_words(&r.architectures, bytes_view_str("all amd64"));
    add(&r, "b", 5)->sha256[0] = 0xff;
    add(&r, "a", 123456789);
    assert_true(release_sort(&r, &err));
    release_write(&r, &text);
    assert_string_equal(text.data, wanted);

    assert_true(release_parse(&other, bytes_view(&text), &err));
    other.date += 5;
    other.valid_until = 0;
    assert_true(release_is_same_content(&r, &other));
    other.entries[1].sha512 = other.entries[1].sha256; /* of no section that there is */
    assert_true(release_is_same_content(&r, &other));
    other.entries[1].sha256[31] ^= 1;
    assert_false(release_is_same_content(&r, &other));
    other.entries[1].sha256[31] ^= 1;
    other.entries[1].size++;
    assert_false(release_is_same_content(&r, &other));
    other.entries[1].size--;
    other.n_entries--;
    assert_false(release_is_same_content(&r, &other));
    other.n_entries++;
    strlist_add(&other.components, "main");
    assert_false(release_is_same_content(&r, &other));
    strlist_free(&other.components);
    other.hashes = RELEASE_SHA256 | RELEASE_SHA512;
    assert_false(release_is_same_content(&r, &other));
    other.hashes = RELEASE_SHA256;
    other.label = alloc_strdup("x");
    assert_false(release_is_same_content(&r, &other));
    release_free(&other);
    release_free(&r);
    bytes_free(&text);
}

static void release_rejects_paths_that_are_built(void **state)
{
    static const struct {
        const char *a, *b, *reason;
    } cases[] = {
        {"a", "a", "Release: \"a\" is listed twice"},
        {"a/b", "A/B", "Release: \"A/B\" and \"a/b\" differ only in case"},
        {"a/b", "a", "Release: \"a\" and \"a/b\" would be file and directory at once"},
        {"A/b", "a", "Release: \"a\" and \"A/b\" would be file and directory at once"},
        {"a", "../b", "Release: the name \"../b\" has a component"},
        {"Release", "a", "Release: lists \"Release\", a name that the manifest itself needs"},
        {"a", "a\nb", "Release: the name \"a\\x0ab\" holds a blank, a control character"},
    };
    /* Between them in the order of bytes, but not in that of what clashes. */
    static const char *const between[] = {"middle", "Z", "a-c"};
    size_t i;

    (void)state;
    for (i = 0; i < 3 * sizeof cases / sizeof *cases; i++) {
        struct release r = {0};
        struct hallmark_error err = {0};

        add(&r, cases[i / 3].a, 0);
        add(&r, between[i % 3], 0);
        add(&r, cases[i / 3].b, 0);
        assert_false(release_sort(&r, &err));
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, cases[i / 3].reason);
        release_free(&r);
    }
}

/* Of names that clash, the first in the order of what clashes is told, whichever is seen first. */
static void release_rejects_the_first_of_many_twins(void **state)
{
    static const char *const names[][4] = {{"C", "C/x", "a", "a/x"}, {"a", "a/x", "c", "c/x"}};
    size_t i, k;

    (void)state;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        struct release r = {0};
        struct hallmark_error err = {0};

        for (k = 0; k < sizeof names[i] / sizeof *names[i]; k++)
            add(&r, names[i][k], 0);
        assert_false(release_sort(&r, &err));
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                            "Release: \"a\" and \"a/x\" would be file and directory at once");
        release_free(&r);
    }
}

/* The longest path that release_sort() lets through fits on every line that release_write() makes.
 */
static void release_accepts_the_longest_path(void **state)
{
    static const unsigned char hash[RELEASE_SHA512_LEN];
    struct release r = {.date = 1795222382, .hashes = RELEASE_SHA256 | RELEASE_SHA512};
    struct release again = {0};
    struct bytes path = {0}, text = {0};
    struct hallmark_error err = {0};

    (void)state;
    while (path.len < 3946)
        bytes_append_str(&path, path.len % 250 == 249 && path.len < 3945 ? "/" : "x");
    add(&r, path.data, INT64_MAX)->sha512 = hash;
    assert_true(release_sort(&r, &err));
    release_write(&r, &text);
    if (!release_parse(&again, bytes_view(&text), &err))
        fail_msg("%s", err.text);
    release_free(&again);
    bytes_append_str(&path, "x");
    add(&r, path.data, 0);
    assert_false(release_sort(&r, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "Release: a name of 3947 bytes, at most 3946");
    release_free(&r);
    bytes_free(&path);
    bytes_free(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(release_accepts_sha512),
        cmocka_unit_test(release_accepts_what_is_built),
        cmocka_unit_test(release_rejects_paths_that_are_built),
        cmocka_unit_test(release_rejects_the_first_of_many_twins),
        cmocka_unit_test(release_accepts_the_longest_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
