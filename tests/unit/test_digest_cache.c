/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The digest cache: what it believes, what it refuses, and when it is worth writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/checksum.h"
#include "digest_caches.h"
#include "repo/digest_cache.h"
#include "temporary.h"

/* Where things stand in the file: its documentation is in digest_cache.c. */
enum {
    AT_VERSION = 8,
    AT_BYTE_ORDER = 12,
    AT_N_RECORDS = 16,
    AT_FILE_LEN = 24,
    AT_CHECKSUM = 32,
    HEADER_LEN = 40,
    AT_FLAGS = HEADER_LEN + 96,
    AT_PATH_LEN = HEADER_LEN + 98,
    AT_ZERO = HEADER_LEN + 100,
    FIXED_LEN = 104,
};

/* A copy of what would be written. */
static struct bytes written(struct digest_cache *cache)
{
    struct bytes copy = {0};

    digest_cache_write(cache, &copy);
    return copy;
}

/* ---- Asking ---- */

static void digest_cache_accepts_what_was_put(void **state)
{
    struct digest_cache_record record = record_of(7), found;
    struct digest_cache *cache = three();

    (void)state;
    assert_int_equal(digest_cache_count(cache), 3);
    record.algorithms = DIGEST_SHA256 | DIGEST_SHA512;
    memset(record.digest.sha512, 0x99, sizeof record.digest.sha512);
    record.is_checked = true;
    record.totals = (struct package_totals){.n_entries = 12, .n_bytes = 34};
    assert_true(digest_cache_put(cache, "e", &record));
    assert_true(digest_cache_find(cache, "e", &record.stamp, &found));
    assert_true(tree_stamp_is_equal(&found.stamp, &record.stamp));
    assert_int_equal(found.algorithms, DIGEST_SHA256 | DIGEST_SHA512);
    assert_memory_equal(&found.digest, &record.digest, sizeof found.digest);
    assert_true(found.is_checked);
    assert_int_equal(found.totals.n_entries, 12);
    assert_int_equal(found.totals.n_bytes, 34);
    assert_true(found.hashed_at == record.hashed_at);
    digest_cache_free(cache);
}

/* In order, against it, and with others between: what is expected next is only a hint. */
static void digest_cache_accepts_any_order_of_questions(void **state)
{
    struct digest_cache *cache = digest_cache_new();
    char path[16];
    unsigned i, j;

    (void)state;
    for (i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "%03u", i);
        put(cache, path, (unsigned char)i);
    }
    for (i = 0; i < 200; i++) {
        for (j = 0; j < 3; j++) {
            unsigned k = j == 0 ? i : j == 1 ? 199 - i : i * 7 % 200;

            snprintf(path, sizeof path, "%03u", k);
            assert_true(finds(cache, path, (unsigned char)k));
            snprintf(path, sizeof path, "%03ux", k);
            assert_false(finds(cache, path, (unsigned char)k));
        }
    }
    assert_false(finds(cache, "", 0));
    assert_true(finds(cache, "000", 0));
    digest_cache_free(cache);
}

static void digest_cache_rejects_questions_to_nothing(void **state)
{
    struct digest_cache *cache = digest_cache_new();

    (void)state;
    assert_false(finds(NULL, "a", 1));
    assert_false(finds(cache, "a", 1));
    digest_cache_free(cache);
    digest_cache_free(NULL);
}

static void digest_cache_rejects_another_stamp(void **state)
{
    struct digest_cache_record found = {.hashed_at = 42};
    const struct tree_stamp stamp = record_of(1).stamp;
    struct tree_stamp other[5] = {stamp, stamp, stamp, stamp, stamp};
    struct digest_cache *cache = three();
    size_t i;

    (void)state;
    other[0].device++;
    other[1].inode++;
    other[2].size++;
    other[3].mtime--;
    other[4].ctime--;
    for (i = 0; i < 5; i++)
        assert_false(digest_cache_find(cache, "a", &other[i], &found));
    assert_true(found.hashed_at == 42);
    assert_true(digest_cache_find(cache, "a", &stamp, &found));
    digest_cache_free(cache);
}

