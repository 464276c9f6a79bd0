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
#include "format/release.h"

enum {
    NAME_LEN = 64,                      /* it becomes a file's name with ".conf" behind it */
    VALUE_LEN = LIMITS_LINE_BYTES - 64, /* so that "Field: value" is a line, here and in Release */
    SHOWN_LEN = 256,                    /* of a value in a message */
    GENERATIONS_MAX = 1000,
    GENERATIONS_DEFAULT = 3,
    VALID_FOR_MIN = 60, /* seconds: no cron job comes more often */
    VALID_FOR_DEFAULT = 7 * 86400,
    KEEP_FOR_DEFAULT = 86400,
    SHARE_MAX = 100, /* percent */
    MAX_VANISHED_DEFAULT = 50,
};

static bool is_alnum(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Whether VALUE is a letter or digit, and then those and OTHERS. */
static bool is_token(const char *value, const char *others)
{
    const char *c;

    for (c = value; *c; c++)
        if (!is_alnum(*c) && (c == value || !strchr(others, *c)))
            return false;
    return c != value;
}

/* What is wrong with VALUE, a line of printable text without blanks at its ends; NULL: nothing. */
typedef const char *fault_fn(const char *value);

static const char *text_fault(const char *value)
{
    (void)value;
    return NULL;
}

static const char *name_fault(const char *value)
{
    if (strlen(value) <= NAME_LEN && is_token(value, "._-"))
        return NULL;
    return "is not a name of at most 64 letters, digits, \".\", \"_\" and \"-\" that starts with a "
           "letter or digit";
}

static const char *directory_fault(const char *value)
{
    return value[0] == '/' ? NULL : "is not an absolute path";
}

static const char *layout_fault(const char *value)
{
    return strcmp(value, "plain") == 0 ? NULL : "is no layout that this version knows: plain";
}

static const char *token_fault(const char *value)
{
    if (is_token(value, "+.~/_-") && path_check(bytes_view_str(value), "", NULL))
        return NULL;
    return "is not a word of letters, digits and \"+.~/_-\" that starts with a letter or digit";
}

static const char *hash_fault(const char *value)
{
    if (strcmp(value, "SHA256") == 0 || strcmp(value, "SHA512") == 0)
        return NULL;
    return "is no digest that this version writes: SHA256, SHA512";
}

static const char *duration_fault(const char *value)
{
    int64_t seconds;

    if (timestamp_parse_duration(value, &seconds))
        return NULL;
    return "is not a length of time such as 90m, 12h, 7d or 2w";
}

static const char *valid_for_fault(const char *value)
{
    int64_t seconds;

    if (timestamp_parse_duration(value, &seconds) && seconds < VALID_FOR_MIN)
        return "is shorter than a minute";
    return duration_fault(value);
}

static const char *fingerprint_fault(const char *value)
{
    size_t len = strlen(value);

    if ((len == 40 || len == 64) && strspn(value, "0123456789ABCDEFabcdef") == len)
        return NULL;
    return "is not a fingerprint of 40 or 64 hexadecimal digits";
}

static const char *pattern_fault(const char *value)
{
    return value[0] == '/' ? "is not a pattern for paths below Root: it starts with \"/\"" : NULL;
}

/* A whole number up to MAX in its one spelling, at the start of *VALUE, which moves behind it; -1
 * for anything else. */
static int parse_number(const char **value, int max)
{
    const char *start = *value;
    int n = 0;

    for (; **value >= '0' && **value <= '9'; ++*value) {
        n = n * 10 + (**value - '0');
        if (n > max)
            return -1;
    }
    return *value == start || (*start == '0' && *value - start > 1) ? -1 : n;
}

static const char *count_fault(const char *value)
{
    if (parse_number(&value, GENERATIONS_MAX) > 0 && !*value)
        return NULL;
    return "is not a whole number from 1 to 1000";
}

static const char *share_fault(const char *value)
{
    if (parse_number(&value, SHARE_MAX) >= 0 && strcmp(value, "%") == 0)
        return NULL;
    return "is not a share from 0% to 100%";
}

enum shape { LINE, WORDS };

static const struct {
    const char *name;
    enum shape shape;
    fault_fn *fault; /* of the line, or of each word */
} fields[SETTINGS_N_FIELDS] = {
    [SETTINGS_NAME] = {"Name", LINE, name_fault},
    [SETTINGS_ROOT] = {"Root", LINE, directory_fault},
    [SETTINGS_LAYOUT] = {"Layout", LINE, layout_fault},
    [SETTINGS_ORIGIN] = {"Origin", LINE, text_fault},
    [SETTINGS_LABEL] = {"Label", LINE, text_fault},
    [SETTINGS_SUITE] = {"Suite", LINE, token_fault},
    [SETTINGS_CODENAME] = {"Codename", LINE, token_fault},
    [SETTINGS_VERSION] = {"Version", LINE, text_fault},
    [SETTINGS_DESCRIPTION] = {"Description", LINE, text_fault},
    [SETTINGS_ARCHITECTURES] = {"Architectures", WORDS, token_fault},
    [SETTINGS_COMPONENTS] = {"Components", WORDS, token_fault},
    [SETTINGS_HASHES] = {"Hashes", WORDS, hash_fault},
    [SETTINGS_VALID_FOR] = {"Valid-For", LINE, valid_for_fault},
    [SETTINGS_REFRESH_BEFORE] = {"Refresh-Before", LINE, duration_fault},
    [SETTINGS_SIGN_WITH] = {"Sign-With", WORDS, fingerprint_fault},
    [SETTINGS_GNUPG_HOME] = {"GnuPG-Home", LINE, directory_fault},
    [SETTINGS_EXCLUDE] = {"Exclude", WORDS, pattern_fault},
    [SETTINGS_KEEP_GENERATIONS] = {"Keep-Generations", LINE, count_fault},
    [SETTINGS_KEEP_FOR] = {"Keep-For", LINE, duration_fault},
    [SETTINGS_MAX_VANISHED] = {"Max-Vanished", LINE, share_fault},
    [SETTINGS_STATE] = {"State", LINE, directory_fault},
};

const char *settings_field_name(enum settings_field field)
{
    return fields[field].name;
}

static enum settings_field find_field(struct bytes_view name)
{
    unsigned i;

    for (i = 0; i < SETTINGS_N_FIELDS; i++)
        if (bytes_view_equals_nocase(bytes_view_str(fields[i].name), name))
            break;
    return (enum settings_field)i;
}

enum settings_field settings_find_field(const char *name)
{
    return find_field(bytes_view_str(name));
}

/* What is wrong with any field's value. */
static const char *line_fault(const char *value)
{
    size_t len = strlen(value);

    if (len == 0)
        return "is empty";
    if (len > VALUE_LEN)
        return "is longer than 4032 bytes";
    if (!encoding_is_printable_text(bytes_view_str(value)))
        return "is not one line of printable UTF-8";
    if (value[0] == ' ' || value[len - 1] == ' ')
        return "has blanks at its ends";
    return NULL;
}

static bool fail(enum settings_field field, const char *value, const char *fault,
                 struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_USAGE, "%s: \"%.*s\" %s", fields[field].name, SHOWN_LEN,
                     value, fault);
}

