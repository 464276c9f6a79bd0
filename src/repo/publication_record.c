/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing the record. */
#include "repo/publication_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/timestamp.h"
#include "crypto/digest.h"
#include "format/deb822.h"

enum { STATE_FILE = 0600 };

const char *const publication_record_documents[PUBLICATION_DOCUMENTS] = {"Release", "Release.gpg",
                                                                         "InRelease"};
static const char state_name[] = "state";
static const char *const prefixes[PUBLICATION_RECORDS] = {"", "Next-"};

void publication_record_free(struct publication_record *record)
{
    size_t i;

    for (i = 0; i < PUBLICATION_DOCUMENTS; i++)
        free(record->digests[i]);
    free(record->signed_by);
    free(record->packages);
}

void publication_record_state_free(struct publication_state *state)
{
    size_t i;

    for (i = 0; i < PUBLICATION_RECORDS; i++)
        publication_record_free(&state->records[i]);
}

char *publication_record_digest(struct bytes_view data, struct hallmark_error *err)
{
    struct digest_value digest;
    char *text;

    if (!digest_bytes(DIGEST_SHA256, data, &digest, err))
        return NULL;
    text = alloc_array(2 * sizeof digest.sha256 + 1, 1);
    encoding_hex(text, digest.sha256, sizeof digest.sha256);
    return text;
}

static bool get_line(const struct deb822 *stanza, const char *prefix, const char *name, char **out,
                     struct hallmark_error *err)
{
    char *field = alloc_printf("%s%s", prefix, name);
    bool ok = deb822_get_line(stanza, field, out, err);

    free(field);
    return ok;
}

static bool record_parse(struct publication_record *out, const struct deb822 *stanza,
                         const char *prefix, struct hallmark_error *err)
{
    char *date = NULL;
    bool ok = get_line(stanza, prefix, "Date", &date, err) &&
              get_line(stanza, prefix, "Signed-By", &out->signed_by, err) &&
              get_line(stanza, prefix, "Packages", &out->packages, err);
    size_t i;

    for (i = 0; ok && i < PUBLICATION_DOCUMENTS; i++)
        ok = get_line(stanza, prefix, publication_record_documents[i], &out->digests[i], err);
    if (ok && date && !timestamp_parse_rfc1123(bytes_view_str(date), &out->date))
        ok = error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no valid %sDate", state_name, prefix);
    free(date);
    return ok;
}

static bool state_parse(struct publication_state *out, struct bytes_view text,
                        struct hallmark_error *err)
{
    struct deb822 stanza = {0};
    bool ok = deb822_parse(&stanza, text, DEB822_STRICT, state_name, err);
    size_t i;

    for (i = 0; ok && i < PUBLICATION_RECORDS; i++)
        ok = record_parse(&out->records[i], &stanza, prefixes[i], err);
    if (ok && !out->records[PUBLICATION_PUBLISHED].date && !out->records[PUBLICATION_NEXT].date)
        ok = error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no valid Date", state_name);
    deb822_free(&stanza);
    return ok;
}

bool publication_record_state_load(int statefd, struct publication_state *out,
                                   struct hallmark_error *err)
{
    struct bytes text = {0};
    bool exists = false, ok = true;

    if (statefd >= 0)
        ok = file_read(statefd, state_name, LIMITS_SETTINGS_BYTES, &text, &exists, err) &&
             (!exists || state_parse(out, bytes_view(&text), err));
    bytes_free(&text);
    return ok;
}

static void put_line(struct bytes *out, const char *prefix, const char *name, const char *value)
{
    char *field = alloc_printf("%s%s", prefix, name);

    deb822_write(out, field, value);
    free(field);
}

static void record_write(struct bytes *out, const struct publication_record *record,
                         const char *prefix)
{
    char date[TIMESTAMP_TEXT_LEN];
    size_t i;

    if (!record->date)
        return;
    timestamp_write_rfc1123(record->date, date);
    put_line(out, prefix, "Date", date);
    put_line(out, prefix, "Signed-By", record->signed_by);
    put_line(out, prefix, "Packages", record->packages);
    for (i = 0; i < PUBLICATION_DOCUMENTS; i++)
        put_line(out, prefix, publication_record_documents[i], record->digests[i]);
}

bool publication_record_state_save(int statefd, const struct publication_state *state,
                                   struct hallmark_error *err)
{
    struct bytes text = {0};
    size_t i;
    bool ok;

    for (i = 0; i < PUBLICATION_RECORDS; i++)
        record_write(&text, &state->records[i], prefixes[i]);
    ok = file_replace(statefd, state_name, bytes_view(&text), STATE_FILE, err);
    bytes_free(&text);
    return ok;
}

bool publication_record_is_same(const struct publication_record *a,
                                const struct publication_record *b)
{
    size_t i;

    for (i = 0; i < PUBLICATION_DOCUMENTS; i++)
        if (!a->digests[i] || !b->digests[i] || strcmp(a->digests[i], b->digests[i]) != 0)
            return false;
    return true;
}
