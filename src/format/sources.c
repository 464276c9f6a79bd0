/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The index Sources. */
#include "format/sources.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/path.h"
#include "format/control.h"
#include "format/package_name.h"

enum { SHOWN = 256 }; /* bytes of a name in a message */

static const char what[] = "Sources";

/* ---- Parsing -------------------------------------------------------------------------------- */

static bool is_directory(struct bytes_view text)
{
    return bytes_view_equals(text, ".") || path_check(text, "", NULL);
}

static bool get(const struct deb822 *stanza, const char *name, bool (*is_right)(struct bytes_view),
                struct bytes_view *out, struct hallmark_error *err)
{
    const struct deb822_field *field = deb822_find(stanza, name);

    if (!field || !is_right(field->value))
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no valid field %s", stanza->what,
                         name);
    *out = field->value;
    return true;
}

static bool find_dsc(const struct deb822 *stanza, struct dsc_file *out, struct hallmark_error *err)
{
    struct dsc_file *files;
    size_t n_files, n_found = 0, i;

    if (!dsc_parse_files(stanza, &files, &n_files, err))
        return false;
    for (i = 0; i < n_files; i++) {
        if (dsc_is_path(files[i].name)) {
            *out = files[i];
            n_found++;
        }
    }
    free(files);
    return n_found == 1 ||
           error_set(err, HALLMARK_ERR_MALFORMED, "%s: lists %zu .dsc files, exactly one is wanted",
                     stanza->what, n_found);
}

void sources_keep(struct sources *sources, const struct sources_stanza *stanza)
{
    sources->stanzas = alloc_one_more(sources->stanzas, sources->n_stanzas, &sources->stanzas_cap,
                                      sizeof *sources->stanzas);
    sources->stanzas[sources->n_stanzas++] = *stanza;
}

bool sources_add(struct sources *sources, struct bytes_view text, const char *name,
                 struct hallmark_error *err)
{
    struct sources_stanza stanza = {.text = text, .hashes = RELEASE_SHA256};
    struct deb822 fields;
    bool ok;

    if (sources->n_stanzas >= LIMITS_ENTRIES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: more than %d source packages", what,
                         LIMITS_ENTRIES);
    if (text.len > LIMITS_SOURCES_STANZA_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has %zu bytes, at most %d are wanted",
                         name, text.len, LIMITS_SOURCES_STANZA_BYTES);
    if (!deb822_parse(&fields, text, DEB822_CONTROL, name, err))
        return false;
    ok = get(&fields, "Package", control_is_package, &stanza.package, err) &&
         get(&fields, "Version", control_is_version, &stanza.version, err) &&
         get(&fields, "Directory", is_directory, &stanza.directory, err) &&
         find_dsc(&fields, &stanza.dsc, err);
    if (deb822_find(&fields, "Checksums-Sha512"))
        stanza.hashes |= RELEASE_SHA512;
    deb822_free(&fields);
    if (ok)
        sources_keep(sources, &stanza);
    return ok;
}

bool sources_parse_files(const struct sources_stanza *stanza, struct dsc_file **out, size_t *n_out,
                         struct hallmark_error *err)
{
    struct deb822 fields;
    bool ok;

    if (!deb822_parse(&fields, stanza->text, DEB822_CONTROL, what, err))
        return false;
    ok = dsc_parse_files(&fields, out, n_out, err);
    deb822_free(&fields);
    return ok;
}

static int compare_views(struct bytes_view a, struct bytes_view b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_paths(const void *a, const void *b)
{
    const struct sources_stanza *x = a, *y = b;
    int order = compare_views(x->directory, y->directory);

    return order ? order : compare_views(x->dsc.name, y->dsc.name);
}

/* Parses the stanza that starts at *REST and LINE, and takes it off with the empty line behind. */
static bool parse_next(struct sources *sources, struct bytes_view *rest, size_t *line,
                       struct hallmark_error *err)
{
    char where[sizeof what + 32];
    struct bytes_view text = {rest->data, 0}, one;
    size_t n_lines = 0;

    while (bytes_view_next_line(rest, &one) && one.len) {
        text.len = (size_t)(rest->data - text.data);
        n_lines++;
    }
    snprintf(where, sizeof where, "%s: line %zu", what, *line);
    if (text.len == 0 || one.len)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: %s", where,
                         text.len ? "no empty line ends the stanza" : "a stanza was expected");
    *line += n_lines + 1;
    return sources_add(sources, text, where, err);
}

static bool check_paths(struct sources *sources, struct hallmark_error *err)
{
    const struct sources_stanza *s;
    size_t i;

    if (sources->n_stanzas)
        qsort(sources->stanzas, sources->n_stanzas, sizeof *sources->stanzas, compare_paths);
    for (i = 1; i < sources->n_stanzas; i++) {
        s = &sources->stanzas[i];
        if (compare_paths(s - 1, s) == 0)
            return error_set(err, HALLMARK_ERR_MALFORMED, "%s: \"%.*s/%.*s\" is listed twice", what,
                             (int)(s->directory.len < SHOWN ? s->directory.len : SHOWN),
                             s->directory.data, (int)s->dsc.name.len, s->dsc.name.data);
    }
    return true;
}

static bool parse(struct sources *sources, struct bytes_view text, struct hallmark_error *err)
{
    size_t line = 1;

    if (text.len > LIMITS_SOURCES_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has %zu bytes, at most %d are wanted",
                         what, text.len, LIMITS_SOURCES_BYTES);
    if (text.len && text.data[text.len - 1] != '\n')
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no newline at its end", what);
    while (text.len)
        if (!parse_next(sources, &text, &line, err))
            return false;
    return check_paths(sources, err);
}

