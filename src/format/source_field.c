/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fields of hallmark.sources(5): a table, each with what takes its value. A field that apt
 * knows and that cannot make anything weaker is passed over; every other one is an error.
 */
#include "format/source_field.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "base/url.h"

enum { SHOWN_LEN = 256, FINGERPRINT_LEN = 40, LONG_FINGERPRINT_LEN = 64 };

/* A field while its value is taken. */
struct value {
    const char *name; /* of the field, as we spell it */
    struct bytes_view text;
    struct strlist words;
};

typedef bool take_fn(struct source_list_stanza *out, const struct value *value,
                     struct hallmark_error *err);

static bool fail(const struct value *value, const char *text, const char *fault,
                 struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_USAGE, "%s: \"%.*s\" %s", value->name, SHOWN_LEN, text,
                     fault);
}

/* ---- Single values -------------------------------------------------------------------------- */

static const char *one_word(const struct value *value, struct hallmark_error *err)
{
    if (value->words.n_items == 1)
        return value->words.items[0];
    error_set(err, HALLMARK_ERR_USAGE, "%s: has %zu words, one is wanted", value->name,
              value->words.n_items);
    return NULL;
}

/* What apt takes for yes and no. */
static bool answer(const struct value *value, bool *out, struct hallmark_error *err)
{
    static const char *const yes[] = {"yes", "true", "with", "on", "enable", "1"};
    static const char *const no[] = {"no", "false", "without", "off", "disable", "0"};
    const char *word = one_word(value, err);
    size_t i;

    if (!word)
        return false;
    for (i = 0; i < sizeof yes / sizeof *yes; i++) {
        *out = strcmp(word, yes[i]) == 0;
        if (*out || strcmp(word, no[i]) == 0)
            return true;
    }
    return fail(value, word, "is neither yes nor no", err);
}

/* A whole number in its one spelling. */
static bool number(const struct value *value, int64_t max, int64_t *out, struct hallmark_error *err)
{
    const char *word = one_word(value, err), *c;
    int64_t n = 0;

    if (!word)
        return false;
    for (c = word; *c >= '0' && *c <= '9' && n <= max; c++)
        n = n * 10 + (*c - '0');
    if (*c || n > max || (word[0] == '0' && word[1]))
        return fail(value, word, "is no whole number, or out of range", err);
    *out = n;
    return true;
}

static bool duration(const struct value *value, int64_t *out, struct hallmark_error *err)
{
    const char *word = one_word(value, err);

    if (!word)
        return false;
    return timestamp_parse_duration(word, out) ||
           fail(value, word, "is not a length of time such as 90m, 12h, 7d or 2w", err);
}

static bool line(const struct value *value, char **out, struct hallmark_error *err)
{
    if (value->text.len == 0 || memchr(value->text.data, '\n', value->text.len))
        return error_set(err, HALLMARK_ERR_USAGE, "%s: is not one line of text", value->name);
    *out = alloc_strndup(value->text.data, value->text.len);
    return true;
}

/* ---- Fields --------------------------------------------------------------------------------- */

static bool take_enabled(struct source_list_stanza *out, const struct value *value,
                         struct hallmark_error *err)
{
    return answer(value, &out->is_enabled, err);
}

static bool take_types(struct source_list_stanza *out, const struct value *value,
                       struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < value->words.n_items; i++) {
        const char *word = value->words.items[i];

        if (strcmp(word, "deb") != 0 && strcmp(word, "deb-src") != 0)
            return fail(value, word, "is neither deb nor deb-src", err);
        strlist_add(&out->types, word);
    }
    return true;
}

static bool take_uris(struct source_list_stanza *out, const struct value *value,
                      struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < value->words.n_items; i++) {
        const char *word = value->words.items[i];
        struct url url;

        if (url_is_http(word)) {
            if (!url_parse(&url, word, err))
                return false;
            url_free(&url);
        } else if (strncmp(word, "file:/", strlen("file:/")) != 0) {
            char *shown = url_redact(word);

            fail(value, shown, "is no URI of http, https or file", err);
            free(shown);
            return false;
        }
        strlist_add(&out->uris, word);
    }
    return true;
}

