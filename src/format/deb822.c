/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * deb822(5), one stanza. Checks every line's bytes before it looks at what they mean; what the
 * values mean is for others to say.
 */
#include "format/deb822.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"

enum { SHOWN_NAME_LEN = 64 }; /* of a field's name in a message */

struct parser {
    struct deb822 stanza;
    size_t cap;
    enum deb822_style style;
    size_t line; /* the current one, from 1 */
    bool open;   /* the last field may be continued */
    bool ended;  /* a blank line stands behind the fields */
    struct hallmark_error *err;
};

static const char *byte_fault(char c)
{
    switch (c) {
    case '\0':
        return "holds a NUL";
    case '\r':
        return "holds a carriage return; lines end with a newline alone";
    default:
        return "holds a control character";
    }
}

/* Controls but the tab, and what is not UTF-8. */
static const char *text_fault(struct bytes_view rest)
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
        if ((code < 0x20 && code != '\t') || (code >= 0x7f && code <= 0x9f))
            return byte_fault(rest.data[0]);
        rest.data += len;
        rest.len -= len;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct bytes_view without_blanks_at_end(struct bytes_view line)
{
    while (line.len && is_blank(line.data[line.len - 1]))
        line.len--;
    return line;
}

static const char *line_fault(struct bytes_view line)
{
    if (line.len > LIMITS_LINE_BYTES)
        return "is longer than 4096 bytes";
    if (line.len && line.data[0] == '\t')
        return "starts with a tab; a continuation line starts with a blank";
    if (without_blanks_at_end(line).len != line.len)
        return "has blanks at its end";
    return text_fault(line);
}

/* dpkg, apt and others do not agree whether blanks alone end a stanza. */
static const char *control_line_fault(struct bytes_view line)
{
    if (line.len > LIMITS_CONTROL_BYTES)
        return "is longer than 524288 bytes";
    if (line.len && without_blanks_at_end(line).len == 0)
        return "holds nothing but blanks";
    return text_fault(line);
}

static bool fail(struct parser *p, const char *fault)
{
    return error_set(p->err, HALLMARK_ERR_MALFORMED, "%s: line %zu %s", p->stanza.what, p->line,
                     fault);
}

static int shown_len(struct bytes_view name)
{
    return name.len < SHOWN_NAME_LEN ? (int)name.len : SHOWN_NAME_LEN;
}

static bool is_name(struct bytes_view name)
{
    size_t i;

    if (name.len == 0 || name.data[0] == '#' || name.data[0] == '-')
        return false;
    for (i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] > '~')
            return false;
    return true;
}

static const struct deb822_field *find(const struct deb822 *stanza, struct bytes_view name)
{
    size_t i;

    for (i = 0; i < stanza->n_fields; i++)
        if (bytes_view_equals_nocase(stanza->fields[i].name, name))
            return &stanza->fields[i];
    return NULL;
}

static bool check_new(struct parser *p, struct bytes_view name)
{
    const struct deb822_field *first = find(&p->stanza, name);

    if (first)
        return error_set(p->err, HALLMARK_ERR_MALFORMED,
                         "%s: line %zu: the field \"%.*s\" was on line %zu already", p->stanza.what,
                         p->line, shown_len(name), name.data, first->line);
    if (p->stanza.n_fields == LIMITS_FIELDS)
        return fail(p, "is one field more than the limit of 256");
    return true;
}

static bool parse_field(struct parser *p, struct bytes_view line)
{
    const char *colon = memchr(line.data, ':', line.len);
    struct bytes_view name = {line.data, colon ? (size_t)(colon - line.data) : 0};
    struct bytes_view value;

    if (!is_name(name))
        return fail(p, "is no field \"Name: value\"");
    if (!check_new(p, name))
        return false;
    value = bytes_view_of(colon + 1, line.len - name.len - 1);
    while (value.len && is_blank(value.data[0])) {
        value.data++;
        value.len--;
    }
    p->stanza.fields =
        alloc_one_more(p->stanza.fields, p->stanza.n_fields, &p->cap, sizeof *p->stanza.fields);
    p->stanza.fields[p->stanza.n_fields++] =
        (struct deb822_field){.name = name, .value = value, .line = p->line};
    p->open = true;
    return true;
}

