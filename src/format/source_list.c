/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark.sources(5): stanzas, taken apart more leniently than documents that are signed. */
#include "format/source_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "format/deb822.h"
#include "format/source_field.h"

enum { NAME_LEN = 64 }; /* it becomes a file's name with ".sources" behind it */

bool source_list_is_flat(const char *suite)
{
    size_t len = strlen(suite);

    return len && suite[len - 1] == '/';
}

char *source_list_location(const char *uri, const char *suite)
{
    size_t len = strlen(uri), suite_len = strlen(suite);

    while (len && uri[len - 1] == '/')
        len--;
    if (!source_list_is_flat(suite))
        return alloc_printf("%.*s/dists/%s", (int)len, uri, suite);
    if (strncmp(suite, "./", 2) == 0) {
        suite += 2;
        suite_len -= 2;
    }
    return alloc_printf("%.*s/%.*s", (int)len, uri, suite_len ? (int)suite_len - 1 : 0, suite);
}

bool source_list_is_name(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t i, len = strlen(text);

    for (i = 0; i < len; i++)
        if (!strchr(letters, text[i]) && (i == 0 || !strchr("._-", text[i])))
            return false;
    return len > 0 && len <= NAME_LEN;
}

static void free_stanza(struct source_list_stanza *stanza)
{
    strlist_free(&stanza->types);
    strlist_free(&stanza->uris);
    strlist_free(&stanza->suites);
    strlist_free(&stanza->components);
    strlist_free(&stanza->architectures);
    strlist_free(&stanza->keyrings);
    strlist_free(&stanza->signed_by);
    free(stanza->key);
    free(stanza->origin);
    free(stanza->codename);
}

void source_list_free(struct source_list *list)
{
    size_t i;

    for (i = 0; i < list->n_stanzas; i++)
        free_stanza(&list->stanzas[i]);
    free(list->stanzas);
    *list = (struct source_list){0};
}

static bool check_stanza(const struct source_list_stanza *stanza, struct hallmark_error *err)
{
    size_t i;

    if (stanza->uris.n_items == 0 || stanza->suites.n_items == 0)
        return error_set(err, HALLMARK_ERR_USAGE, "has no %s",
                         stanza->uris.n_items ? "Suites" : "URIs");
    if (stanza->types.n_items == 0) /* for repo-verify alone: whatever is there */
        return true;
    for (i = 0; i < stanza->suites.n_items; i++) {
        const char *suite = stanza->suites.items[i];

        if (source_list_is_flat(suite) == (stanza->components.n_items > 0))
            return error_set(err, HALLMARK_ERR_USAGE, "the suite \"%s\" %s", suite,
                             source_list_is_flat(suite)
                                 ? "ends with \"/\" and has no components, but there are some"
                                 : "has no Components (one that ends with \"/\" needs none)");
    }
    return true;
}

static bool take_stanza(struct source_list_stanza *out, const struct deb822 *stanza,
                        struct hallmark_error *err)
{
    const struct deb822_field *enabled = deb822_find(stanza, "Enabled");
    bool ok = true;
    size_t i;

    *out = (struct source_list_stanza){.line = stanza->fields[0].line,
                                       .is_enabled = true,
                                       .max_age = SOURCE_LIST_NOT_SAID,
                                       .clock_skew = SOURCE_LIST_NOT_SAID};
    if (enabled && !source_field_take(out, enabled, err))
        return error_prefix(err, "%s: line %zu", stanza->what, enabled->line);
    if (!out->is_enabled)
        return true;
    for (i = 0; ok && i < stanza->n_fields; i++) {
        ok = source_field_take(out, &stanza->fields[i], err) ||
             error_prefix(err, "%s: line %zu", stanza->what, stanza->fields[i].line);
    }
    return ok &&
           (check_stanza(out, err) || error_prefix(err, "%s: line %zu", stanza->what, out->line));
}

/* Whether LINE, which may be a comment, stands between the lines of one value; REST is behind it.
 */
static bool is_inside_value(struct bytes_view rest, bool is_open)
{
    struct bytes_view one;

    while (is_open && bytes_view_next_line(&rest, &one))
        if (one.len == 0 || one.data[0] != '#')
            return one.len > 0 && (one.data[0] == ' ' || one.data[0] == '\t');
    return false;
}

/* Appends ONE as deb822_parse() wants it, which is stricter than apt: no blanks at its end, no tab
 * at its start, and a mark for a comment inside of a value. */
static void add_line(struct bytes *text, struct bytes_view one, bool is_inside)
{
    if (one.len && one.data[0] == '#' && is_inside) {
        bytes_append_str(text, " #\n");
        return;
    }
    while (one.len && (one.data[one.len - 1] == ' ' || one.data[one.len - 1] == '\t'))
        one.len--;
    if (one.len && one.data[0] == '\t') {
        bytes_append_str(text, " ");
        one.data++;
        one.len--;
    }
    bytes_append(text, one.data, one.len);
    bytes_append_str(text, "\n");
}

static bool is_blank_line(struct bytes_view one)
{
    size_t i;

    for (i = 0; i < one.len; i++)
        if (one.data[i] != ' ' && one.data[i] != '\t')
            return false;
    return true;
}

/* Takes the next stanza off *REST, with as many empty lines before as *LINE says: so lines are
 * counted from the top of the file. */
static bool next_stanza(struct bytes_view *rest, size_t *line, struct bytes *text)
{
    struct bytes_view one;
    bool has_field = false;
    size_t i;

    for (i = 0; i < *line; i++)
        bytes_append_str(text, "\n");
    while (bytes_view_next_line(rest, &one)) {
        ++*line;
        if (is_blank_line(one) && has_field)
            return true;
        add_line(text, one, is_inside_value(*rest, has_field));
        has_field = has_field || (!is_blank_line(one) && one.data[0] != '#');
    }
    return has_field;
}

static bool parse_stanzas(struct source_list *out, struct bytes_view rest, const char *what,
                          struct hallmark_error *err)
{
    struct deb822 stanza;
    struct bytes text = {0};
    size_t line = 0;
    bool ok = true;

    while (ok && next_stanza(&rest, &line, &text)) {
        ok = out->n_stanzas < LIMITS_SOURCE_STANZAS ||
             error_set(err, HALLMARK_ERR_USAGE, "%s: line %zu: more than %d stanzas", what, line,
                       LIMITS_SOURCE_STANZAS);
        ok = ok && deb822_parse(&stanza, bytes_view(&text), DEB822_COMMENTS, what, err);
        if (ok) {
            out->stanzas = alloc_regrow(out->stanzas, out->n_stanzas + 1, sizeof *out->stanzas);
            ok = take_stanza(&out->stanzas[out->n_stanzas++], &stanza, err);
            deb822_free(&stanza);
        }
        bytes_free(&text);
    }
    bytes_free(&text);
    return ok && (out->n_stanzas || error_set(err, HALLMARK_ERR_USAGE, "%s: holds no field", what));
}

bool source_list_parse(struct source_list *out, struct bytes_view text, const char *what,
                       struct hallmark_error *err)
{
    struct source_list list = {0};
    struct hallmark_error fault = {0};

    if (text.len > LIMITS_SOURCE_BYTES)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: has %zu bytes, at most %d are wanted", what,
                         text.len, LIMITS_SOURCE_BYTES);
    if (parse_stanzas(&list, text, what, &fault)) {
        *out = list;
        return true;
    }
    source_list_free(&list);
    return error_set(err, HALLMARK_ERR_USAGE, "%s", fault.text);
}