/* A path, of which a flat suite may be "/" or "./" and end with one. */
static bool is_suite(const char *word)
{
    struct bytes_view path = bytes_view_str(word);

    if (source_list_is_flat(word)) {
        if (path.len > 1 && word[0] == '.' && word[1] == '/')
            path = bytes_view_str(word + 2);
        if (path.len)
            path.len--;
        if (path.len == 0)
            return true;
    }
    /* Nothing is put in for a variable, and nothing is unescaped. */
    return !strpbrk(word, "$%") && path_check(path, "", NULL);
}

static bool take_suites(struct source_list_stanza *out, const struct value *value,
                        struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < value->words.n_items; i++) {
        if (!is_suite(value->words.items[i]))
            return fail(value, value->words.items[i], "is no name of a suite, and no path", err);
        if (strlist_has(&out->suites, value->words.items[i]))
            return fail(value, value->words.items[i], "stands there twice", err);
        strlist_add(&out->suites, value->words.items[i]);
    }
    return true;
}

static bool take_names(struct strlist *out, const struct value *value, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < value->words.n_items; i++) {
        if (!path_check(bytes_view_str(value->words.items[i]), "", NULL))
            return fail(value, value->words.items[i], "is no name", err);
        strlist_add(out, value->words.items[i]);
    }
    return true;
}

static bool take_components(struct source_list_stanza *out, const struct value *value,
                            struct hallmark_error *err)
{
    return take_names(&out->components, value, err);
}

static bool take_architectures(struct source_list_stanza *out, const struct value *value,
                               struct hallmark_error *err)
{
    return take_names(&out->architectures, value, err);
}

static bool is_fingerprint(const char *word)
{
    size_t len = strspn(word, "0123456789ABCDEFabcdef");

    return (len == FINGERPRINT_LEN || len == LONG_FINGERPRINT_LEN) &&
           (!word[len] || strcmp(word + len, "!") == 0);
}

/* The lines of a key, of which the empty ones are written as ".". */
static char *unfold_key(struct bytes_view text)
{
    struct bytes key = {0};
    struct bytes_view one;

    while (bytes_view_next_line(&text, &one)) {
        while (one.len && one.data[0] == ' ') {
            one.data++;
            one.len--;
        }
        if (one.len && !bytes_view_equals(one, ".") && !bytes_view_equals(one, "#"))
            bytes_append(&key, one.data, one.len);
        if ((one.len || key.len) && !bytes_view_equals(one, "#"))
            bytes_append_str(&key, "\n");
    }
    return key.data;
}

static bool take_signed_by(struct source_list_stanza *out, const struct value *value,
                           struct hallmark_error *err)
{
    static const char begin[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    struct strlist words = {0};
    char *text;
    bool ok = true;
    size_t i;

    if (memmem(value->text.data, value->text.len, begin, strlen(begin))) {
        out->key = unfold_key(value->text);
        return true;
    }
    text = strlist_join(&value->words);
    for (i = 0; text[i]; i++)
        text[i] = text[i] == ',' ? ' ' : text[i];
    strlist_add_words(&words, bytes_view_str(text));
    free(text);
    for (i = 0; ok && i < words.n_items; i++) {
        if (words.items[i][0] == '/')
            strlist_add(&out->keyrings, words.items[i]);
        else if (is_fingerprint(words.items[i]))
            strlist_add(&out->signed_by, words.items[i]);
        else
            ok = fail(value, words.items[i],
                      "is no absolute path, no fingerprint of 40 or 64 hexadecimal digits, and no "
                      "key",
                      err);
    }
    strlist_free(&words);
    return ok;
}

static bool take_threshold(struct source_list_stanza *out, const struct value *value,
                           struct hallmark_error *err)
{
    int64_t n;

