/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Manifests: those upstream, those that are served, and those that were. */
#include "repo/mirror_upstream.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "crypto/digest.h"
#include "format/clearsign.h"
#include "system/fetch.h"
#include "system/publish.h"

const char *mirror_upstream_name(const struct mirror_suite *suite)
{
    return *suite->directory ? suite->directory : ".";
}

/* ---- What is served ------------------------------------------------------------------------- */

/* Reads the document KIND of the directory that DEST serves; *OUT is empty where there is none. */
static bool read_served(const struct mirror *mirror, const char *directory, size_t kind,
                        struct mirror_document *out, struct hallmark_error *err)
{
    char *path = path_join(directory, mirror_documents[kind]);
    bool ok = mirror->rootfd < 0 ||
              file_read(mirror->rootfd, path, LIMITS_MANIFEST_BYTES, &out->data, &out->exists, err);

    free(path);
    return ok;
}

static bool is_same(const struct mirror_document *a, const struct mirror_document *b)
{
    return a->exists == b->exists &&
           (!a->exists ||
            (a->data.len == b->data.len &&
             (a->data.len == 0 || memcmp(a->data.data, b->data.data, a->data.len) == 0)));
}

/* The Date and the SHA-256 of the text of a manifest that is served; a date of 0 for one that
 * nobody could believe. */
static void judge_served(const struct mirror_document *document, size_t kind,
                         struct mirror_record_suite *out)
{
    struct clearsign split = {0};
    struct bytes_view text = bytes_view(&document->data);
    struct release release = {0};
    struct digest_value digest;
    bool ok = true;

    if (kind == MIRROR_INRELEASE) {
        ok = clearsign_split(&split, text, "InRelease", NULL);
        text = split.text;
    }
    ok = ok && release_parse(&release, text, NULL) &&
         digest_bytes(DIGEST_SHA256, text, &digest, NULL);
    if (ok) {
        out->date = release.date;
        out->sha256 = alloc_array(2 * sizeof digest.sha256 + 1, 1);
        encoding_hex(out->sha256, digest.sha256, sizeof digest.sha256);
    }
    release_free(&release);
    clearsign_free(&split);
}

/* Fails where SUITE's manifest is older than FLOOR, or another one of the same date. */
static bool check_floor(const struct mirror_suite *suite, const struct mirror_record_suite *floor,
                        const char *when, struct hallmark_error *err)
{
    const struct verified_release *verified = suite->upstream->verified;
    char ours[TIMESTAMP_TEXT_LEN], theirs[TIMESTAMP_TEXT_LEN];

    timestamp_write_rfc1123(floor->date, ours);
    timestamp_write_rfc1123(verified->release.date, theirs);
    if (verified->release.date < floor->date)
        return error_set(err, HALLMARK_ERR_ROLLBACK,
                         "%s: is dated %s, but the mirror %s one dated %s: this is an old one",
                         suite->upstream->place.url, theirs, when, ours);
    if (verified->release.date == floor->date && strcmp(verified->sha256, floor->sha256) != 0)
        return error_set(
            err, HALLMARK_ERR_ROLLBACK,
            "%s: is dated %s and has SHA256 %s, but the mirror %s one of the same date "
            "with SHA256 %s",
            suite->upstream->place.url, theirs, verified->sha256, when, floor->sha256);
    return true;
}

/* Compares SUITE with what is served in its place. */
static bool compare_served(struct mirror *mirror, struct mirror_suite *suite,
                           struct hallmark_error *err)
{
    const struct mirror_record_suite *known =
        mirror_record_find(&mirror->record, mirror_upstream_name(suite));
    struct mirror_document served[MIRROR_DOCUMENTS] = {0};
    bool ok = !known || check_floor(suite, known, "has served", err);
    size_t i;

    for (i = 0; ok && i < MIRROR_DOCUMENTS; i++)
        ok = read_served(mirror, suite->directory, i, &served[i], err);
    for (i = 0; ok && i <= MIRROR_RELEASE; i++) {
        struct mirror_record_suite floor = {0};

        if (served[i].exists)
            judge_served(&served[i], i, &floor);
        ok = !floor.date || check_floor(suite, &floor, "serves", err);
        free(floor.sha256);
    }
    suite->is_served = is_same(&served[MIRROR_INRELEASE], &suite->documents[MIRROR_INRELEASE]);
    for (i = MIRROR_RELEASE; i < MIRROR_DOCUMENTS && !served[MIRROR_INRELEASE].exists; i++)
        suite->is_served = suite->is_served && is_same(&served[i], &suite->documents[i]);
    for (i = 0; i < MIRROR_DOCUMENTS; i++)
        bytes_free(&served[i].data);
    return ok;
}

