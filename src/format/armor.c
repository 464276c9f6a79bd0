/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ASCII armor of OpenPGP: RFC 4880 section 6, RFC 9580 section 6. One spelling only: what RFC 4880
 * lets a reader repair is refused.
 */
#include "format/armor.h"

#include <stdint.h>
#include <string.h>

#include "base/encoding.h"
#include "base/limits.h"

enum {
    ARMOR_LINE_LEN = 76, /* RFC 4880 section 6.3 */
    CRC_TEXT_LEN = 5,    /* "=" and four digits */
    SHOWN_LEN = 64,      /* of a line in a message */
};

/* The lines of one block, counted from its BEGIN line. */
struct block {
    struct bytes_view rest, line;
    size_t number;
    const char *kind, *what;
    struct hallmark_error *err;
};

static bool fail(const struct block *b, const char *fault)
{
    return error_set(b->err, HALLMARK_ERR_SIGNATURE, "%s: line %zu of the PGP %s %s", b->what,
                     b->number, b->kind, fault);
}

static bool next_line(struct block *b)
{
    const char *end = b->rest.data + b->rest.len;

    b->number++;
    if (!bytes_view_next_line(&b->rest, &b->line))
        return fail(b, "is missing");
    if (b->line.data + b->line.len == end)
        return fail(b, "has no newline at its end");
    return true;
}

/* Whether the current line is "-----EDGE PGP KIND-----". */
static bool is_edge(const struct block *b, const char *edge)
{
    const char *parts[] = {"-----", edge, " PGP ", b->kind, "-----"};
    struct bytes_view line = b->line;
    size_t i, len;

    for (i = 0; i < sizeof parts / sizeof *parts; i++) {
        len = strlen(parts[i]);
        if (line.len < len || memcmp(line.data, parts[i], len) != 0)
            return false;
        line.data += len;
        line.len -= len;
    }
    return line.len == 0;
}

static bool read_begin(struct block *b)
{
    if (b->rest.len == 0)
        return error_set(b->err, HALLMARK_ERR_SIGNATURE, "%s: no PGP %s", b->what, b->kind);
    if (!next_line(b))
        return false;
    if (is_edge(b, "BEGIN"))
        return true;
    return error_set(b->err, HALLMARK_ERR_SIGNATURE,
                     "%s: \"%.*s\" where \"-----BEGIN PGP %s-----\" is wanted", b->what,
                     b->line.len < SHOWN_LEN ? (int)b->line.len : SHOWN_LEN, b->line.data, b->kind);
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* "Name: value": RFC 4880 section 6.2. */
static const char *header_fault(struct bytes_view line)
{
    size_t name_len = 0;

    if (line.len > LIMITS_LINE_BYTES)
        return "is longer than 4096 bytes";
    while (name_len < line.len && is_name_char(line.data[name_len]))
        name_len++;
    if (name_len == 0 || line.len < name_len + 3 || memcmp(line.data + name_len, ": ", 2) != 0)
        return "is neither a header \"Name: value\" nor empty";
    if (line.data[line.len - 1] == ' ')
        return "has blanks at its end";
    return encoding_is_printable_text(line) ? NULL : "is not printable UTF-8";
}

static bool read_headers(struct block *b)
{
    const char *fault;

    while (next_line(b)) {
        if (b->line.len == 0)
            return true;
        fault = header_fault(b->line);
        if (fault)
            return fail(b, fault);
    }
    return false;
}

static bool is_body(struct bytes_view line)
{
    return line.len == 0 || (line.data[0] != '=' && line.data[0] != '-');
}

/* The base64 lines; the line behind them is the current one afterwards. */
static bool read_body(struct block *b, struct bytes *out)
{
    size_t full_len = 0;
    bool last = false; /* a short or padded line was there */

    while (next_line(b)) {
        if (!is_body(b->line))
            return full_len ? true : fail(b, "ends a block that holds nothing");
        if (full_len == 0)
            full_len = b->line.len;
        if (last || b->line.len == 0 || b->line.len > full_len || full_len > ARMOR_LINE_LEN)
            return fail(b, "has not the length of those before it, or is empty or longer than 76");
        if (!encoding_unbase64(out, b->line))
            return fail(b, "is not base64");
        last = b->line.len < full_len || b->line.data[b->line.len - 1] == '=';
    }
    return false;
}

/* RFC 4880 section 6.1. */
static uint32_t crc24(const char *data, size_t len)
{
    const uint32_t init = 0xb704ce, polynomial = 0x1864cfb;
    uint32_t table[256], crc = init;
    size_t i;
    int bit;

    for (i = 0; i < 256; i++) {
        table[i] = (uint32_t)i << 16;
        for (bit = 0; bit < 8; bit++)
            table[i] = table[i] << 1 ^ (table[i] & 0x800000 ? polynomial : 0);
    }
    for (i = 0; i < len; i++)
        crc = (crc << 8 ^ table[(crc >> 16 ^ (unsigned char)data[i]) & 0xff]) & 0xffffff;
    return crc;
}

static bool check_crc(const struct block *b, const char *data, size_t len)
{
    struct bytes three = {0};
    uint32_t found = 0;
    bool ok;

    ok = b->line.len == CRC_TEXT_LEN &&
         encoding_unbase64(&three, bytes_view_of(b->line.data + 1, CRC_TEXT_LEN - 1)) &&
         three.len == 3;
    if (ok)
        found = (uint32_t)(unsigned char)three.data[0] << 16 |
                (uint32_t)(unsigned char)three.data[1] << 8 | (unsigned char)three.data[2];
    bytes_free(&three);
    if (!ok)
        return fail(b, "is no checksum \"=\" and four base64 digits");
    return found == crc24(data, len) || fail(b, "is a wrong checksum");
}

static bool decode(struct block *b, struct bytes *out)
{
    size_t start = out->len;

    if (!read_begin(b) || !read_headers(b) || !read_body(b, out))
        return false;
    if (b->line.data[0] == '=' &&
        (!check_crc(b, out->data + start, out->len - start) || !next_line(b)))
        return false;
    return is_edge(b, "END") || fail(b, "is not the END line of the block");
}

bool armor_decode(struct bytes_view *text, const char *kind, const char *what, struct bytes *out,
                  struct hallmark_error *err)
{
    struct block block = {.rest = *text, .kind = kind, .what = what, .err = err};
    size_t start = out->len;

    if (!decode(&block, out)) {
        out->len = start;
        return false;
    }
    *text = block.rest;
    return true;
}

void armor_encode(struct bytes_view data, const char *kind, struct bytes *out)
{
    enum { LINE_BYTES = 48 }; /* 64 characters, as gpg writes them */
    uint32_t crc = crc24(data.data, data.len);
    char three[3] = {(char)(crc >> 16), (char)(crc >> 8), (char)crc};
    size_t i;

    bytes_printf(out, "-----BEGIN PGP %s-----\n\n", kind);
    for (i = 0; i < data.len; i += LINE_BYTES) {
        encoding_base64(out, bytes_view_of(data.data + i,
                                           data.len - i < LINE_BYTES ? data.len - i : LINE_BYTES));
        bytes_append_str(out, "\n");
    }
    bytes_append_str(out, "=");
    encoding_base64(out, bytes_view_of(three, sizeof three));
    bytes_printf(out, "\n-----END PGP %s-----\n", kind);
}

bool armor_is_armored(struct bytes_view text)
{
    static const char begin[] = "-----BEGIN PGP ";

    return text.len >= sizeof begin - 1 && memcmp(text.data, begin, sizeof begin - 1) == 0;
}
