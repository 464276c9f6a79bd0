/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a passphrase. */
#include "tools/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_line(struct passphrase *out, const struct cli *cli, int fd, const char *name)
{
    size_t len = 0;
    ssize_t n;
    char *newline;

    while (len < PASSPHRASE_MAX && !memchr(out->text, '\n', len)) {
        n = read(fd, out->text + len, PASSPHRASE_MAX - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            cli_error(cli, HALLMARK_ERR_USAGE, "%s: cannot read the passphrase: %s", name,
                      strerror(errno));
            return false;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    out->text[len] = '\0';
    newline = strchr(out->text, '\n');
    if (newline)
        *newline = '\0';
    else if (len == PASSPHRASE_MAX) {
        cli_error(cli, HALLMARK_ERR_USAGE, "%s: the passphrase is longer than %d bytes", name,
                  PASSPHRASE_MAX);
        return false;
    }
    out->is_set = out->text[0] != '\0';
    if (!out->is_set)
        cli_error(cli, HALLMARK_ERR_USAGE, "%s: holds no passphrase", name);
    return out->is_set;
}

static bool read_file(struct passphrase *out, const struct cli *cli, const char *file)
{
    int fd = open(file, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    bool ok = false;

    if (fd < 0 || fstat(fd, &st) < 0)
        cli_error(cli, HALLMARK_ERR_USAGE, "%s: cannot open the passphrase file: %s", file,
                  strerror(errno));
    else if (S_ISREG(st.st_mode) && (st.st_mode & (S_IWGRP | S_IRWXO)))
        /* A group may read it: the ACL of a systemd credential shows as that. */
        cli_error(cli, HALLMARK_ERR_USAGE,
                  "%s: the passphrase file is open to others (mode %04o); chmod 600 mends it", file,
                  (unsigned)st.st_mode & 07777);
    else
        ok = read_line(out, cli, fd, file);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool passphrase_read(struct passphrase *out, const struct cli *cli, const char *fd,
                     const char *file)
{
    enum { FD_MAX = 1 << 20 };
    long number;
    char *end;

    if (fd && file) {
        cli_error(cli, HALLMARK_ERR_USAGE,
                  "--passphrase-fd and --passphrase-file cannot both be given");
        return false;
    }
    if (file)
        return read_file(out, cli, file);
    if (!fd)
        return true;
    number = strtol(fd, &end, 10);
    if (fd[0] < '0' || fd[0] > '9' || *end || number > FD_MAX) {
        cli_error(cli, HALLMARK_ERR_USAGE, "--passphrase-fd: \"%s\" is no descriptor", fd);
        return false;
    }
    return read_line(out, cli, (int)number, "--passphrase-fd");
}

void passphrase_wipe(struct passphrase *passphrase)
{
    explicit_bzero(passphrase, sizeof *passphrase);
}
