/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The argument that says which repository is meant: a location, or a source by its name; with what
 * the options say of it, and of its mirrors. The same in all programs that read repositories. */
#ifndef TOOLS_SOURCE_ARGUMENT_H
#define TOOLS_SOURCE_ARGUMENT_H

#include "tools/cli.h"
#include "tools/policy_options.h"
#include "tools/report.h"

/* A location that was not used, and why. */
struct source_trouble {
    char *location;
    struct hallmark_error err;
};

struct source_argument {
    const struct cli *cli;
    char *shown;                    /* the argument, without a password */
    struct hallmark_source *source; /* that it names; NULL: it is a location itself */
    struct source_trouble *troubles;
    size_t n_troubles;
};

/* What a policy borrows. */
struct source_lists {
    const char **keyrings, **signed_by, **components, **architectures;
    const char **locations; /* the first is that of the repository */
};

/* Takes the argument TEXT, and loads the source that it means, if any, for SUITE as
 * hallmark_source_load(). A name has no "/", and a path has one; a path that is a file of sources
 * means what is in it. *ERR is why not. */
void source_argument_load(struct source_argument *argument, const struct cli *cli, const char *text,
                          const char *suite, struct hallmark_error *err);
void source_argument_free(struct source_argument *argument);

/* The policy of the source, or else of HALLMARK, with what the options say instead; beginning with
 * location number FIRST. Troubles are told, and kept in ARGUMENT. False after an error message.
 * Freed by source_argument_free_lists(), also then. */
bool source_argument_policy(struct source_argument *argument, const char *location, size_t first,
                            struct hallmark_policy *policy, struct source_lists *lists);
void source_argument_free_lists(struct source_lists *lists);

/* Reports the locations that were not used. */
void source_argument_troubles(const struct source_argument *argument, struct report_json *json);

#endif
