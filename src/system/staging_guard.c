/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard waits for the end of a connection, whose other side the kernel closes with the process
 * that holds it. One byte says that there is nothing to do. Its current directory is what it
 * guards in, so that it keeps no descriptor but that connection.
 */
#include "system/staging_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "system/worker.h"

static void guard(int fd, int dirfd, const char *name, staging_guard_remove *remove)
    __attribute__((noreturn));

/* All signals are blocked: a terminal's or a service manager's go to all of a group, and this one
 * is needed just then. The processes that unpack die with the caller, and may need a moment. */
static void guard(int fd, int dirfd, const char *name, staging_guard_remove *remove)
{
    static const struct timespec pause = {.tv_nsec = 100000000};
    enum { TRIES = 50 };
    char byte;
    pid_t pid;
    int i;

    /* Before the caller goes on: it may be killed with all of its group. */
    if (setsid() < 0 || fchdir(dirfd) < 0)
        _exit(1);
    pid = fork();
    if (pid != 0)
        _exit(pid < 0);
    fd = worker_keep_only(fd);
    if (file_read_some(fd, &byte, 1) == 0)
        for (i = 0; i < TRIES && !remove(AT_FDCWD, name); i++)
            nanosleep(&pause, NULL);
    /* Whoever waits for the connection's end may want to unmount that. */
    _exit(chdir("/") < 0);
}

int staging_guard_start(int dirfd, const char *name, staging_guard_remove *remove,
                        struct hallmark_error *err)
{
    sigset_t all, before;
    pid_t pid;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0) {
        error_set_errno(err, "cannot make a pair of sockets");
        return -1;
    }
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        guard(fds[0], dirfd, name, remove);
    if (pid > 0)
        waitpid(pid, NULL, 0); /* fails where the caller ignores SIGCHLD, but waits */
    sigprocmask(SIG_SETMASK, &before, NULL);
    file_close(&fds[0]);
    if (pid < 0) {
        error_set_errno(err, "cannot start a process");
        file_close(&fds[1]);
    }
    return fds[1];
}

void staging_guard_end(int *guard_fd)
{
    char byte = 0;

    /* Nobody listens where it was killed. */
    if (*guard_fd >= 0 && send(*guard_fd, &byte, 1, MSG_NOSIGNAL) == 1)
        file_read_some(*guard_fd, &byte, 1);
    file_close(guard_fd);
}
