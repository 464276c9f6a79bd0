/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* digest_batch: every way to hash gives what FIPS 180-4, NIST's vectors and OpenSSL say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "corpus.h"
#include "crypto/digest_batch.h"

enum { POOL = 1 << 20, N_RANDOM = 350000, ROUNDS = 1000, MAX_PART = 700 };

static const enum sha256_lanes_kind kinds[] = {SHA256_LANES_OPENSSL, SHA256_LANES_AVX2,
                                               SHA256_LANES_AVX512};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* A text, and in what parts it is read. */
struct input {
    struct bytes_view rest;
    size_t part;
    bool is_broken; /* cannot be read to its end */
    unsigned char sha256[DIGEST_SHA256_LEN];
    unsigned n_done;
};

struct inputs {
    struct input *all;
    size_t n, n_begun;
};

static void *next_input(void *ctx)
{
    struct inputs *inputs = ctx;

    return inputs->n_begun < inputs->n ? &inputs->all[inputs->n_begun++] : NULL;
}

static bool read_input(void *ctx, void *input, struct bytes_view *out)
{
    struct input *in = input;
    size_t len = in->part && in->part < in->rest.len ? in->part : in->rest.len;

    (void)ctx;
    if (in->is_broken && in->rest.len <= len)
        return false;
    *out = bytes_view_of(in->rest.data, len);
    in->rest = bytes_view_of(in->rest.data + len, in->rest.len - len);
    return true;
}

static void end_input(void *ctx, void *input, const unsigned char *sha256)
{
    struct input *in = input;

    (void)ctx;
    in->n_done++;
    assert_int_equal(sha256 == NULL, in->is_broken);
    if (sha256)
        memcpy(in->sha256, sha256, sizeof in->sha256);
}

static void run(enum sha256_lanes_kind kind, struct input *all, size_t n)
{
    struct inputs inputs = {.all = all, .n = n};
    struct digest_batch_source source = {
        .next = next_input, .read = read_input, .done = end_input, .ctx = &inputs};

    digest_batch_run(kind, &source);
    assert_int_equal(inputs.n_begun, n);
}

static void assert_hash(const unsigned char *found, const char *wanted)
{
    char text[2 * DIGEST_SHA256_LEN + 1];

    encoding_hex(text, found, DIGEST_SHA256_LEN);
    assert_string_equal(text, wanted);
}

/* FIPS 180-4's examples, and of NIST's CAVP (SHA256ShortMsg). */
static void digest_batch_accepts_published_vectors(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *sha256;
    } vectors[] = {
        {"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        {"\xd3", 1, "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
        {"\x11\xaf", 2, "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"},
    };
    enum { N = sizeof vectors / sizeof *vectors };
    struct input inputs[N * 7];
    size_t i, k;

    (void)state;
    for (k = 0; k < N_KINDS; k++) {
        if (!sha256_lanes_has(kinds[k]))
            continue;
        for (i = 0; i < N * 7; i++)
            inputs[i] = (struct input){
                .rest = bytes_view_of(vectors[i % N].text, vectors[i % N].len), .part = i / N};
        run(kinds[k], inputs, N * 7);
        for (i = 0; i < N * 7; i++)
            assert_hash(inputs[i].sha256, vectors[i % N].sha256);
    }
}

