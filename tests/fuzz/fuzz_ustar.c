/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ustar: a header that is accepted is the one that would be written. The input is a path and a
 * size. */
#include <stdint.h>
#include <string.h>

#include "format/ustar.h"
#include "invariant.h"

/* As it is, and as a header with a right sum of what can be a header. */
static void check(struct bytes_view block)
{
    struct ustar_file file, again;
    struct hallmark_error err = {0};
    char written[USTAR_BLOCK];
    bool ok = ustar_parse(&file, block, &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (!ok)
        return;
    INVARIANT(ustar_write(&file, written, NULL));
    INVARIANT(memcmp(written, block.data, USTAR_BLOCK) == 0);
    INVARIANT(ustar_parse(&again, bytes_view_of(written, sizeof written), NULL));
    INVARIANT(strcmp(again.path, file.path) == 0 && again.size == file.size);
    INVARIANT(file.path[0] != '/' && !strstr(file.path, "/../"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ustar_file file = {.size = size};
    char block[USTAR_BLOCK];

    check(bytes_view_of(data, size < USTAR_BLOCK ? size : USTAR_BLOCK));
    if (size == 0 || size > USTAR_PATH_LEN || memchr(data, '\0', size))
        return 0;
    memcpy(file.path, data, size);
    if (ustar_write(&file, block, NULL))
        check(bytes_view_of(block, sizeof block));
    return 0;
}
