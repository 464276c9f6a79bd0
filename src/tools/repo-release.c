/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repo-release(1): publish a directory of packages as a signed, fresh, consistent repository. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cli.h"
#include "tools/passphrase.h"
#include "tools/progress.h"
#include "tools/release_export.h"
#include "tools/release_settings.h"
#include "tools/report.h"

/* Bits for struct cli_option: the order of the commands below. */
enum {
    UPDATE = 1,
    INIT = 2,
    RESIGN = 4,
    STATUS = 8,
    CHECK = 16,
    PRUNE = 32,
    KEYRING = 64,
    SOURCES = 128,
    WORK = UPDATE | RESIGN | STATUS | CHECK | PRUNE, /* on a repository that is there */
    SIGN = UPDATE | RESIGN,
    EVERY = INIT | WORK | KEYRING | SOURCES,
};

static const struct cli_option options[] = {
    {OPTION_NAME, "name", "NAME", EVERY, "what the repository is called here"},
    {OPTION_ROOT, "root", "DIR", INIT, "the directory that is served"},
    {OPTION_LAYOUT, "layout", "plain|apt", EVERY, "how the tree is laid out (plain)"},
    {OPTION_ORIGIN, "origin", "TEXT", EVERY, "who publishes"},
    {OPTION_LABEL, "label", "TEXT", EVERY, "what is published"},
    {OPTION_SUITE, "suite", "NAME", EVERY, "such as stable (repeatable)"},
    {OPTION_CODENAME, "codename", "NAME", EVERY, "the name that stays"},
    {OPTION_RELEASE_VERSION, "release-version", "TEXT", EVERY, "the Version of the release"},
    {OPTION_DESCRIPTION, "description", "TEXT", EVERY, "one line about it"},
    {OPTION_ARCHITECTURE, "architecture", "ARCH", EVERY, "an architecture (repeatable)"},
    {OPTION_COMPONENT, "component", "NAME", EVERY, "a component (repeatable)"},
    {OPTION_NOT_AUTOMATIC, "not-automatic", "yes|no", EVERY,
     "apt installs nothing from it unasked"},
    {OPTION_BUT_AUTOMATIC_UPGRADES, "but-automatic-upgrades", "yes|no", EVERY,
     "but upgrades what came from it"},
    {OPTION_RULE, "rule", "RULE", EVERY, "which suites a package goes to (repeatable)"},
    {OPTION_COMPRESSION, "compression", "xz|gz|zst", EVERY,
     "of the indexes for apt (repeatable; xz gz)"},
    {OPTION_CONTENTS, "contents", "yes|no", EVERY, "index which files are in which packages (no)"},
    {OPTION_HASH, "hash", "SHA256|SHA512", EVERY, "hashes to list beside SHA256 (repeatable)"},
    {OPTION_VALID_FOR, "valid-for", "TIME", EVERY, "how long a manifest is valid (7d)"},
    {OPTION_REFRESH_BEFORE, "refresh-before", "TIME", EVERY,
     "renew it when less than this is left (half of it)"},
    {OPTION_KEY, "key", "FPR", EVERY, "sign with this primary key (repeatable)"},
    {OPTION_GNUPG_HOME, "gnupg-home", "DIR", EVERY, "where GnuPG has the keys"},
    {OPTION_EXCLUDE, "exclude", "PATTERN", EVERY, "leave matching files out (repeatable)"},
    {OPTION_KEEP_GENERATIONS, "keep-generations", "N", EVERY, "manifests to keep (3)"},
    {OPTION_KEEP_FOR, "keep-for", "TIME", EVERY, "keep all for at least this time (1d)"},
    {OPTION_MAX_VANISHED, "max-vanished", "SHARE", EVERY,
     "refuse when more of the packages are gone (50%)"},
    {OPTION_STATE, "state", "DIR", EVERY, "where lock, cache and record are"},
    {OPTION_CONFIG, "config", "DIR", EVERY, "where the configuration is"},
    {OPTION_PASSPHRASE_FD, "passphrase-fd", "N", SIGN, "read the passphrase from this descriptor"},
    {OPTION_PASSPHRASE_FILE, "passphrase-file", "FILE", SIGN, "read the passphrase from FILE"},
    {OPTION_LOCK_WAIT, "lock-wait", "TIME", UPDATE | RESIGN | PRUNE, "wait for another run to end"},
    {OPTION_SANDBOX, "sandbox", "required|best-effort|off", UPDATE | STATUS | CHECK,
     "confine the reading of archives (required)"},
    {OPTION_HASH_BACKEND, "hash-backend", "auto|openssl|avx2|avx512", UPDATE | STATUS | CHECK,
     "how to hash many files (auto: the fastest here)"},
    {OPTION_SCRUB, "scrub", "SHARE", UPDATE, "read some unchanged files again, such as 1%"},
    {OPTION_ACCEPT_LOSS, "accept-loss", NULL, UPDATE,
     "publish although the tree is empty or most of it gone"},
    {OPTION_KEEP_GOING, "keep-going", NULL, UPDATE | STATUS,
     "leave broken packages out, publish the rest, and fail"},
    {OPTION_OUTPUT, "output", "FILE", KEYRING | SOURCES, "write to FILE"},
    {OPTION_ARMOR, "armor", NULL, KEYRING, "as text"},
    {OPTION_URI, "uri", "URI", SOURCES, "where clients find the root"},
    {OPTION_KEYRING, "keyring", "FILE", SOURCES, "where clients have the keyring (in the stanza)"},
};

