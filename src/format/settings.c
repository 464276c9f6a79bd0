/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hallmark.conf(5): a table of fields, each with what finds fault with its value. Knows nothing
 * about files or keys that are really there.
 */
#include "format/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "format/deb822.h"
#include "format/placement.h"
#include "format/release.h"
#include "format/settings_value.h"

enum {
    NAME_LEN = 64,                      /* it becomes a file's name with ".conf" behind it */
    VALUE_LEN = LIMITS_LINE_BYTES - 64, /* so that "Field: value" is a line, here and in Release */
    SHOWN_LEN = 256,                    /* of a value in a message */
    GENERATIONS_MAX = 1000,
    GENERATIONS_DEFAULT = 3,
    VALID_FOR_MIN = 60, /* seconds: no cron job comes more often */
    VALID_FOR_DEFAULT = 7 * 86400,
    KEEP_FOR_DEFAULT = 86400,
    SUITES_MAX = PLACEMENT_SUITES,
    SHARE_MAX = 100, /* percent */
    MAX_VANISHED_DEFAULT = 50,
};

/* What can be said of one suite alone, beside its name. */
static bool is_of_suite(enum settings_field field)
{
    static const enum settings_field of_suites[] = {SETTINGS_ORIGIN,
                                                    SETTINGS_LABEL,
                                                    SETTINGS_CODENAME,
                                                    SETTINGS_VERSION,
                                                    SETTINGS_DESCRIPTION,
                                                    SETTINGS_NOT_AUTOMATIC,
                                                    SETTINGS_BUT_AUTOMATIC_UPGRADES};
    size_t i;

    for (i = 0; i < sizeof of_suites / sizeof *of_suites; i++)
        if (of_suites[i] == field)
            return true;
    return false;
}

const char *settings_field_name(enum settings_field field)
{
    return settings_value_name(field);
}

static enum settings_field find_field(struct bytes_view name)
{
    unsigned i;

    for (i = 0; i < SETTINGS_N_FIELDS; i++)
        if (bytes_view_equals_nocase(bytes_view_str(settings_value_name(i)), name))
            break;
    return (enum settings_field)i;
}

enum settings_field settings_find_field(const char *name)
{
    return find_field(bytes_view_str(name));
}

bool settings_set(struct hallmark_settings *settings, enum settings_field field, const char *value,
                  struct hallmark_error *err)
{
    char *checked = value ? settings_value_normalise(field, value, err) : NULL;

    if (value && !checked)
        return false;
    free(settings->values[field]);
    settings->values[field] = checked;
    return true;
}

/* ---- What no field shows alone ---- */

enum settings_layout settings_layout(const struct hallmark_settings *settings)
{
    const char *layout = settings->values[SETTINGS_LAYOUT];

    return layout && strcmp(layout, "apt") == 0 ? SETTINGS_APT : SETTINGS_PLAIN;
}

static bool check_plain(const struct hallmark_settings *settings, struct hallmark_error *err)
{
    static const enum settings_field for_apt[] = {SETTINGS_NOT_AUTOMATIC,
                                                  SETTINGS_BUT_AUTOMATIC_UPGRADES, SETTINGS_RULES,
                                                  SETTINGS_COMPRESSION, SETTINGS_CONTENTS};
    const char *suite = settings->values[SETTINGS_SUITE];
    size_t i;

    for (i = 0; i < sizeof for_apt / sizeof *for_apt; i++)
        if (settings->values[for_apt[i]])
            return error_set(err, HALLMARK_ERR_USAGE, "%s: is for the layout apt only",
                             settings_value_name(for_apt[i]));
    return !suite || !strchr(suite, ' ') ||
           settings_value_fail(SETTINGS_SUITE, suite,
                               "names several suites, which is for the layout apt only", err);
}

static bool check_suites(const struct hallmark_settings *settings, struct hallmark_error *err)
{
    struct strlist suites = {0}, seen = {0};
    bool ok = true;
    size_t i;

    settings_words(settings, SETTINGS_SUITE, &suites);
    for (i = 0; ok && i < settings->n_suites; i++) {
        const char *suite = settings->suites[i].values[SETTINGS_SUITE];

        if (!strlist_has(&suites, suite))
            ok = settings_value_fail(SETTINGS_SUITE, suite,
                                     "is not among the suites of the first stanza", err);
        else if (strlist_has(&seen, suite))
            ok = settings_value_fail(SETTINGS_SUITE, suite, "has two stanzas", err);
        strlist_add(&seen, suite);
    }
    if (ok && suites.n_items > 1 &&
        (settings->values[SETTINGS_CODENAME] || settings->values[SETTINGS_VERSION]))
        ok = error_set(err, HALLMARK_ERR_USAGE,
                       "%s: cannot be the same of several suites; each has a stanza of its own",
                       settings_value_name(settings->values[SETTINGS_CODENAME] ? SETTINGS_CODENAME
                                                                               : SETTINGS_VERSION));
    strlist_free(&suites);
    strlist_free(&seen);
    return ok;
}