/* FIPS 180-4: a million times "a"; in each lane. */
static void digest_batch_accepts_long_messages(void **state)
{
    enum { LEN = 1000000 };
    struct input inputs[SHA256_LANES_MAX + 3];
    char *text = alloc_array(LEN, 1);
    size_t i, k;

    (void)state;
    memset(text, 'a', LEN);
    for (k = 0; k < N_KINDS; k++) {
        if (!sha256_lanes_has(kinds[k]))
            continue;
        for (i = 0; i < SHA256_LANES_MAX + 3; i++)
            inputs[i] = (struct input){.rest = bytes_view_of(text, LEN), .part = i * 4999};
        run(kinds[k], inputs, SHA256_LANES_MAX + 3);
        for (i = 0; i < SHA256_LANES_MAX + 3; i++)
            assert_hash(inputs[i].sha256,
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
    free(text);
}

/* The first of NIST's CAVP SHA256Monte: a thousand hashes, each of the three before. */
static void digest_batch_accepts_monte_carlo(void **state)
{
    static const char seed[] = "6d1e72ad03ddeb5de891e572e2396f8da015d899ef0e79503152d6010a3fe691";
    unsigned char text[3 * DIGEST_SHA256_LEN];
    struct input inputs[SHA256_LANES_MAX];
    size_t i, k, round;

    (void)state;
    for (k = 0; k < N_KINDS; k++) {
        if (!sha256_lanes_has(kinds[k]))
            continue;
        for (i = 0; i < 3; i++)
            assert_true(encoding_unhex(text + i * DIGEST_SHA256_LEN, DIGEST_SHA256_LEN,
                                       bytes_view_str(seed)));
        for (round = 0; round < ROUNDS; round++) {
            for (i = 0; i < SHA256_LANES_MAX; i++)
                inputs[i] = (struct input){.rest = bytes_view_of(text, sizeof text)};
            run(kinds[k], inputs, SHA256_LANES_MAX);
            memmove(text, text + DIGEST_SHA256_LEN, sizeof text - DIGEST_SHA256_LEN);
            memcpy(text + 2 * DIGEST_SHA256_LEN, inputs[round % SHA256_LANES_MAX].sha256,
                   DIGEST_SHA256_LEN);
        }
        assert_hash(text + 2 * DIGEST_SHA256_LEN,
                    "e93c330ae5447738c8aa85d71a6c80f2a58381d05872d26bdd39f1fcd4f2b788");
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Lengths below 300 mostly, some far above; some in parts, some broken. */
static void choose(struct input *inputs, size_t n, const char *pool, uint64_t *seed)
{
    size_t i, len;

    for (i = 0; i < n; i++) {
        len = next_random(seed) % (next_random(seed) % 64 ? 300 : 20000);
        inputs[i] =
            (struct input){.rest = bytes_view_of(pool + next_random(seed) % (POOL / 2), len),
                           .is_broken = next_random(seed) % 101 == 0};
        if (next_random(seed) % 3 == 0)
            inputs[i].part = 1 + next_random(seed) % MAX_PART;
    }
}

/* More than a million inputs altogether, each compared with OpenSSL. */
static void digest_batch_accepts_random_inputs(void **state)
{
    enum { AT_ONCE = 5000 };
    struct input *inputs = alloc_array(AT_ONCE, sizeof *inputs);
    struct bytes_view *texts = alloc_array(AT_ONCE, sizeof *texts);
    char *pool = alloc_array(POOL, 1);
    struct hallmark_error err = {0};
    struct digest *digest = digest_new(DIGEST_SHA256, &err);
    struct digest_value value;
    uint64_t seed = 0x9e3779b97f4a7c15;
    size_t i, k, n, done;

    (void)state;
    for (i = 0; i < POOL; i++)
        pool[i] = (char)next_random(&seed);
    for (k = 0; k < N_KINDS; k++) {
        for (done = 0; sha256_lanes_has(kinds[k]) && done < N_RANDOM; done += n) {
            n = done % 7 ? AT_ONCE : AT_ONCE - 13;
            choose(inputs, n, pool, &seed);
            for (i = 0; i < n; i++)
                texts[i] = inputs[i].rest;
            run(kinds[k], inputs, n);
            for (i = 0; i < n; i++) {
                assert_int_equal(inputs[i].n_done, 1);
                if (inputs[i].is_broken)
                    continue;
                assert_true(digest_update(digest, texts[i].data, texts[i].len, &err));
                assert_true(digest_final(digest, &value, &err));
                assert_memory_equal(value.sha256, inputs[i].sha256, sizeof value.sha256);
            }
        }
    }
    digest_free(digest);
    free(pool);
    free(texts);
    free(inputs);
}

static void digest_batch_accepts_few_inputs(void **state)
{
    struct input inputs[SHA256_LANES_MAX];
    size_t i, k, n;

    (void)state;
    for (k = 0; k < N_KINDS; k++) {
        if (!sha256_lanes_has(kinds[k]))
            continue;
        assert_true(digest_batch_is_sound(kinds[k]));
        for (n = 0; n < SHA256_LANES_MAX; n++) {
            for (i = 0; i < n; i++)
                inputs[i] = (struct input){.rest = bytes_view_str("abc"), .is_broken = i % 5 == 4};
            run(kinds[k], inputs, n);
            for (i = 0; i < n; i++)
                if (!inputs[i].is_broken)
                    assert_hash(inputs[i].sha256,
                                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        }
    }
}

static void digest_batch_accepts_names(void **state)
{
    struct hallmark_error err = {0};
    enum sha256_lanes_kind kind;

    (void)state;
    assert_true(digest_batch_find(NULL, &kind, &err));
    assert_true(sha256_lanes_has(kind));
    assert_true(digest_batch_find("auto", &kind, &err));
    assert_true(digest_batch_find("openssl", &kind, &err));
    assert_int_equal(kind, SHA256_LANES_OPENSSL);
    assert_int_equal(digest_batch_find("avx2", &kind, &err), sha256_lanes_has(SHA256_LANES_AVX2));
}

static void digest_batch_rejects_other_names(void **state)
{
    struct hallmark_error err = {0};
    enum sha256_lanes_kind kind;

    (void)state;
    assert_false(digest_batch_find("md5", &kind, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE,
                        "\"md5\" is no way to hash: auto, openssl, avx2 or avx512");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_batch_accepts_published_vectors),
        cmocka_unit_test(digest_batch_accepts_long_messages),
        cmocka_unit_test(digest_batch_accepts_monte_carlo),
        cmocka_unit_test(digest_batch_accepts_random_inputs),
        cmocka_unit_test(digest_batch_accepts_few_inputs),
        cmocka_unit_test(digest_batch_accepts_names),
        cmocka_unit_test(digest_batch_rejects_other_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