    if (!number(value, LIMITS_SIGNATURES, &n, err))
        return false;
    out->threshold = (unsigned)n;
    return n > 0 || fail(value, "0", "is no number of signatures", err);
}

/* The stricter one counts of two. */
static void set_max_age(struct source_list_stanza *out, int64_t seconds)
{
    if (out->max_age == SOURCE_LIST_NOT_SAID || seconds < out->max_age)
        out->max_age = seconds;
}

static bool take_max_age(struct source_list_stanza *out, const struct value *value,
                         struct hallmark_error *err)
{
    int64_t seconds;

    if (!duration(value, &seconds, err))
        return false;
    set_max_age(out, seconds);
    return true;
}

static bool take_valid_until_max(struct source_list_stanza *out, const struct value *value,
                                 struct hallmark_error *err)
{
    int64_t seconds;

    if (!number(value, LIMITS_TIMESTAMP_MAX, &seconds, err))
        return false;
    if (seconds) /* 0 is apt's "no limit" */
        set_max_age(out, seconds);
    return true;
}

static void set_clock_skew(struct source_list_stanza *out, int64_t seconds)
{
    if (out->clock_skew == SOURCE_LIST_NOT_SAID || seconds < out->clock_skew)
        out->clock_skew = seconds;
}

static bool take_clock_skew(struct source_list_stanza *out, const struct value *value,
                            struct hallmark_error *err)
{
    int64_t seconds;

    if (!duration(value, &seconds, err))
        return false;
    set_clock_skew(out, seconds);
    return true;
}

static bool take_date_max_future(struct source_list_stanza *out, const struct value *value,
                                 struct hallmark_error *err)
{
    int64_t seconds;

    if (!number(value, LIMITS_TIMESTAMP_MAX, &seconds, err))
        return false;
    set_clock_skew(out, seconds);
    return true;
}

static bool take_require_expiry(struct source_list_stanza *out, const struct value *value,
                                struct hallmark_error *err)
{
    bool is_required;

    if (!answer(value, &is_required, err))
        return false;
    out->expiry = is_required ? HALLMARK_EXPIRY_REQUIRED : HALLMARK_EXPIRY_OPTIONAL;
    return true;
}

static bool take_origin(struct source_list_stanza *out, const struct value *value,
                        struct hallmark_error *err)
{
    return line(value, &out->origin, err);
}

static bool take_codename(struct source_list_stanza *out, const struct value *value,
                          struct hallmark_error *err)
{
    return line(value, &out->codename, err);
}

/* What must not be weakened. */
static bool take_insecure(struct source_list_stanza *out, const struct value *value,
                          struct hallmark_error *err)
{
    bool is_asked;

