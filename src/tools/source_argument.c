/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which repository an argument means. */
#include "tools/source_argument.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The source ----------------------------------------------------------------------------- */

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

static bool is_regular(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t len = strlen(text), suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

/* Whether TEXT may be the name of a source: a path that is meant has a "/", or starts otherwise. */
static bool is_like_name(const char *text)
{
    static const char others[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    return text[0] != '.' && text[0] != '_' && text[0] != '-' && text[strspn(text, others)] == '\0';
}

/* Says what a word stands for that could stand for two things. */
static void say_which(const struct source_argument *argument, const char *name,
                      struct hallmark_error *err)
{
    bool is_there = access(name, F_OK) == 0;

    if (!argument->source && !is_there) {
        err->code = HALLMARK_ERR_USAGE;
        snprintf(err->text, sizeof err->text,
                 "%.256s: no source is called that, and there is no such file or directory", name);
    } else if (is_there && !cli_has(argument->cli, CLI_QUIET)) {
        cli_error(argument->cli, 0,
                  argument->source ? "%s is a source; the directory here is ./%s"
                                   : "no source is called %s; taking ./%s",
                  name, name);
    }
}

void source_argument_load(struct source_argument *argument, const struct cli *cli, const char *text,
                          const char *suite, struct hallmark_error *err)
{
    bool is_name = is_like_name(text);

    *argument = (struct source_argument){.cli = cli, .shown = redact(text)};
    if (!is_name && (!strchr(text, '/') || !has_suffix(text, ".sources") || !is_regular(text)))
        return;
    argument->source = hallmark_source_load(cli_value(cli, OPTION_CONFIG), text, suite, err);
    if (is_name && err->code == HALLMARK_OK)
        say_which(argument, text, err);
}

void source_argument_free(struct source_argument *argument)
{
    hallmark_source_free(argument->source);
    while (argument->n_troubles)
        free(argument->troubles[--argument->n_troubles].location);
    free(argument->troubles);
    free(argument->shown);
}

/* ---- Troubles ------------------------------------------------------------------------------- */

/* Whether that has been told already: a run may try more than once. */
static bool is_known(const struct source_argument *argument, const char *location,
                     const struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < argument->n_troubles; i++)
        if (strcmp(argument->troubles[i].location, location) == 0 &&
            strcmp(argument->troubles[i].err.text, err->text) == 0)
            return true;
    return false;
}

/* A server that cannot be reached is an everyday thing where there is another one; whatever else is
 * wrong with one of them should be known. */
static void tell_trouble(void *ctx, const char *location, const struct hallmark_error *err)
{
    struct source_argument *argument = ctx;
    struct source_trouble *trouble;
    char *shown = redact(location);

    if (is_known(argument, shown, err)) {
        free(shown);
        return;
    }
    argument->troubles =
        reallocarray(argument->troubles, argument->n_troubles + 1, sizeof *argument->troubles);
    if (!argument->troubles)
        abort();
    trouble = &argument->troubles[argument->n_troubles++];
    *trouble = (struct source_trouble){.location = shown, .err = *err};
    if (!cli_has(argument->cli, CLI_QUIET) &&
        (err->code != HALLMARK_ERR_IO || cli_has(argument->cli, CLI_VERBOSE)))
        cli_error(argument->cli, 0, "warning: %s is not used: %s", trouble->location, err->text);
}

void source_argument_troubles(const struct source_argument *argument, struct report_json *json)
{
    size_t i;

    report_open(json, "not_used", '[');
    for (i = 0; i < argument->n_troubles; i++) {
        report_open(json, NULL, '{');
        report_string(json, "location", argument->troubles[i].location);
        report_number(json, "code", argument->troubles[i].err.code);
        report_string(json, "text", argument->troubles[i].err.text);
        report_close(json, '}');
    }
    report_close(json, ']');
}

/* ---- The policy ----------------------------------------------------------------------------- */

static size_t count(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* All locations: that of the repository, the mirrors that a source has, and those of the command
 * line; beginning with number FIRST of these. */
static const char **gather(const char *location, const char *const *a, const char *const *b,
                           size_t first)
{
    size_t n_a = count(a), n = 1 + n_a + count(b), i;
    const char **all = calloc(n + 1, sizeof *all);

    if (!all)
        abort();
    for (i = 0; i < n; i++)
        all[(i + n - first) % n] = i == 0 ? location : i <= n_a ? a[i - 1] : b[i - 1 - n_a];
    return all;
}

static void lists_from_options(const struct cli *cli, const char *location, size_t first,
                               struct hallmark_policy *policy, struct source_lists *lists)
{
    const char **mirrors = cli_values(cli, OPTION_MIRROR);

    *lists = (struct source_lists){.keyrings = cli_values(cli, OPTION_KEYRING),
                                   .signed_by = cli_values(cli, OPTION_SIGNED_BY),
                                   .components = cli_values(cli, OPTION_COMPONENT),
                                   .architectures = cli_values(cli, OPTION_ARCH),
                                   .locations = gather(location, policy->mirrors, mirrors, first)};
    free(mirrors);
    if (lists->keyrings) {
        policy->keyrings = lists->keyrings;
        policy->keys = NULL;
    }
    if (lists->signed_by)
        policy->signed_by = lists->signed_by;
    if (lists->components)
        policy->components = lists->components;
    if (lists->architectures)
        policy->architectures = lists->architectures;
    policy->mirrors = lists->locations[1] ? lists->locations + 1 : NULL;
}

bool source_argument_policy(struct source_argument *argument, const char *location, size_t first,
                            struct hallmark_policy *policy, struct source_lists *lists)
{
    const struct hallmark_source *source = argument->source;

    *lists = (struct source_lists){0};
    hallmark_policy_init(policy);
    policy->suite = cli_value(argument->cli, OPTION_SUITE);
    if (source) {
        *policy = source->policy;
        location = source->location;
    }
    if (!policy_options_read(argument->cli, policy))
        return false;
    lists_from_options(argument->cli, location, first, policy, lists);
    policy->trouble = tell_trouble;
    policy->trouble_ctx = argument;
    return true;
}

void source_argument_free_lists(struct source_lists *lists)
{
    free(lists->keyrings);
    free(lists->signed_by);
    free(lists->components);
    free(lists->architectures);
    free(lists->locations);
}
