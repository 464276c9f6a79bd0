/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* repo-verify(1): is this what was released, is it fresh, and what is in it? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/progress.h"
#include "tools/verify_bundle.h"
#include "tools/verify_fetch.h"
#include "tools/verify_run.h"

/* Bits for struct cli_option: the order of the commands below. */
enum {
    CHECK = 1,
    MANIFEST = 2,
    LIST = 4,
    UNPACK = 8,
    FETCH = 16,
    BUNDLE = 32,
    EVERY = CHECK | MANIFEST | LIST | UNPACK | FETCH | BUNDLE
};

static const struct cli_option options[] = {
    {OPTION_KEYRING, "keyring", "FILE", EVERY, "trust the keys in FILE (repeatable)"},
    {OPTION_SIGNED_BY, "signed-by", "FPR", EVERY, "trust only this primary key (repeatable)"},
    {OPTION_THRESHOLD, "threshold", "N", EVERY, "so many different keys must have signed"},
    {OPTION_MAX_AGE, "max-age", "TIME", EVERY, "refuse a manifest that is older"},
    {OPTION_ALLOW_NO_EXPIRY, "allow-no-expiry", NULL, EVERY,
     "accept a manifest that says no expiry"},
    {OPTION_CLOCK_SKEW, "clock-skew", "TIME", EVERY, "a date may be ahead of the clock (10s)"},
    {OPTION_NOW, "now", "DATE", EVERY, "take DATE for the current time"},
    {OPTION_AS_OF, "as-of", "DATE", EVERY, "judge an archived repository as of DATE"},
    {OPTION_STATE, "state", "DIR", EVERY, "remember the newest manifest seen in DIR"},
    {OPTION_NO_STATE, "no-state", NULL, EVERY, "neither read nor write any memory"},
    {OPTION_SUITE, "suite", "SUITE", EVERY, "the suite of an archive; refuse any other"},
    {OPTION_CODENAME, "codename", "NAME", EVERY, "refuse another Codename"},
    {OPTION_ORIGIN, "origin", "NAME", EVERY, "refuse another Origin"},
    {OPTION_ACCEPT_CHANGE, "accept-change", NULL, EVERY,
     "accept another Origin, Label or Codename than before"},
    {OPTION_COMPONENT, "component", "NAME", CHECK | LIST | UNPACK | FETCH | BUNDLE,
     "only this component of an archive (repeatable)"},
    {OPTION_ARCH, "arch", "ARCH", CHECK | LIST | UNPACK | FETCH | BUNDLE,
     "only this architecture, or \"source\" (repeatable)"},
    {OPTION_PRINT, "print", NULL, MANIFEST, "print exactly the verified bytes"},
    {OPTION_INTO, "into", "DIR", UNPACK, "the directory to make"},
    {OPTION_LINKS, "links", "inside|any", UNPACK, "which symbolic links to accept (inside)"},
    {OPTION_SANDBOX, "sandbox", "required|best-effort|off", EVERY,
     "confine what reads indexes, archives, and the network (required)"},
    {OPTION_HASH_BACKEND, "hash-backend", "auto|openssl|avx2|avx512", CHECK,
     "how to hash many files (auto: the fastest here)"},
    {OPTION_MAX_ENTRIES, "max-entries", "N", UNPACK, "refuse an archive with more entries"},
    {OPTION_MAX_SIZE, "max-size", "SIZE", UNPACK, "refuse an archive that unpacks to more"},
    {OPTION_OUTPUT, "output", "DIR|FILE", FETCH | BUNDLE,
     "where packages go (-o; the current directory), or the bundle"},
    {OPTION_REPLACE, "replace", NULL, FETCH, "replace other files of their names"},
    {OPTION_CA_FILE, "ca-file", "FILE", EVERY, "certificates that vouch for https servers"},
    {OPTION_TIMEOUT, "timeout", "TIME", EVERY, "a server must answer, and get on, in TIME (30s)"},
    {OPTION_CONFIG, "config", "DIR", EVERY, "look for sources in DIR/sources.d"},
    {OPTION_MIRROR, "mirror", "REPO", EVERY, "another location of the same (repeatable)"},
};

/* ---- check ---------------------------------------------------------------------------------- */

struct problem {
    char *path;
    struct hallmark_error err;
};

struct check {
    struct verify_run run;
    struct progress progress;
    struct hallmark_check_report report;
    struct problem *problems;
    size_t n_problems, cap;
};

