/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cleartext signature framework: RFC 4880 section 7, RFC 9580 section 7. Only what needs no
 * repair is accepted, so that the text here is byte for byte the text in the document.
 */
#include "format/clearsign.h"

#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "base/limits.h"
#include "format/armor.h"

/* The lines of a document. */
struct lines {
    struct bytes_view rest, line;
    size_t number; /* of LINE, from 1 */
    const char *what;
    struct hallmark_error *err;
};

static bool fail(const struct lines *l, const char *fault)
{
    return error_set(l->err, HALLMARK_ERR_SIGNATURE, "%s: line %zu %s", l->what, l->number, fault);
}

static bool next_line(struct lines *l)
{
    const char *end = l->rest.data + l->rest.len;

    l->number++;
    if (!bytes_view_next_line(&l->rest, &l->line))
        return fail(l, "is missing");
    if (l->line.data + l->line.len == end)
        return fail(l, "has no newline at its end");
    return true;
}

static const char *character_fault(struct bytes_view rest)
{
    size_t len;
    unsigned code;

    for (;;) {
        len = encoding_count_plain(rest);
        rest = bytes_view_of(rest.data + len, rest.len - len);
        if (rest.len == 0)
            return NULL;
        len = 1;
        code = (unsigned char)rest.data[0];
        if (code >= 0x80)
            len = encoding_utf8(rest, &code);
        if (len == 0)
            return "is not UTF-8";
        if (code == '\r')
            return "holds a carriage return; lines end with a newline alone";
        if (!encoding_is_printable(code))
            return "holds a character that is not printable";
        rest.data += len;
        rest.len -= len;
    }
}

/* What ends a text line for some readers and not for others, or starts something else. */
static const char *frame_fault(struct bytes_view line)
{
    if (line.len && line.data[0] == '-')
        return "starts with \"-\"";
    if (memchr(line.data, '\r', line.len) || memchr(line.data, '\0', line.len))
        return "holds a carriage return or a NUL";
    return NULL;
}

static const char *text_fault(struct bytes_view line)
{
    if (line.len > LIMITS_LINE_BYTES)
        return "is longer than 4096 bytes";
    if (line.len && line.data[0] == '-')
        return "starts with \"-\"";
    if (line.len && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
        return "has blanks at its end";
    return character_fault(line);
}

static bool read_begin(struct lines *l)
{
    if (l->rest.len == 0)
        return error_set(l->err, HALLMARK_ERR_SIGNATURE, "%s: is empty", l->what);
    if (!next_line(l))
        return false;
    return bytes_view_equals(l->line, "-----BEGIN PGP SIGNED MESSAGE-----") ||
           fail(l, "is not \"-----BEGIN PGP SIGNED MESSAGE-----\"");
}

static bool read_digest(struct lines *l, char digest[8])
{
    static const char *const headers[] = {"Hash: SHA256", "Hash: SHA384", "Hash: SHA512"};
    size_t i;

    if (!next_line(l))
        return false;
    for (i = 0; i < sizeof headers / sizeof *headers; i++)
        if (bytes_view_equals(l->line, headers[i])) {
            strcpy(digest, headers[i] + strlen("Hash: "));
            return next_line(l) &&
                   (l->line.len == 0 || fail(l, "is not the empty line behind one Hash header"));
        }
    return fail(l, "is not \"Hash: \" and one of SHA256, SHA384 and SHA512");
}

typedef const char *fault_fn(struct bytes_view line);

/* The lines up to the BEGIN line of the signatures, which is put back. */
static bool read_text(struct lines *l, fault_fn *find_fault, struct bytes_view *text)
{
    const char *fault;

    for (text->data = l->rest.data;; text->len = (size_t)(l->rest.data - text->data)) {
        if (!next_line(l))
            return false;
        if (bytes_view_equals(l->line, "-----BEGIN PGP SIGNATURE-----"))
            break;
        fault = find_fault(l->line);
        if (fault)
            return fail(l, fault);
    }
    if (text->len == 0)
        return error_set(l->err, HALLMARK_ERR_SIGNATURE, "%s: the signed text is empty", l->what);
    l->rest.len += (size_t)(l->rest.data - l->line.data);
    l->rest.data = l->line.data;
    return true;
}

/* The signatures, with which the document ends. */
static bool read_signatures(struct lines *l, struct bytes *out)
{
    if (l->rest.len > LIMITS_SIGNATURE_BYTES)
        return error_set(l->err, HALLMARK_ERR_SIGNATURE,
                         "%s: %zu bytes behind the signed text, at most %d are wanted", l->what,
                         l->rest.len, LIMITS_SIGNATURE_BYTES);
    if (!armor_decode(&l->rest, "SIGNATURE", l->what, out, l->err))
        return false;
    if (l->rest.len)
        return error_set(l->err, HALLMARK_ERR_SIGNATURE,
                         "%s: %zu bytes behind the end of the signature, none are wanted", l->what,
                         l->rest.len);
    return true;
}

static bool split_document(struct clearsign *out, struct lines *l)
{
    return read_begin(l) && read_digest(l, out->digest) && read_text(l, text_fault, &out->text) &&
           read_signatures(l, &out->signatures);
}

bool clearsign_split(struct clearsign *out, struct bytes_view document, const char *what,
                     struct hallmark_error *err)
{
    struct lines lines = {.rest = document, .what = what, .err = err};
    struct clearsign split = {0};

    if (!split_document(&split, &lines)) {
        clearsign_free(&split);
        return false;
    }
    *out = split;
    return true;
}

/* Headers that say "Hash", or none, and the empty line behind them. */
static bool pass_headers(struct lines *l)
{
    static const char name[] = "Hash: ";

    do {
        if (!next_line(l))
            return false;
        if (l->line.len == 0)
            return true;
    } while (l->line.len > sizeof name - 1 && memcmp(l->line.data, name, sizeof name - 1) == 0 &&
             !frame_fault(l->line));
    return fail(l, "is neither a Hash header nor the empty line behind them");
}

bool clearsign_unwrap(struct bytes_view *out, struct bytes_view document, const char *what,
                      struct hallmark_error *err)
{
    struct hallmark_error why = {0};
    struct lines lines = {.rest = document, .what = what, .err = &why};
    struct bytes signatures = {0};
    struct bytes_view text = {NULL, 0};
    bool ok = read_begin(&lines) && pass_headers(&lines) && read_text(&lines, frame_fault, &text) &&
              read_signatures(&lines, &signatures);

    bytes_free(&signatures);
    if (!ok)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s", why.text);
    *out = text;
    return true;
}

void clearsign_free(struct clearsign *split)
{
    if (!split)
        return;
    bytes_free(&split->signatures);
    *split = (struct clearsign){0};
}

bool clearsign_check_text(struct bytes_view text, const char *what, struct hallmark_error *err)
{
    struct lines lines = {.rest = text, .what = what, .err = err};
    const char *fault;

    if (text.len == 0)
        return error_set(err, HALLMARK_ERR_SIGNATURE, "%s: is empty", what);
    while (lines.rest.len) {
        if (!next_line(&lines))
            return false;
        fault = text_fault(lines.line);
        if (fault)
            return fail(&lines, fault);
    }
    return true;
}

bool clearsign_is_clearsigned(struct bytes_view document)
{
    static const char begin[] = "-----BEGIN PGP SIGNED MESSAGE-----";

    return document.len >= sizeof begin - 1 && memcmp(document.data, begin, sizeof begin - 1) == 0;
}
