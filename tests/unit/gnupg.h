/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys and signatures for unit tests, made by the real gpg in a temporary directory. $TMPDIR points
 * into that directory meanwhile, so that what is left behind is seen. Include cmocka.h before.
 */
#ifndef TESTS_UNIT_GNUPG_H
#define TESTS_UNIT_GNUPG_H

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/path.h"

struct gnupg {
    char *dir;  /* of everything; the working directory of the commands */
    char *home; /* dir/home */
    char *tmp;  /* dir/tmp: $TMPDIR */
};

static inline void gnupg_shell(const struct gnupg *g, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs a shell command in the directory, with $G being gpg without questions. */
static inline void gnupg_shell(const struct gnupg *g, const char *fmt, ...)
{
    char *command, *line;
    va_list ap;

    va_start(ap, fmt);
    assert_true(vasprintf(&command, fmt, ap) >= 0);
    va_end(ap);
    line = alloc_printf("cd '%s' && export GNUPGHOME=home LC_ALL=C && "
                        "G='gpg --batch --yes --quiet --no-tty --no-permission-warning "
                        "--pinentry-mode loopback --passphrase-fd 0' && "
                        "{ %s; } </dev/null >>log 2>&1",
                        g->dir, command);
    if (system(line) != 0)
        fail_msg("this failed, see %s/log: %s", g->dir, command);
    free(line);
    free(command);
}

/* Starts an empty home. */
static inline struct gnupg *gnupg_new(void)
{
    const char *tmp = getenv("TMPDIR");
    struct gnupg *g = alloc_array(1, sizeof *g);

    g->dir = path_join(tmp && *tmp ? tmp : "/tmp", "gnupg.XXXXXX");
    assert_non_null(mkdtemp(g->dir));
    g->home = path_join(g->dir, "home");
    g->tmp = path_join(g->dir, "tmp");
    assert_int_equal(mkdir(g->home, 0700), 0);
    assert_int_equal(mkdir(g->tmp, 0700), 0);
    setenv("TMPDIR", g->tmp, 1);
    return g;
}

static inline void gnupg_free(struct gnupg *g)
{
    struct hallmark_error err = {0};
    const char *slash = strrchr(g->dir, '/');
    char *parent = alloc_strndup(g->dir, (size_t)(slash - g->dir));
    int fd;

    gnupg_shell(g, "gpgconf --kill all");
    setenv("TMPDIR", parent, 1);
    fd = file_open_directory(parent, &err);
    if (fd < 0 || !file_remove_tree(fd, slash + 1, &err))
        print_error("%s\n", err.text);
    close(fd);
    free(parent);
    free(g->tmp);
    free(g->home);
    free(g->dir);
    free(g);
}

/* Appends the file NAME of the directory. */
static inline void gnupg_read(const struct gnupg *g, const char *name, struct bytes *out)
{
    char *path = path_join(g->dir, name);
    struct hallmark_error err = {0};

    if (!file_read(AT_FDCWD, path, 64 << 20, out, NULL, &err))
        fail_msg("%s", err.text);
    free(path);
}

/* Replaces the file NAME of the directory. */
static inline void gnupg_write(const struct gnupg *g, const char *name, struct bytes_view data)
{
    char *path = path_join(g->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0 && file_write_all(fd, data.data, data.len));
    close(fd);
    free(path);
}

/* The fingerprint of the Nth (from 0) key or subkey of the one whose user id holds NAME; free(3)
 * releases it. */
static inline char *gnupg_fingerprint(const struct gnupg *g, const char *name, unsigned n)
{
    struct bytes text = {0};
    char *fingerprint;

    gnupg_shell(g,
                "gpg --with-colons --list-keys '%s' | awk -F: '/^fpr/ { print $10 }' | "
                "sed -n %up | tr -d '\\n' >fpr",
                name, n + 1);
    gnupg_read(g, "fpr", &text);
    assert_int_equal(text.len, 40);
    fingerprint = alloc_strdup(text.data);
    bytes_free(&text);
    return fingerprint;
}

/* How many processes have TEXT in their command line. */
static inline size_t gnupg_processes(const char *text)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    char path[64 + sizeof entry->d_name], line[4096];
    size_t n = 0, i;
    ssize_t len;
    int fd;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
            continue;
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        len = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
        file_close(&fd);
        for (i = 0; (ssize_t)i < len; i++)
            if (line[i] == '\0')
                line[i] = ' ';
        line[len > 0 ? len : 0] = '\0';
        n += strstr(line, text) != NULL;
    }
    closedir(dir);
    return n;
}

/* Nothing of ours may be left in $TMPDIR, and no process that has it in its command line. */
static inline void gnupg_assert_clean(const struct gnupg *g)
{
    DIR *dir = opendir(g->tmp);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            fail_msg("%s/%s was left behind", g->tmp, entry->d_name);
    closedir(dir);
    assert_int_equal(gnupg_processes(g->tmp), 0);
}

/* The only child of this process; 0: it cannot be told. */
static inline pid_t gnupg_find_child(void)
{
    struct hallmark_error ignored = {0};
    struct bytes text = {0};
    char *path = alloc_printf("/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
    pid_t pid = file_read(AT_FDCWD, path, 4096, &text, NULL, &ignored) && text.len
                    ? (pid_t)atoi(text.data)
                    : 0;

    bytes_free(&text);
    free(path);
    return pid;
}

/* Lets gnupg_replace() have an effect on this process, and what it starts from now on, only. False
 * where this user may not. */
static inline bool gnupg_keep_apart(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", "", MS_REC | MS_PRIVATE, "") == 0;
}

/* Puts SCRIPT in the place of /usr/bin/gpg. */
static inline bool gnupg_replace(const char *script)
{
    return mount(script, "/usr/bin/gpg", "", MS_BIND, "") == 0;
}

#endif
