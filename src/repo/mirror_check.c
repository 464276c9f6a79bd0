/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_mirror_check(): every file of a mirror against the manifests that it serves. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "repo/index.h"
#include "repo/mirror.h"
#include "repo/mirror_cover.h"
#include "system/fetch.h"

/* What one suite has of problems counts for the whole; the worst one is told. */
struct audit {
    struct mirror *mirror;
    struct hallmark_check_report report;
    struct hallmark_error worst;
};

static void note_worst(struct audit *audit, const struct hallmark_error *why)
{
    if (audit->worst.code == HALLMARK_OK ||
        (audit->worst.code == HALLMARK_ERR_IO && why->code != HALLMARK_ERR_IO))
        audit->worst = *why;
}

static void problem(void *ctx, const struct hallmark_package *package,
                    const struct hallmark_error *err)
{
    struct audit *audit = ctx;

    if (audit->mirror->options->problem)
        audit->mirror->options->problem(audit->mirror->options->ctx, package, err);
}

static void progress(void *ctx, uint64_t done, uint64_t total)
{
    struct audit *audit = ctx;
    const struct hallmark_mirror_options *options = audit->mirror->options;

    if (options->progress)
        options->progress(options->ctx, audit->report.n_bytes + done, total);
}

/* One run of hallmark_repository_check(), of PACKAGES or of all. False where it could not be done.
 */
static void check_some(struct audit *audit, const struct hallmark_repository *repository,
                       const struct hallmark_package *const *packages, size_t n_packages)
{
    struct hallmark_check_options how = {.packages = packages,
                                         .n_packages = n_packages,
                                         .problem = problem,
                                         .progress = progress,
                                         .ctx = audit};
    struct hallmark_check_report report = {0};
    struct hallmark_error why = {0};

    if (!hallmark_repository_check(repository, &how, &report, &why))
        note_worst(audit, &why);
    audit->report.n_checked += report.n_checked;
    audit->report.n_indexes += report.n_indexes;
    audit->report.n_bad += report.n_bad;
    audit->report.n_bytes += report.n_bytes;
}

/* Of a narrowed archive, a check of all looks at one form of each index only: so at every other
 * file that the mirror holds of the manifest by itself. */
static void check_metadata(struct audit *audit, const struct hallmark_repository *repository)
{
    const struct hallmark_package **packages =
        alloc_array(repository_count_files(repository) + 1, sizeof *packages);
    const struct content *content;
    size_t i, n = 0;

    for (i = 0; (content = repository_file(repository, i)) != NULL; i++)
        if (content->kind == CONTENT_METADATA &&
            mirror_cover_has(repository, repository->verified->release.entries[i].path) &&
            content_exists(content, repository->place.fetch))
            packages[n++] = &content->package;
    if (n)
        check_some(audit, repository, packages, n);
    free(packages);
}

static bool check_suite(struct audit *audit, const char *directory, struct hallmark_error *err)
{
    struct mirror *mirror = audit->mirror;
    char *path = path_join(mirror->root, strcmp(directory, ".") == 0 ? "" : directory);
    struct hallmark_repository *repository;
    struct mirror_policy policy;

    mirror_policy_make(&policy, mirror, NULL, "");
    repository = repository_open(path, &policy.policy, bytes_view(&mirror->keyring), err);
    mirror_policy_free(&policy);
    free(path);
    if (!repository)
        return false;
    if (repository->is_archive && index_is_narrowed(repository))
        check_metadata(audit, repository);
    check_some(audit, repository, NULL, 0);
    hallmark_repository_close(repository);
    return true;
}

/* The directories of the manifests to look at: those that the options name, or else that the last
 * run has left, or else all. */
static bool find_suites(const struct mirror *mirror, struct strlist *out,
                        struct hallmark_error *err)
{
    const char *const *suites = mirror->options->suites;
    struct fetch *dest;
    char *directory;
    size_t i;
    bool ok = true;

    for (i = 0; suites && suites[i]; i++) {
        directory = path_join("dists", suites[i]);
        ok = ok && path_check(bytes_view_str(directory), "suite", err);
        strlist_add(out, directory);
        free(directory);
    }
    for (i = 0; !suites && i < mirror->record.n_suites; i++)
        strlist_add(out, mirror->record.suites[i].directory);
    if (out->n_items)
        return ok;
    dest = fetch_open(mirror->root, NULL, err);
    ok = dest && fetch_list(dest, "dists", out, err);
    fetch_close(dest);
    for (i = 0; i < out->n_items; i++) {
        directory = path_join("dists", out->items[i]);
        free(out->items[i]);
        out->items[i] = directory;
    }
    if (ok && !out->n_items)
        strlist_add(out, ".");
    return ok;
}

/* Where nobody says which components and architectures are meant, those that the mirror holds. */
static void take_record(struct mirror *mirror)
{
    size_t i;

    if (mirror->components.n_items || mirror->architectures.n_items)
        return;
    for (i = 0; i < mirror->record.components.n_items; i++)
        strlist_add(&mirror->components, mirror->record.components.items[i]);
    for (i = 0; i < mirror->record.architectures.n_items; i++)
        strlist_add(&mirror->architectures, mirror->record.architectures.items[i]);
}

static bool audit_all(struct audit *audit, struct hallmark_error *err)
{
    struct strlist directories = {0};
    bool ok;
    size_t i;

    take_record(audit->mirror);
    ok = find_suites(audit->mirror, &directories, err);
    for (i = 0; ok && i < directories.n_items; i++)
        ok = check_suite(audit, directories.items[i], err);
    strlist_free(&directories);
    return ok;
}

bool hallmark_mirror_check(const char *dest, const struct hallmark_mirror_options *options,
                           struct hallmark_check_report *report, struct hallmark_error *err)
{
    /* It writes nothing, and needs no lock: what is current stays while it is read. */
    struct hallmark_mirror_options reading = *options;
    struct mirror mirror = {.options = &reading, .rootfd = -1, .statefd = -1, .lock = -1};
    struct audit audit = {.mirror = &mirror};
    bool ok;

    error_clear(err);
    reading.dry_run = true;
    ok = mirror_open(&mirror, dest, err);
    if (ok && !mirror.root)
        ok = error_set(err, HALLMARK_ERR_IO, "%s: there is no such directory", dest);
    ok = ok && audit_all(&audit, err);
    mirror_close(&mirror);
    if (report)
        *report = audit.report;
    return ok && (audit.worst.code == HALLMARK_OK ||
                  error_set(err, audit.worst.code, "%s", audit.worst.text));
}