/* P11: the file could have changed in the same tick of the clock after it was hashed. */
static void digest_cache_rejects_what_was_too_fresh(void **state)
{
    static const struct {
        int64_t mtime, ctime; /* after the hashing */
        bool is_found;
    } cases[] = {
        {-DIGEST_CACHE_RACY_NS, -DIGEST_CACHE_RACY_NS, true},
        {-DIGEST_CACHE_RACY_NS + 1, -DIGEST_CACHE_RACY_NS, false},
        {-DIGEST_CACHE_RACY_NS, -DIGEST_CACHE_RACY_NS + 1, false},
        {-3600000000000LL, 0, false},               /* its times were set back */
        {3600000000000LL, -3600000000000LL, false}, /* a date in the future */
        {1, 1, false},                              /* the clock was set back */
    };
    struct digest_cache_record record = record_of(1), found;
    struct digest_cache *cache;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        cache = digest_cache_new();
        record.stamp.mtime = record.hashed_at + cases[i].mtime;
        record.stamp.ctime = record.hashed_at + cases[i].ctime;
        assert_true(digest_cache_put(cache, "a", &record));
        assert_int_equal(digest_cache_find(cache, "a", &record.stamp, &found), cases[i].is_found);
        digest_cache_free(cache);
    }
    record.hashed_at = INT64_MIN;
    cache = digest_cache_new();
    assert_true(digest_cache_put(cache, "a", &record));
    assert_false(digest_cache_find(cache, "a", &record.stamp, &found));
    digest_cache_free(cache);
}

static void digest_cache_rejects_what_cannot_be_kept(void **state)
{
    struct digest_cache *cache = digest_cache_new();
    struct digest_cache_record record = record_of(1);
    char path[LIMITS_PATH_BYTES + 2];

    (void)state;
    put(cache, "m", 1);
    assert_false(digest_cache_put(cache, "m", &record));
    assert_false(digest_cache_put(cache, "a", &record));
    assert_false(digest_cache_put(cache, "", &record));
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_false(digest_cache_put(cache, path, &record));
    path[LIMITS_PATH_BYTES] = '\0';
    assert_true(digest_cache_put(cache, path, &record));
    record.algorithms = DIGEST_SHA512;
    assert_false(digest_cache_put(cache, "y", &record));
    assert_int_equal(digest_cache_count(cache), 2);
    digest_cache_free(cache);
}

static void digest_cache_rejects_too_many(void **state)
{
    struct digest_cache *cache = digest_cache_new();
    struct digest_cache_record record = record_of(1);
    struct hallmark_error err = {0};
    struct bytes data;
    char path[16];
    int i;

    (void)state;
    for (i = 0; i < LIMITS_TREE_FILES; i++) {
        snprintf(path, sizeof path, "%08d", i);
        assert_true(digest_cache_put(cache, path, &record));
    }
    assert_false(digest_cache_put(cache, "1", &record));
    data = written(cache);
    digest_cache_free(cache);
    cache = digest_cache_parse(&data, &err);
    assert_non_null(cache);
    assert_int_equal(digest_cache_count(cache), LIMITS_TREE_FILES);
    assert_true(finds(cache, "00100000", 1));
    digest_cache_free(cache);
}

/* ---- Comparing ---- */

static enum digest_cache_difference compare_with(const struct digest_cache_record *a,
                                                 const struct digest_cache_record *b)
{
    struct digest_cache *old = digest_cache_new(), *new = digest_cache_new();
    enum digest_cache_difference difference;

    assert_true(digest_cache_put(old, "a", a));
    assert_true(digest_cache_put(new, "a", b));
    difference = digest_cache_compare(old, new);
    digest_cache_free(old);
    digest_cache_free(new);
    return difference;
}

static void digest_cache_accepts_a_later_hashing_as_same(void **state)
{
    struct digest_cache_record a = record_of(1), b = a;

    (void)state;
    assert_int_equal(compare_with(&a, &b), DIGEST_CACHE_SAME);
    b.hashed_at += hour;
    assert_int_equal(compare_with(&a, &b), DIGEST_CACHE_SAME);
    /* Too fresh both times: nothing is gained by writing. */
    a.stamp.ctime = b.stamp.ctime = a.hashed_at;
    b.hashed_at = a.hashed_at + 1;
    assert_int_equal(compare_with(&a, &b), DIGEST_CACHE_SAME);
    b.hashed_at += hour;
    assert_int_equal(compare_with(&a, &b), DIGEST_CACHE_FRESHER);
    assert_int_equal(compare_with(&b, &a), DIGEST_CACHE_SAME);
}

