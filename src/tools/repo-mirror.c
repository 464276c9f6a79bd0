/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repo-mirror(1): a verified copy of a repository, that readers never see half. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/source_argument.h"

enum option {
    OPTION_PACKAGE = POLICY_OPTIONS_END,
    OPTION_KEEP,
    OPTION_LOCK_WAIT,
    OPTION_TRACE,
    OPTION_FULL,
    OPTION_ACCEPT_LOSS,
    OPTION_DRY_RUN,
    OPTION_PING,
    OPTION_WAIT,
};

/* Bits for struct cli_option: the order of the commands below. */
enum { SYNC_ONLY = 1, CHECK = 2, TRIGGER = 4, SYNC = SYNC_ONLY | TRIGGER, EVERY = SYNC | CHECK };

static const struct cli_option options[] = {
    {OPTION_KEYRING, "keyring", "FILE", EVERY, "trust the keys in FILE (repeatable)"},
    {OPTION_SIGNED_BY, "signed-by", "FPR", EVERY, "trust only this primary key (repeatable)"},
    {OPTION_THRESHOLD, "threshold", "N", EVERY, "so many different keys must have signed"},
    {OPTION_MAX_AGE, "max-age", "TIME", EVERY, "refuse a manifest that is older"},
    {OPTION_ALLOW_NO_EXPIRY, "allow-no-expiry", NULL, EVERY,
     "accept a manifest that says no expiry"},
    {OPTION_CLOCK_SKEW, "clock-skew", "TIME", EVERY, "a date may be ahead of the clock (10s)"},
    {OPTION_NOW, "now", "DATE", EVERY, "take DATE for the current time"},
    {OPTION_STATE, "state", "DIR", EVERY, "remember manifests and hashes in DIR"},
    {OPTION_SUITE, "suite", "SUITE", EVERY, "a suite of an archive (repeatable)"},
    {OPTION_CODENAME, "codename", "NAME", EVERY, "refuse another Codename"},
    {OPTION_ORIGIN, "origin", "NAME", EVERY, "refuse another Origin"},
    {OPTION_ACCEPT_CHANGE, "accept-change", NULL, SYNC,
     "accept another Origin, Label or Codename than before"},
    {OPTION_COMPONENT, "component", "NAME", EVERY,
     "only this component of an archive (repeatable)"},
    {OPTION_ARCH, "arch", "ARCH", EVERY, "only this architecture, or \"source\" (repeatable)"},
    {OPTION_PACKAGE, "package", "PATTERN", EVERY, "only packages of this name (repeatable)"},
    {OPTION_SANDBOX, "sandbox", "required|best-effort|off", EVERY,
     "confine what reads indexes (required)"},
    {OPTION_CA_FILE, "ca-file", "FILE", SYNC, "certificates that vouch for https servers"},
    {OPTION_TIMEOUT, "timeout", "TIME", SYNC, "a server must answer, and get on, in TIME (30s)"},
    {OPTION_CONFIG, "config", "DIR", SYNC, "look for sources in DIR/sources.d"},
    {OPTION_MIRROR, "mirror", "REPO", SYNC, "another location of the same (repeatable)"},
    {OPTION_KEEP, "keep", "TIME", SYNC, "keep what is not listed any more (3d)"},
    {OPTION_LOCK_WAIT, "lock-wait", "TIME", SYNC, "wait for another run (0)"},
    {OPTION_TRACE, "trace", "HOST", SYNC, "write project/trace/HOST, as Debian's mirrors do"},
    {OPTION_FULL, "full", NULL, SYNC, "look at every file again, and hash it"},
    {OPTION_ACCEPT_LOSS, "accept-loss", NULL, SYNC, "drop suites that are not named any more"},
    {OPTION_DRY_RUN, "dry-run", NULL, SYNC_ONLY, "write nothing, tell what would be fetched"},
    {OPTION_PING, "ping", "FILE", TRIGGER, "read the ping from FILE (standard input)"},
    {OPTION_WAIT, "wait", "TIME", TRIGGER, "try again for TIME until the source is as new (1min)"},
};

