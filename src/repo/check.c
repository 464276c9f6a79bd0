/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_repository_check(): the files of a repository against its verified manifest. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "repo/catalogue.h"
#include "repo/check_remote.h"
#include "repo/hash_ahead.h"
#include "repo/index.h"
#include "repo/repository.h"

/* One run over the files. */
struct check {
    const struct hallmark_repository *repository;
    const struct hallmark_check_options *options;
    struct hallmark_check_report report;
    uint64_t n_total; /* bytes that will be read if all is well; 0: not known */
    struct hallmark_error worst;
    struct strlist told;         /* problems of files that are no packages */
    struct hash_ahead *ahead;    /* NULL: it is not */
    struct check_remote *remote; /* NULL: the repository is on this machine */
};

static bool count_bytes(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    struct check *check = ctx;

    (void)data;
    (void)err;
    check->report.n_bytes += len;
    if (check->options->progress)
        check->options->progress(check->options->ctx, check->report.n_bytes, check->n_total);
    return true;
}

/* Keeps the problem that weighs most: what is wrong weighs more than what could not be read; else
 * the first one stays. */
static void note_problem(void *ctx, const struct content *content, const struct hallmark_error *err)
{
    struct check *check = ctx;

    check->report.n_bad++;
    if (content->kind == CONTENT_METADATA)
        strlist_add(&check->told, err->text);
    if (check->worst.code == HALLMARK_OK ||
        (check->worst.code == HALLMARK_ERR_IO && err->code != HALLMARK_ERR_IO))
        check->worst = *err;
    if (check->options->problem)
        check->options->problem(check->options->ctx, &content->package, err);
}

/* An index that cannot be used, unless that has been told when the file was looked at. */
static void note_index(void *ctx, const struct content *content, const struct hallmark_error *err)
{
    struct check *check = ctx;

    if (strlist_has(&check->told, err->text))
        return;
    if (!content_exists(content, check->repository->place.fetch))
        check->report.n_indexes++;
    note_problem(check, content, err);
}

/* ---- Ahead ---------------------------------------------------------------------------------- */

/* In any thread. What is wrong with it is said later, by check_one(). */
static int open_ahead(void *ctx, size_t i)
{
    const struct check *check = ctx;
    const struct hallmark_repository *repository = check->repository;
    char *path;
    int fd;

    if (check->options->packages)
        return fetch_package(repository->place.fetch, check->options->packages[i]->path, NULL);
    path = place_path(&repository->place, repository->verified->release.entries[i].path);
    fd = fetch_package(repository->place.fetch, path, NULL);
    free(path);
    return fd;
}

static void show_ahead(void *ctx, uint64_t n_bytes)
{
    struct check *check = ctx;

    if (check->options->progress)
        check->options->progress(check->options->ctx, check->report.n_bytes + n_bytes,
                                 check->n_total);
}

static void add_named(struct check *check)
{
    const struct content *content;
    size_t i;

    for (i = 0; i < check->options->n_packages; i++) {
        content = content_of(check->options->packages[i]);
        if (content->kind == CONTENT_PACKAGE && content->hashes == RELEASE_SHA256)
            hash_ahead_add(check->ahead, i, content->package.size);
    }
}

static void add_all(struct check *check)
{
    const struct release *release = &check->repository->verified->release;
    size_t i;

    for (i = 0; release->hashes == RELEASE_SHA256 && i < release->n_entries; i++)
        if (repository_file_kind(check->repository, i) == CONTENT_PACKAGE)
            hash_ahead_add(check->ahead, i, release->entries[i].size);
}

/* Packages that a SHA-256 vouches for can be hashed together. */
static bool start_ahead(struct check *check, struct hallmark_error *err)
{
    struct hash_ahead_options options = {.open = open_ahead, .progress = show_ahead, .ctx = check};

    if (!digest_batch_find(check->options->hash_backend, &options.kind, err))
        return false;
    if (check->remote)
        return true;
    check->ahead = hash_ahead_new(&options);
    if (check->options->packages)
        add_named(check);
    else
        add_all(check);
    return true;
}

/* Whether file I, which is CONTENT, was found good. Anything else says nothing. */
static bool is_good_ahead(struct check *check, size_t i, const struct content *content)
{
    const struct hash_ahead_file *file = check->ahead ? hash_ahead_find(check->ahead, i) : NULL;

    if (!file || memcmp(file->sha256, content->sha256, sizeof file->sha256) != 0)
        return false;
    check->report.n_checked++;
    check->report.n_bytes += content->package.size;
    return true;
}

/* ---- Over a network ------------------------------------------------------------------------- */

static void count_remote(void *ctx, int64_t n_bytes)
{
    struct check *check = ctx;

    check->report.n_bytes += (uint64_t)n_bytes;
    if (check->options->progress)
        check->options->progress(check->options->ctx, check->report.n_bytes, check->n_total);
}

static void take_remote(void *ctx, const struct content *content,
                        const struct hallmark_error *problem)
{
    if (problem)
        note_problem(ctx, content, problem);
}

static void start_remote(struct check *check)
{
    struct check_remote_options options = {.repository = check->repository,
                                           .each = take_remote,
                                           .progress = count_remote,
                                           .ctx = check};

    if (fetch_is_remote(check->repository->place.fetch))
        check->remote = check_remote_new(&options);
}

