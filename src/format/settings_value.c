/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of fields, each with what finds fault with its value. */
#include "format/settings_value.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "format/placement.h"

enum {
    NAME_LEN = 64,                      /* it becomes a file's name with ".conf" behind it */
    VALUE_LEN = LIMITS_LINE_BYTES - 64, /* so that "Field: value" is a line, here and in Release */
    SHOWN_LEN = 256,                    /* of a value in a message */
    GENERATIONS_MAX = 1000,
    VALID_FOR_MIN = 60, /* seconds: no cron job comes more often */
    SHARE_MAX = 100,    /* percent */
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
    if (strcmp(value, "plain") == 0 || strcmp(value, "apt") == 0)
        return NULL;
    return "is no layout that this version knows: plain, apt";
}

static const char *answer_fault(const char *value)
{
    if (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0)
        return NULL;
    return "is neither yes nor no";
}

static const char *compression_fault(const char *value)
{
    if (strcmp(value, "xz") == 0 || strcmp(value, "gz") == 0 || strcmp(value, "zst") == 0)
        return NULL;
    return "is no compression that this version writes: xz, gz, zst";
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
int settings_value_number(const char **value, int max)
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
    if (settings_value_number(&value, GENERATIONS_MAX) > 0 && !*value)
        return NULL;
    return "is not a whole number from 1 to 1000";
}

static const char *share_fault(const char *value)
{
    if (settings_value_number(&value, SHARE_MAX) >= 0 && strcmp(value, "%") == 0)
        return NULL;
    return "is not a share from 0% to 100%";
}

static const struct {
    const char *name;
    enum settings_shape shape;
    fault_fn *fault; /* of the line, or of each word */
} fields[SETTINGS_N_FIELDS] = {
    [SETTINGS_NAME] = {"Name", LINE, name_fault},
    [SETTINGS_ROOT] = {"Root", LINE, directory_fault},
    [SETTINGS_LAYOUT] = {"Layout", LINE, layout_fault},
    [SETTINGS_ORIGIN] = {"Origin", LINE, text_fault},
    [SETTINGS_LABEL] = {"Label", LINE, text_fault},
    [SETTINGS_SUITE] = {"Suite", WORDS, token_fault},
    [SETTINGS_CODENAME] = {"Codename", LINE, token_fault},
    [SETTINGS_VERSION] = {"Version", LINE, text_fault},
    [SETTINGS_DESCRIPTION] = {"Description", LINE, text_fault},
    [SETTINGS_ARCHITECTURES] = {"Architectures", WORDS, token_fault},
    [SETTINGS_COMPONENTS] = {"Components", WORDS, token_fault},
    [SETTINGS_NOT_AUTOMATIC] = {"Not-Automatic", LINE, answer_fault},
    [SETTINGS_BUT_AUTOMATIC_UPGRADES] = {"But-Automatic-Upgrades", LINE, answer_fault},
    [SETTINGS_RULES] = {"Rules", LINES, placement_rule_fault},
    [SETTINGS_COMPRESSION] = {"Compression", WORDS, compression_fault},
    [SETTINGS_CONTENTS] = {"Contents", LINE, answer_fault},
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

const char *settings_value_name(enum settings_field field)
{
    return fields[field].name;
}

enum settings_shape settings_value_shape(enum settings_field field)
{
    return fields[field].shape;
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

bool settings_value_fail(enum settings_field field, const char *value, const char *fault,
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
            return settings_value_fail(field, words->items[i], fault, err);
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

/* The checked lines of VALUE, each with one blank between its words, allocated; NULL with an error.
 */
static char *normalise_lines(enum settings_field field, const char *value,
                             struct hallmark_error *err)
{
    struct bytes_view rest = bytes_view_str(value), view;
    struct bytes out = {0};
    struct strlist words;
    const char *fault = NULL;
    char *line;

    while (!fault && bytes_view_next_line(&rest, &view)) {
        words = (struct strlist){.items = NULL};
        strlist_add_words(&words, view);
        line = strlist_join(&words);
        if (words.n_items)
            fault = line_fault(line) ? line_fault(line) : fields[field].fault(line);
        if (fault)
            settings_value_fail(field, line, fault, err);
        else if (words.n_items)
            bytes_printf(&out, "%s%s", out.len ? "\n" : "", line);
        free(line);
        strlist_free(&words);
    }
    if (!fault && out.len == 0)
        fault = settings_value_fail(field, "", "is empty", err) ? NULL : "";
    if (fault)
        bytes_free(&out);
    return out.data;
}

/* VALUE, checked and in its one spelling, allocated; NULL with an error. */
char *settings_value_normalise(enum settings_field field, const char *value,
                               struct hallmark_error *err)
{
    const char *fault = NULL;

    if (fields[field].shape == LINES)
        return normalise_lines(field, value, err);
    fault = line_fault(value);
    if (!fault && fields[field].shape == LINE)
        fault = fields[field].fault(value);
    if (fault) {
        settings_value_fail(field, value, fault, err);
        return NULL;
    }
    return fields[field].shape == LINE ? alloc_strdup(value) : normalise_words(field, value, err);
}
