/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading, making and recording a publication. */
#include "repo/publication.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
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

enum suites_use { LOOK_ONLY, FILL_IN };

/* ---- Suites --------------------------------------------------------------------------------- */

struct publication_suite *publication_add_suite(struct publication_suites *suites, const char *name)
{
    struct publication_suite *suite;

    suites->suites = alloc_regrow(suites->suites, suites->n_suites + 1, sizeof *suites->suites);
    suite = &suites->suites[suites->n_suites++];
    *suite = (struct publication_suite){.name = alloc_strdup(name),
                                        .directory = *name ? alloc_printf("dists/%s", name)
                                                           : alloc_strdup("")};
    return suite;
}

const struct publication_suite *publication_find_suite(const struct publication_suites *suites,
                                                       const char *name)
{
    size_t i;

    for (i = 0; i < suites->n_suites; i++)
        if (strcmp(suites->suites[i].name, name) == 0)
            return &suites->suites[i];
    return NULL;
}

void publication_suites_free(struct publication_suites *suites)
{
    size_t i;

    for (i = 0; i < suites->n_suites; i++) {
        free(suites->suites[i].name);
        free(suites->suites[i].directory);
        release_free(&suites->suites[i].release);
    }
    free(suites->suites);
    *suites = (struct publication_suites){.n_suites = 0};
}

bool publication_is_same_content(const struct publication_suites *a,
                                 const struct publication_suites *b)
{
    const struct publication_suite *other;
    size_t i;

    for (i = 0; i < a->n_suites; i++) {
        other = publication_find_suite(b, a->suites[i].name);
        if (!other || !release_is_same_content(&a->suites[i].release, &other->release))
            return false;
    }
    return a->n_suites == b->n_suites;
}

const struct release *publication_release(const struct publication *publication)
{
    return &publication->suites.suites[0].release;
}

/* ---- The record ----------------------------------------------------------------------------- */

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

/* Reads a document at PATH. Parses it for SUITE unless that is NULL. */
static bool load_document(int rootfd, const char *path, struct publication_suite *suite,
                          char **digest, struct hallmark_error *err)
{
    struct hallmark_error ignored = {0};
    struct bytes text = {0};
    bool exists = false;
    bool ok = file_read(rootfd, path, LIMITS_MANIFEST_BYTES, &text, &exists, err);

    if (ok && exists) {
        *digest = hex_digest(bytes_view(&text), err);
        ok = *digest != NULL;
    }
    if (ok && exists && suite)
        suite->has_release = release_parse(&suite->release, bytes_view(&text), &ignored);
    bytes_free(&text);
    return ok;
}

/* The digest of one kind of document: of the document itself in the layout plain, else of the lines
 * that sha256sum(1) prints about those of all suites. NULL where one is missing. */
static bool combine(const struct publication_suites *suites, char *const *digests,
                    const char *document, char **out, struct hallmark_error *err)
{
    struct strlist lines = {0};
    struct bytes text = {0};
    char *line;
    size_t i;
    bool is_whole = true;

    if (suites->n_suites == 1 && !*suites->suites[0].directory) {
        *out = digests[0] ? alloc_strdup(digests[0]) : NULL;
        return true;
    }
    for (i = 0; i < suites->n_suites; i++) {
        is_whole = is_whole && digests[i];
        line = alloc_printf("%s  %s/%s\n", digests[i] ? digests[i] : "",
                            suites->suites[i].directory, document);
        strlist_add(&lines, line);
        free(line);
    }
    strlist_sort(&lines);
    for (i = 0; i < lines.n_items; i++)
        bytes_append_str(&text, lines.items[i]);
    *out = is_whole ? hex_digest(bytes_view(&text), err) : NULL;
    strlist_free(&lines);
    bytes_free(&text);
    return !is_whole || *out;
}

static void free_digests(char **digests, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        free(digests[i]);
    free(digests);
}

/* What the tree serves now of SUITES, into FOUND (its digests alone) and, if they are to be filled
 * in, their releases. */
static bool load_documents(int rootfd, struct publication_suites *suites, enum suites_use use,
                           struct record *found, struct hallmark_error *err)
{
    char **digests = NULL, *path;
    bool ok = true;
    size_t i, k;

