/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading, making and recording a publication. */
#include "repo/publication.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/timestamp.h"
#include "crypto/digest.h"
#include "format/deb822.h"
#include "system/publish.h"
#include "trust/release_trust.h"

enum { N_DOCUMENTS = 3, STATE_FILE = 0600 };

static const char *const documents[N_DOCUMENTS + 1] = {"Release", "Release.gpg", "InRelease", NULL};
static const char state_name[] = "state";

/* The record in the state directory. */
struct record {
    int64_t date;
    char *digests[N_DOCUMENTS]; /* SHA-256 of each document, hexadecimal */
    char *signed_by;
};

static void record_free(struct record *record)
{
    size_t i;

    for (i = 0; i < N_DOCUMENTS; i++)
        free(record->digests[i]);
    free(record->signed_by);
}

static char *hex_digest(struct bytes_view data, struct hallmark_error *err)
{
    struct digest_value digest;
    char *text;

    if (!digest_bytes(DIGEST_SHA256, data, &digest, err))
        return NULL;
    text = alloc_array(2 * sizeof digest.sha256 + 1, 1);
    encoding_hex(text, digest.sha256, sizeof digest.sha256);
    return text;
}

static bool record_parse(struct record *out, struct bytes_view text, struct hallmark_error *err)
{
    struct deb822 stanza = {0};
    char *date = NULL;
    bool ok = deb822_parse(&stanza, text, DEB822_STRICT, state_name, err) &&
              deb822_get_line(&stanza, "Date", &date, err) &&
              deb822_get_line(&stanza, "Signed-By", &out->signed_by, err);
    size_t i;

    for (i = 0; ok && i < N_DOCUMENTS; i++)
        ok = deb822_get_line(&stanza, documents[i], &out->digests[i], err);
    if (ok && (!date || !timestamp_parse_rfc1123(bytes_view_str(date), &out->date)))
        ok = error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no valid Date", state_name);
    free(date);
    deb822_free(&stanza);
    return ok;
}

static bool record_load(int statefd, struct record *out, struct hallmark_error *err)
{
    struct bytes text = {0};
    bool exists = false, ok = true;

    if (statefd >= 0)
        ok = file_read(statefd, state_name, LIMITS_SETTINGS_BYTES, &text, &exists, err) &&
             (!exists || record_parse(out, bytes_view(&text), err));
    bytes_free(&text);
    return ok;
}

static bool record_save(int statefd, const struct record *record, struct hallmark_error *err)
{
    struct bytes text = {0};
    char date[TIMESTAMP_TEXT_LEN];
    size_t i;
    bool ok;

    timestamp_write_rfc1123(record->date, date);
    deb822_write(&text, "Date", date);
    deb822_write(&text, "Signed-By", record->signed_by);
    for (i = 0; i < N_DOCUMENTS; i++)
        deb822_write(&text, documents[i], record->digests[i]);
    ok = file_replace(statefd, state_name, bytes_view(&text), STATE_FILE, err);
    bytes_free(&text);
    return ok;
}

/* Reads document INDEX; compares it with the record; parses it if it is Release. */
static bool load_document(int rootfd, size_t index, const struct record *record,
                          struct publication *out, struct hallmark_error *err)
{
    struct hallmark_error ignored = {0};
    struct bytes text = {0};
    char *digest = NULL;
    bool exists, ok = false;

    if (!file_read(rootfd, documents[index], LIMITS_MANIFEST_BYTES, &text, &exists, err))
        goto out;
    if (exists) {
        digest = hex_digest(bytes_view(&text), err);
        if (!digest)
            goto out;
    }
    if (!digest || !record->digests[index] || strcmp(digest, record->digests[index]) != 0)
        out->is_intact = false;
    if (index == 0 && exists)
        out->has_release = release_parse(&out->release, bytes_view(&text), &ignored);
    ok = true;
out:
    free(digest);
    bytes_free(&text);
    return ok;
}

