/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A mirror's memory. */
#include "repo/mirror_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "crypto/digest.h"
#include "format/deb822.h"

static const char record_name[] = "mirror", retired_name[] = "retired";

enum { PRIVATE_FILE = 0600 };

void mirror_record_add(struct mirror_record *record, const char *directory, const char *sha256,
                       int64_t date)
{
    record->suites =
        alloc_one_more(record->suites, record->n_suites, &record->cap, sizeof *record->suites);
    record->suites[record->n_suites++] =
        (struct mirror_record_suite){alloc_strdup(directory), alloc_strdup(sha256), date};
}

const struct mirror_record_suite *mirror_record_find(const struct mirror_record *record,
                                                     const char *directory)
{
    size_t i;

    for (i = 0; i < record->n_suites; i++)
        if (strcmp(record->suites[i].directory, directory) == 0)
            return &record->suites[i];
    return NULL;
}

void mirror_record_free(struct mirror_record *record)
{
    size_t i;

    for (i = 0; i < record->n_suites; i++) {
        free(record->suites[i].directory);
        free(record->suites[i].sha256);
    }
    free(record->suites);
    free(record->source);
    strlist_free(&record->components);
    strlist_free(&record->architectures);
    strlist_free(&record->packages);
    *record = (struct mirror_record){0};
}

/* ---- The file "mirror" ---------------------------------------------------------------------- */

static void write_words(struct bytes *out, const char *name, const struct strlist *words)
{
    char *line = words->n_items ? strlist_join(words) : NULL;

    deb822_write(out, name, line);
    free(line);
}

void mirror_record_write(const struct mirror_record *record, struct bytes *out)
{
    size_t i;

    deb822_write(out, "Source", record->source);
    write_words(out, "Components", &record->components);
    write_words(out, "Architectures", &record->architectures);
    write_words(out, "Packages", &record->packages);
    bytes_append_str(out, "Manifests:\n");
    for (i = 0; i < record->n_suites; i++)
        bytes_printf(out, " %s %" PRId64 " %s\n", record->suites[i].sha256, record->suites[i].date,
                     record->suites[i].directory);
}

/* What is before the next blank of *REST, or all, which becomes what is behind it. */
static struct bytes_view take_word(struct bytes_view *rest)
{
    const char *blank = memchr(rest->data, ' ', rest->len);
    size_t len = blank ? (size_t)(blank - rest->data) : rest->len;
    struct bytes_view word = bytes_view_of(rest->data, len);

    *rest = bytes_view_of(rest->data + len + (blank != NULL), rest->len - len - (blank != NULL));
    return word;
}

static bool parse_seconds(struct bytes_view text, int64_t *out)
{
    uint64_t seconds;

    if (!encoding_parse_size(text, &seconds) || seconds > LIMITS_TIMESTAMP_MAX)
        return false;
    *out = (int64_t)seconds;
    return true;
}

/* "SHA256 SECONDS DIRECTORY", behind one blank. */
static bool parse_suite(struct mirror_record *out, struct bytes_view line)
{
    unsigned char digest[DIGEST_SHA256_LEN];
    struct bytes_view sha256, date;
    char *directory, *digits;
    int64_t seconds;
    bool ok;

    if (line.len == 0 || *line.data != ' ')
        return false;
    line = bytes_view_of(line.data + 1, line.len - 1);
    sha256 = take_word(&line);
    date = take_word(&line);
    directory = alloc_strndup(line.data, line.len);
    ok = encoding_unhex(digest, sizeof digest, sha256) && parse_seconds(date, &seconds) &&
         (strcmp(directory, ".") == 0 || path_check(line, "", NULL)) &&
         !mirror_record_find(out, directory);
    if (ok) {
        digits = alloc_strndup(sha256.data, sha256.len);
        mirror_record_add(out, directory, digits, seconds);
        free(digits);
    }
    free(directory);
    return ok;
}

static bool parse_suites(struct mirror_record *out, const struct deb822 *stanza)
{
    const struct deb822_field *field = deb822_find(stanza, "Manifests");
    struct bytes_view rest, line;

    if (!field)
        return false;
    rest = field->value;
    if (!bytes_view_next_line(&rest, &line) || line.len)
        return false;
    while (bytes_view_next_line(&rest, &line))
        if (!parse_suite(out, line))
            return false;
    return out->n_suites > 0;
}

static bool parse_words(struct strlist *out, const struct deb822 *stanza, const char *name,
                        struct hallmark_error *err)
{
    char *line = NULL;
    bool ok = deb822_get_line(stanza, name, &line, err);

