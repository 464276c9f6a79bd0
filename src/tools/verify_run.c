/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The common part of the commands of repo-verify(1). */
#include "tools/verify_run.h"

#include <string.h>

bool verify_run_is_json(const struct cli *cli)
{
    return cli_has(cli, CLI_JSON);
}

/* ---- The repository ------------------------------------------------------------------------- */

static size_t count(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* Opens what the argument or the source means. False as verify_run_open(). */
static bool open_repository(struct verify_run *run)
{
    struct hallmark_policy policy;
    struct source_lists lists = {0};
    bool ok =
        source_argument_policy(&run->argument, run->cli->args[0], run->first, &policy, &lists);

    if (ok && run->err.code == HALLMARK_OK) {
        run->n_locations = count((const char *const *)lists.locations);
        run->repository = hallmark_repository_open(lists.locations[0], &policy, &run->err);
    }
    source_argument_free_lists(&lists);
    return ok;
}

bool verify_run_open(struct verify_run *run, const struct cli *cli)
{
    const char *suite = cli_value(cli, OPTION_SUITE);

    if (suite && !*suite)
        return cli_error(cli, false, "--suite: says no name");
    run->cli = cli;
    source_argument_load(&run->argument, cli, cli->args[0], suite, &run->err);
    run->shown = run->argument.shown;
    run->source = run->argument.source;
    if (open_repository(run))
        return true;
    verify_run_close(run);
    return false;
}

/* Opens the repository once more, from its location number FIRST on. Whether that has another
 * manifest, which RUN has then: a newer one, if it may be the same location. */
static bool open_other(struct verify_run *run, size_t first)
{
    struct verify_run other = {
        .cli = run->cli,
        .argument = {.cli = run->cli, .source = run->argument.source},
        .first = first,
    };
    const struct hallmark_manifest *before = verify_run_manifest(run), *now;
    bool is_used = false;

    if (open_repository(&other) && other.repository) {
        now = verify_run_manifest(&other);
        is_used = first ? now->date != before->date : now->date > before->date;
    }
    if (is_used && !cli_has(run->cli, CLI_QUIET))
        cli_error(run->cli, 0, "%s%s, once more: %s", first ? "with the manifest of " : run->shown,
                  first ? now->location : " was published anew meanwhile", run->err.text);
    if (is_used) {
        hallmark_repository_close(run->repository);
        run->repository = other.repository;
        run->err = other.err;
    } else {
        hallmark_repository_close(other.repository);
    }
    other.argument.source = NULL; /* it is lent */
    source_argument_free(&other.argument);
    return is_used;
}

bool verify_run_again(struct verify_run *run)
{
    while (run->repository && run->err.code == HALLMARK_ERR_CONTENT &&
           run->n_again < run->n_locations)
        if (open_other(run, run->n_again++))
            return true;
    return false;
}

int verify_run_finish(struct verify_run *run)
{
    if (run->repository && run->err.code == HALLMARK_OK)
        hallmark_repository_remember(run->repository, &run->err);
    return run->err.code == HALLMARK_OK ? HALLMARK_OK : cli_fail(run->cli, &run->err);
}

void verify_run_start_json(struct verify_run *run)
{
    report_open(&run->json, NULL, '{');
    report_string(&run->json, "repository", run->shown);
    report_outcome(&run->json, &run->err);
    verify_run_troubles(run);
}

void verify_run_troubles(struct verify_run *run)
{
    source_argument_troubles(&run->argument, &run->json);
}

const struct hallmark_manifest *verify_run_manifest(const struct verify_run *run)
{
    return run->repository ? hallmark_repository_manifest(run->repository) : NULL;
}

const struct hallmark_package *verify_run_find(struct verify_run *run, const char *name)
{
    const struct hallmark_package *package =
        hallmark_repository_find(run->repository, name, &run->err);

    if (package && strcmp(package->path, name) != 0 && !cli_has(run->cli, CLI_QUIET))
        cli_error(run->cli, 0, "%s is %s", name, package->path);
    return package;
}

void verify_run_close(struct verify_run *run)
{
    hallmark_repository_close(run->repository);
    source_argument_free(&run->argument);
}