bool publication_load(int rootfd, int statefd, struct publication *out, struct hallmark_error *err)
{
    struct publication loaded = {.is_intact = true};
    struct record record = {0};
    bool ok = record_load(statefd, &record, err);
    size_t i;

    for (i = 0; ok && i < N_DOCUMENTS; i++)
        ok = load_document(rootfd, i, &record, &loaded, err);
    if (ok && !publish_is_intact(rootfd, documents, N_DOCUMENTS))
        loaded.is_intact = false;
    loaded.last_date = record.date;
    if (loaded.release.date > loaded.last_date)
        loaded.last_date = loaded.release.date;
    loaded.signed_by = record.signed_by;
    record.signed_by = NULL;
    record_free(&record);
    if (ok)
        *out = loaded;
    else
        publication_free(&loaded);
    return ok;
}

void publication_free(struct publication *publication)
{
    release_free(&publication->release);
    free(publication->signed_by);
    *publication = (struct publication){0};
}

/* Everybody's view of one document, by the very code that clients run. */
static bool verify_one(const struct release_document *document, struct openpgp *keys,
                       const struct policy *policy, struct hallmark_error *err)
{
    struct release_floor floor = {0};
    struct verified_release *verified = release_trust_verify(document, keys, policy, &floor, err);
    bool ok = verified != NULL;

    release_trust_free(verified);
    return ok || error_prefix(err, "what was just made does not verify, nothing is published");
}

static bool verify_own(const struct publication_target *target, int64_t date,
                       struct bytes_view release, const struct openpgp_signed *made,
                       struct hallmark_error *err)
{
    struct hallmark_policy wanted;
    struct policy policy = {0};
    struct openpgp *keys = NULL;
    struct release_document in_release = {"InRelease", bytes_view(&made->inline_text), {0}};
    struct release_document detached = {"Release", release, bytes_view(&made->detached)};
    bool ok;

    hallmark_policy_init(&wanted);
    wanted.signed_by = (const char *const *)target->signer->fingerprints;
    for (wanted.threshold = 0; wanted.signed_by[wanted.threshold];)
        wanted.threshold++;
    /* The Date may come from SOURCE_DATE_EPOCH, the signatures are made now. */
    wanted.now = date;
    if (target->now > date)
        wanted.clock_skew += target->now - date;
    if (!policy_from(&policy, &wanted, err))
        return false;
    keys = openpgp_open(target->keyring, target->now, err);
    ok = keys && verify_one(&in_release, keys, &policy, err) &&
         verify_one(&detached, keys, &policy, err);
    openpgp_close(keys);
    policy_free(&policy);
    return ok;
}

static bool commit(const struct publication_target *target, const struct release *release,
                   const struct bytes_view data[N_DOCUMENTS], struct hallmark_error *err)
{
    struct publish_file files[N_DOCUMENTS];
    struct record record = {.date = release->date};
    struct strlist keys = {.items = NULL};
    bool ok = true;
    size_t i;

    for (i = 0; i < N_DOCUMENTS; i++) {
        files[i] = (struct publish_file){.name = documents[i], .data = data[i]};
        record.digests[i] = hex_digest(data[i], err);
        ok = ok && record.digests[i];
    }
    for (i = 0; target->signer->fingerprints[i]; i++)
        strlist_add(&keys, target->signer->fingerprints[i]);
    record.signed_by = strlist_join(&keys);
    ok = ok && publish_commit(target->rootfd, files, N_DOCUMENTS, err) &&
         record_save(target->statefd, &record, err);
    strlist_free(&keys);
    record_free(&record);
    return ok;
}

bool publication_publish(const struct publication_target *target, const struct release *release,
                         struct hallmark_error *err)
{
    struct openpgp_signed made = {0};
    struct bytes_view data[N_DOCUMENTS];
    struct bytes text = {0};
    bool ok = false;

    release_write(release, &text);
    if (text.len > LIMITS_MANIFEST_BYTES) {
        error_set(err, HALLMARK_ERR_MALFORMED,
                  "the manifest of %zu files has %zu bytes; apt and our own clients refuse more "
                  "than %d",
                  release->n_entries, text.len, LIMITS_MANIFEST_BYTES);
        goto out;
    }
    if (!openpgp_sign(target->signer, bytes_view(&text), &made, err) ||
        !verify_own(target, release->date, bytes_view(&text), &made, err))
        goto out;
    data[0] = bytes_view(&text);
    data[1] = bytes_view(&made.detached);
    data[2] = bytes_view(&made.inline_text);
    ok = commit(target, release, data, err);
out:
    openpgp_signed_free(&made);
    bytes_free(&text);
    return ok;
}
