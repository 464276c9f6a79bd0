/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_mirror_check(): every file of a mirror against the manifests that it serves. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "repo/catalogue.h"
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

/* What is looked at by itself. */
struct chosen {
    const struct mirror *mirror;
    const struct hallmark_repository *repository;
    const struct hallmark_package **packages;
    size_t n_packages, cap;
};

static void choose(struct chosen *chosen, const struct content *content)
{
    chosen->packages = alloc_one_more(chosen->packages, chosen->n_packages, &chosen->cap,
                                      sizeof *chosen->packages);
    chosen->packages[chosen->n_packages++] = &content->package;
}

/* A package of an index, of which a copy is kept until the repository is closed. */
static bool choose_package(void *ctx, const struct content *content, struct hallmark_error *err)
{
    struct chosen *chosen = ctx;
    struct mirror_files one = {0};
    bool ok = true;

    if (!mirror_wants(chosen->mirror, content->package.name))
        return true;
    ok = mirror_files_add(&one, content, err);
    if (ok)
        choose(chosen, repository_keep(chosen->repository, mirror_files_content(&one.files[0])));
    mirror_files_free(&one);
    return ok;
}

/* What of the manifest itself is looked at one by one. Of a narrowed archive, a check of all looks
 * at one form of each index only. */
static void choose_files(struct chosen *chosen)
{
    const struct hallmark_repository *repository = chosen->repository;
    const struct content *content;
    size_t i;

    for (i = 0; (content = repository_file(repository, i)) != NULL; i++) {
        bool is_wanted =
            content->kind == CONTENT_METADATA
                ? mirror_cover_has(repository, repository->verified->release.entries[i].path) &&
                      content_exists(content, repository->place.fetch)
                : mirror_wants(chosen->mirror, content->package.name);

        if (is_wanted)
            choose(chosen, content);
    }
}

static void check_chosen(struct audit *audit, const struct hallmark_repository *repository)
{
    struct chosen chosen = {.mirror = audit->mirror, .repository = repository};
    struct catalogue_sink sink = {.each = choose_package, .ctx = &chosen};
    struct hallmark_error why = {0};

    choose_files(&chosen);
    if (audit->mirror->packages.n_items && !catalogue_read(repository, &sink, &why)) {
        note_worst(audit, &why);
        audit->report.n_bad++;
        problem(audit, NULL, &why);
    }
    if (chosen.n_packages)
        check_some(audit, repository, chosen.packages, chosen.n_packages);
    free(chosen.packages);
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
    if (mirror->packages.n_items || (repository->is_archive && index_is_narrowed(repository)))
        check_chosen(audit, repository);
    if (!mirror->packages.n_items)
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

static void copy_list(struct strlist *to, const struct strlist *from)
{
    size_t i;

    for (i = 0; i < from->n_items; i++)
        strlist_add(to, from->items[i]);
}

/* Where nobody says which components and architectures are meant, those that the mirror holds. */
static void take_record(struct mirror *mirror)
{
    if (mirror->components.n_items || mirror->architectures.n_items || mirror->packages.n_items)
        return;
    copy_list(&mirror->components, &mirror->record.components);
    copy_list(&mirror->architectures, &mirror->record.architectures);
    copy_list(&mirror->packages, &mirror->record.packages);
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
    struct mirror mirror = {
        .options = &reading, .now = options->policy->now, .rootfd = -1, .statefd = -1, .lock = -1};
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
