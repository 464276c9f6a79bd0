/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packages, Sources and Unpacked-Sizes, line by line. */
#include "format/package_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/path.h"

enum { SHOWN = 64 }; /* bytes of a value in a message */

/* The fields that mean something here. */
enum field {
    PACKAGE,
    VERSION,
    ARCHITECTURE,
    FILENAME,
    SIZE,
    SHA256,
    SHA512,
    DIRECTORY,
    CHECKSUMS_SHA256,
    CHECKSUMS_SHA512,
    ENTRIES,
    UNPACKED_SIZE,
    N_FIELDS,
    NO_FIELD = N_FIELDS,
};

enum {
    IN_PACKAGES = 1 << INDEX_PATH_PACKAGES,
    IN_SOURCES = 1 << INDEX_PATH_SOURCES,
    IN_SIZES = 1 << INDEX_PATH_UNPACKED_SIZES,
};

static const struct {
    const char *name;
    unsigned kinds;
    bool is_list; /* its value is on the lines behind it */
} fields[] = {
    [PACKAGE] = {"Package", IN_PACKAGES | IN_SOURCES, false},
    [VERSION] = {"Version", IN_PACKAGES | IN_SOURCES, false},
    [ARCHITECTURE] = {"Architecture", IN_PACKAGES, false},
    [FILENAME] = {"Filename", IN_PACKAGES | IN_SIZES, false},
    [SIZE] = {"Size", IN_PACKAGES, false},
    [SHA256] = {"SHA256", IN_PACKAGES, false},
    [SHA512] = {"SHA512", IN_PACKAGES, false},
    [DIRECTORY] = {"Directory", IN_SOURCES, false},
    [CHECKSUMS_SHA256] = {"Checksums-Sha256", IN_SOURCES, true},
    [CHECKSUMS_SHA512] = {"Checksums-Sha512", IN_SOURCES, true},
    [ENTRIES] = {"Entries", IN_SIZES, false},
    [UNPACKED_SIZE] = {"Unpacked-Size", IN_SIZES, false},
};

struct package_index {
    enum index_path_kind kind;
    const char *what;
    const struct package_index_sink *sink;
    struct bytes partial; /* a line whose end has not come yet */
    size_t line;          /* the current one, from 1 */
    size_t stanza;        /* where the current stanza starts; 0: between stanzas */
    enum field current;   /* which field a continuation belongs to */
    bool can_continue;
    bool has[N_FIELDS];
    struct bytes values[N_FIELDS]; /* of lists, each line with its newline */
    struct bytes path;
    struct hallmark_error *err;
};

struct package_index *package_index_new(enum index_path_kind kind, const char *what,
                                        const struct package_index_sink *sink)
{
    struct package_index *index = alloc_array(1, sizeof *index);

    index->kind = kind;
    index->what = what;
    index->sink = sink;
    return index;
}

void package_index_free(struct package_index *index)
{
    size_t i;

    if (!index)
        return;
    for (i = 0; i < N_FIELDS; i++)
        bytes_free(&index->values[i]);
    bytes_free(&index->partial);
    bytes_free(&index->path);
    free(index);
}

static bool fail(const struct package_index *index, const char *fault)
{
    return error_set(index->err, HALLMARK_ERR_MALFORMED, "%s: line %zu %s", index->what,
                     index->line, fault);
}

/* ---- Stanzas -------------------------------------------------------------------------------- */

static bool fail_field(const struct package_index *index, enum field field)
{
    struct bytes_view value = bytes_view(&index->values[field]);

    if (!index->has[field])
        return error_set(index->err, HALLMARK_ERR_MALFORMED,
                         "%s: the stanza at line %zu has no field %s", index->what, index->stanza,
                         fields[field].name);
    return error_set(index->err, HALLMARK_ERR_MALFORMED,
                     "%s: the stanza at line %zu has no valid %s: \"%.*s\"", index->what,
                     index->stanza, fields[field].name, value.len < SHOWN ? (int)value.len : SHOWN,
                     value.data ? value.data : "");
}

static bool is_word(struct bytes_view text)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.len > 0;
}

static bool get_word(const struct package_index *index, enum field field, struct bytes_view *out)
{
    *out = bytes_view(&index->values[field]);
    return (index->has[field] && is_word(*out)) || fail_field(index, field);
}

/* Without the "./" with which some tools start a path. */
static struct bytes_view without_dots(struct bytes_view path)
{
    while (path.len >= 2 && memcmp(path.data, "./", 2) == 0)
        path = bytes_view_of(path.data + 2, path.len - 2);
    return path;
}

