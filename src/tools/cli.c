/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command lines out of tables. */
#include "tools/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>

struct cli_given {
    int id;
    const char *value;
};

enum { HELP_COLUMN = 30, ALL_COMMANDS = ~0 };

static const struct cli_option common[] = {
    {CLI_HELP, "help", NULL, (unsigned)ALL_COMMANDS, "show this help"},
    {CLI_VERSION, "version", NULL, (unsigned)ALL_COMMANDS, "show the version"},
    {CLI_QUIET, "quiet", NULL, (unsigned)ALL_COMMANDS, "print nothing but errors (-q)"},
    {CLI_VERBOSE, "verbose", NULL, (unsigned)ALL_COMMANDS, "tell what is done (-v)"},
    {CLI_JSON, "json", NULL, (unsigned)ALL_COMMANDS, "print the report as one JSON object"},
    {CLI_SYSLOG, "syslog", NULL, (unsigned)ALL_COMMANDS, "send messages to the system log, too"},
};
enum { N_COMMON = sizeof common / sizeof *common };

static const struct cli_option *option_at(const struct cli_program *program, size_t i)
{
    return i < program->n_options ? &program->options[i] : &common[i - program->n_options];
}

static const struct cli_option *find_option(const struct cli_program *program, int id)
{
    size_t i;

    for (i = 0; i < program->n_options + N_COMMON; i++)
        if (option_at(program, i)->id == id)
            return option_at(program, i);
    return NULL;
}

