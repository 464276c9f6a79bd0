/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exports of a repository, to a file or to standard output. */
#include "tools/release_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/release_settings.h"
#include "tools/report.h"

enum { FILE_MODE = 0644 };

/* ---- Files ------------------------------------------------------------------------------------
 */

static bool write_all(int fd, const char *text, size_t len)
{
    ssize_t n;

    while (len) {
        n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return true;
}

static bool sync_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    free(dir);
    return ok;
}

/* Whoever reads PATH finds what was there before or all of TEXT. */
static bool replace_file(const char *path, const char *text, size_t len)
{
    char *temporary = NULL;
    int fd = -1, saved;
    bool ok;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return false;
    fd = mkostemp(temporary, O_CLOEXEC);
    ok = fd >= 0 && write_all(fd, text, len) && fchmod(fd, FILE_MODE) == 0 && fsync(fd) == 0 &&
         rename(temporary, path) == 0 && sync_directory(path);
    saved = errno;
    if (fd >= 0) {
        close(fd);
        unlink(temporary); /* unless it is PATH by now */
    }
    free(temporary);
    errno = saved;
    return ok;
}

/* ---- The commands -----------------------------------------------------------------------------
 */

static bool has_suffix(const char *path, const char *suffix)
{
    size_t len = strlen(path), suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(path + len - suffix_len, suffix) == 0;
}

static void show_json(const struct hallmark_error *err, const char *key, const char *value)
{
    struct report_json json = {0};

    report_open(&json, NULL, '{');
    report_outcome(&json, err);
    report_string(&json, key, value);
    report_close(&json, '}');
}

static bool deliver(const struct cli *cli, const char *text, size_t len, struct hallmark_error *err)
{
    const char *path = cli_value(cli, OPTION_OUTPUT);

    if (!path && !cli_has(cli, CLI_JSON))
        fwrite(text, 1, len, stdout); /* cli_main() finds out whether that worked */
    if (!path || replace_file(path, text, len))
        return true;
    err->code = HALLMARK_ERR_IO;
    snprintf(err->text, sizeof err->text, "%s: cannot write: %s", path, strerror(errno));
    return false;
}

static int export(const struct cli *cli, const struct hallmark_export *what, const char *key)
{
    struct hallmark_publisher_options how = {0};
    struct hallmark_error err = {0};
    struct hallmark_settings *settings = release_settings_for(cli, cli->args[0]);
    struct hallmark_publisher *publisher = NULL;
    char *text = NULL;
    size_t len = 0;
    int status;

    if (!settings)
        return HALLMARK_ERR_USAGE;
    publisher = hallmark_publisher_open(settings, &how, &err);
    if (publisher && hallmark_publisher_export(publisher, what, &text, &len, &err))
        deliver(cli, text, len, &err);
    status = err.code == HALLMARK_OK ? HALLMARK_OK : cli_fail(cli, &err);
    if (cli_has(cli, CLI_JSON))
        show_json(&err, key, text);
    free(text);
    hallmark_publisher_close(publisher);
    hallmark_settings_free(settings);
    return status;
}

int release_export_keyring(const struct cli *cli)
{
    struct hallmark_export what = {.form = HALLMARK_EXPORT_KEYRING};
    const char *path = cli_value(cli, OPTION_OUTPUT);

    if (cli_has(cli, OPTION_ARMOR) || cli_has(cli, CLI_JSON) || (path && has_suffix(path, ".asc")))
        what.form = HALLMARK_EXPORT_ARMORED;
    if (path && what.form == HALLMARK_EXPORT_ARMORED && !has_suffix(path, ".asc"))
        return cli_error(cli, HALLMARK_ERR_USAGE,
                         "%s: apt takes an armoured keyring only by a name that ends with .asc",
                         path);
    if (!path && what.form == HALLMARK_EXPORT_KEYRING && isatty(STDOUT_FILENO))
        return cli_error(cli, HALLMARK_ERR_USAGE,
                         "the keyring is binary, which is nothing for a terminal: --armor writes "
                         "text, --output a file");
    return export(cli, &what, "keyring");
}

int release_export_sources(const struct cli *cli)
{
    struct hallmark_export what = {.form = HALLMARK_EXPORT_SOURCES,
                                   .uri = cli_value(cli, OPTION_URI),
                                   .keyring = cli_value(cli, OPTION_KEYRING)};

    return export(cli, &what, "sources");
}
