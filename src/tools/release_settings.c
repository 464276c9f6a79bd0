/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings from options. */
#include "tools/release_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Which option sets which field of hallmark.conf(5). */
static const struct {
    int option;
    const char *field;
} fields[] = {
    {OPTION_NAME, "Name"},
    {OPTION_ROOT, "Root"},
    {OPTION_LAYOUT, "Layout"},
    {OPTION_ORIGIN, "Origin"},
    {OPTION_LABEL, "Label"},
    {OPTION_SUITE, "Suite"},
    {OPTION_CODENAME, "Codename"},
    {OPTION_RELEASE_VERSION, "Version"},
    {OPTION_DESCRIPTION, "Description"},
    {OPTION_ARCHITECTURE, "Architectures"},
    {OPTION_COMPONENT, "Components"},
    {OPTION_NOT_AUTOMATIC, "Not-Automatic"},
    {OPTION_BUT_AUTOMATIC_UPGRADES, "But-Automatic-Upgrades"},
    {OPTION_RULE, "Rules"},
    {OPTION_COMPRESSION, "Compression"},
    {OPTION_CONTENTS, "Contents"},
    {OPTION_HASH, "Hashes"},
    {OPTION_VALID_FOR, "Valid-For"},
    {OPTION_REFRESH_BEFORE, "Refresh-Before"},
    {OPTION_KEY, "Sign-With"},
    {OPTION_GNUPG_HOME, "GnuPG-Home"},
    {OPTION_EXCLUDE, "Exclude"},
    {OPTION_KEEP_GENERATIONS, "Keep-Generations"},
    {OPTION_KEEP_FOR, "Keep-For"},
    {OPTION_MAX_VANISHED, "Max-Vanished"},
    {OPTION_STATE, "State"},
};

static bool has_value(const char **values, const char *value)
{
    for (; *values; values++)
        if (strcmp(*values, value) == 0)
            return true;
    return false;
}

/* The values with a blank between them; of an option that is not repeatable only the last counts.
 */
static char *field_value(const struct cli *cli, int option)
{
    static const char always[] = "SHA256 "; /* other hashes come beside it */
    bool is_list = option == OPTION_ARCHITECTURE || option == OPTION_COMPONENT ||
                   option == OPTION_COMPRESSION || option == OPTION_SUITE ||
                   option == OPTION_RULE || option == OPTION_HASH || option == OPTION_KEY ||
                   option == OPTION_EXCLUDE;
    const char **values = cli_values(cli, option);
    size_t i, len = sizeof always;
    char *text, *end;

    for (i = 0; values && values[i]; i++)
        len += strlen(values[i]) + 1;
    text = end = values ? calloc(len, 1) : NULL;
    if (text && option == OPTION_HASH && !has_value(values, "SHA256"))
        end = stpcpy(end, always);
    for (i = 0; text && values[i]; i++) {
        if (!is_list)
            end = text;
        else if (i)
            *end++ = option == OPTION_RULE ? '\n' : ' ';
        end = stpcpy(end, values[i]);
    }
    free(values);
    return text;
}

/* A directory is recorded as an absolute path, whatever it was given as. */
static char *absolute(char *path)
{
    char *cwd, *joined = NULL;
    const char *name;

    if (!path || path[0] == '/')
        return path;
    for (name = path; strncmp(name, "./", 2) == 0;)
        name += 2;
    if (strcmp(name, ".") == 0)
        name++;
    cwd = getcwd(NULL, 0);
    if (cwd &&
        asprintf(&joined, "%s%s%s", cwd, *name && strcmp(cwd, "/") != 0 ? "/" : "", name) < 0)
        joined = NULL;
    free(cwd);
    free(path);
    return joined;
}

static bool set_field(const struct cli *cli, struct hallmark_settings *settings, size_t i)
{
    int option = fields[i].option;
    struct hallmark_error err;
    char *value = field_value(cli, option);
    bool ok;

    if (option == OPTION_ROOT || option == OPTION_GNUPG_HOME || option == OPTION_STATE)
        value = absolute(value);
    if (!value)
        return true;
    ok = hallmark_settings_set(settings, fields[i].field, value, &err);
    if (!ok)
        cli_fail(cli, &err);
    free(value);
    return ok;
}

static bool set_fields(const struct cli *cli, struct hallmark_settings *settings)
{
    size_t i;

    for (i = 0; i < sizeof fields / sizeof *fields; i++)
        if (cli_has(cli, fields[i].option) && !set_field(cli, settings, i))
            return false;
    return true;
}

static bool is_root(const char *argument)
{
    struct stat st;

    return strchr(argument, '/') || (stat(argument, &st) == 0 && S_ISDIR(st.st_mode));
}

static bool set_root(struct hallmark_settings *settings, const char *argument,
                     struct hallmark_error *err)
{
    char *path = strdup(argument);
    bool ok;

    path = absolute(path);
    ok = path && hallmark_settings_set(settings, "Root", path, err);
    free(path);
    return ok;
}

struct hallmark_settings *release_settings_for(const struct cli *cli, const char *argument)
{
    struct hallmark_error err;
    struct hallmark_settings *settings =
        hallmark_settings_load(cli_value(cli, OPTION_CONFIG), argument, &err);

    if (!settings && err.code == HALLMARK_OK && is_root(argument)) {
        settings = hallmark_settings_new();
        set_root(settings, argument, &err);
    } else if (!settings && err.code == HALLMARK_OK) {
        cli_error(cli, HALLMARK_ERR_USAGE, "%s: no repository of this name is configured",
                  argument);
        return NULL;
    }
    if (err.code == HALLMARK_OK && set_fields(cli, settings))
        return settings;
    if (err.code != HALLMARK_OK)
        cli_fail(cli, &err);
    hallmark_settings_free(settings);
    return NULL;
}

/* The last component of a root, for a name. */
static char *name_of(const char *root)
{
    size_t len = strlen(root), start;

    while (len > 1 && root[len - 1] == '/')
        len--;
    for (start = len; start > 0 && root[start - 1] != '/';)
        start--;
    return strndup(root + start, len - start);
}

bool release_settings_init(struct hallmark_settings *settings, const struct cli *cli)
{
    const char *argument = cli->args[0];
    struct hallmark_error err = {0};
    char *name;
    bool ok = true;

    if (!strchr(argument, '/') && cli_has(cli, OPTION_ROOT)) {
        ok = hallmark_settings_set(settings, "Name", argument, &err);
    } else if (is_root(argument)) {
        ok = set_root(settings, argument, &err);
        name = name_of(argument);
        if (ok && !cli_has(cli, OPTION_NAME))
            ok = name && hallmark_settings_set(settings, "Name", name, &err);
        if (!ok && err.code == HALLMARK_ERR_USAGE && name)
            cli_error(cli, 0, "--name gives the repository another name than \"%s\"", name);
        free(name);
    } else {
        cli_error(cli, HALLMARK_ERR_USAGE, "%s: is no directory; for a name, --root says where",
                  argument);
        return false;
    }
    if (!ok)
        cli_fail(cli, &err);
    return ok && set_fields(cli, settings);
}