static void check_problem(void *ctx, const struct hallmark_package *package,
                          const struct hallmark_error *err)
{
    struct check *check = ctx;
    struct problem *grown;

    progress_stop(&check->progress);
    cli_fail(check->run.cli, err);
    if (!verify_run_is_json(check->run.cli))
        return;
    if (check->n_problems == check->cap) {
        check->cap = check->cap ? 2 * check->cap : 16;
        grown = reallocarray(check->problems, check->cap, sizeof *grown);
        if (!grown)
            abort();
        check->problems = grown;
    }
    check->problems[check->n_problems].path = strdup(package->path);
    check->problems[check->n_problems++].err = *err;
}

static void check_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct check *check = ctx;

    progress_show(&check->progress, done, total);
}

/* The packages that the arguments name; NULL for an error, and for none: then all are meant. */
static const struct hallmark_package **named_packages(struct verify_run *run, char **names,
                                                      int n_names)
{
    const struct hallmark_package **packages = calloc((size_t)n_names + 1, sizeof *packages);
    int i;

    if (!packages)
        abort(); /* as the library does without memory */
    for (i = 0; i < n_names; i++) {
        packages[i] = verify_run_find(run, names[i]);
        if (!packages[i])
            break;
    }
    if (i == n_names && n_names)
        return packages;
    free(packages);
    return NULL;
}

static void check_packages(struct check *check)
{
    struct verify_run *run = &check->run;
    int n_names = run->cli->n_args - 1;
    const struct hallmark_package **packages = named_packages(run, run->cli->args + 1, n_names);
    struct hallmark_check_options how = {
        .packages = packages,
        .n_packages = (size_t)n_names,
        .problem = check_problem,
        .hash_backend = cli_value(run->cli, OPTION_HASH_BACKEND),
        .progress = check_progress,
        .ctx = check,
    };

    if (run->err.code != HALLMARK_OK) {
        free(packages);
        return;
    }
    progress_start(&check->progress, "checking", !cli_has(run->cli, CLI_QUIET));
    hallmark_repository_check(run->repository, &how, &check->report, &run->err);
    progress_stop(&check->progress);
    free(packages);
}

static void check_json(struct check *check)
{
    struct report_json *json = &check->run.json;
    size_t i;

    verify_run_start_json(&check->run);
    report_manifest(json, verify_run_manifest(&check->run));
    report_number(json, "n_checked", check->report.n_checked);
    report_number(json, "n_indexes", check->report.n_indexes);
    report_number(json, "n_bad", check->report.n_bad);
    report_number(json, "n_bytes", check->report.n_bytes);
    report_open(json, "problems", '[');
    for (i = 0; i < check->n_problems; i++) {
        report_open(json, NULL, '{');
        report_string(json, "path", check->problems[i].path);
        report_number(json, "code", check->problems[i].err.code);
        report_string(json, "text", check->problems[i].err.text);
        report_close(json, '}');
    }
    report_close(json, ']');
    report_close(json, '}');
}

/* The first signature that counted. */
static const struct hallmark_signature *signer(const struct hallmark_manifest *manifest)
{
    size_t i;

    for (i = 0; i < manifest->n_signatures; i++)
        if (manifest->signatures[i].counted)
            return &manifest->signatures[i];
    return NULL;
}

static void check_text(const struct check *check)
{
    const struct hallmark_manifest *manifest = verify_run_manifest(&check->run);
    const struct hallmark_signature *by = signer(manifest);
    char date[REPORT_DATE_LEN], expires[REPORT_DATE_LEN], size[32];

    report_date_text(manifest->date, date);
    report_date_text(manifest->expires, expires);
    progress_size(check->report.n_bytes, size);
    printf("%s: good: %zu package%s, %s, signed by %s%s%s%s on %s, %s%s\n", check->run.shown,
           check->report.n_checked, check->report.n_checked == 1 ? "" : "s", size,
           by ? by->primary : "nobody", by && by->user_id ? " (" : "",
           by && by->user_id ? by->user_id : "", by && by->user_id ? ")" : "", date,
           manifest->expires ? "valid until " : "without expiry", manifest->expires ? expires : "");
}

static void forget_problems(struct check *check)
{
    while (check->n_problems)
        free(check->problems[--check->n_problems].path);
}

static int run_check(const struct cli *cli)
{
    struct check check = {0};
    int status;

    if (!verify_run_open(&check.run, cli))
        return HALLMARK_ERR_USAGE;
    if (check.run.repository)
        check_packages(&check);
    while (verify_run_again(&check.run)) {
        forget_problems(&check);
        check_packages(&check);
    }
    if (check.report.n_bad) /* each one has been told already */
        status = (int)check.run.err.code;
    else
        status = verify_run_finish(&check.run);
    if (verify_run_is_json(cli))
        check_json(&check);
    else if (check.report.n_bad)
        cli_error(cli, status, "%s: bad: %zu of %zu %s", check.run.shown, check.report.n_bad,
                  check.report.n_checked + check.report.n_indexes,
                  check.report.n_indexes ? "files" : "packages");
    else if (status == HALLMARK_OK && !cli_has(cli, CLI_QUIET))
        check_text(&check);
    forget_problems(&check);
    free(check.problems);
    verify_run_close(&check.run);
    return status;
}