    (void)out;
    if (!answer(value, &is_asked, err))
        return false;
    return !is_asked || error_set(err, HALLMARK_ERR_USAGE,
                                  "%s: yes asks for less than a good signature, and there is no "
                                  "way to do that here; take the field out",
                                  value->name);
}

static bool take_trusted(struct source_list_stanza *out, const struct value *value,
                         struct hallmark_error *err)
{
    (void)out;
    return error_set(err, HALLMARK_ERR_USAGE,
                     "%s: trust comes from signatures alone, neither yes nor no can replace them; "
                     "take the field out",
                     value->name);
}

static bool take_other_place(struct source_list_stanza *out, const struct value *value,
                             struct hallmark_error *err)
{
    (void)out;
    return error_set(err, HALLMARK_ERR_USAGE,
                     "%s: would choose other files than URIs and Suites say, or leave some out, "
                     "which is not done here",
                     value->name);
}

/* Changes nothing here: what is asked for is not done, or is as it is anyway, and never weaker. */
static bool take_nothing(struct source_list_stanza *out, const struct value *value,
                         struct hallmark_error *err)
{
    (void)out;
    (void)value;
    (void)err;
    return true;
}

static const struct {
    const char *name;
    take_fn *take;
} fields[] = {
    {"Allow-Downgrade-To-Insecure", take_insecure},
    {"Allow-Insecure", take_insecure},
    {"Allow-Weak", take_insecure},
    {"Architectures", take_architectures},
    {"Architectures-Add", take_other_place},
    {"Architectures-Remove", take_other_place},
    {"By-Hash", take_nothing},
    {"Check-Date", take_nothing},
    {"Check-Valid-Until", take_nothing},
    {"Clock-Skew", take_clock_skew},
    {"Codename", take_codename},
    {"Components", take_components},
    {"Date-Max-Future", take_date_max_future},
    {"Enabled", take_enabled},
    {"Exclude", take_other_place},
    {"InRelease-Path", take_other_place},
    {"Include", take_other_place},
    {"Languages", take_nothing},
    {"Languages-Add", take_nothing},
    {"Languages-Remove", take_nothing},
    {"Max-Age", take_max_age},
    {"Origin", take_origin},
    {"PDiffs", take_nothing},
    {"Require-Expiry", take_require_expiry},
    {"Signed-By", take_signed_by},
    {"Snapshot", take_other_place},
    {"Suites", take_suites},
    {"Targets", take_nothing},
    {"Targets-Add", take_nothing},
    {"Targets-Remove", take_nothing},
    {"Threshold", take_threshold},
    {"Trusted", take_trusted},
    {"Types", take_types},
    {"URIs", take_uris},
    {"Valid-Until-Max", take_valid_until_max},
    {"Valid-Until-Min", take_nothing},
};

enum { N_FIELDS = sizeof fields / sizeof *fields };

/* ---- One field ----------------------------------------------------------------------------- */

/* The index of the field NAME in the table; N_FIELDS for one that is none of ours, -1 for one that
 * people put there for other tools. */
static int find_field(struct bytes_view name)
{
    int i;

    for (i = 0; i < N_FIELDS; i++)
        if (bytes_view_equals_nocase(bytes_view_str(fields[i].name), name))
            return i;
    return name.len > 2 &&
                   bytes_view_equals_nocase(bytes_view_of(name.data, 2), bytes_view_str("x-"))
               ? -1
               : N_FIELDS;
}

/* The words of TEXT without the marks that stand for comments. */
static bool split_words(struct value *value, struct hallmark_error *err)
{
    struct strlist all = {0};
    size_t i;

    strlist_add_words(&all, value->text);
    for (i = 0; i < all.n_items && i <= LIMITS_SOURCE_WORDS; i++)
        if (strcmp(all.items[i], "#") != 0)
            strlist_add(&value->words, all.items[i]);
    strlist_free(&all);
    if (value->words.n_items > LIMITS_SOURCE_WORDS)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: has more than %d words", value->name,
                         LIMITS_SOURCE_WORDS);
    return value->words.n_items > 0 ||
           error_set(err, HALLMARK_ERR_USAGE, "%s: is empty", value->name);
}

bool source_field_take(struct source_list_stanza *out, const struct deb822_field *field,
                       struct hallmark_error *err)
{
    struct value value = {.text = field->value};
    int i = find_field(field->name);
    bool ok;

    if (i < 0)
        return true;
    if (i == N_FIELDS)
        return error_set(err, HALLMARK_ERR_USAGE, "there is no field \"%.*s\"",
                         field->name.len < SHOWN_LEN ? (int)field->name.len : SHOWN_LEN,
                         field->name.data);
    value.name = fields[i].name;
    ok = fields[i].take == take_signed_by && memmem(value.text.data, value.text.len, "-----", 5)
             ? true
             : split_words(&value, err);
    ok = ok && fields[i].take(out, &value, err);
    strlist_free(&value.words);
    return ok;
}