bool settings_check(const struct hallmark_settings *settings, struct hallmark_error *err)
{
    struct placement placement;

    if (settings_refresh_before(settings) >= settings_valid_for(settings))
        return settings_value_fail(SETTINGS_REFRESH_BEFORE,
                                   settings->values[SETTINGS_REFRESH_BEFORE],
                                   "is not less than Valid-For", err);
    if (settings_layout(settings) == SETTINGS_PLAIN && settings->n_suites)
        return error_set(err, HALLMARK_ERR_USAGE,
                         "a second stanza describes a suite, which is for the layout apt only");
    if (settings_layout(settings) == SETTINGS_PLAIN)
        return check_plain(settings, err);
    if (!check_suites(settings, err) || !placement_init(&placement, settings, err))
        return false;
    placement_free(&placement);
    return true;
}

/* The value of FOUND, of which only words and rules may stand on several lines; free(3) releases
 * it. */
static bool get_value(const struct deb822 *stanza, const struct deb822_field *found,
                      enum settings_field field, char **out, struct hallmark_error *err)
{
    char *c;

    if (settings_value_shape(field) == LINE)
        return deb822_get_line(stanza, settings_value_name(field), out, err);
    *out = alloc_strndup(found->value.data, found->value.len);
    for (c = *out; (c = strpbrk(c, settings_value_shape(field) == LINES ? "\t" : "\n\t")); c++)
        *c = ' ';
    for (c = *out; *c == ' '; c++)
        ;
    memmove(*out, c, strlen(c) + 1);
    return true;
}

static bool parse_field(struct hallmark_settings *settings, const struct deb822 *stanza,
                        const struct deb822_field *found, struct hallmark_error *err)
{
    enum settings_field field = find_field(found->name);
    char *value = NULL;
    bool ok;

    if (field == SETTINGS_N_FIELDS)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: line %zu: there is no setting \"%.*s\"",
                         stanza->what, found->line,
                         found->name.len < SHOWN_LEN ? (int)found->name.len : SHOWN_LEN,
                         found->name.data);
    if (!get_value(stanza, found, field, &value, err))
        return false;
    ok = settings_set(settings, field, value, err) ||
         error_prefix(err, "%s: line %zu", stanza->what, found->line);
    free(value);
    return ok;
}

static bool parse_fields(struct hallmark_settings *settings, const struct deb822 *stanza,
                         struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < stanza->n_fields; i++)
        if (!parse_field(settings, stanza, &stanza->fields[i], err))
            return false;
    return true;
}

/* A stanza behind the first. */
static bool parse_suite(struct hallmark_settings *settings, const struct deb822 *stanza,
                        struct hallmark_error *err)
{
    struct hallmark_settings suite = {0};
    enum settings_field field;
    bool ok = parse_fields(&suite, stanza, err);
    size_t i;

    for (i = 0; ok && i < stanza->n_fields; i++) {
        field = find_field(stanza->fields[i].name);
        if (field != SETTINGS_SUITE && !is_of_suite(field))
            ok = error_set(err, HALLMARK_ERR_USAGE,
                           "%s: line %zu: %s is no setting of a suite; it belongs into the first "
                           "stanza",
                           stanza->what, stanza->fields[i].line, settings_value_name(field));
    }
    if (ok && (!suite.values[SETTINGS_SUITE] || strchr(suite.values[SETTINGS_SUITE], ' ')))
        ok = error_set(err, HALLMARK_ERR_USAGE,
                       "%s: line %zu: the stanza does not name one suite with the field Suite",
                       stanza->what, stanza->fields[0].line);
    if (!ok) {
        settings_clear(&suite);
        return false;
    }
    settings->suites =
        alloc_regrow(settings->suites, settings->n_suites + 1, sizeof *settings->suites);
    settings->suites[settings->n_suites++] = suite;
    return true;
}

/* Takes the next stanza off *REST, with the blank lines and comments before it, for which TEXT gets
 * as many empty lines as *LINE says were before: so lines are counted from the top of the file. */
static bool next_stanza(struct bytes_view *rest, size_t *line, struct bytes *text)
{
    struct bytes_view one;
    bool has_field = false, is_blank;
    size_t i;

    for (i = 0; i < *line; i++)
        bytes_append_str(text, "\n");
    while (bytes_view_next_line(rest, &one)) {
        ++*line;
        for (i = 0; i < one.len && memchr(" \t", one.data[i], 2); i++)
            ;
        is_blank = i == one.len;
        if (is_blank && has_field)
            return true;
        has_field = has_field || (!is_blank && one.data[0] != '#');
        bytes_append(text, one.data, one.len + (one.data + one.len < rest->data));
    }
    return has_field;
}

