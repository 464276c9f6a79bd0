/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* index_stamps: lines are accepted or refused. The input is what follows the first line, which has
 * its checksum; and once more, all of the file. */
#include <stdint.h>

#include "base/encoding.h"
#include "crypto/checksum.h"
#include "invariant.h"
#include "repo/index_stamps.h"

#define RELEASE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void check(struct bytes_view text)
{
    struct hallmark_error err = {0};
    struct index_stamps *stamps = index_stamps_parse(text, RELEASE, &err);

    invariant_error(stamps != NULL, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    index_stamps_free(stamps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {0};
    uint64_t sum = checksum_xxh3(bytes_view_of(data, size));
    unsigned char bytes[sizeof sum];
    char hex[2 * sizeof sum + 1];
    size_t i;

    check(bytes_view_of(data, size));
    for (i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(sum >> 8 * i);
    encoding_hex(hex, bytes, sizeof bytes);
    bytes_printf(&text, "hallmark-stamps 1 " RELEASE " %s\n", hex);
    if (size)
        bytes_append(&text, data, size);
    check(bytes_view(&text));
    bytes_free(&text);
    return 0;
}
