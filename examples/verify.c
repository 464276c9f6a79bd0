/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifies a repository and every package in it: verify REPOSITORY KEYRING. The exit status is the
 * category of hallmark(3). */
#include <hallmark.h>

#include <stdio.h>
#include <time.h>

/* Called for each package that is not good. */
static void print_problem(void *ctx, const struct hallmark_package *package,
                          const struct hallmark_error *err)
{
    (void)ctx;
    (void)package; /* the text names it */
    fprintf(stderr, "verify: %s\n", err->text);
}

static void print_verdict(const char *location, const struct hallmark_manifest *manifest,
                          const struct hallmark_check_report *report)
{
    time_t when = (time_t)manifest->date;
    char date[64] = "";

    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S UTC", gmtime(&when));
    printf("%s: release of %s: %zu packages, %zu of them not good\n", location, date,
           report->n_checked, report->n_bad);
}

int main(int argc, char **argv)
{
    const char *keyrings[] = {argc == 3 ? argv[2] : NULL, NULL};
    struct hallmark_check_options options = {.problem = print_problem};
    struct hallmark_check_report report = {0};
    struct hallmark_policy policy;
    struct hallmark_repository *repository;
    struct hallmark_error err = {0};

    if (argc != 3) {
        fprintf(stderr, "usage: verify REPOSITORY KEYRING\n");
        return HALLMARK_ERR_USAGE;
    }
    hallmark_policy_init(&policy);
    policy.keyrings = keyrings;
    repository = hallmark_repository_open(argv[1], &policy, &err);
    if (repository && hallmark_repository_check(repository, &options, &report, &err))
        hallmark_repository_remember(repository, &err);
    if (repository)
        print_verdict(argv[1], hallmark_repository_manifest(repository), &report);
    if (err.code != HALLMARK_OK && report.n_bad == 0)
        fprintf(stderr, "verify: %s\n", err.text);
    hallmark_repository_close(repository);
    return (int)err.code;
}
