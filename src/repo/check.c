/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_repository_check(): the packages of a repository against its verified manifest. */
#include <string.h>

#include "base/file.h"
#include "format/packages.h"
#include "repo/repository.h"

/* One run over the packages. */
struct check {
    const struct hallmark_repository *repository;
    const struct hallmark_check_options *options;
    struct hallmark_check_report report;
    uint64_t n_total; /* bytes that will be read if all is well */
    struct hallmark_error worst;
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

static bool check_one(struct check *check, const struct hallmark_package *package,
                      struct hallmark_error *err)
{
    const struct release_entry *entry = repository_entry(check->repository, package);
    struct repository_sink sink = {.take = count_bytes, .ctx = check};
    int fd = repository_open_package(check->repository, entry, err);
    bool ok = fd >= 0 && repository_read_package(check->repository, fd, entry, &sink, err);

    file_close(&fd);
    return ok;
}

/* What is wrong weighs more than what could not be read; else the first one stays. */
static void keep_worst(struct check *check, const struct hallmark_error *err)
{
    if (check->worst.code == HALLMARK_OK ||
        (check->worst.code == HALLMARK_ERR_IO && err->code != HALLMARK_ERR_IO))
        check->worst = *err;
}

static const struct hallmark_package *package_at(const struct check *check, size_t index)
{
    if (check->options->packages)
        return index < check->options->n_packages ? check->options->packages[index] : NULL;
    return repository_file(check->repository, index);
}

bool hallmark_repository_check(const struct hallmark_repository *repository,
                               const struct hallmark_check_options *options,
                               struct hallmark_check_report *report, struct hallmark_error *err)
{
    struct check check = {.repository = repository, .options = options};
    const struct hallmark_package *package;
    struct hallmark_error problem;
    size_t i;

    error_clear(err);
    for (i = 0; (package = package_at(&check, i)) != NULL; i++)
        check.n_total += package->size;
    for (i = 0; (package = package_at(&check, i)) != NULL; i++) {
        error_clear(&problem);
        if (packages_is_index(package->path))
            check.report.n_indexes++;
        else
            check.report.n_checked++;
        if (check_one(&check, package, &problem))
            continue;
        check.report.n_bad++;
        keep_worst(&check, &problem);
        if (options->problem)
            options->problem(options->ctx, package, &problem);
    }
    if (report)
        *report = check.report;
    return check.report.n_bad == 0 || error_set(err, check.worst.code, "%s", check.worst.text);
}