/* ---- init ----------------------------------------------------------------------------------- */

static int run_init(const struct cli *cli)
{
    struct hallmark_settings *settings = hallmark_settings_new();
    struct hallmark_error err = {0};
    char *path = NULL;
    int status = HALLMARK_OK;

    if (!release_settings_init(settings, cli))
        status = HALLMARK_ERR_USAGE;
    else if (!hallmark_settings_save(settings, cli_value(cli, OPTION_CONFIG), &path, &err))
        status = cli_fail(cli, &err);
    else if (cli_has(cli, CLI_JSON)) {
        struct report_json json = {0};

        report_open(&json, NULL, '{');
        report_string(&json, "path", path);
        report_outcome(&json, &err);
        report_close(&json, '}');
    } else if (!cli_has(cli, CLI_QUIET)) {
        printf("%s\n", path);
    }
    free(path);
    hallmark_settings_free(settings);
    return status;
}

/* ---- One repository after another ----------------------------------------------------------- */

/* A command at work on all of its repositories. */
struct work {
    const struct cli *cli;
    struct hallmark_publisher_options how;
    struct passphrase passphrase;
    struct progress progress;
    struct report_json json;
    int status; /* the first one that is not 0 */
};

/* One repository of these. */
struct job {
    struct work *work;
    const char *argument;
    struct hallmark_settings *settings;
    struct hallmark_publisher *publisher;
    struct hallmark_publisher_report report;
    struct hallmark_error err;
};

typedef bool job_fn(struct job *job);

static void tell(void *ctx, enum hallmark_note kind, const char *line)
{
    struct work *work = ctx;

    if (kind == HALLMARK_NOTE_WARNING ? !cli_has(work->cli, CLI_QUIET)
                                      : cli_has(work->cli, CLI_VERBOSE)) {
        progress_stop(&work->progress);
        cli_error(work->cli, 0, "%s%s", kind == HALLMARK_NOTE_WARNING ? "warning: " : "", line);
    }
}

static void work_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct work *work = ctx;

    progress_show(&work->progress, done, total);
}

static bool source_date_epoch(const struct cli *cli, int64_t *out)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    struct hallmark_error err;
    char *date = NULL;
    bool ok;

    if (!text || !*text)
        return true;
    ok = asprintf(&date, "@%s", text) > 0 &&
         hallmark_time_parse(date, HALLMARK_TIME_DATE, out, &err) && *out > 0;
    free(date);
    if (!ok)
        cli_error(cli, HALLMARK_ERR_USAGE,
                  "SOURCE_DATE_EPOCH: \"%s\" is not a number of seconds since 1970", text);
    return ok;
}

