/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repo-verify fetch: packages into a directory, verified on their way. */
#include "tools/verify_fetch.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/progress.h"
#include "tools/verify_run.h"

struct fetch {
    struct verify_run run;
    struct progress progress;
    const struct hallmark_package **packages;
    size_t n_packages;
    struct hallmark_fetch_report report;
};

static void tell_problem(void *ctx, const struct hallmark_package *package,
                         const struct hallmark_error *err)
{
    struct fetch *fetch = ctx;

    (void)package;
    progress_stop(&fetch->progress);
    cli_fail(fetch->run.cli, err);
}

static void tell_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct fetch *fetch = ctx;

    progress_show(&fetch->progress, done, total);
}

static bool find_all(struct fetch *fetch)
{
    const struct cli *cli = fetch->run.cli;
    const struct hallmark_package *found;
    int i;

    free(fetch->packages);
    fetch->n_packages = 0;
    fetch->packages = calloc((size_t)cli->n_args, sizeof *fetch->packages);
    if (!fetch->packages)
        abort();
    for (i = 1; i < cli->n_args; i++) {
        found = verify_run_find(&fetch->run, cli->args[i]);
        if (!found)
            return false;
        fetch->packages[fetch->n_packages++] = found;
    }
    return true;
}

static void report(struct fetch *fetch, const char *into)
{
    struct report_json *json = &fetch->run.json;
    char size[32];

    if (verify_run_is_json(fetch->run.cli)) {
        verify_run_start_json(&fetch->run);
        report_string(json, "output", into);
        report_open(json, "packages", '[');
        for (size_t i = 0; i < fetch->n_packages; i++)
            report_string(json, NULL, fetch->packages[i]->path);
        report_close(json, ']');
        report_number(json, "n_fetched", fetch->report.n_fetched);
        report_number(json, "n_present", fetch->report.n_present);
        report_number(json, "n_bad", fetch->report.n_bad);
        report_number(json, "n_bytes", fetch->report.n_bytes);
        report_close(json, '}');
    } else if (fetch->run.err.code == HALLMARK_OK && !cli_has(fetch->run.cli, CLI_QUIET)) {
        progress_size(fetch->report.n_bytes, size);
        printf("%s: fetched %zu package%s, %s, into %s", fetch->run.shown, fetch->report.n_fetched,
               fetch->report.n_fetched == 1 ? "" : "s", size, into);
        if (fetch->report.n_present)
            printf("; %zu were there", fetch->report.n_present);
        putchar('\n');
    }
}

static void find_and_fetch(struct fetch *fetch, const struct hallmark_fetch_options *how)
{
    if (!fetch->run.repository || !find_all(fetch))
        return;
    progress_start(&fetch->progress, "fetching", !cli_has(fetch->run.cli, CLI_QUIET));
    hallmark_repository_fetch(fetch->run.repository, fetch->packages, fetch->n_packages, how,
                              &fetch->report, &fetch->run.err);
    progress_stop(&fetch->progress);
}

int verify_fetch_run(const struct cli *cli)
{
    struct fetch fetch = {0};
    struct hallmark_fetch_options how = {.into = cli_value(cli, OPTION_OUTPUT),
                                         .replace = cli_has(cli, OPTION_REPLACE),
                                         .problem = tell_problem,
                                         .progress = tell_progress,
                                         .ctx = &fetch};
    int status;

    if (!how.into)
        how.into = ".";
    if (!verify_run_open(&fetch.run, cli))
        return HALLMARK_ERR_USAGE;
    find_and_fetch(&fetch, &how);
    while (verify_run_again(&fetch.run))
        find_and_fetch(&fetch, &how);
    if (fetch.report.n_bad) /* each one has been told already */
        status = (int)fetch.run.err.code;
    else
        status = verify_run_finish(&fetch.run);
    report(&fetch, how.into);
    free(fetch.packages);
    verify_run_close(&fetch.run);
    return status;
}