/* ---- manifest ------------------------------------------------------------------------------- */

static void text_line(const char *name, const char *value)
{
    if (value)
        printf("%-13s%s\n", name, value);
}

static void manifest_text(const struct verify_run *run)
{
    const struct hallmark_manifest *manifest = verify_run_manifest(run);
    char date[REPORT_DATE_LEN];

    text_line("Repository:", run->shown);
    if (run->source || cli_has(run->cli, OPTION_MIRROR))
        text_line("Location:", manifest->location);
    text_line("Document:", manifest->document);
    text_line("Origin:", manifest->origin);
    text_line("Label:", manifest->label);
    text_line("Suite:", manifest->suite);
    text_line("Codename:", manifest->codename);
    text_line("Version:", manifest->version);
    text_line("Description:", manifest->description);
    report_date_text(manifest->date, date);
    text_line("Date:", date);
    report_date_text(manifest->valid_until, date);
    text_line("Valid-Until:", manifest->valid_until ? date : "not said");
    report_date_text(manifest->expires, date);
    if (manifest->expires != manifest->valid_until)
        text_line("Expires:", date);
    if (manifest->n_packages || !manifest->n_indexes)
        printf("%-13s%zu\n", "Packages:", manifest->n_packages);
    if (manifest->n_indexes)
        printf("%-13s%zu\n", "Indexes:", manifest->n_indexes);
    printf("Signatures:\n");
    report_signatures_text(manifest, 2);
}

static int run_manifest(const struct cli *cli)
{
    struct verify_run run = {0};
    int status;

    if (!verify_run_open(&run, cli))
        return HALLMARK_ERR_USAGE;
    status = verify_run_finish(&run);
    if (cli_has(cli, OPTION_PRINT)) {
        if (status == HALLMARK_OK)
            fwrite(verify_run_manifest(&run)->text, 1, verify_run_manifest(&run)->text_len, stdout);
    } else if (verify_run_is_json(cli)) {
        verify_run_start_json(&run);
        report_manifest(&run.json, verify_run_manifest(&run));
        report_close(&run.json, '}');
    } else if (status == HALLMARK_OK && !cli_has(cli, CLI_QUIET)) {
        manifest_text(&run);
    }
    verify_run_close(&run);
    return status;
}

/* ---- list ----------------------------------------------------------------------------------- */

static bool list_json_one(void *ctx, const struct hallmark_package *package)
{
    struct report_json *json = ctx;

    report_open(json, NULL, '{');
    report_string(json, "path", package->path);
    report_string(json, "name", package->name);
    report_string(json, "version", package->version);
    report_string(json, "architecture", package->architecture);
    report_number(json, "size", package->size);
    report_string(json, "sha256", package->sha256);
    report_string(json, "sha512", package->sha512);
    report_close(json, '}');
    return true;
}

static bool list_line(void *ctx, const struct hallmark_package *package)
{
    (void)ctx;
    return printf("%s\t%s\t%s\t%" PRIu64 "\n", package->path, package->name, package->version,
                  package->size) > 0;
}

static bool list_for_people(void *ctx, const struct hallmark_package *package)
{
    char size[32];

    (void)ctx;
    progress_size(package->size, size);
    return printf("%-28s %-20s %12s  %s\n", package->name, package->version, size, package->path) >
           0;
}

/* The outcome comes last: it is known when all indexes have been read. */
static void list_json(struct verify_run *run)
{
    report_open(&run->json, NULL, '{');
    report_string(&run->json, "repository", run->shown);
    report_open(&run->json, "packages", '[');
    if (run->repository)
        hallmark_repository_list(run->repository, list_json_one, &run->json, &run->err);
    report_close(&run->json, ']');
    verify_run_finish(run);
    report_outcome(&run->json, &run->err);
    verify_run_troubles(run);
    report_close(&run->json, '}');
}

static int run_list(const struct cli *cli)
{
    struct verify_run run = {0};
    int status;

    if (!verify_run_open(&run, cli))
        return HALLMARK_ERR_USAGE;
    if (verify_run_is_json(cli)) {
        list_json(&run);
        status = (int)run.err.code;
    } else {
        if (run.repository)
            hallmark_repository_list(run.repository,
                                     isatty(STDOUT_FILENO) ? list_for_people : list_line, NULL,
                                     &run.err);
        status = verify_run_finish(&run);
    }
    verify_run_close(&run);
    return status;
}

