/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XXH3_64bits with seed 0; the lengths take the different paths of the algorithm (xxhash_spec.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/checksum.h"

/* The input of xxHash's own sanity test (tests/sanity_test.c). */
static void fill(unsigned char *out, size_t len)
{
    const uint64_t prime64 = 11400714785074694797ULL;
    uint64_t generator = 2654435761U;
    size_t i;

    for (i = 0; i < len; i++) {
        out[i] = (unsigned char)(generator >> 56);
        generator *= prime64;
    }
}

static void checksum_accepts_published_values(void **state)
{
    /* XXH3_64bits, seed 0, of xxHash's sanity test. */
    static const struct {
        size_t len;
        uint64_t value;
    } examples[] = {
        {0, 0x2D06800538D394C2ULL},    {1, 0xC44BDFF4074EECDBULL},    {6, 0x27B56A84CD2D7325ULL},
        {12, 0xA713DAF0DFBB77E7ULL},   {24, 0xA3FE70BF9D3510EBULL},   {48, 0x397DA259ECBA1F11ULL},
        {80, 0xBCDEFBBB2C47C90AULL},   {195, 0xCD94217EE362EC3AULL},  {403, 0xCDEB804D65C6DEA4ULL},
        {512, 0x617E49599013CB6BULL},  {2048, 0xDD59E2C3A5F038E0ULL}, {2240, 0x6E73A90539CF2948ULL},
        {2367, 0xCB37AEB9E5D361EDULL},
    };
    unsigned char data[2367];
    size_t i;

    (void)state;
    fill(data, sizeof data);
    for (i = 0; i < sizeof examples / sizeof *examples; i++)
        assert_int_equal(checksum_xxh3(bytes_view_of(data, examples[i].len)), examples[i].value);
    for (i = 0; i <= examples[12].len; i++) {
        const struct bytes_view parts[] = {
            bytes_view_of(data, i / 2),
            bytes_view_of(data + i / 2, i - i / 2),
            bytes_view_of(data + i, examples[12].len - i),
        };

        assert_int_equal(checksum_xxh3_parts(parts, 3), examples[12].value);
    }
    assert_int_equal(checksum_xxh3_parts(NULL, 0), examples[0].value);
}

static void checksum_rejects_every_flipped_bit(void **state)
{
    unsigned char data[100];
    uint64_t whole;
    size_t i;

    (void)state;
    fill(data, sizeof data);
    whole = checksum_xxh3(bytes_view_of(data, sizeof data));
    for (i = 0; i < sizeof data * 8; i++) {
        data[i / 8] ^= (unsigned char)(1 << i % 8);
        assert_int_not_equal(checksum_xxh3(bytes_view_of(data, sizeof data)), whole);
        data[i / 8] ^= (unsigned char)(1 << i % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum_accepts_published_values),
        cmocka_unit_test(checksum_rejects_every_flipped_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
