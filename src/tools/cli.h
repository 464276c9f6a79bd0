/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command line: one table of commands, one of options; the help text comes out of the same tables
 * as the parser.
 */
#ifndef TOOLS_CLI_H
#define TOOLS_CLI_H

#include <hallmark.h>

/* Every program has these; a program's own options start at CLI_FIRST_OPTION. */
enum cli_common_option {
    CLI_HELP = 256,
    CLI_VERSION,
    CLI_QUIET,
    CLI_VERBOSE,
    CLI_JSON,
    CLI_SYSLOG,
    CLI_FIRST_OPTION,
};

struct cli_option {
    int id;
    const char *name;     /* without dashes */
    const char *argument; /* what --help calls it; NULL: takes none */
    unsigned commands;    /* bit N: the command at index N takes it */
    const char *help;
};

struct cli;

struct cli_command {
    const char *name;
    const char *arguments;  /* as --help shows them */
    int min_args, max_args; /* max -1: any number */
    const char *help;
    int (*run)(const struct cli *cli); /* gives the exit status */
};

struct cli_program {
    const char *name;
    const char *summary;
    const struct cli_command *commands; /* the first one is meant where none is named */
    size_t n_commands;
    const struct cli_option *options;
    size_t n_options;
};

/* One parsed command line. */
struct cli {
    const struct cli_program *program;
    const struct cli_command *command;
    char **args; /* without options and command; NULL-terminated */
    int n_args;
    struct cli_given *given;
    size_t n_given;
};

/* Parses, runs the command, flushes standard output; gives the exit status of main(). */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* Whether the option was given; its last value; all its values, NULL-terminated (free(3) releases
 * the array, not the values), NULL where there is none. */
bool cli_has(const struct cli *cli, int id);
const char *cli_value(const struct cli *cli, int id);
const char **cli_values(const struct cli *cli, int id);

/* Values in other forms: absent ones leave *OUT alone. False after an error message. */
bool cli_time(const struct cli *cli, int id, enum hallmark_time kind, int64_t *out);
bool cli_number(const struct cli *cli, int id, uint64_t max, uint64_t *out);
bool cli_size(const struct cli *cli, int id, uint64_t *out); /* with K, M, G, T: powers of 1024 */
bool cli_sandbox(const struct cli *cli, int id, enum hallmark_sandbox *out);

/* One line on standard error, after the program's name. Gives STATUS. */
int cli_error(const struct cli *cli, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Likewise of a library's error. */
int cli_fail(const struct cli *cli, const struct hallmark_error *err);

#endif