static bool parse_stanzas(struct hallmark_settings *settings, struct bytes_view rest,
                          const char *what, struct hallmark_error *err)
{
    struct deb822 stanza = {0};
    struct bytes text = {0};
    size_t line = 0, n;
    bool ok = true, is_more;

    for (n = 0; ok; n++) {
        is_more = next_stanza(&rest, &line, &text);
        if (!is_more && n > 0)
            break;
        if (n > SUITES_MAX)
            ok = error_set(err, HALLMARK_ERR_USAGE, "%s: more than %d suites", what, SUITES_MAX);
        ok = ok && deb822_parse(&stanza, bytes_view(&text), DEB822_COMMENTS, what, err) &&
             (n == 0 ? parse_fields(settings, &stanza, err) : parse_suite(settings, &stanza, err));
        deb822_free(&stanza);
        stanza = (struct deb822){0};
        bytes_free(&text);
    }
    bytes_free(&text);
    return ok && (settings_check(settings, err) || error_prefix(err, "%s", what));
}

bool settings_parse(struct hallmark_settings *out, struct bytes_view text, const char *what,
                    struct hallmark_error *err)
{
    struct hallmark_settings settings = {0};
    struct hallmark_error fault = {0};

    if (text.len > LIMITS_SETTINGS_BYTES)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: has %zu bytes, at most %d are wanted", what,
                         text.len, LIMITS_SETTINGS_BYTES);
    if (parse_stanzas(&settings, text, what, &fault)) {
        *out = settings;
        return true;
    }
    /* Malformed settings are the user's to correct, unlike a malformed manifest. */
    settings_clear(&settings);
    return error_set(err, HALLMARK_ERR_USAGE, "%s", fault.text);
}

static void write_value(struct bytes *out, const char *name, const char *value)
{
    struct bytes_view rest, line;

    if (!value || !strchr(value, '\n')) {
        deb822_write(out, name, value);
        return;
    }
    rest = bytes_view_str(value);
    bytes_printf(out, "%s:\n", name);
    while (bytes_view_next_line(&rest, &line))
        bytes_printf(out, " %.*s\n", (int)line.len, line.data);
}

void settings_write(const struct hallmark_settings *settings, struct bytes *out)
{
    unsigned i;
    size_t n;

    bytes_append_str(out, "# hallmark.conf(5)\n");
    for (i = 0; i < SETTINGS_N_FIELDS; i++)
        write_value(out, settings_value_name(i), settings->values[i]);
    for (n = 0; n < settings->n_suites; n++) {
        bytes_append_str(out, "\n");
        write_value(out, "Suite", settings->suites[n].values[SETTINGS_SUITE]);
        for (i = 0; i < SETTINGS_N_FIELDS; i++)
            if (is_of_suite((enum settings_field)i))
                write_value(out, settings_value_name(i), settings->suites[n].values[i]);
    }
}

void settings_clear(struct hallmark_settings *settings)
{
    size_t i;

    for (i = 0; i < settings->n_suites; i++)
        settings_clear(&settings->suites[i]);
    free(settings->suites);
    for (i = 0; i < SETTINGS_N_FIELDS; i++)
        free(settings->values[i]);
    *settings = (struct hallmark_settings){0};
}

const char *settings_of_suite(const struct hallmark_settings *settings, const char *suite,
                              enum settings_field field)
{
    size_t i;

    for (i = 0; i < settings->n_suites; i++)
        if (strcmp(settings->suites[i].values[SETTINGS_SUITE], suite) == 0 &&
            settings->suites[i].values[field])
            return settings->suites[i].values[field];
    return settings->values[field];
}

static int64_t duration(const struct hallmark_settings *settings, enum settings_field field,
                        int64_t otherwise)
{
    int64_t seconds;

    if (settings->values[field] && timestamp_parse_duration(settings->values[field], &seconds))
        return seconds;
    return otherwise;
}

int64_t settings_valid_for(const struct hallmark_settings *settings)
{
    return duration(settings, SETTINGS_VALID_FOR, VALID_FOR_DEFAULT);
}

int64_t settings_refresh_before(const struct hallmark_settings *settings)
{
    return duration(settings, SETTINGS_REFRESH_BEFORE, settings_valid_for(settings) / 2);
}

int64_t settings_keep_for(const struct hallmark_settings *settings)
{
    return duration(settings, SETTINGS_KEEP_FOR, KEEP_FOR_DEFAULT);
}

size_t settings_keep_generations(const struct hallmark_settings *settings)
{
    const char *value = settings->values[SETTINGS_KEEP_GENERATIONS];

    return value ? (size_t)settings_value_number(&value, GENERATIONS_MAX) : GENERATIONS_DEFAULT;
}

unsigned settings_max_vanished(const struct hallmark_settings *settings)
{
    const char *value = settings->values[SETTINGS_MAX_VANISHED];

    return value ? (unsigned)settings_value_number(&value, SHARE_MAX) : MAX_VANISHED_DEFAULT;
}

unsigned settings_hashes(const struct hallmark_settings *settings)
{
    struct strlist words = {0};
    unsigned hashes = RELEASE_SHA256;

    settings_words(settings, SETTINGS_HASHES, &words);
    if (strlist_has(&words, "SHA512"))
        hashes |= RELEASE_SHA512;
    strlist_free(&words);
    return hashes;
}

void settings_words(const struct hallmark_settings *settings, enum settings_field field,
                    struct strlist *out)
{
    if (settings->values[field])
        strlist_add_words(out, bytes_view_str(settings->values[field]));
}
