/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control file of a source package: dsc(5), as dpkg-source writes it. */
#include "format/dsc.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/path.h"
#include "format/clearsign.h"
#include "format/control.h"

enum { SHOWN = 256 }; /* bytes of a value in a message */

/* The fields that list the same files, and how many hexadecimal digits their hashes have. */
static const struct list {
    const char *name;
    size_t n_digits;
} lists[] = {
    {"Checksums-Sha256", 64}, {"Files", 32}, {"Checksums-Sha1", 40}, {"Checksums-Sha512", 128}};

/* A list that is being read. */
struct reader {
    const struct deb822 *stanza;
    const struct list *list;
    struct dsc_file *files;
    size_t n_files, cap;
    struct hallmark_error *err;
};

bool dsc_is_list(struct bytes_view name)
{
    size_t i;

    for (i = 0; i < sizeof lists / sizeof *lists; i++)
        if (bytes_view_equals_nocase(name, bytes_view_str(lists[i].name)))
            return true;
    return false;
}

bool dsc_is_path(struct bytes_view path)
{
    static const char suffix[] = ".dsc";
    size_t len = sizeof suffix - 1;

    return path.len > len && memcmp(path.data + path.len - len, suffix, len) == 0;
}

/* ---- The lists of files -----------------------------------------------------------------------
 */

static int shown(struct bytes_view text)
{
    return text.len < SHOWN ? (int)text.len : SHOWN;
}

static bool fail(const struct reader *r, struct bytes_view line, const char *fault)
{
    return error_set(r->err, HALLMARK_ERR_MALFORMED, "%s: %s: \"%.*s\" %s", r->stanza->what,
                     r->list->name, shown(line), line.data, fault);
}

/* Takes the next word off *LINE; blanks separate them. */
static struct bytes_view next_word(struct bytes_view *line)
{
    struct bytes_view word;

    while (line->len && line->data[0] == ' ') {
        line->data++;
        line->len--;
    }
    word.data = line->data;
    while (line->len && line->data[0] != ' ') {
        line->data++;
        line->len--;
    }
    word.len = (size_t)(line->data - word.data);
    return word;
}

static bool is_hash(struct bytes_view text, size_t n_digits)
{
    unsigned char value[RELEASE_SHA512_LEN];

    return encoding_unhex(value, n_digits / 2, text);
}

static bool is_name(struct bytes_view text)
{
    return !memchr(text.data, '/', text.len) && path_check(text, "", NULL);
}

static struct bytes_view without_blanks_at_end(struct bytes_view line)
{
    while (line.len && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
        line.len--;
    return line;
}

static const struct dsc_file *find(const struct dsc_file *files, size_t n_files,
                                   struct bytes_view name)
{
    size_t i;

