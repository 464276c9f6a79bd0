/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy from options. */
#include "tools/policy_options.h"

static bool read_numbers(const struct cli *cli, struct hallmark_policy *policy)
{
    uint64_t threshold = policy->threshold;

    if (!cli_number(cli, OPTION_THRESHOLD, UINT32_MAX, &threshold) ||
        !cli_time(cli, OPTION_MAX_AGE, HALLMARK_TIME_LENGTH, &policy->max_age) ||
        !cli_time(cli, OPTION_CLOCK_SKEW, HALLMARK_TIME_LENGTH, &policy->clock_skew) ||
        !cli_time(cli, OPTION_NOW, HALLMARK_TIME_DATE, &policy->now) ||
        !cli_time(cli, OPTION_AS_OF, HALLMARK_TIME_DATE, &policy->now) ||
        !cli_time(cli, OPTION_TIMEOUT, HALLMARK_TIME_LENGTH, &policy->network_timeout) ||
        !cli_sandbox(cli, OPTION_SANDBOX, &policy->sandbox))
        return false;
    policy->threshold = (unsigned)threshold;
    return true;
}

static void read_text(const struct cli *cli, int option, const char **out)
{
    if (cli_has(cli, option))
        *out = cli_value(cli, option);
}

bool policy_options_read(const struct cli *cli, struct hallmark_policy *policy)
{
    if (!read_numbers(cli, policy))
        return false;
    if (cli_has(cli, OPTION_ALLOW_NO_EXPIRY))
        policy->expiry = HALLMARK_EXPIRY_OPTIONAL;
    read_text(cli, OPTION_STATE, &policy->state_dir);
    if (cli_has(cli, OPTION_NO_STATE) || cli_has(cli, OPTION_AS_OF))
        policy->state_dir = "";
    read_text(cli, OPTION_CODENAME, &policy->codename);
    read_text(cli, OPTION_ORIGIN, &policy->origin);
    read_text(cli, OPTION_CA_FILE, &policy->ca_file);
    policy->accept_change = policy->accept_change || cli_has(cli, OPTION_ACCEPT_CHANGE);
    return true;
}
