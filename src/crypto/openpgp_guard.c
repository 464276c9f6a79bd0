/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that waits for the end of a connection, whose other side the kernel closes with its
 * holder. */
#include "crypto/openpgp_guard.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/openpgp_process.h"

static void guard(int fd, void (*clean)(const char *arg), const char *arg)
    __attribute__((noreturn));

/* All signals are blocked: a terminal's or a service manager's go to all of a group, and this one
 * is needed just then. */
static void guard(int fd, void (*clean)(const char *arg), const char *arg)
{
    char done;
    pid_t pid = fork();

    if (pid != 0)
        _exit(pid < 0);
    /* The memory of the caller may hold secrets. */
    if (prctl(PR_SET_DUMPABLE, 0) < 0 || setsid() < 0 || chdir("/") < 0 ||
        !openpgp_process_narrow(fd) || send(OPENPGP_PROCESS_FD, "", 1, MSG_NOSIGNAL) != 1)
        _exit(1);
    if (file_read_some(OPENPGP_PROCESS_FD, &done, 1) == 0)
        clean(arg);
    _exit(0);
}

int openpgp_guard_start(void (*clean)(const char *arg), const char *arg, struct hallmark_error *err)
{
    int fds[2];
    sigset_t all, before;
    pid_t pid;
    char ready;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        error_set_errno(err, "cannot make a pair of sockets");
        return -1;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        guard(fds[0], clean, arg);
    if (pid > 0)
        waitpid(pid, NULL, 0); /* fails where the caller ignores SIGCHLD, but waits */
    sigprocmask(SIG_SETMASK, &before, NULL);
    file_close(&fds[0]);
    if (pid < 0 || file_read_some(fds[1], &ready, 1) != 1) {
        error_set(err, HALLMARK_ERR_IO, "cannot start a process");
        file_close(&fds[1]);
    }
    return fds[1];
}

void openpgp_guard_end(int *guard_fd)
{
    if (*guard_fd >= 0)
        send(*guard_fd, "", 1, MSG_NOSIGNAL); /* fails where it was killed */
    file_close(guard_fd);
}
