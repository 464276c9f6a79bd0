/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard waits for the end of a connection, whose other side the kernel closes with the process
 * that holds it. What goes over it are strings with their NUL, one a packet: paths, and an empty
 * one at the end.
 */
#include "crypto/openpgp_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/strlist.h"
#include "crypto/openpgp_process.h"

/* What the guard tells at first. */
struct made {
    int error; /* errno */
    char path[LIMITS_PATH_BYTES + 1];
};

/* ---- In the guard ---- */

enum { TRIES = 50 };
static const struct timespec pause_between = {.tv_nsec = 100000000};

/* Reads paths until the end of the connection. Whether that came before the empty string. What
 * cannot be read is no end: to remove what is in use would be worse than to wait. */
static bool is_abandoned(struct strlist *paths)
{
    char path[LIMITS_PATH_BYTES + 1];
    int n_failed = 0;
    ssize_t len;

    while ((len = file_read_some(OPENPGP_PROCESS_FD, path, sizeof path)) != 0) {
        if (len < 0 && ++n_failed == TRIES)
            break;
        if (len < 0) {
            nanosleep(&pause_between, NULL);
            continue;
        }
        path[len - 1] = '\0';
        if (len == 1)
            return false;
        strlist_add(paths, path);
    }
    return true;
}

/* A gpg that is killed together with its caller may still have to be outlived. */
static void remove_all(const struct strlist *paths, bool (*remove)(const char *path))
{
    size_t i;
    int n;

    for (i = 0; i < paths->n_items; i++)
        for (n = 0; n < TRIES && !remove(paths->items[i]); n++)
            nanosleep(&pause_between, NULL);
}

static void guard(int fd, const char *template, bool (*remove)(const char *path))
    __attribute__((noreturn));

/* All signals are blocked: a terminal's or a service manager's go to all of a group, and this one
 * is needed just then. */
static void guard(int fd, const char *template, bool (*remove)(const char *path))
{
    struct made made = {.error = 0};
    struct strlist paths = {0};
    pid_t pid = fork();

    if (pid != 0)
        _exit(pid < 0);
    /* The memory of the caller may hold secrets. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || setsid() < 0 || chdir("/") < 0 ||
        !openpgp_process_narrow(fd))
        _exit(1);
    strcpy(made.path, template);
    if (!mkdtemp(made.path))
        made.error = errno;
    else
        strlist_add(&paths, made.path);
    if (send(OPENPGP_PROCESS_FD, &made, sizeof made, MSG_NOSIGNAL) != sizeof made ||
        is_abandoned(&paths))
        remove_all(&paths, remove);
    strlist_free(&paths);
    _exit(0);
}

/* ---- In the caller ---- */

static bool take_path(int fd, char *template, struct hallmark_error *err)
{
    struct made made;

    if (file_read_some(fd, &made, sizeof made) != sizeof made)
        return error_set(err, HALLMARK_ERR_IO, "%s: cannot start a process to make it", template);
    made.path[sizeof made.path - 1] = '\0';
    errno = made.error;
    if (made.error || strlen(made.path) != strlen(template))
        return error_set_errno(err, "%s: cannot create the directory", template);
    strcpy(template, made.path);
    return true;
}

int openpgp_guard_start(char *template, bool (*remove)(const char *path),
                        struct hallmark_error *err)
{
    sigset_t all, before;
    pid_t pid;
    int fds[2];

    if (strlen(template) > LIMITS_PATH_BYTES) {
        error_set(err, HALLMARK_ERR_USAGE, "%s: is too long for a path", template);
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        error_set_errno(err, "cannot make a pair of sockets");
        return -1;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        guard(fds[0], template, remove);
    if (pid > 0)
        waitpid(pid, NULL, 0); /* fails where the caller ignores SIGCHLD, but waits */
    sigprocmask(SIG_SETMASK, &before, NULL);
    file_close(&fds[0]);
    if (pid < 0)
        error_set_errno(err, "cannot start a process");
    if (pid < 0 || !take_path(fds[1], template, err))
        file_close(&fds[1]);
    return fds[1];
}

void openpgp_guard_add(int guard_fd, const char *path)
{
    ssize_t n;

    do
        n = send(guard_fd, path, strlen(path) + 1, MSG_NOSIGNAL); /* fails where it was killed */
    while (n < 0 && errno == EINTR);
}

void openpgp_guard_end(int *guard_fd)
{
    if (*guard_fd >= 0)
        openpgp_guard_add(*guard_fd, "");
    file_close(guard_fd);
}