static bool get_hash(const struct package_index *index, enum field field, unsigned char *out,
                     size_t len)
{
    return encoding_unhex(out, len, bytes_view(&index->values[field])) || fail_field(index, field);
}

static bool get_filename(const struct package_index *index, struct bytes_view *out)
{
    *out = without_dots(bytes_view(&index->values[FILENAME]));
    return (index->has[FILENAME] && path_check(*out, "", NULL)) || fail_field(index, FILENAME);
}

static bool get_number(const struct package_index *index, enum field field, uint64_t *out)
{
    return (index->has[field] && encoding_parse_size(bytes_view(&index->values[field]), out)) ||
           fail_field(index, field);
}

static bool end_sizes(struct package_index *index, struct package_index_entry *entry)
{
    return get_filename(index, &entry->path) && get_number(index, ENTRIES, &entry->n_entries) &&
           get_number(index, UNPACKED_SIZE, &entry->n_unpacked) &&
           index->sink->take(index->sink->ctx, entry, index->err);
}

static bool end_package(struct package_index *index, struct package_index_entry *entry)
{
    if (!get_word(index, ARCHITECTURE, &entry->architecture) ||
        !get_filename(index, &entry->path) || !get_number(index, SIZE, &entry->size))
        return false;
    if (index->has[SHA256]) {
        if (!get_hash(index, SHA256, entry->sha256, sizeof entry->sha256))
            return false;
        entry->hashes |= RELEASE_SHA256;
    }
    if (index->has[SHA512]) {
        if (!get_hash(index, SHA512, entry->sha512, sizeof entry->sha512))
            return false;
        entry->hashes |= RELEASE_SHA512;
    }
    return index->sink->take(index->sink->ctx, entry, index->err);
}

/* Takes what is before the next blank off *REST, and the blanks around it. */
static struct bytes_view take_column(struct bytes_view *rest)
{
    struct bytes_view column;

    while (rest->len && *rest->data == ' ')
        *rest = bytes_view_of(rest->data + 1, rest->len - 1);
    column = bytes_view_of(rest->data, 0);
    while (column.len < rest->len && rest->data[column.len] != ' ')
        column.len++;
    *rest = bytes_view_of(rest->data + column.len, rest->len - column.len);
    return column;
}

/* " HASH SIZE NAME", of a file in DIRECTORY. */
static bool take_file(struct package_index *index, struct package_index_entry *entry,
                      enum field list, struct bytes_view line)
{
    bool is_256 = list == CHECKSUMS_SHA256;
    unsigned char *hash = is_256 ? entry->sha256 : entry->sha512;
    struct bytes_view digits = take_column(&line), size = take_column(&line),
                      name = take_column(&line),
                      directory = without_dots(bytes_view(&index->values[DIRECTORY]));

    while (directory.len && directory.data[directory.len - 1] == '/')
        directory.len--;
    index->path.len = 0;
    if (directory.len && !bytes_view_equals(directory, ".")) {
        bytes_append(&index->path, directory.data, directory.len);
        bytes_append_str(&index->path, "/");
    }
    bytes_append(&index->path, name.data, name.len);
    entry->path = bytes_view(&index->path);
    if (!encoding_unhex(hash, is_256 ? RELEASE_SHA256_LEN : RELEASE_SHA512_LEN, digits) ||
        !encoding_parse_size(size, &entry->size) || take_column(&line).len || line.len ||
        (name.len && memchr(name.data, '/', name.len)) || !path_check(entry->path, "", NULL))
        return error_set(index->err, HALLMARK_ERR_MALFORMED,
                         "%s: the stanza at line %zu: an entry of %s is not \" HASH SIZE NAME\" "
                         "of a file in its Directory",
                         index->what, index->stanza, fields[list].name);
    entry->hashes = is_256 ? RELEASE_SHA256 : RELEASE_SHA512;
    return index->sink->take(index->sink->ctx, entry, index->err);
}

static bool end_source(struct package_index *index, struct package_index_entry *entry)
{
    enum field list = index->has[CHECKSUMS_SHA256] ? CHECKSUMS_SHA256 : CHECKSUMS_SHA512;
    struct bytes_view rest = bytes_view(&index->values[list]), line;

    entry->architecture = bytes_view_str("source");
    if (!index->has[DIRECTORY])
        return fail_field(index, DIRECTORY);
    if (!index->has[list])
        return error_set(index->err, HALLMARK_ERR_MALFORMED,
                         "%s: the stanza at line %zu has neither Checksums-Sha256 nor "
                         "Checksums-Sha512: what it lists cannot be verified",
                         index->what, index->stanza);
    while (bytes_view_next_line(&rest, &line))
        if (!take_file(index, entry, list, line))
            return false;
    return true;
}

