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
#include "repo/publication_record.h"
#include "system/publish.h"
#include "trust/release_trust.h"

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

/* Reads a document at PATH. Parses it for SUITE unless that is NULL. */
static bool load_document(int rootfd, const char *path, struct publication_suite *suite,
                          char **digest, struct hallmark_error *err)
{
    struct hallmark_error ignored = {0};
    struct bytes text = {0};
    bool exists = false;
    bool ok = file_read(rootfd, path, LIMITS_MANIFEST_BYTES, &text, &exists, err);

    if (ok && exists) {
        *digest = publication_record_digest(bytes_view(&text), err);
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
    *out = is_whole ? publication_record_digest(bytes_view(&text), err) : NULL;
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
                           struct publication_record *found, struct hallmark_error *err)
{
    char **digests = NULL, *path;
    bool ok = true;
    size_t i, k;

    for (k = 0; ok && k < PUBLICATION_DOCUMENTS; k++) {
        digests = alloc_array(suites->n_suites, sizeof *digests);
        for (i = 0; ok && i < suites->n_suites; i++) {
            path = path_join(suites->suites[i].directory, publication_record_documents[k]);
            ok = load_document(rootfd, path, use == FILL_IN && k == 0 ? &suites->suites[i] : NULL,
                               &digests[i], err);
            free(path);
        }
        ok = ok &&
             combine(suites, digests, publication_record_documents[k], &found->digests[k], err);
        free_digests(digests, suites->n_suites);
    }
    return ok;
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
    if (ok && out->is_intact)
        ok = publish_check(rootfd, (const char *const *)names.items, names.n_items, &out->is_intact,
                           err);
    if (!out->is_intact)
        flat_index_free(&out->index);
    strlist_free(&names);
    return ok;
}

/* Looks whether the documents of all suites are in place. */
static bool check_documents(int rootfd, const struct publication_suites *suites, bool *is_intact,
                            struct hallmark_error *err)
{
    struct strlist names = {0};
    bool ok;
    char *name;
    size_t i, k;

    for (i = 0; i < suites->n_suites; i++) {
        for (k = 0; k < PUBLICATION_DOCUMENTS; k++) {
            name = path_join(suites->suites[i].directory, publication_record_documents[k]);
            strlist_add(&names, name);
            free(name);
        }
    }
    ok = publish_check(rootfd, (const char *const *)names.items, names.n_items, is_intact, err);
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
static void judge(struct publication *out, struct publication_state *state,
                  const struct publication_record *found)
{
    struct publication_record *known = &state->records[PUBLICATION_PUBLISHED];
    size_t i;

    out->last_date = known->date;
    if (publication_record_is_same(&state->records[PUBLICATION_NEXT], found))
        known = &state->records[PUBLICATION_NEXT];
    if (!publication_record_is_same(known, found))
        out->is_intact = false;
    out->is_settled = !state->records[PUBLICATION_NEXT].date;
    out->has_release = out->suites.suites[0].has_release;
    if (known->date > out->last_date)
        out->last_date = known->date;
    for (i = 0; i < out->suites.n_suites; i++)
        if (out->suites.suites[i].release.date > out->last_date)
            out->last_date = out->suites.suites[i].release.date;
    out->signed_by = known->signed_by;
    out->packages = known->packages;
    known->signed_by = known->packages = NULL;
}

bool publication_load(int rootfd, int statefd, const struct hallmark_settings *settings,
                      struct publication *out, struct hallmark_error *err)
{
    struct publication loaded = {.is_intact = true};
    struct publication_state state = {0};
    struct publication_record found = {0};
    bool ok;

    list_suites(settings, &loaded.suites);
    ok = publication_record_state_load(statefd, &state, err) &&
         load_documents(rootfd, &loaded.suites, FILL_IN, &found, err);
    if (ok) {
        judge(&loaded, &state, &found);
        ok = (!loaded.is_intact ||
              check_documents(rootfd, &loaded.suites, &loaded.is_intact, err)) &&
             (!loaded.is_intact || settings_layout(settings) != SETTINGS_PLAIN ||
              load_indexes(rootfd, &loaded, err));
        if (settings_layout(settings) == SETTINGS_APT)
            loaded.stamps =
                index_stamps_load(rootfd, statefd, loaded.is_intact ? found.digests[0] : NULL);
    }
    publication_record_state_free(&state);
    publication_record_free(&found);
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
    index_stamps_free(publication->stamps);
    free(publication->signed_by);
    free(publication->packages);
    *publication = (struct publication){.is_intact = false};
}

bool publication_settle(int rootfd, int statefd, const struct publication *publication,
                        struct hallmark_error *err)
{
    struct publication_suites suites = publication->suites;
    struct publication_state before = {0}, state = {0};
    struct publication_record found = {0};
    bool ok = publication_record_state_load(statefd, &before, err) &&
              load_documents(rootfd, &suites, LOOK_ONLY, &found, err);

    if (ok) {
        state.records[PUBLICATION_PUBLISHED] =
            before.records[publication_record_is_same(&before.records[PUBLICATION_NEXT], &found)
                               ? PUBLICATION_NEXT
                               : PUBLICATION_PUBLISHED];
        ok = publication_record_state_save(statefd, &state, err);
    }
    publication_record_free(&found);
    publication_record_state_free(&before);
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
    ok = verify_one(&in_release, target->keys, &policy, err) &&
         verify_one(&detached, target->keys, &policy, err);
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
    const struct bytes *const all[PUBLICATION_DOCUMENTS] = {&suite->text, &suite->made.detached,
                                                            &suite->made.inline_text};

    return bytes_view(all[index]);
}

/* Publishes FILES, which RECORD describes. */
static bool commit_files(const struct publication_target *target,
                         const struct publication_content *content, const struct files *files,
                         const struct publication_record *record, struct hallmark_error *err)
{
    struct publication_state before = {0}, state;
    struct publication_record found = {0};
    bool ok = publication_record_state_load(target->statefd, &before, err) &&
              load_documents(target->rootfd, content->suites, LOOK_ONLY, &found, err);

    if (ok) {
        state = before;
        /* What a killed run has published must stay known until RECORD is. */
        if (publication_record_is_same(&before.records[PUBLICATION_NEXT], &found))
            state.records[PUBLICATION_PUBLISHED] = before.records[PUBLICATION_NEXT];
        state.records[PUBLICATION_NEXT] = *record;
        ok = publication_record_state_save(target->statefd, &state, err) &&
             publish_commit(target->rootfd, files->files, files->n_files, err);
    }
    if (ok) {
        state = (struct publication_state){.records[PUBLICATION_PUBLISHED] = *record};
        ok = publication_record_state_save(target->statefd, &state, err);
    }
    publication_record_free(&found);
    publication_record_state_free(&before);
    return ok;
}

/* Adds the documents of all suites to FILES, and their digests to RECORD. */
static bool add_documents(const struct publication_suites *suites, const struct signed_suite *made,
                          struct files *files, struct publication_record *record,
                          struct hallmark_error *err)
{
    char **digests;
    size_t i, k;
    bool ok = true;

    for (k = 0; ok && k < PUBLICATION_DOCUMENTS; k++) {
        digests = alloc_array(suites->n_suites, sizeof *digests);
        for (i = 0; ok && i < suites->n_suites; i++) {
            add_file(files, path_join(suites->suites[i].directory, publication_record_documents[k]),
                     document_of(&made[i], k), record->date);
            digests[i] = publication_record_digest(document_of(&made[i], k), err);
            ok = digests[i] != NULL;
        }
        ok = ok &&
             combine(suites, digests, publication_record_documents[k], &record->digests[k], err);
        free_digests(digests, suites->n_suites);
    }
    return ok;
}

static bool commit(const struct publication_target *target,
                   const struct publication_content *content, const struct signed_suite *made,
                   struct hallmark_error *err)
{
    struct files files = {.n_files = 0};
    struct publication_record record = {.date = content->suites->suites[0].release.date};
    struct strlist keys = {.items = NULL};
    bool ok;
    size_t i;

    files.files = alloc_array(content->suites->n_suites * PUBLICATION_DOCUMENTS + content->n_files,
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
    record.packages = alloc_printf("%zu", content->n_packages);
    ok = ok && commit_files(target, content, &files, &record, err);
    strlist_free(&keys);
    strlist_free(&files.names);
    free(files.files);
    publication_record_free(&record);
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
    return openpgp_signing_sign(target->signing, bytes_view(&out->text), &out->made, err) &&
           verify_own(target, release->date, bytes_view(&out->text), &out->made, err);
}

void publication_target_close(struct publication_target *target)
{
    openpgp_signing_close(target->signing);
    openpgp_close(target->keys);
    target->signing = NULL;
    target->keys = NULL;
}

bool publication_publish(struct publication_target *target,
                         const struct publication_content *content, struct hallmark_error *err)
{
    size_t i, n = content->suites->n_suites;
    struct signed_suite *made = alloc_array(n, sizeof *made);
    bool ok = true;

    for (i = 0; ok && i < n; i++)
        ok = sign(target, &content->suites->suites[i], &made[i], err);
    publication_target_close(target);
    ok = ok && commit(target, content, made, err);
    for (i = 0; i < n; i++) {
        openpgp_signed_free(&made[i].made);
        bytes_free(&made[i].text);
    }
    free(made);
    return ok;
}
