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

/* What was published. */
struct record {
    int64_t date;               /* 0: nothing */
    char *digests[N_DOCUMENTS]; /* SHA-256 of each document, hexadecimal */
    char *signed_by;
};

/* The file in the state directory. NEXT is written before what it records is published, so that a
 * run that is killed in between leaves nothing that is not known. */
enum { PUBLISHED, NEXT, N_RECORDS };
static const char *const prefixes[N_RECORDS] = {"", "Next-"};

struct state {
    struct record records[N_RECORDS];
};

static void record_free(struct record *record)
{
    size_t i;

    for (i = 0; i < N_DOCUMENTS; i++)
        free(record->digests[i]);
    free(record->signed_by);
}

static void state_free(struct state *state)
{
    size_t i;

    for (i = 0; i < N_RECORDS; i++)
        record_free(&state->records[i]);
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

static bool get_line(const struct deb822 *stanza, const char *prefix, const char *name, char **out,
                     struct hallmark_error *err)
{
    char *field = alloc_printf("%s%s", prefix, name);
    bool ok = deb822_get_line(stanza, field, out, err);

    free(field);
    return ok;
}

static bool record_parse(struct record *out, const struct deb822 *stanza, const char *prefix,
                         struct hallmark_error *err)
{
    char *date = NULL;
    bool ok = get_line(stanza, prefix, "Date", &date, err) &&
              get_line(stanza, prefix, "Signed-By", &out->signed_by, err);
    size_t i;

    for (i = 0; ok && i < N_DOCUMENTS; i++)
        ok = get_line(stanza, prefix, documents[i], &out->digests[i], err);
    if (ok && date && !timestamp_parse_rfc1123(bytes_view_str(date), &out->date))
        ok = error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no valid %sDate", state_name, prefix);
    free(date);
    return ok;
}

static bool state_parse(struct state *out, struct bytes_view text, struct hallmark_error *err)
{
    struct deb822 stanza = {0};
    bool ok = deb822_parse(&stanza, text, DEB822_STRICT, state_name, err);
    size_t i;

    for (i = 0; ok && i < N_RECORDS; i++)
        ok = record_parse(&out->records[i], &stanza, prefixes[i], err);
    if (ok && !out->records[PUBLISHED].date && !out->records[NEXT].date)
        ok = error_set(err, HALLMARK_ERR_MALFORMED, "%s: has no valid Date", state_name);
    deb822_free(&stanza);
    return ok;
}

static bool state_load(int statefd, struct state *out, struct hallmark_error *err)
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

static void record_write(struct bytes *out, const struct record *record, const char *prefix)
{
    char date[TIMESTAMP_TEXT_LEN];
    size_t i;

    if (!record->date)
        return;
    timestamp_write_rfc1123(record->date, date);
    put_line(out, prefix, "Date", date);
    put_line(out, prefix, "Signed-By", record->signed_by);
    for (i = 0; i < N_DOCUMENTS; i++)
        put_line(out, prefix, documents[i], record->digests[i]);
}

static bool state_save(int statefd, const struct state *state, struct hallmark_error *err)
{
    struct bytes text = {0};
    size_t i;
    bool ok;

    for (i = 0; i < N_RECORDS; i++)
        record_write(&text, &state->records[i], prefixes[i]);
    ok = file_replace(statefd, state_name, bytes_view(&text), STATE_FILE, err);
    bytes_free(&text);
    return ok;
}

/* Reads document INDEX; its digest, NULL where there is none, goes to *DIGEST. Parses it for OUT,
 * unless that is NULL, if it is Release. */
static bool load_document(int rootfd, size_t index, char **digest, struct publication *out,
                          struct hallmark_error *err)
{
    struct hallmark_error ignored = {0};
    struct bytes text = {0};
    bool exists = false;
    bool ok = file_read(rootfd, documents[index], LIMITS_MANIFEST_BYTES, &text, &exists, err);

    if (ok && exists) {
        *digest = hex_digest(bytes_view(&text), err);
        ok = *digest != NULL;
    }
    if (ok && exists && out && index == 0)
        out->has_release = release_parse(&out->release, bytes_view(&text), &ignored);
    bytes_free(&text);
    return ok;
}

/* What the tree serves now, into FOUND (its digests alone) and OUT. */
static bool load_documents(int rootfd, struct record *found, struct publication *out,
                           struct hallmark_error *err)
{
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < N_DOCUMENTS; i++)
        ok = load_document(rootfd, i, &found->digests[i], out, err);
    return ok;
}