static bool end_stanza(struct package_index *index)
{
    struct package_index_entry entry = {.index = index->what};
    size_t i;
    bool ok;

    index->can_continue = false;
    if (!index->stanza)
        return true;
    if (index->kind == INDEX_PATH_UNPACKED_SIZES)
        ok = end_sizes(index, &entry);
    else
        ok = get_word(index, PACKAGE, &entry.name) && get_word(index, VERSION, &entry.version) &&
             (index->kind == INDEX_PATH_PACKAGES ? end_package(index, &entry)
                                                 : end_source(index, &entry));
    for (i = 0; i < N_FIELDS; i++) {
        index->has[i] = false;
        index->values[i].len = 0;
    }
    index->stanza = 0;
    return ok;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static struct bytes_view trim(struct bytes_view text)
{
    while (text.len && (*text.data == ' ' || *text.data == '\t'))
        text = bytes_view_of(text.data + 1, text.len - 1);
    while (text.len && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static enum field find_field(const struct package_index *index, struct bytes_view name)
{
    size_t i;

    for (i = 0; i < N_FIELDS; i++)
        if (fields[i].kinds & 1U << index->kind &&
            bytes_view_equals_nocase(name, bytes_view_str(fields[i].name)))
            break;
    return (enum field)i;
}

static bool add_value(struct package_index *index, struct bytes_view value)
{
    struct bytes *to = &index->values[index->current];

    if (value.len >= LIMITS_STANZA_BYTES - to->len)
        return fail(index, "makes a field longer than 532480 bytes");
    bytes_append(to, value.data, value.len);
    if (fields[index->current].is_list)
        bytes_append_str(to, "\n");
    return true;
}

static bool take_field(struct package_index *index, struct bytes_view line)
{
    const char *colon = memchr(line.data, ':', line.len);
    struct bytes_view name = {line.data, colon ? (size_t)(colon - line.data) : 0}, value;

    if (!is_word(name) || *name.data == '#' || *name.data == '-')
        return fail(index, "is no field \"Name: value\"");
    if (!index->stanza)
        index->stanza = index->line;
    index->can_continue = true;
    index->current = find_field(index, name);
    if (index->current == NO_FIELD)
        return true;
    if (index->has[index->current])
        return fail(index, "has a field that the stanza had already");
    index->has[index->current] = true;
    value = trim(bytes_view_of(colon + 1, line.len - name.len - 1));
    if (!fields[index->current].is_list)
        return add_value(index, value);
    return value.len == 0 || fail(index, "has an entry beside the name of a list");
}

static bool take_continuation(struct package_index *index, struct bytes_view line)
{
    if (!index->can_continue)
        return fail(index, "continues nothing: no field stands right above it");
    /* dpkg, apt and others do not agree whether blanks alone end a stanza. */
    if (trim(line).len == 0)
        return fail(index, "holds nothing but blanks");
    if (index->current == NO_FIELD)
        return true;
    if (!fields[index->current].is_list)
        return fail(index, "continues a field that has one line only");
    return add_value(index, trim(line));
}

static bool take_line(struct package_index *index, struct bytes_view line)
{
    index->line++;
    if (line.len > LIMITS_CONTROL_BYTES)
        return fail(index, "is longer than 524288 bytes");
    if (line.len == 0)
        return end_stanza(index);
    if (memchr(line.data, '\0', line.len))
        return fail(index, "holds a NUL");
    if (*line.data == ' ' || *line.data == '\t')
        return take_continuation(index, line);
    return take_field(index, line);
}

bool package_index_feed(struct package_index *index, struct bytes_view data,
                        struct hallmark_error *err)
{
    const char *newline;
    struct bytes_view line;

    index->err = err;
    while (data.len && (newline = memchr(data.data, '\n', data.len)) != NULL) {
        line = bytes_view_of(data.data, (size_t)(newline - data.data));
        data = bytes_view_of(newline + 1, data.len - line.len - 1);
        if (index->partial.len) {
            bytes_append(&index->partial, line.data, line.len);
            line = bytes_view(&index->partial);
        }
        if (!take_line(index, line))
            return false;
        index->partial.len = 0;
    }
    if (data.len > LIMITS_CONTROL_BYTES || index->partial.len > LIMITS_CONTROL_BYTES) {
        index->line++;
        return fail(index, "is longer than 524288 bytes");
    }
    if (data.len)
        bytes_append(&index->partial, data.data, data.len);
    return true;
}

bool package_index_finish(struct package_index *index, struct hallmark_error *err)
{
    index->err = err;
    if (index->partial.len && !take_line(index, bytes_view(&index->partial)))
        return false;
    return end_stanza(index);
}