static bool work_start(struct work *work, const struct cli *cli)
{
    *work = (struct work){.cli = cli};
    if (!cli_time(cli, OPTION_LOCK_WAIT, HALLMARK_TIME_LENGTH, &work->how.lock_wait) ||
        !cli_sandbox(cli, OPTION_SANDBOX, &work->how.sandbox) ||
        !source_date_epoch(cli, &work->how.source_date_epoch) ||
        !passphrase_read(&work->passphrase, cli, cli_value(cli, OPTION_PASSPHRASE_FD),
                         cli_value(cli, OPTION_PASSPHRASE_FILE)))
        return false;
    if (work->passphrase.is_set)
        work->how.passphrase = work->passphrase.text;
    work->how.interactive =
        !work->passphrase.is_set && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    work->how.hash_backend = cli_value(cli, OPTION_HASH_BACKEND);
    work->how.scrub = cli_value(cli, OPTION_SCRUB);
    work->how.keep_going = cli_has(cli, OPTION_KEEP_GOING);
    work->how.accept_loss = cli_has(cli, OPTION_ACCEPT_LOSS);
    work->how.note = tell;
    work->how.progress = work_progress;
    work->how.ctx = work;
    progress_start(&work->progress, "hashing", !cli_has(cli, CLI_QUIET));
    return true;
}

static void job_json(const struct job *job)
{
    struct report_json *json = &job->work->json;
    const struct hallmark_publisher_report *report = &job->report;

    report_open(json, NULL, '{');
    report_string(json, "name",
                  job->settings ? hallmark_settings_get(job->settings, "Name") : NULL);
    report_string(json, "root",
                  job->settings ? hallmark_settings_get(job->settings, "Root") : NULL);
    report_outcome(json, &job->err);
    report_bool(json, "published", report->published);
    report_number(json, "n_packages", report->n_packages);
    report_number(json, "n_added", report->n_added);
    report_number(json, "n_changed", report->n_changed);
    report_number(json, "n_removed", report->n_removed);
    report_number(json, "n_skipped", report->n_skipped);
    report_number(json, "n_broken", report->n_broken);
    report_number(json, "n_hashed", report->n_hashed);
    report_number(json, "n_hashed_bytes", report->n_hashed_bytes);
    report_number(json, "n_pruned", report->n_pruned);
    report_date(json, "date", report->date);
    report_date(json, "valid_until", report->valid_until);
    report_close(json, '}');
}

/* Runs DO on the repository that ARGUMENT means. */
static void run_job(struct work *work, const char *argument, job_fn *do_it)
{
    struct job job = {.work = work, .argument = argument};
    int status;

    job.settings = release_settings_for(work->cli, argument);
    if (job.settings)
        job.publisher = hallmark_publisher_open(job.settings, &work->how, &job.err);
    else
        job.err.code = HALLMARK_ERR_USAGE; /* which has been told */
    if (job.publisher)
        do_it(&job);
    progress_stop(&work->progress);
    if (job.settings && job.err.code != HALLMARK_OK)
        cli_fail(work->cli, &job.err);
    if (cli_has(work->cli, CLI_JSON))
        job_json(&job);
    status = (int)job.err.code;
    if (work->status == HALLMARK_OK)
        work->status = status;
    hallmark_publisher_close(job.publisher);
    hallmark_settings_free(job.settings);
}

/* All repositories that the arguments mean; without arguments all that are configured. */
static void run_jobs(struct work *work, job_fn *do_it)
{
    char **names = NULL;
    char *const *arguments = work->cli->args;
    struct hallmark_error err;
    size_t i;

    if (work->cli->n_args == 0) {
        arguments = names = hallmark_settings_list(cli_value(work->cli, OPTION_CONFIG), &err);
        if (!names)
            work->status = cli_fail(work->cli, &err);
        else if (!names[0])
            work->status =
                cli_error(work->cli, HALLMARK_ERR_USAGE,
                          "no repository is configured; \"repo-release init\" does that");
    }
    for (i = 0; arguments && arguments[i]; i++)
        run_job(work, arguments[i], do_it);
    free(names);
}