    for (k = 0; ok && k < N_DOCUMENTS; k++) {
        digests = alloc_array(suites->n_suites, sizeof *digests);
        for (i = 0; ok && i < suites->n_suites; i++) {
            path = path_join(suites->suites[i].directory, documents[k]);
            ok = load_document(rootfd, path, use == FILL_IN && k == 0 ? &suites->suites[i] : NULL,
                               &digests[i], err);
            free(path);
        }
        ok = ok && combine(suites, digests, documents[k], &found->digests[k], err);
        free_digests(digests, suites->n_suites);
    }
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
    const struct release *release = publication_release(out);
    const struct release_entry *entry;
    struct strlist names = {0};
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < FLAT_INDEX_FILES; i++) {
        entry = release_find(release, flat_index_names[i]);
        if (!entry)
            continue;
        strlist_add(&names, entry->path);
        flat_index_list_by_hash(entry, release->hashes, &names);
        ok = load_index(rootfd, entry, &out->index.files[i], out, err);
    }
    if (!publish_is_intact(rootfd, (const char *const *)names.items, names.n_items))
        out->is_intact = false;
    if (!out->is_intact)
        flat_index_free(&out->index);
    strlist_free(&names);
    return ok;
}

static bool are_in_place(int rootfd, const struct publication_suites *suites)
{
    struct strlist names = {0};
    bool ok;
    char *name;
    size_t i, k;

    for (i = 0; i < suites->n_suites; i++) {
        for (k = 0; k < N_DOCUMENTS; k++) {
            name = path_join(suites->suites[i].directory, documents[k]);
            strlist_add(&names, name);
            free(name);
        }
    }
    ok = publish_is_intact(rootfd, (const char *const *)names.items, names.n_items);
    strlist_free(&names);
    return ok;
}

static void list_suites(const struct hallmark_settings *settings, struct publication_suites *out)
{
    struct strlist names = {0};
    size_t i;

    if (settings_layout(settings) == SETTINGS_PLAIN)
        strlist_add(&names, "");
    else
        settings_words(settings, SETTINGS_SUITE, &names);
    for (i = 0; i < names.n_items; i++)
        publication_add_suite(out, names.items[i]);
    strlist_free(&names);
}

/* Compares what was FOUND with the record STATE. */
static void judge(struct publication *out, struct state *state, const struct record *found)
{
    struct record *known = &state->records[PUBLISHED];
    size_t i;

    out->last_date = known->date;
    if (is_same(&state->records[NEXT], found))
        known = &state->records[NEXT];
    if (!is_same(known, found))
        out->is_intact = false;
    out->is_settled = !state->records[NEXT].date;
    out->has_release = out->suites.suites[0].has_release;
    if (known->date > out->last_date)
        out->last_date = known->date;
    for (i = 0; i < out->suites.n_suites; i++)
        if (out->suites.suites[i].release.date > out->last_date)
            out->last_date = out->suites.suites[i].release.date;
    out->signed_by = known->signed_by;
    known->signed_by = NULL;
}

bool publication_load(int rootfd, int statefd, const struct hallmark_settings *settings,
                      struct publication *out, struct hallmark_error *err)
{
    struct publication loaded = {.is_intact = true};
    struct state state = {0};
    struct record found = {0};
    bool ok;

    list_suites(settings, &loaded.suites);
    ok = state_load(statefd, &state, err) &&
         load_documents(rootfd, &loaded.suites, FILL_IN, &found, err);
    if (ok) {
        judge(&loaded, &state, &found);
        if (loaded.is_intact && !are_in_place(rootfd, &loaded.suites))
            loaded.is_intact = false;
        ok = !loaded.is_intact || settings_layout(settings) != SETTINGS_PLAIN ||
             load_indexes(rootfd, &loaded, err);
    }
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
    publication_suites_free(&publication->suites);
    flat_index_free(&publication->index);
    free(publication->signed_by);
    *publication = (struct publication){.is_intact = false};
}