/* ---- unpack --------------------------------------------------------------------------------- */

static bool links_from_options(const struct cli *cli, enum hallmark_links *out)
{
    const char *value = cli_value(cli, OPTION_LINKS);

    if (value && strcmp(value, "any") == 0)
        *out = HALLMARK_LINKS_ANY;
    else if (value && strcmp(value, "inside") != 0)
        return cli_error(cli, false, "--links: \"%s\" is not inside or any", value);
    return true;
}

static void unpack_report(struct verify_run *run, const struct hallmark_package *package,
                          const struct hallmark_unpack_options *how,
                          const struct hallmark_unpack_report *report)
{
    char size[32];

    if (verify_run_is_json(run->cli)) {
        verify_run_start_json(run);
        report_string(&run->json, "package", package ? package->path : NULL);
        report_string(&run->json, "into", how->into);
        report_number(&run->json, "n_entries", report->n_entries);
        report_number(&run->json, "n_bytes", report->n_bytes);
        report_bool(&run->json, "signed_sizes", report->is_signed);
        report_string(&run->json, "sandbox", report->sandbox);
        report_close(&run->json, '}');
    } else if (package && run->err.code == HALLMARK_OK && !cli_has(run->cli, CLI_QUIET)) {
        progress_size(report->n_bytes, size);
        printf("%s: unpacked into %s: %" PRIu64 " entries, %s\n", package->path, how->into,
               report->n_entries, size);
        if (cli_has(run->cli, CLI_VERBOSE))
            cli_error(run->cli, 0, "sizes: %s; sandbox: %s",
                      report->is_signed ? "as signed" : "not signed, within the limits",
                      report->sandbox);
    }
}

/* The package that was found, whether it could be unpacked or not. */
static const struct hallmark_package *find_and_unpack(struct verify_run *run,
                                                      const struct hallmark_unpack_options *how,
                                                      struct hallmark_unpack_report *report)
{
    const struct hallmark_package *package =
        run->repository ? verify_run_find(run, run->cli->args[1]) : NULL;

    if (package)
        hallmark_repository_unpack(run->repository, package, how, report, &run->err);
    return package;
}

static int run_unpack(const struct cli *cli)
{
    struct verify_run run = {0};
    struct progress progress;
    struct hallmark_unpack_options how = {
        .into = cli_value(cli, OPTION_INTO), .progress = progress_show, .ctx = &progress};
    struct hallmark_unpack_report report = {0};
    const struct hallmark_package *package;
    int status;

    if (!how.into)
        return cli_error(cli, HALLMARK_ERR_USAGE, "unpack needs --into=DIR");
    if (!links_from_options(cli, &how.links) || !cli_sandbox(cli, OPTION_SANDBOX, &how.sandbox) ||
        !cli_number(cli, OPTION_MAX_ENTRIES, UINT64_MAX, &how.max_entries) ||
        !cli_size(cli, OPTION_MAX_SIZE, &how.max_bytes) || !verify_run_open(&run, cli))
        return HALLMARK_ERR_USAGE;
    progress_start(&progress, "unpacking", !cli_has(cli, CLI_QUIET));
    package = find_and_unpack(&run, &how, &report);
    progress_stop(&progress);
    while (verify_run_again(&run))
        package = find_and_unpack(&run, &how, &report);
    progress_stop(&progress);
    status = verify_run_finish(&run);
    unpack_report(&run, package, &how, &report);
    verify_run_close(&run);
    return status;
}

static const struct cli_command commands[] = {
    {"check", "REPO [PACKAGE...]", 1, -1, "Verify a repository, or some of its packages",
     run_check},
    {"manifest", "REPO|FILE", 1, 1, "Verify and show who signed what, when, until when",
     run_manifest},
    {"list", "REPO", 1, 1, "List the packages of the verified manifest", run_list},
    {"unpack", "REPO PACKAGE[=VERSION][:ARCH]", 2, 2,
     "Verify a package and unpack it into a new directory", run_unpack},
    {"fetch", "REPO PACKAGE[=VERSION][:ARCH]...", 2, -1,
     "Verify packages and put them into a directory", verify_fetch_run},
    {"bundle", "REPO PACKAGE[=VERSION][:ARCH]...", 2, -1,
     "Verify packages and put them, with what vouches for them, into one file", verify_bundle_run},
};

static const struct cli_program program = {
    .name = "repo-verify",
    .summary = "Verify signed repositories before anything of them is used",
    .commands = commands,
    .n_commands = sizeof commands / sizeof *commands,
    .options = options,
    .n_options = sizeof options / sizeof *options,
};

int main(int argc, char **argv)
{
    return cli_main(&program, argc, argv);
}