static int run_work(const struct cli *cli, job_fn *do_it)
{
    struct work work;
    int status = HALLMARK_ERR_USAGE;

    if (work_start(&work, cli)) {
        if (cli_has(cli, CLI_JSON)) {
            report_open(&work.json, NULL, '{');
            report_open(&work.json, "repositories", '[');
        }
        run_jobs(&work, do_it);
        status = work.status;
        if (cli_has(cli, CLI_JSON)) {
            report_close(&work.json, ']');
            report_number(&work.json, "exit", (uint64_t)status);
            report_close(&work.json, '}');
        }
    }
    passphrase_wipe(&work.passphrase);
    return status;
}

/* Whether a report for people is wanted. */
static bool is_talking(const struct job *job)
{
    return !cli_has(job->work->cli, CLI_JSON) && !cli_has(job->work->cli, CLI_QUIET);
}

/* ---- The commands --------------------------------------------------------------------------- */

static bool do_update(struct job *job)
{
    return hallmark_publisher_update(job->publisher, &job->report, &job->err);
}

static int run_update(const struct cli *cli)
{
    return run_work(cli, do_update);
}

static bool do_resign(struct job *job)
{
    return hallmark_publisher_resign(job->publisher, &job->report, &job->err);
}

static int run_resign(const struct cli *cli)
{
    return run_work(cli, do_resign);
}

static bool do_prune(struct job *job)
{
    return hallmark_publisher_prune(job->publisher, &job->report, &job->err);
}

static int run_prune(const struct cli *cli)
{
    return run_work(cli, do_prune);
}

static void status_dates(const struct hallmark_publisher_report *report)
{
    char date[REPORT_DATE_LEN];

    report_date_text(report->date, date);
    printf("  published:    %zu package%s on %s\n", report->n_packages,
           report->n_packages == 1 ? "" : "s", date);
    report_date_text(report->valid_until, date);
    printf("  valid until:  %s\n", report->valid_until ? date : "not said");
}

static void status_signers(struct job *job)
{
    struct hallmark_error err;
    struct hallmark_repository *repository =
        hallmark_publisher_repository(job->publisher, NULL, &err);

    if (repository) {
        printf("  signed by:\n");
        report_signatures_text(hallmark_repository_manifest(repository), 4);
    } else {
        printf("  signed by:    nobody who could be verified: %s\n", err.text);
    }
    hallmark_repository_close(repository);
}

static bool do_status(struct job *job)
{
    const struct hallmark_publisher_report *report = &job->report;
    bool ok = hallmark_publisher_status(job->publisher, &job->report, &job->err);

    if (!is_talking(job) ||
        (!ok && job->err.code != HALLMARK_ATTENTION && job->err.code != HALLMARK_ERR_STALE))
        return ok;
    printf("%s\n", hallmark_settings_get(job->settings, "Root"));
    if (report->date) {
        status_dates(report);
        status_signers(job);
    } else {
        printf("  published:    nothing yet\n");
    }
    printf("  to publish:   %zu added, %zu changed, %zu removed\n", report->n_added,
           report->n_changed, report->n_removed);
    if (report->n_skipped)
        printf("  left out:     %zu hidden or excluded files and links\n", report->n_skipped);
    return ok;
}

static int run_status(const struct cli *cli)
{
    return run_work(cli, do_status);
}

static void check_problem(void *ctx, const struct hallmark_package *package,
                          const struct hallmark_error *err)
{
    struct job *job = ctx;

    (void)package;
    progress_stop(&job->work->progress);
    cli_fail(job->work->cli, err);
}

static void check_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct job *job = ctx;

    progress_show(&job->work->progress, done, total);
}

/* Counts what lies in the tree and is not published yet, and tells it. */
static void check_unlisted(struct job *job)
{
    struct hallmark_publisher_report survey;
    struct hallmark_error ignored;
    size_t n;

    hallmark_publisher_status(job->publisher, &survey, &ignored);
    job->report.n_added = n = survey.n_added;
    if (n && is_talking(job))
        printf("%s: %zu file%s not listed yet; update does that\n",
               hallmark_settings_get(job->settings, "Root"), n, n == 1 ? " is" : "s are");
}