/* ---- Suites that would get lost ------------------------------------------------------------- */

/* The first suite whose manifest is in DIRECTORY; NULL where there is none. */
static const struct mirror_suite *find_suite(const struct mirror *mirror, const char *directory)
{
    size_t i;

    for (i = 0; i < mirror->n_suites; i++)
        if (strcmp(mirror->suites[i].directory, directory) == 0)
            return &mirror->suites[i];
    return NULL;
}

static bool check_kept(const struct mirror *mirror, const char *directory,
                       struct hallmark_error *err)
{
    struct mirror_document document = {0};
    bool ok = true, is_there = false;
    size_t i;

    for (i = 0; ok && i <= MIRROR_RELEASE && !find_suite(mirror, directory); i++) {
        ok = read_served(mirror, directory, i, &document, err);
        is_there = is_there || document.exists;
        bytes_free(&document.data);
    }
    if (ok && is_there)
        ok =
            error_set(err, HALLMARK_ERR_USAGE,
                      "%s: is served by this mirror and not wanted any more: name it with --suite, "
                      "too, or have it go with --accept-loss",
                      *directory ? directory : "the manifest at the root");
    return ok;
}

/* Fails where DEST serves a suite that is not wanted, and nobody said that it may go. */
static bool check_loss(const struct mirror *mirror, struct hallmark_error *err)
{
    struct strlist names = {0};
    struct fetch *dest;
    char *directory;
    bool ok = true;
    size_t i;

    if (mirror->rootfd < 0 || mirror->options->accept_loss)
        return true;
    dest = fetch_open(mirror->root, NULL, err);
    ok = dest && fetch_list(dest, "dists", &names, err) && check_kept(mirror, "", err);
    for (i = 0; ok && i < names.n_items; i++) {
        directory = path_join("dists", names.items[i]);
        ok = check_kept(mirror, directory, err);
        free(directory);
    }
    strlist_free(&names);
    fetch_close(dest);
    return ok;
}

/* ---- Upstream ------------------------------------------------------------------------------- */

static void take_document(struct mirror_document *to, struct bytes *from)
{
    to->exists = true;
    to->data = *from;
    *from = (struct bytes){0};
}

/* Whether SOURCE and DEST are one directory. */
static bool check_apart(const struct mirror *mirror, const struct mirror_suite *suite,
                        struct hallmark_error *err)
{
    struct fetch *dest = mirror->root ? fetch_open(mirror->root, NULL, err) : NULL;
    bool ok = !mirror->root || dest;

    if (dest && strcmp(fetch_url(dest), fetch_url(suite->upstream->place.fetch)) == 0)
        ok = error_set(err, HALLMARK_ERR_USAGE, "%s: is the mirror itself", mirror->source);
    fetch_close(dest);
    return ok;
}

static bool open_suite(struct mirror *mirror, struct mirror_suite *suite, const char *name,
                       struct hallmark_error *err)
{
    struct mirror_policy policy;
    struct hallmark_repository *upstream;

    mirror_policy_make(&policy, mirror, name, mirror->state_base);
    policy.policy.mirrors = mirror->locations;
    upstream = repository_open_with(mirror->source, &policy.policy, &mirror->keys, err);
    mirror_policy_free(&policy);
    suite->upstream = upstream;
    if (!upstream)
        return false;
    suite->directory = upstream->place.directory;
    if (strcmp(upstream->manifest.document, mirror_documents[MIRROR_INRELEASE]) == 0) {
        take_document(&suite->documents[MIRROR_INRELEASE], &upstream->document);
    } else {
        take_document(&suite->documents[MIRROR_RELEASE], &upstream->document);
        take_document(&suite->documents[MIRROR_SIGNATURE], &upstream->signature);
    }
    if (upstream->place.file)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: is a file; a mirror is made of a repository",
                         mirror->source);
    return check_apart(mirror, suite, err);
}

static void note_oldest(struct mirror *mirror, const struct mirror_suite *suite)
{
    const struct hallmark_manifest *manifest = &suite->upstream->manifest;
    struct hallmark_mirror_report *report = &mirror->report;

    if (report->date && report->date <= manifest->date)
        return;
    report->date = manifest->date;
    report->valid_until = manifest->valid_until;
}

