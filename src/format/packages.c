/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The index Packages. */
#include "format/packages.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/path.h"
#include "format/package_name.h"

static const char what[] = "Packages";

/* ---- Parsing -------------------------------------------------------------------------------- */

static bool malformed(const struct control *control, const char *name, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no valid field %s", control->stanza.what,
                     name);
}

static bool get_hash(const struct control *control, const char *name, unsigned char *out,
                     size_t len)
{
    const struct deb822_field *field = deb822_find(&control->stanza, name);

    return field && encoding_unhex(out, len, field->value);
}

static bool get_file(struct packages_stanza *stanza, const struct control *control,
                     struct hallmark_error *err)
{
    const struct deb822_field *filename = deb822_find(&control->stanza, "Filename");
    const struct deb822_field *size = deb822_find(&control->stanza, "Size");

    if (!filename || !path_check(filename->value, control->stanza.what, NULL))
        return malformed(control, "Filename", err);
    stanza->filename = filename->value;
    if (!size || !encoding_parse_size(size->value, &stanza->size))
        return malformed(control, "Size", err);
    if (!get_hash(control, "SHA256", stanza->sha256, sizeof stanza->sha256))
        return malformed(control, "SHA256", err);
    stanza->hashes = RELEASE_SHA256;
    if (!deb822_find(&control->stanza, "SHA512"))
        return true;
    stanza->hashes |= RELEASE_SHA512;
    return get_hash(control, "SHA512", stanza->sha512, sizeof stanza->sha512) ||
           malformed(control, "SHA512", err);
}

void packages_keep(struct packages *packages, const struct packages_stanza *stanza)
{
    packages->stanzas = alloc_one_more(packages->stanzas, packages->n_stanzas,
                                       &packages->stanzas_cap, sizeof *packages->stanzas);
    packages->stanzas[packages->n_stanzas++] = *stanza;
}

bool packages_add(struct packages *packages, struct bytes_view text, const char *name,
                  struct hallmark_error *err)
{
    struct packages_stanza stanza = {.text = text};
    struct control control;
    bool ok;

    if (packages->n_stanzas >= LIMITS_ENTRIES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: more than %d packages", what,
                         LIMITS_ENTRIES);
    if (!control_parse(&control, text, name, err))
        return false;
    stanza.package = control.package;
    stanza.version = control.version;
    stanza.architecture = control.architecture;
    ok = get_file(&stanza, &control, err);
    control_free(&control);
    if (ok)
        packages_keep(packages, &stanza);
    return ok;
}