/* One run, and where its report goes. */
struct run {
    const struct cli *cli;
    const char *dest;
    struct source_argument source; /* of SYNC only; else empty */
    bool is_unknown;               /* that is, and the error says why */
    struct hallmark_policy policy;
    struct source_lists lists; /* what it borrows */
    struct hallmark_mirror_options how;
    const char **suites, **packages;
    struct hallmark_error err;
    struct progress progress;
    struct report_json json;
};

static bool is_json(const struct run *run)
{
    return cli_has(run->cli, CLI_JSON);
}

static bool is_quiet(const struct run *run)
{
    return cli_has(run->cli, CLI_QUIET);
}

/* ---- From the options ----------------------------------------------------------------------- */

static void tell(void *ctx, enum hallmark_note kind, const char *line)
{
    struct run *run = ctx;

    if (kind == HALLMARK_NOTE_INFO && !cli_has(run->cli, CLI_VERBOSE))
        return;
    progress_stop(&run->progress);
    cli_error(run->cli, 0, "%s", line);
}

static void tell_problem(void *ctx, const struct hallmark_package *package,
                         const struct hallmark_error *err)
{
    struct run *run = ctx;

    (void)package;
    progress_stop(&run->progress);
    cli_fail(run->cli, err);
}

static void show(void *ctx, uint64_t done, uint64_t total)
{
    struct run *run = ctx;

    progress_show(&run->progress, done, total);
}

/* Checks that the source has all SUITES, of which it was loaded for the first. */
static bool check_suites(const struct run *run, const char *const *suites)
{
    const char *const *own = run->source.source->suites;
    size_t i;

    for (; own && suites && *suites; suites++) {
        for (i = 0; own[i] && strcmp(own[i], *suites) != 0; i++)
            ;
        if (!own[i])
            return cli_error(run->cli, false,
                             "%s: the stanza of its suite \"%s\" has no suite \"%s\"; what is of "
                             "several stanzas goes into several mirrors",
                             run->source.shown, run->source.source->policy.suite, *suites);
    }
    return true;
}

/* Loads the source that the first argument names, if any: one suite of it, several, or all. What is
 * wrong with it goes to RUN's error. */
static bool take_source(struct run *run)
{
    const char **suites = run->suites;
    struct hallmark_source *source;
    size_t i;

    for (i = 0; suites && suites[i]; i++)
        if (!*suites[i])
            return cli_error(run->cli, false, "--suite: says no name");
    source_argument_load(&run->source, run->cli, run->cli->args[0], suites ? suites[0] : "",
                         &run->err);
    source = run->source.source;
    run->is_unknown = run->err.code != HALLMARK_OK;
    if (!source)
        return true;
    if (source->suites) {
        source->location = source->roots[0];
        source->policy.mirrors = source->roots[1] ? source->roots + 1 : NULL;
    }
    if (!suites || !source->suites) /* in place of suites, there may be the path of one */
        run->how.suites = source->suites;
    return check_suites(run, (const char *const *)suites);
}

static void stop(struct run *run)
{
    source_argument_free_lists(&run->lists);
    source_argument_free(&run->source);
    free(run->suites);
    free(run->packages);
}

/* What the options say, and the source that is the first argument, except to CHECK. */
static bool read_options(struct run *run, unsigned command)
{
    const struct cli *cli = run->cli;
    struct hallmark_mirror_options *how = &run->how;

    run->source.cli = cli;
    how->packages = run->packages = cli_values(cli, OPTION_PACKAGE);
    how->suites = run->suites = cli_values(cli, OPTION_SUITE);
    if ((command != CHECK && !take_source(run)) ||
        !source_argument_policy(&run->source, cli->args[0], 0, &run->policy, &run->lists) ||
        !cli_time(cli, OPTION_KEEP, HALLMARK_TIME_LENGTH, &how->keep) ||
        !cli_time(cli, OPTION_LOCK_WAIT, HALLMARK_TIME_LENGTH, &how->lock_wait))
        return false;
    how->policy = &run->policy;
    how->trace = cli_value(cli, OPTION_TRACE);
    how->full = cli_has(cli, OPTION_FULL);
    how->accept_loss = cli_has(cli, OPTION_ACCEPT_LOSS);
    how->dry_run = cli_has(cli, OPTION_DRY_RUN);
    how->note = tell;
    how->problem = tell_problem;
    how->progress = show;
    how->ctx = run;
    return true;
}

