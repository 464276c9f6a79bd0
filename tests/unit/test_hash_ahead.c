/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hash_ahead: what is said of a file is what OpenSSL says of it, and nothing of one that is not
 * what was expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "repo/hash_ahead.h"
#include "temporary.h"

enum { N = 9000, LARGE = 5 * 1024 * 1024, EACH_LARGE = 1000 }; /* several turns, several threads */

struct place {
    char *dir;
    int fd;
    uint64_t shown;
};

static void name_of(size_t index, char out[32])
{
    snprintf(out, 32, "%zu", index);
}

static int open_one(void *ctx, size_t index)
{
    const struct place *place = ctx;
    char name[32];

    name_of(index, name);
    return file_open_beneath(place->fd, name, NULL);
}

static void show(void *ctx, uint64_t n_bytes)
{
    struct place *place = ctx;

    place->shown = n_bytes;
}

static size_t size_of(size_t index)
{
    return index % EACH_LARGE == 0 ? LARGE + index : index % 257;
}

static void fill(const char *text, size_t index, struct bytes_view *out)
{
    *out = bytes_view_of(text + index % 1000, size_of(index));
}

static void write_one(const struct place *place, size_t index, struct bytes_view data)
{
    char name[32];
    int fd;

    name_of(index, name);
    fd = openat(place->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && file_write_all(fd, data.data, data.len));
    close(fd);
}

static void assert_good(struct hash_ahead *ahead, size_t index, struct bytes_view data)
{
    const struct hash_ahead_file *file = hash_ahead_find(ahead, index);
    struct hallmark_error err = {0};
    struct digest_value value;

    assert_non_null(file);
    assert_int_equal(file->index, index);
    assert_int_equal(file->stamp.size, data.len);
    assert_true(file->hashed_at > 0);
    assert_true(digest_bytes(DIGEST_SHA256, data, &value, &err));
    assert_memory_equal(file->sha256, value.sha256, sizeof value.sha256);
}

/* One file in three is not there, one is shorter than expected, one longer. */
static void assert_tree(enum sha256_lanes_kind kind)
{
    struct place place = {.dir = temporary_new()};
    struct hash_ahead_options options = {
        .kind = kind, .open = open_one, .progress = show, .ctx = &place};
    struct hash_ahead *ahead = hash_ahead_new(&options);
    char *text = alloc_array(LARGE + N + 1000, 1);
    struct hallmark_error err = {0};
    struct bytes_view data;
    size_t i;

    place.fd = file_open_directory(place.dir, &err);
    for (i = 0; i < LARGE + N + 1000; i++)
        text[i] = (char)(i * i >> 3);
    for (i = 0; i < N; i += 3) {
        fill(text, i, &data);
        write_one(&place, i, data);
        hash_ahead_add(ahead, i, i == 300 ? data.len + 1 : i == 303 ? data.len - 1 : data.len);
    }
    for (i = 0; i < N; i++) {
        fill(text, i, &data);
        if (i % 3 || i == 300 || i == 303)
            assert_null(hash_ahead_find(ahead, i));
        else if (i % 7) /* not every one is asked for */
            assert_good(ahead, i, data);
    }
    assert_null(hash_ahead_find(ahead, N));
    assert_true(place.shown > 0);
    hash_ahead_free(ahead);
    free(text);
    file_close(&place.fd);
    temporary_remove(place.dir);
}

static void hash_ahead_accepts_a_tree(void **state)
{
    enum sha256_lanes_kind kind;

    (void)state;
    for (kind = SHA256_LANES_OPENSSL; kind <= SHA256_LANES_AVX512; kind++)
        if (sha256_lanes_has(kind))
            assert_tree(kind);
}

static void hash_ahead_rejects_what_is_no_file(void **state)
{
    struct place place = {.dir = temporary_new()};
    struct hash_ahead_options options = {
        .kind = SHA256_LANES_OPENSSL, .open = open_one, .ctx = &place};
    struct hash_ahead *ahead = hash_ahead_new(&options);
    struct hallmark_error err = {0};

    (void)state;
    place.fd = file_open_directory(place.dir, &err);
    assert_int_equal(mkdirat(place.fd, "1", 0700), 0);
    assert_int_equal(symlinkat("3", place.fd, "2"), 0);
    write_one(&place, 3, bytes_view_str("abc"));
    hash_ahead_add(ahead, 1, 4096);
    hash_ahead_add(ahead, 2, 3);
    hash_ahead_add(ahead, 3, 3);
    hash_ahead_add(ahead, 4, 0);
    assert_null(hash_ahead_find(ahead, 1));
    assert_null(hash_ahead_find(ahead, 2));
    assert_good(ahead, 3, bytes_view_str("abc"));
    assert_null(hash_ahead_find(ahead, 4));
    hash_ahead_free(ahead);
    file_close(&place.fd);
    temporary_remove(place.dir);
}

static void hash_ahead_accepts_nothing(void **state)
{
    struct hash_ahead_options options = {.kind = SHA256_LANES_OPENSSL, .open = open_one};
    struct hash_ahead *ahead = hash_ahead_new(&options);

    (void)state;
    assert_null(hash_ahead_find(ahead, 0));
    assert_null(hash_ahead_find(ahead, 7));
    hash_ahead_free(ahead);
    hash_ahead_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_ahead_accepts_a_tree),
        cmocka_unit_test(hash_ahead_rejects_what_is_no_file),
        cmocka_unit_test(hash_ahead_accepts_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
