/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The common part of the commands of repo-verify(1). */
#include "tools/verify_run.h"

#include <stdlib.h>
#include <string.h>

bool verify_run_is_json(const struct cli *cli)
{
    return cli_has(cli, CLI_JSON);
}

/* ---- The policy, from the options ----------------------------------------------------------- */

static bool policy_from_options(const struct cli *cli, struct hallmark_policy *policy)
{
    uint64_t threshold = 1;

    hallmark_policy_init(policy);
    if (!cli_number(cli, OPTION_THRESHOLD, UINT32_MAX, &threshold) ||
        !cli_time(cli, OPTION_MAX_AGE, HALLMARK_TIME_LENGTH, &policy->max_age) ||
        !cli_time(cli, OPTION_CLOCK_SKEW, HALLMARK_TIME_LENGTH, &policy->clock_skew) ||
        !cli_time(cli, OPTION_NOW, HALLMARK_TIME_DATE, &policy->now) ||
        !cli_time(cli, OPTION_AS_OF, HALLMARK_TIME_DATE, &policy->now) ||
        !cli_time(cli, OPTION_TIMEOUT, HALLMARK_TIME_LENGTH, &policy->network_timeout) ||
        !cli_sandbox(cli, OPTION_SANDBOX, &policy->sandbox))
        return false;
    policy->threshold = (unsigned)threshold;
    if (cli_has(cli, OPTION_ALLOW_NO_EXPIRY))
        policy->expiry = HALLMARK_EXPIRY_OPTIONAL;
    policy->state_dir = cli_value(cli, OPTION_STATE);
    if (cli_has(cli, OPTION_NO_STATE) || cli_has(cli, OPTION_AS_OF))
        policy->state_dir = "";
    policy->suite = cli_value(cli, OPTION_SUITE);
    policy->codename = cli_value(cli, OPTION_CODENAME);
    policy->origin = cli_value(cli, OPTION_ORIGIN);
    policy->ca_file = cli_value(cli, OPTION_CA_FILE);
    policy->accept_change = cli_has(cli, OPTION_ACCEPT_CHANGE);
    return true;
}

/* LOCATION as it may be shown: without the user and the password of a URL. */
static char *redact(const char *location)
{
    const char *start = strstr(location, "://");
    const char *at = start ? strrchr(start, '@') : NULL;
    char *shown = strdup(location);

    if (!shown)
        abort();
    if (at) {
        start += strlen("://");
        memmove(shown + (start - location), at + 1, strlen(at + 1) + 1);
    }
    return shown;
}

bool verify_run_open(struct verify_run *run, const struct cli *cli)
{
    const char **keyrings = cli_values(cli, OPTION_KEYRING);
    const char **signed_by = cli_values(cli, OPTION_SIGNED_BY);
    const char **components = cli_values(cli, OPTION_COMPONENT);
    const char **architectures = cli_values(cli, OPTION_ARCH);
    struct hallmark_policy policy;
    bool ok = policy_from_options(cli, &policy);

    run->cli = cli;
    run->location = cli->args[0];
    if (ok) {
        run->shown = redact(run->location);
        policy.keyrings = keyrings;
        policy.signed_by = signed_by;
        policy.components = components;
        policy.architectures = architectures;
        run->repository = hallmark_repository_open(run->location, &policy, &run->err);
    }
    free(keyrings);
    free(signed_by);
    free(components);
    free(architectures);
    return ok;
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
    free(run->shown);
}