static bool is_same(const struct record *a, const struct record *b)
{
    size_t i;

    for (i = 0; i < N_DOCUMENTS; i++)
        if (!a->digests[i] || !b->digests[i] || strcmp(a->digests[i], b->digests[i]) != 0)
            return false;
    return true;
}

/* Adds the names by their hashes of the file that ENTRY lists, one below by-hash for each hash that
 * there is: a reader takes the strongest (Acquire-By-Hash of secure apt). */
static void add_by_hash(const struct release_entry *entry, unsigned hashes, struct strlist *out)
{
    char hex[2 * RELEASE_SHA512_LEN + 1], *path;

    if (hashes & RELEASE_SHA256) {
        encoding_hex(hex, entry->sha256, sizeof entry->sha256);
        path = alloc_printf("by-hash/SHA256/%s", hex);
        strlist_add(out, path);
        free(path);
    }
    if (hashes & RELEASE_SHA512) {
        encoding_hex(hex, entry->sha512, sizeof entry->sha512);
        path = alloc_printf("by-hash/SHA512/%s", hex);
        strlist_add(out, path);
        free(path);
    }
}

/* Reads the index that ENTRY lists; one that it does not fit makes the publication not intact. */
static bool load_index(int rootfd, const struct release_entry *entry, struct bytes *data,
                       struct publication *out, struct hallmark_error *err)
{
    struct digest_value digest;
    bool exists;

    if (!file_read(rootfd, entry->path, LIMITS_PACKAGES_BYTES, data, &exists, err) ||
        !digest_bytes(DIGEST_SHA256, bytes_view(data), &digest, err))
        return false;
    if (!exists || memcmp(digest.sha256, entry->sha256, sizeof entry->sha256) != 0)
        out->is_intact = false;
    return true;
}

/* Reads the indexes that OUT's release lists, which is known to be what was published last, and
 * looks at all names at the root. */
static bool load_indexes(int rootfd, struct publication *out, struct hallmark_error *err)
{
    const struct release_entry *entry;
    struct strlist names = {0};
    bool ok = true;
    size_t i;

    for (i = 0; i < N_DOCUMENTS; i++)
        strlist_add(&names, documents[i]);
    for (i = 0; ok && i < FLAT_INDEX_FILES; i++) {
        entry = release_find(&out->release, flat_index_names[i]);
        if (!entry)
            continue;
        strlist_add(&names, entry->path);
        add_by_hash(entry, out->release.hashes, &names);
        ok = load_index(rootfd, entry, &out->index.files[i], out, err);
    }
    if (!publish_is_intact(rootfd, (const char *const *)names.items, names.n_items))
        out->is_intact = false;
    if (!out->is_intact)
        flat_index_free(&out->index);
    strlist_free(&names);
    return ok;
}

bool publication_load(int rootfd, int statefd, struct publication *out, struct hallmark_error *err)
{
    struct publication loaded = {.is_intact = true};
    struct state state = {0};
    struct record found = {0}, *known = &state.records[PUBLISHED];
    bool ok = state_load(statefd, &state, err) && load_documents(rootfd, &found, &loaded, err);

    loaded.last_date = known->date;
    if (is_same(&state.records[NEXT], &found))
        known = &state.records[NEXT];
    if (!is_same(known, &found))
        loaded.is_intact = false;
    ok = ok && (!loaded.is_intact || load_indexes(rootfd, &loaded, err));
    loaded.is_settled = !state.records[NEXT].date;
    if (known->date > loaded.last_date)
        loaded.last_date = known->date;
    if (loaded.release.date > loaded.last_date)
        loaded.last_date = loaded.release.date;
    loaded.signed_by = known->signed_by;
    known->signed_by = NULL;
    state_free(&state);
    record_free(&found);
    if (ok)
        *out = loaded;
    else
        publication_free(&loaded);
    return ok;
}