static bool parse_continuation(struct parser *p, struct bytes_view line)
{
    struct deb822_field *field;

    if (!p->open)
        return fail(p, "continues nothing: no field stands right above it");
    field = &p->stanza.fields[p->stanza.n_fields - 1];
    field->value.len = (size_t)(line.data + line.len - field->value.data);
    return true;
}

static bool parse_line(struct parser *p, struct bytes_view line)
{
    const char *fault = p->style == DEB822_CONTROL ? control_line_fault(line) : line_fault(line);

    if (fault)
        return fail(p, fault);
    line = without_blanks_at_end(line);
    if (line.len == 0) {
        if (p->style == DEB822_STRICT)
            return fail(p, "is blank; one stanza without blank lines is wanted");
        p->ended = p->stanza.n_fields > 0;
        p->open = false;
        return true;
    }
    if (p->style == DEB822_COMMENTS && line.data[0] == '#') {
        p->open = false;
        return true;
    }
    if (p->ended)
        return fail(p, "begins a second stanza; only one is wanted");
    return is_blank(line.data[0]) ? parse_continuation(p, line) : parse_field(p, line);
}

static bool parse(struct parser *p, struct bytes_view text)
{
    struct bytes_view rest = text, line;

    while (bytes_view_next_line(&rest, &line)) {
        p->line++;
        if (!parse_line(p, line))
            return false;
        if (line.data + line.len == text.data + text.len)
            return fail(p, "has no newline at its end");
    }
    if (p->stanza.n_fields == 0)
        return error_set(p->err, HALLMARK_ERR_MALFORMED, "%s: holds no field", p->stanza.what);
    return true;
}

bool deb822_parse(struct deb822 *out, struct bytes_view text, enum deb822_style style,
                  const char *what, struct hallmark_error *err)
{
    struct parser p = {.stanza = {.what = what}, .style = style, .err = err};

    if (!parse(&p, text)) {
        deb822_free(&p.stanza);
        return false;
    }
    *out = p.stanza;
    return true;
}

void deb822_free(struct deb822 *stanza)
{
    if (!stanza)
        return;
    free(stanza->fields);
    *stanza = (struct deb822){0};
}

const struct deb822_field *deb822_find(const struct deb822 *stanza, const char *name)
{
    return find(stanza, bytes_view_str(name));
}

bool deb822_get_line(const struct deb822 *stanza, const char *name, char **out,
                     struct hallmark_error *err)
{
    const struct deb822_field *field = deb822_find(stanza, name);

    if (!field) {
        *out = NULL;
        return true;
    }
    if (field->value.len == 0)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: line %zu: the field \"%s\" is empty",
                         stanza->what, field->line, name);
    if (memchr(field->value.data, '\n', field->value.len))
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: line %zu: the field \"%s\" is continued; it has one line only",
                         stanza->what, field->line, name);
    *out = alloc_strndup(field->value.data, field->value.len);
    return true;
}

void deb822_write(struct bytes *out, const char *name, const char *value)
{
    if (value && *value)
        bytes_printf(out, "%s: %s\n", name, value);
}

void deb822_write_field(struct bytes *out, const struct deb822_field *field)
{
    struct bytes_view rest = field->value, line = {NULL, 0};
    const char *before = field->value.len && field->value.data[0] != '\n' ? ": " : ":";

    bytes_append(out, field->name.data, field->name.len);
    while (bytes_view_next_line(&rest, &line)) {
        line = without_blanks_at_end(line);
        bytes_append_str(out, line.len ? before : ":");
        bytes_append(out, line.data, line.len);
        bytes_append_str(out, "\n");
        before = "";
    }
    if (!line.data)
        bytes_append_str(out, ":\n");
}