static void digest_cache_rejects_any_difference_as_same(void **state)
{
    struct digest_cache_record a = record_of(1), b[9];
    size_t i;

    (void)state;
    a.algorithms = DIGEST_SHA256 | DIGEST_SHA512;
    a.is_checked = true;
    for (i = 0; i < 9; i++)
        b[i] = a;
    b[0].stamp.mtime++;
    b[1].stamp.ctime++;
    b[2].stamp.inode++;
    b[3].digest.sha256[31] ^= 1;
    b[4].digest.sha512[63] ^= 1;
    b[5].algorithms = DIGEST_SHA256;
    b[6].is_checked = false;
    b[7].totals.n_entries++;
    b[8].totals.n_bytes++;
    for (i = 0; i < 9; i++)
        assert_int_equal(compare_with(&a, &b[i]), DIGEST_CACHE_CHANGED);
}

static void digest_cache_rejects_other_paths_as_same(void **state)
{
    struct digest_cache *old = three(), *new = digest_cache_new();

    (void)state;
    put(new, "a", 1);
    put(new, "b/c", 2);
    assert_int_equal(digest_cache_compare(old, new), DIGEST_CACHE_CHANGED);
    assert_int_equal(digest_cache_compare(new, old), DIGEST_CACHE_CHANGED);
    put(new, "e", 3);
    assert_int_equal(digest_cache_compare(old, new), DIGEST_CACHE_CHANGED);
    assert_int_equal(digest_cache_compare(NULL, new), DIGEST_CACHE_CHANGED);
    assert_int_equal(digest_cache_compare(old, old), DIGEST_CACHE_SAME);
    digest_cache_free(old);
    digest_cache_free(new);
}

/* ---- The file ---- */