void publication_free(struct publication *publication)
{
    release_free(&publication->release);
    flat_index_free(&publication->index);
    free(publication->signed_by);
    *publication = (struct publication){0};
}

bool publication_settle(int rootfd, int statefd, struct hallmark_error *err)
{
    struct state before = {0}, state = {0};
    struct record found = {0};
    bool ok = state_load(statefd, &before, err) && load_documents(rootfd, &found, NULL, err);

    if (ok) {
        state.records[PUBLISHED] =
            before.records[is_same(&before.records[NEXT], &found) ? NEXT : PUBLISHED];
        ok = state_save(statefd, &state, err);
    }
    record_free(&found);
    state_free(&before);
    return ok;
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

/* What is made current: names and bytes. */
struct files {
    struct publish_file files[N_DOCUMENTS + FLAT_INDEX_FILES * 3]; /* itself and by two hashes */
    size_t n_files;
    struct strlist names; /* by hash */
    int64_t mtime;
};

static void add_file(struct files *files, const char *name, struct bytes_view data)
{
    files->files[files->n_files++] =
        (struct publish_file){.name = name, .data = data, .mtime = files->mtime};
}

static void add_indexes(struct files *files, const struct publication_content *content)
{
    const struct release *release = content->release;
    struct bytes_view data;
    size_t i, n;

    for (i = 0; i < FLAT_INDEX_FILES; i++) {
        data = bytes_view(&content->index->files[i]);
        if (data.len == 0)
            continue;
        add_file(files, flat_index_names[i], data);
        n = files->names.n_items;
        add_by_hash(release_find(release, flat_index_names[i]), release->hashes, &files->names);
        for (; n < files->names.n_items; n++)
            add_file(files, files->names.items[n], data);
    }
}

/* Publishes FILES, which RECORD describes. */
static bool commit_files(const struct publication_target *target, const struct files *files,
                         const struct record *record, struct hallmark_error *err)
{
    struct state before = {0}, state;
    struct record found = {0};
    bool ok = state_load(target->statefd, &before, err) &&
              load_documents(target->rootfd, &found, NULL, err);

    if (ok) {
        state = before;
        /* What a killed run has published must stay known until RECORD is. */
        if (is_same(&before.records[NEXT], &found))
            state.records[PUBLISHED] = before.records[NEXT];
        state.records[NEXT] = *record;
        ok = state_save(target->statefd, &state, err) &&
             publish_commit(target->rootfd, files->files, files->n_files, err);
    }
    if (ok) {
        state = (struct state){.records[PUBLISHED] = *record};
        ok = state_save(target->statefd, &state, err);
    }
    record_free(&found);
    state_free(&before);
    return ok;
}

static bool commit(const struct publication_target *target,
                   const struct publication_content *content,
                   const struct bytes_view data[N_DOCUMENTS], struct hallmark_error *err)
{
    /* Later than that of all before it, as Date is: to the second, in which HTTP counts, the time
     * of writing need not be. */
    struct files files = {.mtime = content->release->date};
    struct record record = {.date = content->release->date};
    struct strlist keys = {.items = NULL};
    bool ok = true;
    size_t i;

    for (i = 0; i < N_DOCUMENTS; i++) {
        add_file(&files, documents[i], data[i]);
        record.digests[i] = hex_digest(data[i], err);
        ok = ok && record.digests[i];
    }
    add_indexes(&files, content);
    for (i = 0; target->signer->fingerprints[i]; i++)
        strlist_add(&keys, target->signer->fingerprints[i]);
    record.signed_by = strlist_join(&keys);
    ok = ok && commit_files(target, &files, &record, err);
    strlist_free(&keys);
    strlist_free(&files.names);
    record_free(&record);
    return ok;
}

bool publication_publish(const struct publication_target *target,
                         const struct publication_content *content, struct hallmark_error *err)
{
    const struct release *release = content->release;
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
    ok = commit(target, content, data, err);
out:
    openpgp_signed_free(&made);
    bytes_free(&text);
    return ok;
}
