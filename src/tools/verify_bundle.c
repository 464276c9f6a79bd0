/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repo-verify bundle: packages, and what vouches for them, in one file. */
#include "tools/verify_bundle.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/verify_run.h"

static void report(struct verify_run *run, const struct hallmark_package **packages, int n_packages,
                   const char *path)
{
    int i;

    if (verify_run_is_json(run->cli)) {
        verify_run_start_json(run);
        report_string(&run->json, "output", path);
        report_open(&run->json, "packages", '[');
        for (i = 0; i < n_packages; i++)
            report_string(&run->json, NULL, packages[i]->path);
        report_close(&run->json, ']');
        report_close(&run->json, '}');
    } else if (run->err.code == HALLMARK_OK && !cli_has(run->cli, CLI_QUIET)) {
        printf("%s: %d package%s in %s\n", run->shown, n_packages, n_packages == 1 ? "" : "s",
               path);
    }
}

int verify_bundle_run(const struct cli *cli)
{
    const char *path = cli_value(cli, OPTION_OUTPUT);
    struct verify_run run = {0};
    const struct hallmark_package **packages;
    int i, n = cli->n_args - 1, status;

    if (!path)
        return cli_error(cli, HALLMARK_ERR_USAGE, "bundle needs --output=FILE");
    if (!verify_run_open(&run, cli))
        return HALLMARK_ERR_USAGE;
    packages = calloc((size_t)n + 1, sizeof *packages);
    if (!packages)
        abort();
    do {
        for (i = 0; run.repository && i < n; i++)
            if (!(packages[i] = verify_run_find(&run, cli->args[i + 1])))
                break;
        if (run.repository && i == n)
            hallmark_repository_bundle(run.repository, packages, (size_t)n, path, &run.err);
    } while (verify_run_again(&run));
    status = verify_run_finish(&run);
    report(&run, packages, i, path);
    free(packages);
    verify_run_close(&run);
    return status;
}
