/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The common part of the commands of repo-verify(1). */
#include "tools/verify_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool verify_run_is_json(const struct cli *cli)
{
    return cli_has(cli, CLI_JSON);
}

/* ---- The policy, from the options ----------------------------------------------------------- */

/* The lists that options give, which a policy points to. */
struct lists {
    const char **keyrings, **signed_by, **components, **architectures, **locations;
};

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

static void lists_from_options(const struct verify_run *run, const char *location,
                               struct hallmark_policy *policy, struct lists *lists)
{
    const struct cli *cli = run->cli;
    const char **mirrors = cli_values(cli, OPTION_MIRROR);

    *lists = (struct lists){.keyrings = cli_values(cli, OPTION_KEYRING),
                            .signed_by = cli_values(cli, OPTION_SIGNED_BY),
                            .components = cli_values(cli, OPTION_COMPONENT),
                            .architectures = cli_values(cli, OPTION_ARCH),
                            .locations = gather(location, policy->mirrors, mirrors, run->first)};
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

static void free_lists(struct lists *lists)
{
    free(lists->keyrings);
    free(lists->signed_by);
    free(lists->components);
    free(lists->architectures);
    free(lists->locations);
}

/* ---- The repository ------------------------------------------------------------------------- */

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

/* A server that cannot be reached is an everyday thing where there is another one; whatever else is
 * wrong with one of them should be known. */
static void tell_trouble(void *ctx, const char *location, const struct hallmark_error *err)
{
    struct verify_run *run = ctx;
    struct verify_trouble *trouble;

    run->troubles = reallocarray(run->troubles, run->n_troubles + 1, sizeof *run->troubles);
    if (!run->troubles)
        abort();
    trouble = &run->troubles[run->n_troubles++];
    *trouble = (struct verify_trouble){.location = redact(location), .err = *err};
    if (!cli_has(run->cli, CLI_QUIET) &&
        (err->code != HALLMARK_ERR_IO || cli_has(run->cli, CLI_VERBOSE)))
        cli_error(run->cli, 0, "warning: %s is not used: %s", trouble->location, err->text);
}

static void free_troubles(struct verify_run *run)
{
    while (run->n_troubles)
        free(run->troubles[--run->n_troubles].location);
    free(run->troubles);
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
static void say_which(struct verify_run *run, const char *name)
{
    bool is_there = access(name, F_OK) == 0;

    if (!run->source && !is_there) {
        run->err.code = HALLMARK_ERR_USAGE;
        snprintf(run->err.text, sizeof run->err.text,
                 "%.256s: no source is called that, and there is no such file or directory", name);
    } else if (is_there && !cli_has(run->cli, CLI_QUIET)) {
        cli_error(run->cli, 0,
                  run->source ? "%s is a source; the directory here is ./%s"
                              : "no source is called %s; taking ./%s",
                  name, name);
    }
}

/* The source that the argument NAME means, if any. A name has no "/", and a path has one; a path
 * that is a file of sources means what is in it. */
static void load_source(struct verify_run *run, const char *name)
{
    bool is_name = is_like_name(name);

    if (!is_name && (!strchr(name, '/') || !has_suffix(name, ".sources") || !is_regular(name)))
        return;
    run->source = hallmark_source_load(cli_value(run->cli, OPTION_CONFIG), name,
                                       cli_value(run->cli, OPTION_SUITE), &run->err);
    if (is_name && run->err.code == HALLMARK_OK)
        say_which(run, name);
}

/* Opens what the argument or the source means. False as verify_run_open(). */
static bool open_repository(struct verify_run *run)
{
    const char *location = run->cli->args[0];
    struct hallmark_policy policy;
    struct lists lists = {0};
    bool ok;

    hallmark_policy_init(&policy);
    policy.suite = cli_value(run->cli, OPTION_SUITE);
    if (run->source) {
        policy = run->source->policy;
        location = run->source->location;
    }
    ok = policy_options_read(run->cli, &policy);
    if (ok && run->err.code == HALLMARK_OK) {
        lists_from_options(run, location, &policy, &lists);
        policy.trouble = tell_trouble;
        policy.trouble_ctx = run;
        run->n_locations = count(lists.locations);
        run->repository = hallmark_repository_open(lists.locations[0], &policy, &run->err);
    }
    free_lists(&lists);
    return ok;
}

bool verify_run_open(struct verify_run *run, const struct cli *cli)
{
    run->cli = cli;
    run->shown = redact(cli->args[0]);
    load_source(run, cli->args[0]);
    if (open_repository(run))
        return true;
    verify_run_close(run);
    return false;
}

/* Opens the repository once more, from its location number FIRST on. Whether that has another
 * manifest, which RUN has then: a newer one, if it may be the same location. */
static bool open_other(struct verify_run *run, size_t first)
{
    struct verify_run other = {.cli = run->cli, .source = run->source, .first = first};
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
    free_troubles(&other);
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
    size_t i;

    report_open(&run->json, "not_used", '[');
    for (i = 0; i < run->n_troubles; i++) {
        report_open(&run->json, NULL, '{');
        report_string(&run->json, "location", run->troubles[i].location);
        report_number(&run->json, "code", run->troubles[i].err.code);
        report_string(&run->json, "text", run->troubles[i].err.text);
        report_close(&run->json, '}');
    }
    report_close(&run->json, ']');
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
    hallmark_source_free(run->source);
    free_troubles(run);
    free(run->shown);
}