/* Begins a run of COMMAND, a bit; false where the command line is wrong and that has been said. */
static bool start(struct run *run, const struct cli *cli, unsigned command)
{
    *run = (struct run){.cli = cli, .dest = cli->args[command == CHECK ? 0 : 1]};
    if (!read_options(run, command)) {
        stop(run);
        return false;
    }
    progress_start(&run->progress, command == CHECK ? "checking" : "fetching", !is_quiet(run));
    return true;
}

/* ---- sync ----------------------------------------------------------------------------------- */

static void sync_json(struct run *run, const struct hallmark_mirror_report *report)
{
    struct report_json *json = &run->json;

    report_open(json, NULL, '{');
    report_string(json, "source", run->source.shown);
    report_string(json, "mirror", run->dest);
    report_outcome(json, &run->err);
    source_argument_troubles(&run->source, json);
    report_bool(json, "dry_run", run->how.dry_run);
    report_bool(json, "published", report->published);
    report_number(json, "n_suites", report->n_suites);
    report_number(json, "n_files", report->n_files);
    report_number(json, "n_bytes", report->n_bytes);
    report_number(json, "n_fetched", report->n_fetched);
    report_number(json, "n_fetched_bytes", report->n_fetched_bytes);
    report_number(json, "n_replaced", report->n_replaced);
    report_number(json, "n_hashed", report->n_hashed);
    report_number(json, "n_retired", report->n_retired);
    report_number(json, "n_removed", report->n_removed);
    report_number(json, "n_pruned", report->n_pruned);
    report_date(json, "date", report->date);
    report_date(json, "valid_until", report->valid_until);
    report_close(json, '}');
}

/* Cron sends what is printed by mail: so nothing where nothing has happened. */
static void sync_text(const struct run *run, const struct hallmark_mirror_report *report)
{
    char date[REPORT_DATE_LEN], fetched[32], size[32];

    report_date_text(report->date, date);
    progress_size(report->n_fetched_bytes, fetched);
    progress_size(report->n_bytes, size);
    if (report->published)
        printf("%s: %s of %s: %zu file%s, %s; %s %zu, %s\n", run->dest,
               run->how.dry_run ? "would be the repository" : "is the repository", date,
               report->n_files, report->n_files == 1 ? "" : "s", size,
               run->how.dry_run ? "to fetch:" : "fetched", report->n_fetched, fetched);
    else if (run->how.dry_run || cli_has(run->cli, CLI_VERBOSE))
        printf("%s: nothing new since %s\n", run->dest, date);
    if (report->n_removed || report->n_pruned)
        printf("%s: removed %zu file%s and %zu generation%s of old\n", run->dest, report->n_removed,
               report->n_removed == 1 ? "" : "s", report->n_pruned,
               report->n_pruned == 1 ? "" : "s");
}

/* Reports what a run has come to, and ends it with its exit status. */
static int finish_sync(struct run *run, const struct hallmark_mirror_report *report)
{
    bool ok = run->err.code == HALLMARK_OK;

    progress_stop(&run->progress);
    if (!ok)
        cli_fail(run->cli, &run->err);
    if (is_json(run))
        sync_json(run, report);
    else if (ok && !is_quiet(run))
        sync_text(run, report);
    stop(run);
    return (int)run->err.code;
}

/* Not where the source is not known. */
static bool sync_once(struct run *run, struct hallmark_mirror_report *report)
{
    if (!run->is_unknown)
        hallmark_mirror_sync(run->lists.locations[0], run->dest, &run->how, report, &run->err);
    return run->err.code == HALLMARK_OK;
}

static int run_sync(const struct cli *cli)
{
    struct run run;
    struct hallmark_mirror_report report = {0};

    if (!start(&run, cli, SYNC_ONLY))
        return HALLMARK_ERR_USAGE;
    sync_once(&run, &report);
    return finish_sync(&run, &report);
}

/* ---- trigger -------------------------------------------------------------------------------- */

/* More than any manifest may have; the library says what is wrong with one that is longer. */
enum { PING_MAX = 32 << 20, PAUSE_SECONDS = 2 };

