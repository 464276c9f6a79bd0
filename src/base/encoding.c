/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hexadecimal, base64, and text that is safe to show. */
#include "base/encoding.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

void encoding_hex(char *out, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = data;
    size_t i;

    for (i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

/* The value of each digit, and 1; 0: it is none. */
static const unsigned char hex_digits[UCHAR_MAX + 1] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

bool encoding_unhex(unsigned char *out, size_t len, struct bytes_view text)
{
    const unsigned char *digits = (const unsigned char *)text.data;
    size_t i;

    if (text.len != 2 * len)
        return false;
    for (i = 0; i < len; i++) {
        unsigned high = hex_digits[digits[2 * i]], low = hex_digits[digits[2 * i + 1]];

        if (!high || !low)
            return false;
        out[i] = (unsigned char)((high - 1) << 4 | (low - 1));
    }
    return true;
}

void encoding_base64(struct bytes *out, struct bytes_view data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char in[3];
    size_t i, n, k;
    char group[4];

    for (i = 0; i < data.len; i += n) {
        n = data.len - i < sizeof in ? data.len - i : sizeof in;
        memset(in, 0, sizeof in);
        memcpy(in, data.data + i, n);
        group[0] = digits[in[0] >> 2];
        group[1] = digits[(in[0] & 3) << 4 | in[1] >> 4];
        group[2] = digits[(in[1] & 15) << 2 | in[2] >> 6];
        group[3] = digits[in[2] & 63];
        for (k = n + 1; k < sizeof group; k++)
            group[k] = '=';
        bytes_append(out, group, sizeof group);
    }
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* One group of four characters, of which the last N_PAD are "=". */
static bool unbase64_group(struct bytes *out, const char *group, size_t n_pad)
{
    unsigned char three[3];
    uint32_t bits = 0;
    size_t i;

    for (i = 0; i < 4; i++) {
        int digit = i < 4 - n_pad ? base64_digit(group[i]) : 0;

        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
    }
    if (bits & ((1u << (8 * n_pad)) - 1))
        return false; /* bits that the padding says are not there */
    three[0] = (unsigned char)(bits >> 16);
    three[1] = (unsigned char)(bits >> 8);
    three[2] = (unsigned char)bits;
    bytes_append(out, three, 3 - n_pad);
    return true;
}

bool encoding_unbase64(struct bytes *out, struct bytes_view text)
{
    size_t i, n_pad = 0;

    if (text.len % 4 != 0)
        return false;
    if (text.len && text.data[text.len - 1] == '=')
        n_pad = text.data[text.len - 2] == '=' ? 2 : 1;
    for (i = 0; i < text.len; i += 4)
        if (!unbase64_group(out, text.data + i, i + 4 == text.len ? n_pad : 0))
            return false;
    return true;
}

size_t encoding_utf8(struct bytes_view text, unsigned *code)
{
    static const struct {
        unsigned char mask, lead;
        unsigned least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const unsigned char *p = (const unsigned char *)text.data;
    size_t form, i;

    if (text.len == 0)
        return 0;
    for (form = 0; form < 4; form++)
        if ((p[0] & forms[form].mask) == forms[form].lead)
            break;
    if (form == 4 || text.len < form + 1)
        return 0;
    *code = p[0] & (unsigned char)~forms[form].mask;
    for (i = 1; i <= form; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3f);
    }
    if (*code < forms[form].least || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
        return 0;
    return form + 1;
}

bool encoding_is_printable(unsigned code)
{
    static const struct {
        unsigned first, last;
    } hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
        {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff0, 0xffff}, {0xe0000, 0x10ffff},
    };
    size_t i;

    for (i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (code >= hidden[i].first && code <= hidden[i].last)
            return false;
    return true;
}

/* Whether all eight characters at TEXT are printable ASCII: below 0x80, not 0x7f, not below 0x20.
 * What carries from one byte to the next comes from one that is not. */
static bool is_plain_word(const char *text)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101);
    static const uint64_t high = UINT64_C(0x8080808080808080);
    uint64_t word;

    memcpy(&word, text, sizeof word);
    return ((word | (word + ones) | ~((word | high) - 0x20 * ones)) & high) == 0;
}

size_t encoding_count_plain(struct bytes_view text)
{
    static const size_t len = sizeof(uint64_t);
    size_t n = 0;

    while (text.len - n >= len && is_plain_word(text.data + n))
        n += len;
    /* What is left of the last word, with some that were looked at already. */
    if (n && text.len - n < len && is_plain_word(text.data + text.len - len))
        return text.len;
    while (n < text.len && text.data[n] >= 0x20 && text.data[n] < 0x7f)
        n++;
    return n;
}

bool encoding_is_printable_text(struct bytes_view text)
{
    size_t len;
    unsigned code;

    for (; text.len; text.data += len, text.len -= len) {
        len = encoding_count_plain(text);
        if (len)
            continue;
        len = encoding_utf8(text, &code);
        if (len == 0 || !encoding_is_printable(code))
            return false;
    }
    return true;
}

void encoding_escape(char *out, size_t out_len, const char *text, size_t len)
{
    struct bytes_view rest = bytes_view_of(text, len);
    size_t used = 0, n, room;
    unsigned code;

    while (rest.len) {
        n = encoding_utf8(rest, &code);
        room = n && encoding_is_printable(code) ? n : 4;
        if (used + room + 1 > out_len)
            break;
        if (n && encoding_is_printable(code)) {
            memcpy(out + used, rest.data, n);
        } else {
            memcpy(out + used, "\\x", 2);
            n = 1;
            out[used + 2] = "0123456789abcdef"[(unsigned char)rest.data[0] >> 4];
            out[used + 3] = "0123456789abcdef"[(unsigned char)rest.data[0] & 15];
        }
        used += room;
        rest.data += n;
        rest.len -= n;
    }
    out[used] = '\0';
}

bool encoding_parse_size(struct bytes_view text, uint64_t *out)
{
    size_t i;

    if (text.len == 0 || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (*out = 0, i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(text.data[i] - '0'), out) || *out > INT64_MAX)
            return false;
    }
    return true;
}