/* ---- One after the other -------------------------------------------------------------------- */

/* Looks at CONTENT at all locations, until one has it right. */
static bool look(const struct check *check, const struct content *content,
                 const struct content_sink *sink, struct hallmark_error *err)
{
    struct failover_walk walk = {.repository = check->repository};
    struct fetch *fetch;

    while (failover_next(&walk, &fetch)) {
        struct hallmark_error why = {0};

        if (content_check(content, fetch, sink, &why))
            return true;
        failover_fail(&walk, &why);
    }
    return error_set(err, walk.worst.code, "%s", walk.worst.text);
}

static bool check_one(void *ctx, const struct content *content, struct hallmark_error *err)
{
    struct check *check = ctx;
    struct content_sink sink = {.take = count_bytes, .ctx = check};
    struct hallmark_error problem = {0};

    (void)err;
    if (content->kind == CONTENT_METADATA)
        check->report.n_indexes++;
    else
        check->report.n_checked++;
    if (check->remote && content_check_hashes(content, &problem)) {
        check_remote_add(check->remote, content);
        return true;
    }
    if (problem.code || !look(check, content, &sink, &problem))
        note_problem(check, content, &problem);
    return true;
}

static void check_named(struct check *check)
{
    const struct hallmark_check_options *options = check->options;
    size_t i;

    for (i = 0; i < options->n_packages; i++)
        check->n_total += options->packages[i]->size;
    for (i = 0; i < options->n_packages; i++)
        if (!is_good_ahead(check, i, content_of(options->packages[i])))
            check_one(check, content_of(options->packages[i]), NULL);
}

/* Whether a file that the manifest lists is to be looked at: packages always; of indexes one
 * compression need only be there, and of an archive's other files none. */
static bool is_due(const struct check *check, const struct content *content)
{
    if (content->kind == CONTENT_PACKAGE)
        return true;
    if (check->repository->is_archive && index_is_narrowed(check->repository))
        return false;
    if (fetch_is_remote(check->repository->place.fetch))
        return false; /* of each index, one compression will be read */
    return content_exists(content, check->repository->place.fetch);
}

/* Nothing of Unpacked-Sizes is compared here: that the index can be read is enough. */
static bool take_sizes(void *ctx, const struct package_index_entry *entry,
                       struct hallmark_error *err)
{
    (void)ctx;
    (void)entry;
    (void)err;
    return true;
}

static bool check_sizes(struct check *check, struct hallmark_error *err)
{
    struct index_walk walk = {.tier = INDEX_TIER_SIZES,
                              .architecture = "",
                              .absence = INDEX_MUST_BE_THERE,
                              .sink = {.take = take_sizes},
                              .problem = note_index,
                              .problem_ctx = check};

    return index_walk(check->repository, &walk, err);
}

/* Of a bundle, what is in it: all of that must be listed. */
static bool check_bundle(struct check *check, struct hallmark_error *err)
{
    const struct hallmark_repository *repository = check->repository;
    const struct strlist *paths = &repository->bundle->paths;
    const struct hallmark_package *package;
    struct index_path ignored;
    char *manifest = place_path(&repository->place, repository->manifest.document);
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < paths->n_items; i++) {
        if (strncmp(paths->items[i], manifest, strlen(manifest)) == 0 ||
            index_path_parse(&ignored, path_basename(paths->items[i])))
            continue;
        package = hallmark_repository_find(repository, paths->items[i], err);
        ok = package && check_one(check, content_of(package), err);
    }
    free(manifest);
    return ok;
}

static bool check_all(struct check *check, struct hallmark_error *err)
{
    const struct hallmark_repository *repository = check->repository;
    struct catalogue_sink sink = {.each = check_one, .problem = note_index, .ctx = check};
    const struct release *release = &repository->verified->release;
    size_t i;

    if (!repository->is_archive)
        for (i = 0; i < release->n_entries; i++)
            check->n_total += release->entries[i].size;
    for (i = 0; i < release->n_entries; i++) {
        struct content *content = repository_make_file(repository, i);

        if (!is_good_ahead(check, i, content) && is_due(check, content))
            check_one(check, content, err);
        content_free(content);
    }
    return catalogue_read(repository, &sink, err) && check_sizes(check, err);
}

bool hallmark_repository_check(const struct hallmark_repository *repository,
                               const struct hallmark_check_options *options,
                               struct hallmark_check_report *report, struct hallmark_error *err)
{
    struct check check = {.repository = repository, .options = options};
    bool ok;

    error_clear(err);
    start_remote(&check);
    ok = start_ahead(&check, err);
    if (ok && options->packages)
        check_named(&check);
    else if (ok && repository->bundle)
        ok = check_bundle(&check, err);
    else if (ok)
        ok = check_all(&check, err);
    if (ok && check.remote)
        check_remote_flush(check.remote);
    check_remote_free(check.remote);
    hash_ahead_free(check.ahead);
    strlist_free(&check.told);
    if (report)
        *report = check.report;
    return ok &&
           (check.report.n_bad == 0 || error_set(err, check.worst.code, "%s", check.worst.text));
}