static int compare_views(struct bytes_view a, struct bytes_view b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_filenames(const void *a, const void *b)
{
    const struct packages_stanza *x = a, *y = b;

    return compare_views(x->filename, y->filename);
}

/* Parses the stanza that starts at *REST and LINE, and takes it off with the empty line behind. */
static bool parse_next(struct packages *packages, struct bytes_view *rest, size_t *line,
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
    return packages_add(packages, text, where, err);
}

static bool parse(struct packages *packages, struct bytes_view text, struct hallmark_error *err)
{
    struct bytes_view filename;
    size_t line = 1, i;

    if (text.len > LIMITS_PACKAGES_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has %zu bytes, at most %d are wanted",
                         what, text.len, LIMITS_PACKAGES_BYTES);
    if (text.len && text.data[text.len - 1] != '\n')
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no newline at its end", what);
    while (text.len)
        if (!parse_next(packages, &text, &line, err))
            return false;
    if (packages->n_stanzas)
        qsort(packages->stanzas, packages->n_stanzas, sizeof *packages->stanzas, compare_filenames);
    for (i = 1; i < packages->n_stanzas; i++) {
        filename = packages->stanzas[i].filename;
        if (compare_views(packages->stanzas[i - 1].filename, filename) == 0)
            return error_set(err, HALLMARK_ERR_MALFORMED, "%s: \"%.*s\" is listed twice", what,
                             (int)(filename.len < 256 ? filename.len : 256), filename.data);
    }
    return true;
}

bool packages_parse(struct packages *out, struct bytes_view text, struct hallmark_error *err)
{
    struct packages packages = {0};

    if (!parse(&packages, text, err)) {
        packages_free(&packages);
        return false;
    }
    *out = packages;
    return true;
}

void packages_free(struct packages *packages)
{
    free(packages->stanzas);
    *packages = (struct packages){0};
}

const struct packages_stanza *packages_find(const struct packages *packages, const char *filename)
{
    struct packages_stanza wanted = {.filename = bytes_view_str(filename)};

    if (packages->n_stanzas == 0)
        return NULL;
    return bsearch(&wanted, packages->stanzas, packages->n_stanzas, sizeof *packages->stanzas,
                   compare_filenames);
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* A field that says which file this is: for the index to say, whatever the package claims. */
static bool is_about_file(struct bytes_view name)
{
    static const char *const names[] = {"Filename", "MSDOS-Filename", "Size",   "MD5sum", "SHA1",
                                        "SHA224",   "SHA256",         "SHA384", "SHA512"};
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (bytes_view_equals_nocase(name, bytes_view_str(names[i])))
            return true;
    return false;
}

static void write_hash(struct bytes *out, const char *name, const unsigned char *hash, size_t len)
{
    char hex[2 * RELEASE_SHA512_LEN + 1];

    encoding_hex(hex, hash, len);
    deb822_write(out, name, hex);
}

void packages_write_stanza(const struct control *control, const struct release_entry *entry,
                           unsigned hashes, struct bytes *out)
{
    size_t i;

    for (i = 0; i < control->stanza.n_fields; i++)
        if (!is_about_file(control->stanza.fields[i].name))
            deb822_write_field(out, &control->stanza.fields[i]);
    deb822_write(out, "Filename", entry->path);
    bytes_printf(out, "Size: %" PRIu64 "\n", entry->size);
    write_hash(out, "SHA256", entry->sha256, sizeof entry->sha256);
    if (hashes & RELEASE_SHA512)
        write_hash(out, "SHA512", entry->sha512, RELEASE_SHA512_LEN);
}

/* By what apt and dpkg tell packages apart. */
static int compare_identities(const struct packages_stanza *a, const struct packages_stanza *b)
{
    int order = compare_views(a->package, b->package);

    if (order == 0)
        order = package_name_compare_versions(a->version, b->version);
    return order ? order : compare_views(a->architecture, b->architecture);
}

static int compare_stanzas(const void *a, const void *b)
{
    int order = compare_identities(a, b);

    return order ? order : compare_filenames(a, b);
}

static bool check_pair(const struct packages_stanza *a, const struct packages_stanza *b,
                       struct hallmark_error *err)
{
    if (compare_identities(a, b) != 0 ||
        (a->size == b->size && memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0))
        return true;
    return error_set(err, HALLMARK_ERR_MALFORMED,
                     "%.*s and %.*s: both are %.*s %.*s for %.*s, but their content differs",
                     (int)a->filename.len, a->filename.data, (int)b->filename.len, b->filename.data,
                     (int)a->package.len, a->package.data, (int)a->version.len, a->version.data,
                     (int)a->architecture.len, a->architecture.data);
}

bool packages_sort(struct packages *packages, struct hallmark_error *err)
{
    size_t i;

    if (packages->n_stanzas == 0)
        return true;
    qsort(packages->stanzas, packages->n_stanzas, sizeof *packages->stanzas, compare_stanzas);
    for (i = 1; i < packages->n_stanzas; i++)
        if (!check_pair(&packages->stanzas[i - 1], &packages->stanzas[i], err))
            return false;
    return true;
}

bool packages_write(const struct packages *packages, struct bytes *out, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < packages->n_stanzas; i++) {
        if (packages->stanzas[i].text.len >= LIMITS_PACKAGES_BYTES - out->len)
            return error_set(err, HALLMARK_ERR_MALFORMED,
                             "%s: the index of %zu packages would have more than %d bytes", what,
                             packages->n_stanzas, LIMITS_PACKAGES_BYTES);
        bytes_append(out, packages->stanzas[i].text.data, packages->stanzas[i].text.len);
        bytes_append_str(out, "\n");
    }
    return true;
}