    if (line)
        strlist_add_words(out, bytes_view_str(line));
    free(line);
    return ok;
}

bool mirror_record_parse(struct mirror_record *out, struct bytes_view text,
                         struct hallmark_error *err)
{
    struct mirror_record record = {0};
    struct deb822 stanza = {0};
    bool ok = deb822_parse(&stanza, text, DEB822_STRICT, record_name, err) &&
              deb822_get_line(&stanza, "Source", &record.source, err) &&
              parse_words(&record.components, &stanza, "Components", err) &&
              parse_words(&record.architectures, &stanza, "Architectures", err) &&
              parse_words(&record.packages, &stanza, "Packages", err);

    if (ok && (!record.source || !parse_suites(&record, &stanza)))
        ok = error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no valid Source or Manifests",
                       record_name);
    deb822_free(&stanza);
    if (ok)
        *out = record;
    else
        mirror_record_free(&record);
    return ok;
}

/* ---- The file "retired" --------------------------------------------------------------------- */

void mirror_record_retire(struct mirror_retired_list *list, const char *path, int64_t since)
{
    list->items = alloc_one_more(list->items, list->n_items, &list->cap, sizeof *list->items);
    list->items[list->n_items++] = (struct mirror_retired){alloc_strdup(path), since};
}

void mirror_record_free_retired(struct mirror_retired_list *list)
{
    size_t i;

    for (i = 0; i < list->n_items; i++)
        free(list->items[i].path);
    free(list->items);
    *list = (struct mirror_retired_list){0};
}

void mirror_record_write_retired(const struct mirror_retired_list *list, struct bytes *out)
{
    size_t i;

    for (i = 0; i < list->n_items; i++)
        bytes_printf(out, "%" PRId64 " %s\n", list->items[i].since, list->items[i].path);
}

static bool parse_retired(struct mirror_retired_list *out, struct bytes_view line)
{
    struct bytes_view seconds = take_word(&line);
    int64_t since;
    char *path;
    bool ok;

    if (!parse_seconds(seconds, &since) || !path_check(line, "", NULL))
        return false;
    path = alloc_strndup(line.data, line.len);
    ok = !out->n_items || strcmp(out->items[out->n_items - 1].path, path) < 0;
    if (ok)
        mirror_record_retire(out, path, since);
    free(path);
    return ok;
}

bool mirror_record_parse_retired(struct mirror_retired_list *out, struct bytes_view text,
                                 struct hallmark_error *err)
{
    struct mirror_retired_list list = {0};
    struct bytes_view rest = text, line;
    size_t number = 0;

    if (text.len && text.data[text.len - 1] != '\n')
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: ends without a newline", retired_name);
    while (bytes_view_next_line(&rest, &line)) {
        number++;
        if (parse_retired(&list, line))
            continue;
        mirror_record_free_retired(&list);
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: line %zu is not \"SECONDS PATH\", or out of order", retired_name,
                         number);
    }
    *out = list;
    return true;
}

/* ---- In the state directory ----------------------------------------------------------------- */

bool mirror_record_load(int statefd, struct mirror_record *record,
                        struct mirror_retired_list *retired, struct hallmark_error *err)
{
    struct bytes text = {0}, lines = {0};
    bool has_record = false, has_retired = false, ok = true;

    if (statefd >= 0)
        ok = file_read(statefd, record_name, LIMITS_SETTINGS_BYTES, &text, &has_record, err) &&
             file_read(statefd, retired_name, LIMITS_RETIRED_BYTES, &lines, &has_retired, err) &&
             (!has_record || mirror_record_parse(record, bytes_view(&text), err)) &&
             (!has_retired || mirror_record_parse_retired(retired, bytes_view(&lines), err));
    bytes_free(&text);
    bytes_free(&lines);
    return ok;
}

bool mirror_record_save(int statefd, const struct mirror_record *record, struct hallmark_error *err)
{
    struct bytes text = {0};
    bool ok;

    mirror_record_write(record, &text);
    ok = file_replace(statefd, record_name, bytes_view(&text), PRIVATE_FILE, err);
    bytes_free(&text);
    return ok;
}

bool mirror_record_save_retired(int statefd, const struct mirror_retired_list *retired,
                                struct hallmark_error *err)
{
    struct bytes text = {0};
    bool ok;

    mirror_record_write_retired(retired, &text);
    ok = file_replace(statefd, retired_name, bytes_view(&text), PRIVATE_FILE, err);
    bytes_free(&text);
    return ok;
}