static bool check_words(enum settings_field field, const struct strlist *words,
                        struct hallmark_error *err)
{
    struct strlist before = {0}; /* lends its items */
    const char *fault;
    size_t i;

    for (i = 0; i < words->n_items; i++) {
        fault = fields[field].fault(words->items[i]);
        before = (struct strlist){.items = words->items, .n_items = i};
        if (!fault && strlist_has(&before, words->items[i]))
            fault = "stands there twice";
        if (fault)
            return fail(field, words->items[i], fault, err);
    }
    return true;
}

static void upper_case(char *text)
{
    for (; *text; text++)
        if (*text >= 'a' && *text <= 'z')
            *text = (char)(*text - 'a' + 'A');
}

/* The checked words of VALUE with one blank between them, allocated; NULL with an error. */
static char *normalise_words(enum settings_field field, const char *value,
                             struct hallmark_error *err)
{
    struct strlist words = {0};
    char *text = NULL;
    size_t i;

    strlist_add_words(&words, bytes_view_str(value));
    for (i = 0; field == SETTINGS_SIGN_WITH && i < words.n_items; i++)
        if (!fields[field].fault(words.items[i]))
            upper_case(words.items[i]);
    if (check_words(field, &words, err))
        text = strlist_join(&words);
    strlist_free(&words);
    return text;
}