/* Reads a ping from the file NAME, or from standard input; NULL after an error message. */
static char *read_ping(const struct cli *cli, const char *name, size_t *len)
{
    FILE *file = name ? fopen(name, "re") : stdin;
    char *ping = malloc(PING_MAX);

    if (!ping)
        abort();
    *len = file ? fread(ping, 1, PING_MAX, file) : 0;
    if (file && !ferror(file)) {
        if (name)
            fclose(file);
        return ping;
    }
    cli_error(cli, HALLMARK_ERR_IO, "%s: %s", name ? name : "standard input", strerror(errno));
    if (name && file)
        fclose(file);
    free(ping);
    return NULL;
}

static int run_trigger(const struct cli *cli)
{
    struct run run;
    struct hallmark_mirror_report report = {0};
    int64_t wait = 60;
    char *ping;
    int status;

    if (!cli_time(cli, OPTION_WAIT, HALLMARK_TIME_LENGTH, &wait) || !start(&run, cli, TRIGGER))
        return HALLMARK_ERR_USAGE;
    run.how.ping = ping = read_ping(cli, cli_value(cli, OPTION_PING), &run.how.ping_len);
    if (!ping) {
        stop(&run);
        return HALLMARK_ERR_IO;
    }
    if (!cli_has(cli, OPTION_LOCK_WAIT))
        run.how.lock_wait = wait; /* the other run may have begun too early */
    while (!sync_once(&run, &report) && run.err.code == HALLMARK_ERR_IO && !run.is_unknown &&
           wait >= PAUSE_SECONDS) {
        tell(&run, HALLMARK_NOTE_INFO, run.err.text);
        sleep(PAUSE_SECONDS);
        wait -= PAUSE_SECONDS;
    }
    status = finish_sync(&run, &report);
    free(ping);
    return status;
}

/* ---- check ---------------------------------------------------------------------------------- */

static void check_report(struct run *run, const struct hallmark_check_report *report)
{
    struct report_json *json = &run->json;
    char size[32];

    progress_size(report->n_bytes, size);
    if (is_json(run)) {
        report_open(json, NULL, '{');
        report_string(json, "mirror", run->dest);
        report_outcome(json, &run->err);
        report_number(json, "n_checked", report->n_checked);
        report_number(json, "n_indexes", report->n_indexes);
        report_number(json, "n_bad", report->n_bad);
        report_number(json, "n_bytes", report->n_bytes);
        report_close(json, '}');
    } else if (report->n_bad) {
        cli_error(run->cli, (int)run->err.code, "%s: bad: %zu of %zu files", run->dest,
                  report->n_bad, report->n_checked + report->n_indexes);
    } else if (run->err.code == HALLMARK_OK && !is_quiet(run)) {
        printf("%s: good: %zu file%s and %zu of metadata, %s\n", run->dest, report->n_checked,
               report->n_checked == 1 ? "" : "s", report->n_indexes, size);
    }
}

static int run_check(const struct cli *cli)
{
    struct run run;
    struct hallmark_check_report report = {0};

    if (!start(&run, cli, CHECK))
        return HALLMARK_ERR_USAGE;
    hallmark_mirror_check(run.dest, &run.how, &report, &run.err);
    progress_stop(&run.progress);
    if (run.err.code != HALLMARK_OK && !report.n_bad) /* else each one has been told already */
        cli_fail(cli, &run.err);
    check_report(&run, &report);
    stop(&run);
    return (int)run.err.code;
}

static const struct cli_command commands[] = {
    {"sync", "SOURCE DEST", 2, 2, "Make DEST a verified copy of the repository at SOURCE",
     run_sync},
    {"check", "DEST", 1, 1, "Compare every file of a mirror with its manifests", run_check},
    {"trigger", "SOURCE DEST", 2, 2, "Sync when the InRelease on standard input is new and good",
     run_trigger},
};

static const struct cli_program program = {
    .name = "repo-mirror",
    .summary = "Mirror signed repositories: verified, complete, and never a step back",
    .commands = commands,
    .n_commands = sizeof commands / sizeof *commands,
    .options = options,
    .n_options = sizeof options / sizeof *options,
};

int main(int argc, char **argv)
{
    return cli_main(&program, argc, argv);
}
