/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_repository_check(): the files of a repository against its verified manifest. */
#include <string.h>

#include "repo/catalogue.h"
#include "repo/index.h"
#include "repo/repository.h"

/* One run over the files. */
struct check {
    const struct hallmark_repository *repository;
    const struct hallmark_check_options *options;
    struct hallmark_check_report report;
    uint64_t n_total; /* bytes that will be read if all is well; 0: not known */
    struct hallmark_error worst;
    struct strlist told; /* problems of files that are no packages */
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
    if (!content_check(content, check->repository->place.fetch, &sink, &problem))
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

static bool check_all(struct check *check, struct hallmark_error *err)
{
    const struct hallmark_repository *repository = check->repository;
    struct catalogue_sink sink = {.each = check_one, .problem = note_index, .ctx = check};
    const struct content *content;
    size_t i;

    if (!repository->is_archive)
        for (i = 0; (content = repository_file(repository, i)) != NULL; i++)
            check->n_total += content->package.size;
    for (i = 0; (content = repository_file(repository, i)) != NULL; i++)
        if (is_due(check, content))
            check_one(check, content, err);
    return catalogue_read(repository, &sink, err) && check_sizes(check, err);
}

bool hallmark_repository_check(const struct hallmark_repository *repository,
                               const struct hallmark_check_options *options,
                               struct hallmark_check_report *report, struct hallmark_error *err)
{
    struct check check = {.repository = repository, .options = options};
    bool ok = true;

    error_clear(err);
    if (options->packages)
        check_named(&check);
    else
        ok = check_all(&check, err);
    strlist_free(&check.told);
    if (report)
        *report = check.report;
    return ok &&
           (check.report.n_bad == 0 || error_set(err, check.worst.code, "%s", check.worst.text));
}
