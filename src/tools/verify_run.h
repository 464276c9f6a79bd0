/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of repo-verify(1) have in common: the options of a policy, the repository that
 * they open, and how they end. */
#ifndef TOOLS_VERIFY_RUN_H
#define TOOLS_VERIFY_RUN_H

#include "tools/cli.h"
#include "tools/report.h"
#include "tools/source_argument.h"

/* Beside those of policy_options.h. */
enum verify_run_option {
    OPTION_PRINT = POLICY_OPTIONS_END,
    OPTION_INTO,
    OPTION_LINKS,
    OPTION_HASH_BACKEND,
    OPTION_MAX_ENTRIES,
    OPTION_MAX_SIZE,
    OPTION_OUTPUT,
    OPTION_REPLACE,
};

/* A repository that was opened, or why not. */
struct verify_run {
    const struct cli *cli;
    struct source_argument argument;
    const char *shown;                    /* of it, as is */
    const struct hallmark_source *source; /* that it names; NULL: it is a location itself */
    struct hallmark_repository *repository;
    struct hallmark_error err;
    struct report_json json;
    size_t n_locations, first; /* of which this one is asked first for the manifest */
    size_t n_again;            /* how often that was tried */
};

/* Opens the repository that the first argument names. False only where the command line is wrong
 * and that has been said. */
bool verify_run_open(struct verify_run *run, const struct cli *cli);

/* Whether all is to be done once more: something is not what the manifest says, and there is a
 * newer manifest now, as when a publication came in between, or another location has one whose
 * files may all be there. RUN then has it, and what was lent of the other is gone. */
bool verify_run_again(struct verify_run *run);

/* Remembers the manifest if all went well, says what did not, and gives the exit status. */
int verify_run_finish(struct verify_run *run);

/* Closes the repository. */
void verify_run_close(struct verify_run *run);

bool verify_run_is_json(const struct cli *cli);

/* Begins the report: the repository, the outcome, and the locations that were not used. */
void verify_run_start_json(struct verify_run *run);

/* Reports the locations that were not used, for reports that begin otherwise. */
void verify_run_troubles(struct verify_run *run);

/* NULL where none could be opened. */
const struct hallmark_manifest *verify_run_manifest(const struct verify_run *run);

/* Finds what the user calls NAME, and says what was taken where that is not obvious. */
const struct hallmark_package *verify_run_find(struct verify_run *run, const char *name);

#endif