int cli_error(const struct cli *cli, int status, const char *fmt, ...)
{
    char line[4096];
    va_list ap;
    char *p;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    for (p = line; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = '?'; /* one line, and nothing that the terminal obeys */
    fprintf(stderr, "%s: %s\n", cli->program->name, line);
    if (cli_has(cli, CLI_SYSLOG))
        syslog(status == HALLMARK_OK ? LOG_NOTICE : LOG_ERR, "%s", line);
    return status;
}

int cli_fail(const struct cli *cli, const struct hallmark_error *err)
{
    return cli_error(cli, (int)err->code, "%s", err->text);
}

/* ---- Help ----------------------------------------------------------------------------------- */

static void show_option(const struct cli_option *option)
{
    int width = printf("  --%s%s%s", option->name, option->argument ? "=" : "",
                       option->argument ? option->argument : "");

    if (width >= HELP_COLUMN - 1) {
        putchar('\n');
        width = 0;
    }
    printf("%*s%s\n", HELP_COLUMN - width, "", option->help);
}

static void show_help(const struct cli *cli)
{
    const struct cli_program *program = cli->program;
    size_t i, index = cli->command ? (size_t)(cli->command - program->commands) : 0;

    if (cli->command) {
        printf("Usage: %s %s [OPTION...] %s\n%s.\n", program->name, cli->command->name,
               cli->command->arguments, cli->command->help);
    } else {
        printf("Usage: %s [COMMAND] [OPTION...] [ARGUMENT...]\n%s.\n\nCommands:\n", program->name,
               program->summary);
        for (i = 0; i < program->n_commands; i++)
            printf("  %s %s\n%*s%s%s\n", program->commands[i].name, program->commands[i].arguments,
                   HELP_COLUMN, "", program->commands[i].help, i ? "" : " (the default)");
    }
    printf("\nOptions:\n");
    for (i = 0; i < program->n_options + N_COMMON; i++)
        if (!cli->command || option_at(program, i)->commands >> index & 1)
            show_option(option_at(program, i));
    printf("\nThe manual page %s(1) tells more, exit statuses included.\n", program->name);
}

/* ---- Parsing -------------------------------------------------------------------------------- */

static struct option *long_options(const struct cli_program *program)
{
    size_t i, n = program->n_options + N_COMMON;
    struct option *list = calloc(n + 1, sizeof *list);

    for (i = 0; list && i < n; i++) {
        list[i].name = option_at(program, i)->name;
        list[i].has_arg = option_at(program, i)->argument ? required_argument : no_argument;
        list[i].val = option_at(program, i)->id;
    }
    return list;
}

/* Options that have a letter, too. */
static const struct {
    char letter;
    const char *name;
} letters[] = {{'q', "quiet"}, {'v', "verbose"}, {'h', "help"}, {'o', "output"}};

static const struct cli_option *find_letter(const struct cli_program *program, int letter)
{
    size_t i, k;

    for (i = 0; i < sizeof letters / sizeof *letters; i++)
        for (k = 0; letters[i].letter == letter && k < program->n_options + N_COMMON; k++)
            if (strcmp(option_at(program, k)->name, letters[i].name) == 0)
                return option_at(program, k);
    return NULL;
}

static int bad_option(const struct cli *cli, int result, char **argv)
{
    const struct cli_option *option =
        optopt < CLI_HELP ? find_letter(cli->program, optopt) : find_option(cli->program, optopt);

    if (result == ':' && option)
        return cli_error(cli, HALLMARK_ERR_USAGE, "option \"--%s\" needs a value", option->name);
    if (option)
        return cli_error(cli, HALLMARK_ERR_USAGE, "option \"--%s\" takes no value", option->name);
    if (optopt)
        return cli_error(cli, HALLMARK_ERR_USAGE,
                         "unknown option \"-%c\"; \"%s --help\" lists them", optopt,
                         cli->program->name);
    return cli_error(cli, HALLMARK_ERR_USAGE, "unknown option \"%s\"; \"%s --help\" lists them",
                     argv[optind - 1], cli->program->name);
}

static int take_options(struct cli *cli, int argc, char **argv)
{
    struct option *list = long_options(cli->program);
    const struct cli_option *option;
    int result, status = HALLMARK_OK;

    cli->given = calloc((size_t)argc, sizeof *cli->given);
    if (!list || !cli->given) {
        free(list);
        return cli_error(cli, HALLMARK_ERR_IO, "out of memory");
    }
    opterr = 0;
    while (status == HALLMARK_OK &&
           (result = getopt_long(argc, argv, ":qvho:", list, NULL)) != -1) {
        option = result < CLI_HELP ? find_letter(cli->program, result) : NULL;
        if (result == '?' || result == ':') {
            status = bad_option(cli, result, argv);
        } else if (result < CLI_HELP && !option) {
            optopt = result; /* another program's */
            status = bad_option(cli, result, argv);
        } else {
            cli->given[cli->n_given++] = (struct cli_given){option ? option->id : result, optarg};
        }
    }
    free(list);
    return status;
}

static void take_command(struct cli *cli)
{
    size_t i;

    for (i = 0; cli->n_args && i < cli->program->n_commands; i++)
        if (strcmp(cli->args[0], cli->program->commands[i].name) == 0) {
            cli->command = &cli->program->commands[i];
            cli->args++;
            cli->n_args--;
            return;
        }
}

static int check_usage(const struct cli *cli)
{
    const struct cli_command *command = cli->command;
    size_t i, index = (size_t)(command - cli->program->commands);

    for (i = 0; i < cli->n_given; i++) {
        const struct cli_option *option = find_option(cli->program, cli->given[i].id);

        if (!(option->commands >> index & 1))
            return cli_error(cli, HALLMARK_ERR_USAGE,
                             "option \"--%s\" is not for \"%s\"; \"%s %s --help\" lists those that "
                             "are",
                             option->name, command->name, cli->program->name, command->name);
    }
    if (cli->n_args < command->min_args)
        return cli_error(cli, HALLMARK_ERR_USAGE, "usage: %s %s [OPTION...] %s", cli->program->name,
                         command->name, command->arguments);
    if (command->max_args >= 0 && cli->n_args > command->max_args)
        return cli_error(cli, HALLMARK_ERR_USAGE, "\"%s\" is one argument too many for \"%s\"",
                         cli->args[command->max_args], command->name);
    return HALLMARK_OK;
}

static int run_command(struct cli *cli, bool is_bare)
{
    int status;

    if (cli_has(cli, CLI_HELP)) {
        show_help(cli);
        return HALLMARK_OK;
    }
    if (cli_has(cli, CLI_VERSION)) {
        printf("%s (hallmark) %s\n", cli->program->name, hallmark_version());
        return HALLMARK_OK;
    }
    if (is_bare)
        return cli_error(cli, HALLMARK_ERR_USAGE, "nothing to do; \"%s --help\" lists the commands",
                         cli->program->name);
    if (!cli->command)
        cli->command = cli->program->commands;
    status = check_usage(cli);
    return status == HALLMARK_OK ? cli->command->run(cli) : status;
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
    static const struct rlimit no_core = {0, 0};
    struct cli cli = {.program = program};
    int status;

    setrlimit(RLIMIT_CORE, &no_core); /* a passphrase may be in memory */
    signal(SIGXFSZ, SIG_IGN);         /* EFBIG says why, and lets us clean up */
    openlog(program->name, LOG_PID, LOG_USER);
    status = take_options(&cli, argc, argv);
    if (status == HALLMARK_OK) {
        cli.args = argv + optind;
        cli.n_args = argc - optind;
        take_command(&cli);
        status = run_command(&cli, !cli.command && cli.n_args == 0);
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == HALLMARK_OK)
        status = cli_error(&cli, HALLMARK_ERR_IO, "cannot write to standard output: %s",
                           strerror(errno));
    free(cli.given);
    return status;
}

/* ---- Values --------------------------------------------------------------------------------- */

bool cli_has(const struct cli *cli, int id)
{
    size_t i;

    for (i = 0; i < cli->n_given; i++)
        if (cli->given[i].id == id)
            return true;
    return false;
}

const char *cli_value(const struct cli *cli, int id)
{
    const char *value = NULL;
    size_t i;

    for (i = 0; i < cli->n_given; i++)
        if (cli->given[i].id == id)
            value = cli->given[i].value;
    return value;
}

const char **cli_values(const struct cli *cli, int id)
{
    const char **values;
    size_t i, n = 0;

    if (!cli_has(cli, id))
        return NULL;
    values = calloc(cli->n_given + 1, sizeof *values);
    for (i = 0; values && i < cli->n_given; i++)
        if (cli->given[i].id == id)
            values[n++] = cli->given[i].value;
    return values;
}

static const char *option_name(const struct cli *cli, int id)
{
    return find_option(cli->program, id)->name;
}

bool cli_time(const struct cli *cli, int id, enum hallmark_time kind, int64_t *out)
{
    const char *value = cli_value(cli, id);
    struct hallmark_error err;

    if (!value || hallmark_time_parse(value, kind, out, &err))
        return true;
    cli_error(cli, HALLMARK_ERR_USAGE, "--%s: %s", option_name(cli, id), err.text);
    return false;
}

/* Digits only: strtoull(3) alone would take blanks and signs. */
static bool parse_digits(const char *text, uint64_t *out, const char **end)
{
    char *stop;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *out = strtoull(text, &stop, 10);
    *end = stop;
    return errno == 0;
}

bool cli_number(const struct cli *cli, int id, uint64_t max, uint64_t *out)
{
    const char *value = cli_value(cli, id), *end;
    uint64_t number;

    if (!value)
        return true;
    if (parse_digits(value, &number, &end) && !*end && number >= 1 && number <= max) {
        *out = number;
        return true;
    }
    cli_error(cli, HALLMARK_ERR_USAGE, "--%s: \"%s\" is not a whole number from 1 to %" PRIu64,
              option_name(cli, id), value, max);
    return false;
}

bool cli_size(const struct cli *cli, int id, uint64_t *out)
{
    static const char units[] = "KMGT";
    const char *value = cli_value(cli, id), *end, *unit;
    unsigned shift = 0;
    uint64_t number;

    if (!value)
        return true;
    if (parse_digits(value, &number, &end)) {
        unit = *end ? strchr(units, *end) : NULL;
        if (unit) {
            shift = 10 * (unsigned)(unit - units + 1);
            end++;
        }
        if (!*end && number >= 1 && number <= UINT64_MAX >> shift) {
            *out = number << shift;
            return true;
        }
    }
    cli_error(cli, HALLMARK_ERR_USAGE, "--%s: \"%s\" is not a size such as 500M or 2G",
              option_name(cli, id), value);
    return false;
}

bool cli_sandbox(const struct cli *cli, int id, enum hallmark_sandbox *out)
{
    static const char *const names[] = {
        [HALLMARK_SANDBOX_REQUIRED] = "required",
        [HALLMARK_SANDBOX_BEST_EFFORT] = "best-effort",
        [HALLMARK_SANDBOX_OFF] = "off",
    };
    const char *value = cli_value(cli, id);
    size_t i;

    for (i = 0; value && i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i]) == 0) {
            *out = (enum hallmark_sandbox)i;
            return true;
        }
    if (!value)
        return true;
    cli_error(cli, HALLMARK_ERR_USAGE, "--%s: \"%s\" is not required, best-effort or off",
              option_name(cli, id), value);
    return false;
}
