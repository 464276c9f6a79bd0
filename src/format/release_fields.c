/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two tables of fields. */
#include "format/release_fields.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"

/* Fields that are text; DESCRIPTION is written last. */
static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"Origin", offsetof(struct release, origin)},
    {"Label", offsetof(struct release, label)},
    {"Suite", offsetof(struct release, suite)},
    {"Codename", offsetof(struct release, codename)},
    {"Version", offsetof(struct release, version)},
    {"Description", offsetof(struct release, description)},
};
enum { N_TEXTS = sizeof texts / sizeof *texts, DESCRIPTION = N_TEXTS - 1 };

/* Fields that mean something with one value only, in the order in which they are written. */
static const struct {
    const char *name, *value;
    size_t offset;
} flags[] = {
    {"NotAutomatic", "yes", offsetof(struct release, not_automatic)},
    {"ButAutomaticUpgrades", "yes", offsetof(struct release, but_automatic_upgrades)},
    {"Acquire-By-Hash", "yes", offsetof(struct release, acquire_by_hash)},
    {"No-Support-for-Architecture-all", "Packages", offsetof(struct release, repeats_all)},
};
enum { N_FLAGS = sizeof flags / sizeof *flags };

static char **text_of(const struct release *r, size_t i)
{
    return (char **)((char *)(uintptr_t)r + texts[i].offset);
}

static bool *flag_of(const struct release *r, size_t i)
{
    return (bool *)((char *)(uintptr_t)r + flags[i].offset);
}

bool release_fields_get_text(const struct deb822 *stanza, const char *name, char **out,
                             struct hallmark_error *err)
{
    if (!deb822_get_line(stanza, name, out, err))
        return false;
    if (!*out || encoding_is_printable_text(bytes_view_str(*out)))
        return true;
    return error_set(err, HALLMARK_ERR_MALFORMED,
                     "%s: line %zu: the field \"%s\" holds a character that is not printable",
                     stanza->what, deb822_find(stanza, name)->line, name);
}

static bool says(const struct deb822 *stanza, const char *name, const char *value)
{
    const struct deb822_field *field = deb822_find(stanza, name);

    return field && bytes_view_equals_nocase(field->value, bytes_view_str(value));
}

bool release_fields_parse(struct release *release, const struct deb822 *stanza,
                          struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < N_TEXTS; i++)
        if (!release_fields_get_text(stanza, texts[i].name, text_of(release, i), err))
            return false;
    for (i = 0; i < N_FLAGS; i++)
        *flag_of(release, i) = says(stanza, flags[i].name, flags[i].value);
    return true;
}

void release_fields_write(const struct release *release, struct bytes *out)
{
    size_t i;

    for (i = 0; i < DESCRIPTION; i++)
        deb822_write(out, texts[i].name, *text_of(release, i));
}

void release_fields_write_flags(const struct release *release, struct bytes *out)
{
    size_t i;

    for (i = 0; i < N_FLAGS; i++)
        deb822_write(out, flags[i].name, *flag_of(release, i) ? flags[i].value : NULL);
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool release_fields_is_same(const struct release *a, const struct release *b)
{
    size_t i;

    for (i = 0; i < N_TEXTS; i++)
        if (!is_same_text(*text_of(a, i), *text_of(b, i)))
            return false;
    for (i = 0; i < N_FLAGS; i++)
        if (*flag_of(a, i) != *flag_of(b, i))
            return false;
    return true;
}

void release_fields_free(struct release *release)
{
    size_t i;

    for (i = 0; i < N_TEXTS; i++)
        free(*text_of(release, i));
}
