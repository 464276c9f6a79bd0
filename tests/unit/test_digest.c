/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The published examples of FIPS 180-4 (NIST, "Examples with Intermediate Values") and its two test
 * suites: empty, "abc", 448 and 896 bits, one million times "a". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "crypto/digest.h"

#define BITS_448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define BITS_896                                                                                   \
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"                                     \
    "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

static const struct {
    const char *text, *sha256, *sha512;
} examples[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
     "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {BITS_448, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
     "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
     "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445"},
    {BITS_896, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
     "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
};

static const char million_sha256[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
static const char million_sha512[] =
    "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
    "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b";

static void assert_hex(const unsigned char *value, size_t len, const char *wanted)
{
    char text[2 * DIGEST_SHA512_LEN + 1];

    encoding_hex(text, value, len);
    assert_string_equal(text, wanted);
}

static void digest_accepts_published_examples(void **state)
{
    struct hallmark_error err = {0};
    struct digest_value value;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof examples / sizeof *examples; i++) {
        assert_true(digest_bytes(DIGEST_SHA256 | DIGEST_SHA512, bytes_view_str(examples[i].text),
                                 &value, &err));
        assert_hex(value.sha256, sizeof value.sha256, examples[i].sha256);
        assert_hex(value.sha512, sizeof value.sha512, examples[i].sha512);
    }
    assert_int_equal(err.code, HALLMARK_OK);
}

/* In pieces of every length up to some hundred bytes, which are no multiples of a block. */
static void digest_accepts_a_million_in_pieces(void **state)
{
    enum { TOTAL = 1000000, LONGEST = 311 };
    struct digest *digest = digest_new(DIGEST_SHA256 | DIGEST_SHA512, NULL);
    struct digest_value value;
    char piece[LONGEST];
    size_t left = TOTAL, len = 0;

    (void)state;
    assert_non_null(digest);
    memset(piece, 'a', sizeof piece);
    while (left) {
        len = len % LONGEST + 1;
        if (len > left)
            len = left;
        assert_true(digest_update(digest, piece, len, NULL));
        left -= len;
    }
    assert_true(digest_final(digest, &value, NULL));
    assert_hex(value.sha256, sizeof value.sha256, million_sha256);
    assert_hex(value.sha512, sizeof value.sha512, million_sha512);
    digest_free(digest);
}

static void digest_accepts_one_after_another(void **state)
{
    struct digest *digest = digest_new(DIGEST_SHA256, NULL);
    struct digest_value value;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof examples / sizeof *examples; i++) {
        assert_true(digest_update(digest, examples[i].text, strlen(examples[i].text), NULL));
        assert_true(digest_final(digest, &value, NULL));
        assert_hex(value.sha256, sizeof value.sha256, examples[i].sha256);
    }
    digest_free(digest);
}

static void digest_accepts_only_what_is_asked_for(void **state)
{
    static const unsigned char zero[DIGEST_SHA512_LEN] = {0};
    struct digest_value value;

    (void)state;
    memset(&value, 1, sizeof value);
    assert_true(digest_bytes(DIGEST_SHA256, bytes_view_str("abc"), &value, NULL));
    assert_hex(value.sha256, sizeof value.sha256, examples[1].sha256);
    assert_memory_equal(value.sha512, zero, sizeof value.sha512);
    memset(&value, 1, sizeof value);
    assert_true(digest_bytes(DIGEST_SHA512, bytes_view_str("abc"), &value, NULL));
    assert_hex(value.sha512, sizeof value.sha512, examples[1].sha512);
    assert_memory_equal(value.sha256, zero, sizeof value.sha256);
    digest_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_accepts_published_examples),
        cmocka_unit_test(digest_accepts_a_million_in_pieces),
        cmocka_unit_test(digest_accepts_one_after_another),
        cmocka_unit_test(digest_accepts_only_what_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
