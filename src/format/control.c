/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control file of a Debian package: deb-control(5), deb-version(7), dpkg's parseversion(). */
#include "format/control.h"

#include <string.h>

#include "base/limits.h"

enum { SHOWN = 64 }; /* bytes of a value in a message */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || is_lower(bytes_lower(c));
}

static bool consists_of(struct bytes_view text, const char *others, bool (*is_one)(char))
{
    size_t i;

    for (i = 0; i < text.len; i++)
        if (!is_one(text.data[i]) && (text.data[i] == '\0' || !strchr(others, text.data[i])))
            return false;
    return true;
}

static bool is_lower_or_digit(char c)
{
    return is_lower(c) || is_digit(c);
}

bool control_is_package(struct bytes_view text)
{
    return text.len && is_lower_or_digit(text.data[0]) &&
           consists_of(text, "+-.", is_lower_or_digit);
}

static bool is_architecture(struct bytes_view text)
{
    return text.len && is_lower_or_digit(text.data[0]) && consists_of(text, "-", is_lower_or_digit);
}

/* Takes "EPOCH:" off *TEXT; false where it is no number that fits into an int. */
static bool take_epoch(struct bytes_view *text)
{
    enum { EPOCH_DIGITS = 9 };
    const char *colon = memchr(text->data, ':', text->len);
    struct bytes_view epoch;

    if (!colon)
        return true;
    epoch = bytes_view_of(text->data, (size_t)(colon - text->data));
    *text = bytes_view_of(colon + 1, text->len - epoch.len - 1);
    return epoch.len && epoch.len <= EPOCH_DIGITS && consists_of(epoch, "", is_digit);
}

bool control_is_version(struct bytes_view text)
{
    struct bytes_view revision;
    const char *hyphen;

    if (!take_epoch(&text))
        return false;
    hyphen = text.len ? memrchr(text.data, '-', text.len) : NULL;
    if (hyphen) {
        revision = bytes_view_of(hyphen + 1, (size_t)(text.data + text.len - hyphen - 1));
        text.len = (size_t)(hyphen - text.data);
        if (!revision.len || !consists_of(revision, "+.~", is_alphanumeric))
            return false;
    }
    return text.len && is_digit(text.data[0]) && consists_of(text, ".-+~:", is_alphanumeric);
}

static bool get(const struct control *control, const char *name,
                bool (*is_right)(struct bytes_view), struct bytes_view *out,
                struct hallmark_error *err)
{
    const struct deb822_field *field = deb822_find(&control->stanza, name);

    if (!field)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no field %s", control->stanza.what,
                         name);
    if (!is_right(field->value))
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: line %zu: \"%.*s\" is no %s",
                         control->stanza.what, field->line,
                         field->value.len < SHOWN ? (int)field->value.len : SHOWN,
                         field->value.data, name);
    *out = field->value;
    return true;
}

static bool check(struct control *control, struct hallmark_error *err)
{
    static const char *const installed[] = {"Status", "Config-Version", "Conffiles"};
    const struct deb822_field *field;
    size_t i;

    for (i = 0; i < sizeof installed / sizeof *installed; i++) {
        field = deb822_find(&control->stanza, installed[i]);
        if (field)
            return error_set(err, HALLMARK_ERR_MALFORMED,
                             "%s: line %zu: the field %s is for packages that are installed",
                             control->stanza.what, field->line, installed[i]);
    }
    return get(control, "Package", control_is_package, &control->package, err) &&
           get(control, "Version", control_is_version, &control->version, err) &&
           get(control, "Architecture", is_architecture, &control->architecture, err);
}

bool control_parse(struct control *out, struct bytes_view text, const char *what,
                   struct hallmark_error *err)
{
    struct control control = {.stanza = {.fields = NULL}};

    if (text.len > LIMITS_STANZA_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has %zu bytes, at most %d are wanted",
                         what, text.len, LIMITS_STANZA_BYTES);
    if (!deb822_parse(&control.stanza, text, DEB822_CONTROL, what, err))
        return false;
    if (!check(&control, err)) {
        control_free(&control);
        return false;
    }
    *out = control;
    return true;
}

void control_free(struct control *control)
{
    deb822_free(&control->stanza);
    *control = (struct control){.stanza = {.fields = NULL}};
}