/* Checks what is published of SUITE (NULL: there are none), and adds it to TOTAL. */
static bool check_suite(struct job *job, const char *suite, struct hallmark_check_report *total)
{
    struct hallmark_check_options how = {.problem = check_problem,
                                         .hash_backend = job->work->how.hash_backend,
                                         .progress = check_progress,
                                         .ctx = job};
    struct hallmark_check_report checked = {0};
    const struct hallmark_manifest *manifest;
    struct hallmark_repository *repository =
        hallmark_publisher_repository(job->publisher, suite, &job->err);

    if (!repository)
        return false;
    manifest = hallmark_repository_manifest(repository);
    job->report.n_packages += manifest->n_packages;
    job->report.date = manifest->date;
    job->report.valid_until = manifest->valid_until;
    hallmark_repository_check(repository, &how, &checked, &job->err);
    hallmark_repository_close(repository);
    total->n_checked += checked.n_checked;
    total->n_indexes += checked.n_indexes;
    total->n_bad += checked.n_bad;
    return job->err.code == HALLMARK_OK || checked.n_bad;
}

/* All suites, of which the first problem counts. */
static bool check_suites(struct job *job, struct hallmark_check_report *total)
{
    const char *layout = hallmark_settings_get(job->settings, "Layout");
    const char *names = hallmark_settings_get(job->settings, "Suite");
    bool is_apt = layout && strcmp(layout, "apt") == 0 && names;
    char *copy = is_apt ? strdup(names) : NULL, *rest = copy, *suite;
    struct hallmark_error first = {0};
    bool ok = true;

    if (!is_apt)
        return check_suite(job, NULL, total);
    while (ok && (suite = strsep(&rest, " ")) != NULL) {
        ok = check_suite(job, suite, total);
        if (first.code == HALLMARK_OK)
            first = job->err;
    }
    job->err = first;
    free(copy);
    return ok && copy;
}

static bool do_check(struct job *job)
{
    struct hallmark_check_report checked = {0};

    if (!check_suites(job, &checked))
        return false;
    if (checked.n_bad) {
        snprintf(job->err.text, sizeof job->err.text, "%s: bad: %zu of %zu %s",
                 hallmark_settings_get(job->settings, "Root"), checked.n_bad,
                 checked.n_checked + checked.n_indexes, checked.n_indexes ? "files" : "packages");
        return false;
    }
    if (is_talking(job))
        printf("%s: good: %zu package%s\n", hallmark_settings_get(job->settings, "Root"),
               checked.n_checked, checked.n_checked == 1 ? "" : "s");
    check_unlisted(job);
    return true;
}

static int run_check(const struct cli *cli)
{
    return run_work(cli, do_check);
}

static const struct cli_command commands[] = {
    {"update", "[ROOT|NAME...]", 0, -1, "Publish what has changed, or is no longer young",
     run_update},
    {"init", "ROOT|NAME", 1, 1, "Write the configuration of a repository", run_init},
    {"resign", "[ROOT|NAME...]", 0, -1, "Publish the same content with new dates", run_resign},
    {"status", "[ROOT|NAME...]", 0, -1, "Show what is published and what would change", run_status},
    {"check", "[ROOT|NAME...]", 0, -1, "Compare the tree with its own manifest", run_check},
    {"prune", "[ROOT|NAME...]", 0, -1, "Remove generations that are old enough", run_prune},
    {"keyring", "ROOT|NAME", 1, 1, "Export the public keys for clients", release_export_keyring},
    {"sources", "ROOT|NAME", 1, 1, "Show the configuration of clients", release_export_sources},
};

static const struct cli_program program = {
    .name = "repo-release",
    .summary = "Publish directories of packages as signed repositories",
    .commands = commands,
    .n_commands = sizeof commands / sizeof *commands,
    .options = options,
    .n_options = sizeof options / sizeof *options,
};

int main(int argc, char **argv)
{
    return cli_main(&program, argc, argv);
}