    for (i = 0; i < n_files; i++)
        if (files[i].name.len == name.len && memcmp(files[i].name.data, name.data, name.len) == 0)
            return &files[i];
    return NULL;
}

static bool read_entry(struct reader *r, struct bytes_view line)
{
    struct bytes_view rest = without_blanks_at_end(line), hash = next_word(&rest), size;
    struct dsc_file file = {.size = 0};

    size = next_word(&rest);
    file.name = next_word(&rest);
    if (!is_hash(hash, r->list->n_digits) || !encoding_parse_size(size, &file.size) || rest.len)
        return fail(r, line, "is not \" HASH SIZE NAME\"");
    if (!is_name(file.name))
        return fail(r, file.name, "is no name for a file beside the .dsc");
    if (find(r->files, r->n_files, file.name))
        return fail(r, file.name, "is listed twice");
    if (r->n_files == LIMITS_DSC_FILES)
        return fail(r, file.name, "is one file more than the limit of 1000");
    if (r->list == lists)
        encoding_unhex(file.sha256, sizeof file.sha256, hash);
    r->files = alloc_one_more(r->files, r->n_files, &r->cap, sizeof *r->files);
    r->files[r->n_files++] = file;
    return true;
}

/* Every entry has its own line, and the field's first line none. */
static bool read_list(struct reader *r, const struct deb822_field *field)
{
    struct bytes_view rest = field->value, line;

    if (!bytes_view_next_line(&rest, &line) || without_blanks_at_end(line).len)
        return error_set(r->err, HALLMARK_ERR_MALFORMED,
                         "%s: line %zu: %s lists its files on the lines behind its own",
                         r->stanza->what, field->line, r->list->name);
    while (bytes_view_next_line(&rest, &line))
        if (!read_entry(r, line))
            return false;
    return true;
}

/* Whether the other list R has the files of FIRST; in neither is a name twice. */
static bool check_same(const struct reader *r, const struct reader *first)
{
    const struct dsc_file *file;
    size_t i;

    for (i = 0; i < r->n_files; i++) {
        file = find(first->files, first->n_files, r->files[i].name);
        if (!file)
            return fail(r, r->files[i].name, "is not in Checksums-Sha256");
        if (file->size != r->files[i].size)
            return fail(r, r->files[i].name, "has another size in Checksums-Sha256");
    }
    for (i = 0; i < first->n_files; i++)
        if (!find(r->files, r->n_files, first->files[i].name))
            return fail(r, first->files[i].name, "is missing, which Checksums-Sha256 lists");
    return true;
}

static bool check_other(const struct reader *first, const struct list *list)
{
    const struct deb822_field *field = deb822_find(first->stanza, list->name);
    struct reader other = {.stanza = first->stanza, .list = list, .err = first->err};
    bool ok;

    if (!field)
        return true;
    ok = read_list(&other, field) && check_same(&other, first);
    free(other.files);
    return ok;
}

bool dsc_parse_files(const struct deb822 *stanza, struct dsc_file **out, size_t *n_out,
                     struct hallmark_error *err)
{
    struct reader r = {.stanza = stanza, .list = lists, .err = err};
    const struct deb822_field *field = deb822_find(stanza, lists[0].name);
    bool ok;
    size_t i;

    if (!field)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no field %s", stanza->what,
                         lists[0].name);
    ok = read_list(&r, field);
    for (i = 1; ok && i < sizeof lists / sizeof *lists; i++)
        ok = check_other(&r, &lists[i]);
    if (!ok) {
        free(r.files);
        return false;
    }
    *out = r.files;
    *n_out = r.n_files;
    return true;
}

/* ---- The .dsc ---------------------------------------------------------------------------------
 */

static bool get(const struct dsc *dsc, const char *name, bool (*is_right)(struct bytes_view),
                struct bytes_view *out, struct hallmark_error *err)
{
    const struct deb822_field *field = deb822_find(&dsc->stanza, name);

    if (!field)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no field %s", dsc->stanza.what,
                         name);
    if (!is_right(field->value))
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: line %zu: \"%.*s\" is no %s",
                         dsc->stanza.what, field->line, shown(field->value), field->value.data,
                         name);
    *out = field->value;
    return true;
}

static bool is_anything(struct bytes_view text)
{
    return text.len > 0;
}

static bool read_fields(struct dsc *dsc, struct hallmark_error *err)
{
    struct bytes_view ignored;

    return get(dsc, "Format", is_anything, &ignored, err) &&
           get(dsc, "Source", control_is_package, &dsc->source, err) &&
           get(dsc, "Version", control_is_version, &dsc->version, err) &&
           get(dsc, "Files", is_anything, &ignored, err) &&
           dsc_parse_files(&dsc->stanza, &dsc->files, &dsc->n_files, err);
}

bool dsc_parse(struct dsc *out, struct bytes_view document, const char *what,
               struct hallmark_error *err)
{
    struct dsc dsc = {.stanza = {.fields = NULL}};
    struct bytes_view text = document;

    if (document.len > LIMITS_DSC_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has %zu bytes, at most %d are wanted",
                         what, document.len, LIMITS_DSC_BYTES);
    if (clearsign_is_clearsigned(document) && !clearsign_unwrap(&text, document, what, err))
        return false;
    if (!deb822_parse(&dsc.stanza, text, DEB822_CONTROL, what, err))
        return false;
    if (!read_fields(&dsc, err)) {
        dsc_free(&dsc);
        return false;
    }
    *out = dsc;
    return true;
}

void dsc_free(struct dsc *dsc)
{
    deb822_free(&dsc->stanza);
    free(dsc->files);
    *dsc = (struct dsc){.stanza = {.fields = NULL}};
}
