/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cache: what is kept comes out again, and what somebody else has put there does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/encoding.h"
#include "corpus.h"
#include "crypto/digest.h"
#include "repo/cache.h"
#include "repo/cache_document.h"
#include "temporary.h"

#define URL  "http://example.org/InRelease"
#define ETAG "\"1-2\""

static int set_up(void **state)
{
    *state = temporary_new();
    return 0;
}

static int tear_down(void **state)
{
    temporary_remove(*state);
    return 0;
}

static void hash(const char *text, char out[2 * DIGEST_SHA256_LEN + 1])
{
    struct digest_value digest;

    assert_true(digest_bytes(DIGEST_SHA256, bytes_view_str(text), &digest, NULL));
    encoding_hex(out, digest.sha256, sizeof digest.sha256);
}

/* Keeps TEXT in DIR as the document of URL. */
static void keep(const char *dir, const char *etag, const char *text)
{
    struct cache *cache = cache_new(dir);

    cache_add_document(cache, URL, etag, bytes_view_str(text));
    cache_save(cache);
    cache_free(cache);
}

/* Whether DIR has the document of URL; if so, it is TEXT. */
static bool has(const char *dir, const char *text)
{
    struct cache *cache = cache_new(dir);
    char etag[FETCH_ETAG_LEN];
    struct bytes found = {0};
    bool ok = cache_find_document(cache, URL, &found, etag);

    if (ok) {
        assert_string_equal(etag, ETAG);
        assert_int_equal(found.len, strlen(text));
        assert_memory_equal(found.data, text, found.len);
    } else {
        assert_int_equal(found.len, 0);
    }
    bytes_free(&found);
    cache_free(cache);
    return ok;
}

static void cache_accepts_a_document(void **state)
{
    const char *dir = *state;

    assert_false(has(dir, ""));
    keep(dir, ETAG, "a\nb\n");
    assert_true(has(dir, "a\nb\n"));
    keep(dir, ETAG, "other");
    assert_true(has(dir, "other"));
}

static void cache_rejects_weak_etags(void **state)
{
    static const char *const etags[] = {"",     "\"\"",    "x",      "W/\"1\"",
                                        "\"xy", "\"a b\"", "\"\n\"", "\"x"};
    const char *dir = *state;
    size_t i;

    for (i = 0; i < sizeof etags / sizeof *etags; i++) {
        keep(dir, etags[i], "text");
        assert_false(has(dir, "text"));
    }
}

static void cache_rejects_what_is_damaged(void **state)
{
    char name[2 * DIGEST_SHA256_LEN + 1], sum[2 * DIGEST_SHA256_LEN + 1];
    const char *dir = *state;
    char *path, *texts[7];
    size_t i;
    int fd;

    keep(dir, ETAG, "text");
    hash(URL, name);
    hash("text", sum);
    path = alloc_printf("%s/cache/document-%s", dir, name);
    texts[0] = alloc_strdup("");
    texts[1] = alloc_strdup(ETAG);
    texts[2] = alloc_strdup(ETAG "\n");
    texts[3] = alloc_printf(ETAG "\n%s\ntexT", sum);
    texts[4] = alloc_printf("1-2\n%s\ntext", sum);
    texts[5] = alloc_printf("\"\r\n1\"\n%s\ntext", sum);
    texts[6] = alloc_printf(ETAG "\n%.20s\ntext", sum);
    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        fd = open(path, O_WRONLY | O_TRUNC);
        assert_true(fd >= 0 && file_write_all(fd, texts[i], strlen(texts[i])));
        close(fd);
        assert_false(has(dir, ""));
        free(texts[i]);
    }
    free(path);
}

static void cache_accepts_an_index_and_nothing_before_it_is_saved(void **state)
{
    struct content content = {.hashes = RELEASE_SHA256, .package = {.size = 4}};
    const char *dir = *state;
    struct cache *cache = cache_new(dir);
    char buf[8];
    int fd = file_open_memory("test", NULL), found;

    assert_true(fd >= 0 && file_write_all(fd, "text", 4));
    hash("text", content.sha256_text);
    cache_add(cache, &content, fd);
    close(fd);
    assert_int_equal(cache_find(cache, &content), -1);
    cache_save(cache);
    found = cache_find(cache, &content);
    assert_true(found >= 0);
    assert_int_equal(read(found, buf, sizeof buf), 4);
    close(found);
    content.hashes = RELEASE_SHA512;
    assert_int_equal(cache_find(cache, &content), -1);
    cache_free(cache);
}

static void cache_accepts_that_there_is_none(void **state)
{
    struct content content = {.hashes = RELEASE_SHA256};
    char etag[FETCH_ETAG_LEN];
    struct bytes found = {0};

    (void)state;
    assert_null(cache_new(NULL));
    assert_false(cache_find_document(NULL, URL, &found, etag));
    assert_int_equal(cache_find(NULL, &content), -1);
    cache_add(NULL, &content, 0);
    cache_add_document(NULL, URL, ETAG, bytes_view_str("x"));
    cache_save(NULL);
    cache_free(NULL);
}

static bool parse_document(struct bytes_view data, const char *file, struct hallmark_error *err)
{
    char etag[FETCH_ETAG_LEN];
    struct bytes_view text;

    (void)file;
    return cache_document_parse(data, etag, &text) ||
           error_set(err, HALLMARK_ERR_MALFORMED, "damaged");
}

static void cache_document_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("cache_document/good", parse_document);
}

static void cache_document_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"etag-delete", "damaged"},       {"etag-blank", "damaged"},
        {"etag-empty", "damaged"},        {"etag-open", "damaged"},
        {"etag-too-long", "damaged"},     {"etag-weak", "damaged"},
        {"hash-other", "damaged"},        {"hash-short", "damaged"},
        {"hash-upper", "damaged"},        {"modified-empty", "damaged"},
        {"modified-letter", "damaged"},   {"modified-negative", "damaged"},
        {"modified-too-long", "damaged"}, {"modified-zero", "damaged"},
        {"one-line", "damaged"},          {"text-cut", "damaged"},
        {"text-longer", "damaged"}};

    (void)state;
    corpus_assert_rejects("cache_document/bad", parse_document, HALLMARK_ERR_MALFORMED, cases,
                          sizeof cases / sizeof *cases);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cache_accepts_a_document, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cache_rejects_weak_etags, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cache_rejects_what_is_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cache_accepts_an_index_and_nothing_before_it_is_saved,
                                        set_up, tear_down),
        cmocka_unit_test(cache_accepts_that_there_is_none),
        cmocka_unit_test(cache_document_accepts_good_files),
        cmocka_unit_test(cache_document_rejects_bad_files),
    };

    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