bool sources_parse(struct sources *out, struct bytes_view text, struct hallmark_error *err)
{
    struct sources sources = {0};

    if (!parse(&sources, text, err)) {
        sources_free(&sources);
        return false;
    }
    *out = sources;
    return true;
}

void sources_free(struct sources *sources)
{
    free(sources->stanzas);
    *sources = (struct sources){0};
}

/* The directory of PATH, as a stanza calls it. */
static struct bytes_view directory_of(const char *path)
{
    size_t len = (size_t)(path_basename(path) - path);

    return len ? bytes_view_of(path, len - 1) : bytes_view_str(".");
}

const struct sources_stanza *sources_find(const struct sources *sources, const char *path)
{
    struct sources_stanza wanted = {.directory = directory_of(path),
                                    .dsc = {.name = bytes_view_str(path_basename(path))}};

    if (sources->n_stanzas == 0)
        return NULL;
    return bsearch(&wanted, sources->stanzas, sources->n_stanzas, sizeof *sources->stanzas,
                   compare_paths);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static bool is_replaced(struct bytes_view name)
{
    return dsc_is_list(name) || bytes_view_equals_nocase(name, bytes_view_str("Source")) ||
           bytes_view_equals_nocase(name, bytes_view_str("Package")) ||
           bytes_view_equals_nocase(name, bytes_view_str("Directory"));
}

static void write_text(struct bytes *out, const char *name, struct bytes_view value)
{
    bytes_printf(out, "%s: %.*s\n", name, (int)value.len, value.data);
}

void sources_write_stanza(const struct dsc *dsc, const struct release_entry *entries,
                          unsigned hashes, struct bytes *out)
{
    char hex[2 * RELEASE_SHA512_LEN + 1];
    size_t i;

    write_text(out, "Package", dsc->source);
    for (i = 0; i < dsc->stanza.n_fields; i++)
        if (!is_replaced(dsc->stanza.fields[i].name))
            deb822_write_field(out, &dsc->stanza.fields[i]);
    write_text(out, "Directory", directory_of(entries[0].path));
    bytes_append_str(out, "Checksums-Sha256:\n");
    for (i = 0; i <= dsc->n_files; i++) {
        encoding_hex(hex, entries[i].sha256, sizeof entries[i].sha256);
        bytes_printf(out, " %s %" PRIu64 " %s\n", hex, entries[i].size,
                     path_basename(entries[i].path));
    }
    if (!(hashes & RELEASE_SHA512))
        return;
    bytes_append_str(out, "Checksums-Sha512:\n");
    for (i = 0; i <= dsc->n_files; i++) {
        encoding_hex(hex, entries[i].sha512, RELEASE_SHA512_LEN);
        bytes_printf(out, " %s %" PRIu64 " %s\n", hex, entries[i].size,
                     path_basename(entries[i].path));
    }
}

/* By what apt tells source packages apart. */
static int compare_identities(const struct sources_stanza *a, const struct sources_stanza *b)
{
    int order = compare_views(a->package, b->package);

    return order ? order : package_name_compare_versions(a->version, b->version);
}

bool sources_is_same_version(const struct sources_stanza *a, const struct sources_stanza *b)
{
    return compare_identities(a, b) == 0;
}

int sources_compare(const struct sources_stanza *a, const struct sources_stanza *b)
{
    int order = compare_identities(a, b);

    return order ? order : compare_paths(a, b);
}

static int compare_stanzas(const void *a, const void *b)
{
    return sources_compare(a, b);
}

static bool check_pair(const struct sources_stanza *a, const struct sources_stanza *b,
                       struct hallmark_error *err)
{
    if (compare_identities(a, b) != 0 ||
        (a->dsc.size == b->dsc.size &&
         memcmp(a->dsc.sha256, b->dsc.sha256, sizeof a->dsc.sha256) == 0))
        return true;
    return error_set(err, HALLMARK_ERR_MALFORMED,
                     "%.*s/%.*s and %.*s/%.*s: both are the source of %.*s %.*s, but their "
                     "content differs",
                     (int)a->directory.len, a->directory.data, (int)a->dsc.name.len,
                     a->dsc.name.data, (int)b->directory.len, b->directory.data,
                     (int)b->dsc.name.len, b->dsc.name.data, (int)a->package.len, a->package.data,
                     (int)a->version.len, a->version.data);
}

bool sources_sort(struct sources *sources, struct hallmark_error *err)
{
    size_t i;

    if (sources->n_stanzas == 0)
        return true;
    qsort(sources->stanzas, sources->n_stanzas, sizeof *sources->stanzas, compare_stanzas);
    for (i = 1; i < sources->n_stanzas; i++)
        if (!check_pair(&sources->stanzas[i - 1], &sources->stanzas[i], err))
            return false;
    return true;
}

bool sources_write(const struct sources *sources, struct bytes *out, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < sources->n_stanzas; i++) {
        if (sources->stanzas[i].text.len >= LIMITS_SOURCES_BYTES - out->len)
            return error_set(err, HALLMARK_ERR_MALFORMED,
                             "%s: the index of %zu source packages would have more than %d bytes",
                             what, sources->n_stanzas, LIMITS_SOURCES_BYTES);
        bytes_append(out, sources->stanzas[i].text.data, sources->stanzas[i].text.len);
        bytes_append_str(out, "\n");
    }
    return true;
}
