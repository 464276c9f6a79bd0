/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Headers of ustar. What is read is compared with what would have been written. */
#include "format/ustar.h"

#include <stdio.h>
#include <string.h>

#include "base/path.h"

enum {
    NAME_AT = 0,
    NAME_LEN = 100,
    MODE_AT = 100,
    UID_AT = 108,
    GID_AT = 116,
    SIZE_AT = 124,
    SIZE_LEN = 11,
    TIME_AT = 136,
    SUM_AT = 148,
    SUM_LEN = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    MAGIC_LEN = 8,
    MAJOR_AT = 329,
    MINOR_AT = 337,
    PREFIX_AT = 345,
    PREFIX_LEN = 155,
};

static const char magic[MAGIC_LEN] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};

size_t ustar_padding(uint64_t size)
{
    return (size_t)((USTAR_BLOCK - size % USTAR_BLOCK) % USTAR_BLOCK);
}

bool ustar_is_header(struct bytes_view block)
{
    return block.len >= USTAR_BLOCK && memcmp(block.data + MAGIC_AT, magic, MAGIC_LEN) == 0 &&
           block.data[NAME_AT] != '\0';
}

/* The longest name that fits, behind the "/" that ends the prefix; NULL where there is none. */
static const char *split(const char *path)
{
    const char *slash;

    if (strlen(path) <= NAME_LEN)
        return path;
    for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
        if (strlen(slash + 1) <= NAME_LEN)
            return slash - path <= PREFIX_LEN ? slash + 1 : NULL;
    return NULL;
}

static void put_sum(char block[USTAR_BLOCK])
{
    unsigned sum = 0;
    size_t i;

    memset(block + SUM_AT, ' ', SUM_LEN);
    for (i = 0; i < USTAR_BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(block + SUM_AT, SUM_LEN - 1, "%06o", sum);
}

bool ustar_write(const struct ustar_file *file, char out[USTAR_BLOCK], struct hallmark_error *err)
{
    const char *name = split(file->path);
    char size[32];

    if (!name)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: the path is too long for a bundle",
                         file->path);
    if (file->size >> 33)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: is too large for a bundle: 8 GiB or more",
                         file->path);
    memset(out, 0, USTAR_BLOCK);
    memcpy(out + NAME_AT, name, strlen(name));
    if (name > file->path)
        memcpy(out + PREFIX_AT, file->path, (size_t)(name - file->path - 1));
    memcpy(out + MODE_AT, "0000644", 7);
    memcpy(out + UID_AT, "0000000", 7);
    memcpy(out + GID_AT, "0000000", 7);
    snprintf(size, sizeof size, "%011jo", (uintmax_t)file->size);
    memcpy(out + SIZE_AT, size, SIZE_LEN);
    memcpy(out + TIME_AT, "00000000000", 11);
    out[TYPE_AT] = '0';
    memcpy(out + MAGIC_AT, magic, MAGIC_LEN);
    memcpy(out + MAJOR_AT, "0000000", 7);
    memcpy(out + MINOR_AT, "0000000", 7);
    put_sum(out);
    return true;
}

static bool read_size(const char *digits, uint64_t *out)
{
    size_t i;

    *out = 0;
    for (i = 0; i < SIZE_LEN; i++) {
        if (digits[i] < '0' || digits[i] > '7')
            return false;
        *out = *out * 8 + (uint64_t)(digits[i] - '0');
    }
    return true;
}

bool ustar_parse(struct ustar_file *out, struct bytes_view block, struct hallmark_error *err)
{
    struct ustar_file file = {.size = 0};
    char again[USTAR_BLOCK], name[NAME_LEN + 1] = "", prefix[PREFIX_LEN + 1] = "";

    if (!ustar_is_header(block))
        return error_set(err, HALLMARK_ERR_MALFORMED, "is no header of ustar");
    memcpy(name, block.data + NAME_AT, NAME_LEN);
    memcpy(prefix, block.data + PREFIX_AT, PREFIX_LEN);
    snprintf(file.path, sizeof file.path, "%s%s%.100s", prefix, *prefix ? "/" : "", name);
    if (!path_check(bytes_view_str(file.path), "the name of a member", err))
        return false;
    if (!read_size(block.data + SIZE_AT, &file.size) || !ustar_write(&file, again, NULL) ||
        memcmp(again, block.data, USTAR_BLOCK) != 0)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: is no regular file as a bundle has it, or its header is damaged",
                         file.path);
    *out = file;
    return true;
}