static void digest_cache_accepts_its_own_file(void **state)
{
    char *dir = temporary_new();
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct digest_cache *cache = three(), *loaded;
    struct digest_cache_record record = record_of(4);
    struct hallmark_error err = {0};
    struct stat st;

    (void)state;
    record.algorithms |= DIGEST_SHA512;
    assert_true(digest_cache_put(cache, "e", &record));
    assert_null(digest_cache_load(fd, &err));
    assert_int_equal(err.code, HALLMARK_OK); /* none yet */
    assert_true(digest_cache_save(cache, fd, &err));
    assert_int_equal(fstatat(fd, DIGEST_CACHE_FILE, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    loaded = digest_cache_load(fd, &err);
    assert_non_null(loaded);
    assert_int_equal(digest_cache_compare(cache, loaded), DIGEST_CACHE_SAME);
    assert_true(finds(loaded, "a", 1));
    assert_true(finds(loaded, "b/c", 2));
    assert_true(finds(loaded, "e", 4));
    /* What was loaded can be added to and written again. */
    put(loaded, "f", 5);
    assert_true(digest_cache_save(loaded, fd, &err));
    digest_cache_free(loaded);
    loaded = digest_cache_load(fd, &err);
    assert_true(finds(loaded, "f", 5));
    digest_cache_free(loaded);
    digest_cache_free(cache);
    close(fd);
    temporary_remove(dir);
}

static void digest_cache_accepts_an_empty_file_of_its_own(void **state)
{
    struct digest_cache *cache = digest_cache_new();
    struct bytes data = written(cache);

    (void)state;
    digest_cache_free(cache);
    cache = digest_cache_parse(&data, NULL);
    assert_non_null(cache);
    assert_int_equal(digest_cache_count(cache), 0);
    assert_false(finds(cache, "a", 1));
    put(cache, "a", 1);
    digest_cache_free(cache);
}

/* Puts LEN bytes of VALUE at OFFSET, and a checksum that fits. */
static void patch(struct bytes *data, size_t offset, uint64_t value, size_t len)
{
    uint64_t checksum, file_len = data->len;

    memcpy(data->data + offset, &value, len);
    if (offset != AT_FILE_LEN)
        memcpy(data->data + AT_FILE_LEN, &file_len, sizeof file_len);
    checksum = checksum_xxh3(bytes_view_of(data->data + HEADER_LEN, data->len - HEADER_LEN));
    if (offset != AT_CHECKSUM)
        memcpy(data->data + AT_CHECKSUM, &checksum, sizeof checksum);
}

static void assert_refused(struct bytes *data, const char *reason)
{
    struct hallmark_error err = {0};

    assert_null(digest_cache_parse(data, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    if (!strstr(err.text, reason) || !strstr(err.text, DIGEST_CACHE_FILE))
        fail_msg("\"%s\" is not in \"%s\"", reason, err.text);
}

static void digest_cache_rejects_a_changed_file(void **state)
{
    static const struct {
        size_t offset;
        uint64_t value;
        size_t len;
        const char *reason;
    } cases[] = {
        {0, 'x', 1, "is no digest cache"},
        {AT_VERSION, 1, 4, "is of another version"},
        {AT_BYTE_ORDER, 0x04030201, 4, "another byte order"},
        {AT_N_RECORDS, 4, 8, "too many records"},
        {AT_N_RECORDS, 2, 8, "behind its last record"},
        {AT_N_RECORDS, 0, 8, "behind its last record"},
        {AT_N_RECORDS, 5, 8, "too many records"},
        {AT_N_RECORDS, UINT64_MAX, 8, "too many records"},
        {AT_FILE_LEN, 1, 8, "is truncated or too long"},
        {AT_CHECKSUM, 1, 8, "its checksum differs"},
        {AT_FLAGS, 4, 2, "unknown flags"},
        {AT_ZERO, 1, 4, "unknown flags"},
        {AT_FLAGS, 1, 2, "with a NUL, or without one"}, /* a SHA-512 that is not there */
        {AT_PATH_LEN, 0, 2, "a path of a wrong length"},
        {AT_PATH_LEN, 4096, 2, "a path of a wrong length"},
        {AT_PATH_LEN, 4095, 2, "ends within a record"},
        {AT_PATH_LEN, 2, 2, "with a NUL, or without one"},
        {HEADER_LEN + 56, 1, 8, "unknown flags"}, /* totals of what was not checked */
        {HEADER_LEN + FIXED_LEN, 0, 1, "with a NUL, or without one"},
        {HEADER_LEN + FIXED_LEN + 1, 'x', 1, "with a NUL, or without one"},
        {HEADER_LEN + FIXED_LEN, 'c', 1, "out of order"},
    };
    struct digest_cache *cache = three();
    struct bytes data = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        data = written(cache);
        patch(&data, cases[i].offset, cases[i].value, cases[i].len);
        assert_refused(&data, cases[i].reason);
        bytes_free(&data);
    }
    digest_cache_free(cache);
}

/* As many records as there might be, but one less. */
static void digest_cache_rejects_a_missing_record(void **state)
{
    struct digest_cache *cache = digest_cache_new();
    char path[2 * FIXED_LEN];
    struct bytes data;

    (void)state;
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    put(cache, path, 1);
    data = written(cache);
    patch(&data, AT_N_RECORDS, 2, 8);
    assert_refused(&data, "ends within a record");
    bytes_free(&data);
    digest_cache_free(cache);
}

static void digest_cache_rejects_a_path_twice(void **state)
{
    struct digest_cache *cache = digest_cache_new();
    struct bytes data;

    (void)state;
    put(cache, "a", 1);
    put(cache, "b", 1);
    data = written(cache);
    patch(&data, HEADER_LEN + FIXED_LEN, 'b', 1);
    assert_refused(&data, "out of order");
    bytes_free(&data);
    digest_cache_free(cache);
}

/* Whatever bit is wrong, and wherever the file ends. */
static void digest_cache_rejects_every_damage(void **state)
{
    struct digest_cache *cache = three();
    struct bytes data = written(cache), copy;
    size_t i;

    (void)state;
    for (i = 0; i < data.len * 8; i++) {
        copy = written(cache);
        copy.data[i / 8] ^= (char)(1 << i % 8);
        assert_refused(&copy, "");
        bytes_free(&copy);
    }
    for (i = 0; i < data.len; i++) {
        copy = written(cache);
        copy.len = i;
        assert_refused(&copy, "truncated");
        bytes_free(&copy);
    }
    bytes_append(&data, "", 1);
    assert_refused(&data, "too long");
    bytes_free(&data);
    digest_cache_free(cache);
}

static void assert_not_loaded(int fd, const char *reason)
{
    struct hallmark_error why = {0};

    assert_null(digest_cache_load(fd, &why));
    if (why.code == HALLMARK_OK || !strstr(why.text, reason))
        fail_msg("\"%s\" is not in \"%s\"", reason, why.text);
}

static void digest_cache_rejects_a_file_that_others_can_write(void **state)
{
    char *dir = temporary_new();
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct digest_cache *cache = three();

    (void)state;
    assert_true(digest_cache_save(cache, fd, NULL));
    assert_int_equal(fchmodat(fd, DIGEST_CACHE_FILE, 0620, 0), 0);
    assert_not_loaded(fd, "other users can write to it");
    assert_int_equal(fchmodat(fd, DIGEST_CACHE_FILE, 0602, 0), 0);
    assert_not_loaded(fd, "other users can write to it");
    assert_int_equal(fchmodat(fd, DIGEST_CACHE_FILE, 0644, 0), 0);
    if (geteuid() == 0) {
        assert_int_equal(fchownat(fd, DIGEST_CACHE_FILE, 65534, 65534, 0), 0);
        assert_not_loaded(fd, "other users can write to it");
        /* The next write makes it ours. */
        assert_true(digest_cache_save(cache, fd, NULL));
    }
    digest_cache_free(cache);
    cache = digest_cache_load(fd, NULL);
    assert_non_null(cache);
    digest_cache_free(cache);
    close(fd);
    temporary_remove(dir);
}

static void digest_cache_rejects_what_is_no_file(void **state)
{
    char *dir = temporary_new();
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), file;

    (void)state;
    assert_int_equal(mkfifoat(fd, DIGEST_CACHE_FILE, 0600), 0);
    assert_not_loaded(fd, "is not a regular file");
    assert_int_equal(unlinkat(fd, DIGEST_CACHE_FILE, 0), 0);
    assert_int_equal(symlinkat("elsewhere", fd, DIGEST_CACHE_FILE), 0);
    assert_not_loaded(fd, "is not a regular file");
    assert_int_equal(unlinkat(fd, DIGEST_CACHE_FILE, 0), 0);
    file = openat(fd, DIGEST_CACHE_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_not_loaded(fd, "is truncated");
    assert_int_equal(ftruncate(file, DIGEST_CACHE_MAX_BYTES + 1), 0);
    assert_not_loaded(fd, "is larger than");
    close(file);
    close(fd);
    temporary_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_cache_accepts_what_was_put),
        cmocka_unit_test(digest_cache_accepts_any_order_of_questions),
        cmocka_unit_test(digest_cache_rejects_questions_to_nothing),
        cmocka_unit_test(digest_cache_rejects_another_stamp),
        cmocka_unit_test(digest_cache_rejects_what_was_too_fresh),
        cmocka_unit_test(digest_cache_rejects_what_cannot_be_kept),
        cmocka_unit_test(digest_cache_rejects_too_many),
        cmocka_unit_test(digest_cache_accepts_a_later_hashing_as_same),
        cmocka_unit_test(digest_cache_rejects_any_difference_as_same),
        cmocka_unit_test(digest_cache_rejects_other_paths_as_same),
        cmocka_unit_test(digest_cache_accepts_its_own_file),
        cmocka_unit_test(digest_cache_accepts_an_empty_file_of_its_own),
        cmocka_unit_test(digest_cache_rejects_a_changed_file),
        cmocka_unit_test(digest_cache_rejects_a_missing_record),
        cmocka_unit_test(digest_cache_rejects_a_path_twice),
        cmocka_unit_test(digest_cache_rejects_every_damage),
        cmocka_unit_test(digest_cache_rejects_a_file_that_others_can_write),
        cmocka_unit_test(digest_cache_rejects_what_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