bool publication_settle(int rootfd, int statefd, const struct publication *publication,
                        struct hallmark_error *err)
{
    struct publication_suites suites = publication->suites;
    struct state before = {0}, state = {0};
    struct record found = {0};
    bool ok = state_load(statefd, &before, err) &&
              load_documents(rootfd, &suites, LOOK_ONLY, &found, err);

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

/* ---- Publishing ----------------------------------------------------------------------------- */

/* One suite, signed. */
struct signed_suite {
    struct bytes text;
    struct openpgp_signed made;
};

/* What is made current: names and bytes. */
struct files {
    struct publish_file *files;
    size_t n_files;
    struct strlist names; /* of the documents */
};

static void add_file(struct files *files, char *name, struct bytes_view data, int64_t mtime)
{
    strlist_add(&files->names, name);
    free(name);
    files->files[files->n_files++] = (struct publish_file){
        .name = files->names.items[files->names.n_items - 1], .data = data, .mtime = mtime};
}

/* The bytes of document INDEX. */
static struct bytes_view document_of(const struct signed_suite *suite, size_t index)
{
    const struct bytes *const all[N_DOCUMENTS] = {&suite->text, &suite->made.detached,
                                                  &suite->made.inline_text};

    return bytes_view(all[index]);
}

/* Publishes FILES, which RECORD describes. */
static bool commit_files(const struct publication_target *target,
                         const struct publication_content *content, const struct files *files,
                         const struct record *record, struct hallmark_error *err)
{
    struct state before = {0}, state;
    struct record found = {0};
    bool ok = state_load(target->statefd, &before, err) &&
              load_documents(target->rootfd, content->suites, LOOK_ONLY, &found, err);

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

/* Adds the documents of all suites to FILES, and their digests to RECORD. */
static bool add_documents(const struct publication_suites *suites, const struct signed_suite *made,
                          struct files *files, struct record *record, struct hallmark_error *err)
{
    char **digests;
    size_t i, k;
    bool ok = true;

    for (k = 0; ok && k < N_DOCUMENTS; k++) {
        digests = alloc_array(suites->n_suites, sizeof *digests);
        for (i = 0; ok && i < suites->n_suites; i++) {
            add_file(files, path_join(suites->suites[i].directory, documents[k]),
                     document_of(&made[i], k), record->date);
            digests[i] = hex_digest(document_of(&made[i], k), err);
            ok = digests[i] != NULL;
        }
        ok = ok && combine(suites, digests, documents[k], &record->digests[k], err);
        free_digests(digests, suites->n_suites);
    }
    return ok;
}

static bool commit(const struct publication_target *target,
                   const struct publication_content *content, const struct signed_suite *made,
                   struct hallmark_error *err)
{
    struct files files = {.n_files = 0};
    struct record record = {.date = content->suites->suites[0].release.date};
    struct strlist keys = {.items = NULL};
    bool ok;
    size_t i;

    files.files = alloc_array(content->suites->n_suites * N_DOCUMENTS + content->n_files,
                              sizeof *files.files);
    ok = add_documents(content->suites, made, &files, &record, err);
    for (i = 0; i < content->n_files; i++) {
        files.files[files.n_files] = content->files[i];
        /* Later than that of all before it, as Date is: to the second, in which HTTP counts, the
         * time of writing need not be. */
        files.files[files.n_files++].mtime = record.date;
    }
    for (i = 0; target->signer->fingerprints[i]; i++)
        strlist_add(&keys, target->signer->fingerprints[i]);
    record.signed_by = strlist_join(&keys);
    ok = ok && commit_files(target, content, &files, &record, err);
    strlist_free(&keys);
    strlist_free(&files.names);
    free(files.files);
    record_free(&record);
    return ok;
}

/* Signs one suite. */
static bool sign(const struct publication_target *target, const struct publication_suite *suite,
                 struct signed_suite *out, struct hallmark_error *err)
{
    const struct release *release = &suite->release;

    release_write(release, &out->text);
    if (out->text.len > LIMITS_MANIFEST_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "the manifest of %zu files has %zu bytes; apt and our own clients refuse "
                         "more than %d",
                         release->n_entries, out->text.len, LIMITS_MANIFEST_BYTES);
    return openpgp_sign(target->signer, bytes_view(&out->text), &out->made, err) &&
           verify_own(target, release->date, bytes_view(&out->text), &out->made, err);
}

bool publication_publish(const struct publication_target *target,
                         const struct publication_content *content, struct hallmark_error *err)
{
    size_t i, n = content->suites->n_suites;
    struct signed_suite *made = alloc_array(n, sizeof *made);
    bool ok = true;

    for (i = 0; ok && i < n; i++)
        ok = sign(target, &content->suites->suites[i], &made[i], err);
    ok = ok && commit(target, content, made, err);
    for (i = 0; i < n; i++) {
        openpgp_signed_free(&made[i].made);
        bytes_free(&made[i].text);
    }
    free(made);
    return ok;
}