bool mirror_upstream_open(struct mirror *mirror, struct hallmark_error *err)
{
    const char *const *suites = mirror->options->suites;
    size_t i, n = 0;

    while (suites && suites[n])
        n++;
    mirror->suites = alloc_array(n ? n : 1, sizeof *mirror->suites);
    for (i = 0; i == 0 || i < n; i++) {
        struct mirror_suite *suite = &mirror->suites[mirror->n_suites++];

        if (!open_suite(mirror, suite, n ? suites[i] : NULL, err))
            return false;
        if (find_suite(mirror, suite->directory) != suite)
            return error_set(err, HALLMARK_ERR_USAGE, "%s: is wanted twice", suite->directory);
        note_oldest(mirror, suite);
        if (!compare_served(mirror, suite, err))
            return false;
    }
    mirror->report.n_suites = mirror->n_suites;
    return mirror_here(mirror, check_loss(mirror, err));
}

bool mirror_upstream_check_fresh(const struct mirror *mirror, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < mirror->n_suites; i++)
        if (!repository_check_fresh(mirror->suites[i].upstream, err))
            return false;
    return true;
}

static bool is_same_list(const struct strlist *a, const struct strlist *b)
{
    size_t i;

    for (i = 0; i < a->n_items && i < b->n_items; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return a->n_items == b->n_items;
}

/* Whether the record says that all files of SUITE are there. */
static bool is_complete(const struct mirror *mirror, const struct mirror_suite *suite)
{
    const struct mirror_record_suite *known =
        mirror_record_find(&mirror->record, mirror_upstream_name(suite));

    return known && strcmp(known->sha256, suite->upstream->verified->sha256) == 0;
}

bool mirror_upstream_is_served(const struct mirror *mirror)
{
    struct strlist names = {0};
    bool ok = !mirror->options->full && mirror->rootfd >= 0 &&
              mirror->record.n_suites == mirror->n_suites &&
              is_same_list(&mirror->components, &mirror->record.components) &&
              is_same_list(&mirror->architectures, &mirror->record.architectures) &&
              is_same_list(&mirror->packages, &mirror->record.packages);
    bool is_intact;
    char *name;
    size_t i, k;

    for (i = 0; ok && i < mirror->n_suites; i++) {
        ok = mirror->suites[i].is_served && is_complete(mirror, &mirror->suites[i]);
        for (k = 0; ok && k < MIRROR_DOCUMENTS; k++) {
            if (!mirror->suites[i].documents[k].exists)
                continue;
            name = path_join(mirror->suites[i].directory, mirror_documents[k]);
            strlist_add(&names, name);
            free(name);
        }
    }
    /* Where that cannot be found out, the run that is not spared tells why. */
    ok = ok &&
         publish_check(mirror->rootfd, (const char *const *)names.items, names.n_items, &is_intact,
                       NULL) &&
         is_intact;
    strlist_free(&names);
    return ok;
}

static bool read_upstream(struct mirror_suite *suite, size_t kind, size_t max_len,
                          struct hallmark_error *err)
{
    struct mirror_document *document = &suite->documents[kind];
    char *path;
    bool ok;

    if (document->exists)
        return true;
    path = place_path(&suite->upstream->place, mirror_documents[kind]);
    ok = fetch_document(suite->upstream->place.fetch, path, max_len, &document->data,
                        &document->exists, err);
    free(path);
    return ok;
}

bool mirror_upstream_read_others(struct mirror *mirror, struct mirror_suite *suite,
                                 struct hallmark_error *err)
{
    struct bytes_view text = suite->upstream->verified->text;
    const struct bytes *release = &suite->documents[MIRROR_RELEASE].data;

    (void)mirror;
    if (!suite->documents[MIRROR_INRELEASE].exists)
        return true;
    if (!read_upstream(suite, MIRROR_RELEASE, LIMITS_MANIFEST_BYTES, err) ||
        !read_upstream(suite, MIRROR_SIGNATURE, LIMITS_SIGNATURE_BYTES, err))
        return false;
    if (!suite->documents[MIRROR_RELEASE].exists)
        suite->documents[MIRROR_SIGNATURE].exists = false; /* it is of nothing */
    if (suite->documents[MIRROR_RELEASE].exists &&
        (release->len != text.len || memcmp(release->data, text.data, text.len) != 0))
        return error_set(err, HALLMARK_ERR_CONTENT,
                         "%s: Release is not the text of InRelease: they are of two publications",
                         suite->upstream->place.url);
    return true;
}
