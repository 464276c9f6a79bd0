/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fields of a Release that are no hash sections. */
#include "format/release_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/timestamp.h"

static const char what[] = "Release";

/* 1971 and 9999: a Date outside of them is a placeholder, or what a clock that was never set says.
 */
#define DATE_MIN 31536000LL
#define DATE_MAX 253370764800LL

static bool malformed(size_t line, const char *fault, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_MALFORMED, "%s: line %zu: %s", what, line, fault);
}

static bool get_text(const struct deb822 *stanza, const char *name, char **out,
                     struct hallmark_error *err)
{
    if (!deb822_get_line(stanza, name, out, err))
        return false;
    if (!*out || encoding_is_printable_text(bytes_view_str(*out)))
        return true;
    return error_set(err, HALLMARK_ERR_MALFORMED,
                     "%s: line %zu: the field \"%s\" holds a character that is not printable", what,
                     deb822_find(stanza, name)->line, name);
}

static bool get_words(const struct deb822 *stanza, const char *name, struct strlist *out,
                      struct hallmark_error *err)
{
    char *text = NULL;
    bool ok = get_text(stanza, name, &text, err);

    if (ok && text)
        strlist_add_words(out, bytes_view_str(text));
    free(text);
    return ok;
}

/* *OUT stays as it is where the field is missing. */
static bool get_date(const struct deb822 *stanza, const char *name, int64_t *out,
                     struct hallmark_error *err)
{
    const struct deb822_field *field = deb822_find(stanza, name);
    char *text = NULL;
    bool ok = get_text(stanza, name, &text, err);

    if (ok && text && (!timestamp_parse_rfc1123(bytes_view_str(text), out) || *out < DATE_MIN))
        ok = error_set(err, HALLMARK_ERR_MALFORMED,
                       "%s: line %zu: %s is \"%.64s\"; a date like \"Sat, 11 Nov 2023 09:59:32 "
                       "UTC\", not before 1971, is wanted",
                       what, field->line, name, text);
    free(text);
    return ok;
}

static bool get_dates(struct release *r, const struct deb822 *stanza, struct hallmark_error *err)
{
    const struct deb822_field *until = deb822_find(stanza, "Valid-Until");

    if (!deb822_find(stanza, "Date"))
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: no field \"Date\"", what);
    if (!get_date(stanza, "Date", &r->date, err) ||
        !get_date(stanza, "Valid-Until", &r->valid_until, err))
        return false;
    if (r->date >= DATE_MAX)
        return malformed(deb822_find(stanza, "Date")->line, "Date is not before 9999", err);
    if (until && r->valid_until <= r->date)
        return malformed(until->line, "Valid-Until is not later than Date", err);
    return true;
}

/* Fields that mean nothing here, but that have one line in every reader's eyes. */
static bool check_scalars(const struct deb822 *stanza, struct hallmark_error *err)
{
    static const char *const names[] = {"Acquire-By-Hash", "NotAutomatic", "ButAutomaticUpgrades",
                                        "Changelogs",      "Snapshots",    "Release-Notes"};
    const struct deb822_field *field;
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        field = deb822_find(stanza, names[i]);
        if (field && memchr(field->value.data, '\n', field->value.len))
            return error_set(err, HALLMARK_ERR_MALFORMED,
                             "%s: line %zu: the field \"%s\" is continued; it has one line only",
                             what, field->line, names[i]);
    }
    return true;
}

bool release_fields_get(struct release *r, const struct deb822 *stanza, struct hallmark_error *err)
{
    return get_text(stanza, "Origin", &r->origin, err) &&
           get_text(stanza, "Label", &r->label, err) && get_text(stanza, "Suite", &r->suite, err) &&
           get_text(stanza, "Codename", &r->codename, err) &&
           get_text(stanza, "Version", &r->version, err) &&
           get_text(stanza, "Description", &r->description, err) &&
           get_words(stanza, "Architectures", &r->architectures, err) &&
           get_words(stanza, "Components", &r->components, err) && get_dates(r, stanza, err) &&
           check_scalars(stanza, err);
}