bool settings_set(struct hallmark_settings *settings, enum settings_field field, const char *value,
                  struct hallmark_error *err)
{
    const char *fault = value ? line_fault(value) : NULL;
    char *checked = NULL;

    if (value && !fault && fields[field].shape == LINE)
        fault = fields[field].fault(value);
    if (fault)
        return fail(field, value, fault, err);
    if (value) {
        checked =
            fields[field].shape == LINE ? alloc_strdup(value) : normalise_words(field, value, err);
        if (!checked)
            return false;
    }
    free(settings->values[field]);
    settings->values[field] = checked;
    return true;
}

bool settings_check(const struct hallmark_settings *settings, struct hallmark_error *err)
{
    if (settings_refresh_before(settings) < settings_valid_for(settings))
        return true;
    return fail(SETTINGS_REFRESH_BEFORE, settings->values[SETTINGS_REFRESH_BEFORE],
                "is not less than Valid-For", err);
}

/* The value of FOUND, of which only words may stand on several lines; free(3) releases it. */
static bool get_value(const struct deb822 *stanza, const struct deb822_field *found,
                      enum settings_field field, char **out, struct hallmark_error *err)
{
    char *c;

    if (fields[field].shape == LINE)
        return deb822_get_line(stanza, fields[field].name, out, err);
    *out = alloc_strndup(found->value.data, found->value.len);
    for (c = *out; (c = strpbrk(c, "\n\t")); c++)
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

static bool parse(struct hallmark_settings *settings, const struct deb822 *stanza,
                  struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < stanza->n_fields; i++)
        if (!parse_field(settings, stanza, &stanza->fields[i], err))
            return false;
    return settings_check(settings, err) || error_prefix(err, "%s", stanza->what);
}

bool settings_parse(struct hallmark_settings *out, struct bytes_view text, const char *what,
                    struct hallmark_error *err)
{
    struct hallmark_settings settings = {0};
    struct hallmark_error fault = {0};
    struct deb822 stanza = {0};
    bool ok;

    if (text.len > LIMITS_SETTINGS_BYTES)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: has %zu bytes, at most %d are wanted", what,
                         text.len, LIMITS_SETTINGS_BYTES);
    ok = deb822_parse(&stanza, text, DEB822_COMMENTS, what, &fault) &&
         parse(&settings, &stanza, &fault);
    if (ok) {
        *out = settings;
        settings = (struct hallmark_settings){0};
    } else {
        /* Malformed settings are the user's to correct, unlike a malformed manifest. */
        error_set(err, HALLMARK_ERR_USAGE, "%s", fault.text);
    }
    settings_clear(&settings);
    deb822_free(&stanza);
    return ok;
}

void settings_write(const struct hallmark_settings *settings, struct bytes *out)
{
    unsigned i;

    bytes_append_str(out, "# hallmark.conf(5)\n");
    for (i = 0; i < SETTINGS_N_FIELDS; i++)
        deb822_write(out, fields[i].name, settings->values[i]);
}

void settings_clear(struct hallmark_settings *settings)
{
    size_t i;

    for (i = 0; i < SETTINGS_N_FIELDS; i++)
        free(settings->values[i]);
    *settings = (struct hallmark_settings){0};
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

    return value ? (size_t)parse_number(&value, GENERATIONS_MAX) : GENERATIONS_DEFAULT;
}

unsigned settings_max_vanished(const struct hallmark_settings *settings)
{
    const char *value = settings->values[SETTINGS_MAX_VANISHED];

    return value ? (unsigned)parse_number(&value, SHARE_MAX) : MAX_VANISHED_DEFAULT;
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
