/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Worker processes: fork(2), a control socket (unix(7), SOCK_SEQPACKET), and an end in any case. */
#include "system/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "system/sandbox.h"

/* Nothing that an archive makes a library say may reach the terminal. */
enum { KEEP_STDERR = SANDBOX_SANITIZED };

static void close_slowly(int first, int except)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int fd;

    if (!dir)
        _exit(HALLMARK_ERR_IO);
    while ((entry = readdir(dir)) != NULL) {
        fd = atoi(entry->d_name);
        if (fd >= first && fd != except && fd != dirfd(dir))
            close(fd);
    }
    closedir(dir);
}

int worker_keep_only(int control)
{
    enum { FIRST = STDERR_FILENO + 1 };
    int null, fd;

    if (control < FIRST) {
        control = fcntl(control, F_DUPFD_CLOEXEC, FIRST);
        if (control < 0)
            _exit(HALLMARK_ERR_IO);
    }
    null = file_open_at(AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (null < 0)
        _exit(HALLMARK_ERR_IO);
    for (fd = 0; fd < FIRST; fd++)
        if (!(KEEP_STDERR && fd == STDERR_FILENO) && fd != null && dup2(null, fd) < 0)
            _exit(HALLMARK_ERR_IO);
#ifdef SYS_close_range
    if ((control == FIRST || syscall(SYS_close_range, FIRST, control - 1, 0) == 0) &&
        syscall(SYS_close_range, control + 1, UINT_MAX, 0) == 0)
        return control;
#endif
    close_slowly(FIRST, control);
    return control;
}

/* What comes from the terminal or from the service manager is for the parent to act on. */
static void reset_signals(void)
{
    static const int ignored[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE, SIGXFSZ};
    sigset_t none;
    size_t i;
    int sig;

    for (sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    for (i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_child(worker_fn *run, int control, pid_t parent) __attribute__((noreturn));

static void run_child(worker_fn *run, int control, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(HALLMARK_ERR_IO);
    reset_signals();
    run(worker_keep_only(control));
    _exit(0);
}

bool worker_start(struct worker *worker, const char *what, worker_fn *run,
                  struct hallmark_error *err)
{
    pid_t parent = getpid(), pid;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set_errno(err, "%s: cannot make a socket", what);
    pid = fork();
    if (pid == 0)
        run_child(run, pair[1], parent);
    file_close(&pair[1]);
    if (pid < 0) {
        error_set_errno(err, "%s: cannot start the process", what);
        file_close(&pair[0]);
        return false;
    }
    *worker = (struct worker){.what = what, .pid = pid, .control = pair[0]};
    return true;
}

/* A message with room for descriptors in CONTROL_DATA. */
union control_data {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(int) * WORKER_FDS_MAX)];
};

bool worker_request(struct worker *worker, const void *request, size_t len, const int *fds,
                    size_t n_fds, struct hallmark_error *err)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)request, .iov_len = len};
    union control_data control = {0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *cmsg;
    ssize_t n;

    if (n_fds) {
        msg.msg_control = control.room;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        cmsg = &control.align;
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
    }
    do
        n = sendmsg(worker->control, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    worker->seen = (struct worker_message){0};
    /* Of one that has ended, what it said last is to be heard yet. */
    if (n == (ssize_t)len || errno == EPIPE || errno == ECONNRESET)
        return true;
    return error_set_errno(err, "%s: cannot be given its task", worker->what);
}

void worker_stop(struct worker *worker)
{
    int status;

    if (worker->pid > 0) {
        kill(worker->pid, SIGKILL);
        while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    worker->pid = 0;
    file_close(&worker->control);
}

/* Collects the process that has closed its end, and tells what became of it. */
static bool worker_is_lost(struct worker *worker, struct hallmark_error *err)
{
    int status = 0;
    pid_t pid;

    kill(worker->pid, SIGKILL); /* does nothing to one that is ending */
    do
        pid = waitpid(worker->pid, &status, 0);
    while (pid < 0 && errno == EINTR);
    worker->pid = 0;
    file_close(&worker->control);
    if (pid > 0 && WIFSIGNALED(status))
        return error_set(err, HALLMARK_ERR_UNSAFE, "%s died (signal %d)", worker->what,
                         WTERMSIG(status));
    status = pid > 0 ? WEXITSTATUS(status) : -1;
    /* What it ends with where it cannot even begin. */
    return error_set(err, status == HALLMARK_ERR_IO ? HALLMARK_ERR_IO : HALLMARK_ERR_UNSAFE,
                     "%s ended without a result (status %d)", worker->what, status);
}

static bool is_known_code(uint32_t code)
{
    return code == HALLMARK_ERR_IO || code == HALLMARK_ERR_USAGE ||
           code == HALLMARK_ERR_MALFORMED || code == HALLMARK_ERR_UNSAFE;
}

static bool message_is_sane(struct worker_message *m, size_t len)
{
    if (len < offsetof(struct worker_message, text) + 1 || len > sizeof *m)
        return false;
    ((char *)m)[len < sizeof *m ? len : len - 1] = '\0';
    if (m->type < WORKER_READY || m->type > WORKER_FILES)
        return false;
    return m->type != WORKER_FAILED || is_known_code(m->code);
}

/* Whether M tells of anything beyond what the worker told before. */
static bool note_progress(struct worker *worker, const struct worker_message *m)
{
    struct worker_message *seen = &worker->seen;
    bool more = m->type != WORKER_PROGRESS || m->n_read > seen->n_read ||
                m->n_entries > seen->n_entries || m->n_bytes > seen->n_bytes;

    if (m->n_read > seen->n_read)
        seen->n_read = m->n_read;
    if (m->n_entries > seen->n_entries)
        seen->n_entries = m->n_entries;
    if (m->n_bytes > seen->n_bytes)
        seen->n_bytes = m->n_bytes;
    return more;
}

static bool receive(struct worker *worker, struct worker_message *out, struct hallmark_error *err)
{
    ssize_t n;

    /* ECONNRESET comes before the last message of one that has left a request unread. */
    do
        n = recv(worker->control, out, sizeof *out, 0);
    while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n < 0)
        return error_set_errno(err, "%s: cannot hear it", worker->what);
    if (n == 0)
        return worker_is_lost(worker, err);
    if (!message_is_sane(out, (size_t)n))
        return error_set(err, HALLMARK_ERR_UNSAFE, "%s said something that makes no sense",
                         worker->what);
    return true;
}

/* Waits a second at a time: after a stop (SIGTSTP) of all processes only one second seems lost. */
static bool wait_readable(struct worker_watch *watch, size_t *which, struct hallmark_error *err)
{
    enum { SLICE_MS = 1000 };
    struct pollfd fds[WORKER_WATCHED_MAX];
    size_t i;
    int n;

    for (;;) {
        for (i = 0; i < WORKER_WATCHED_MAX; i++)
            fds[i] = (struct pollfd){.fd = watch->workers[i] ? watch->workers[i]->control : -1,
                                     .events = POLLIN};
        n = poll(fds, WORKER_WATCHED_MAX, SLICE_MS);
        if (n < 0 && errno != EINTR)
            return error_set_errno(err, "cannot wait for a worker process");
        for (i = 0; n > 0 && i < WORKER_WATCHED_MAX; i++) {
            if (fds[i].fd >= 0 && fds[i].revents) {
                *which = i;
                return true;
            }
        }
        if (n == 0 && ++watch->idle >= watch->idle_limit)
            return error_set(err, HALLMARK_ERR_IO,
                             "the archive's reader and writer made no progress for %u seconds",
                             watch->idle_limit);
    }
}

bool worker_next(struct worker_watch *watch, size_t *which, struct worker_message *out,
                 struct hallmark_error *err)
{
    struct worker *worker;

    for (;;) {
        if (!wait_readable(watch, which, err))
            return false;
        worker = watch->workers[*which];
        if (!receive(worker, out, err))
            return false;
        if (note_progress(worker, out))
            watch->idle = 0;
        else if (++watch->idle >= watch->idle_limit)
            return error_set(err, HALLMARK_ERR_UNSAFE, "%s says nothing new", worker->what);
        if (out->type != WORKER_READY)
            return true;
        worker->layers = out->layers;
    }
}

bool worker_take(int control, void *request, size_t len, int *fds, size_t n_fds)
{
    struct iovec iov = {.iov_base = request, .iov_len = len};
    union control_data data = {0};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = data.room,
                         .msg_controllen = sizeof data.room};
    struct hallmark_error err = {0};
    struct cmsghdr *cmsg;
    ssize_t n;

    do
        n = recvmsg(control, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        error_set_errno(&err, "cannot take its task");
        worker_send_error(control, &err);
    }
    if (n != (ssize_t)len)
        return false;
    cmsg = CMSG_FIRSTHDR(&msg);
    if (n_fds == 0)
        return !cmsg;
    if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS || cmsg->cmsg_len != CMSG_LEN(sizeof(int) * n_fds))
        return false;
    memcpy(fds, CMSG_DATA(cmsg), sizeof(int) * n_fds);
    return true;
}

void worker_send(int control, const struct worker_message *message)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)message};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    iov.iov_len = offsetof(struct worker_message, text) + strlen(message->text) + 1;
    do
        n = sendmsg(control, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)iov.iov_len)
        _exit(HALLMARK_ERR_IO);
}

void worker_send_error(int control, const struct hallmark_error *err)
{
    struct worker_message message = {.type = WORKER_FAILED, .code = err->code};

    memcpy(message.text, err->text, strnlen(err->text, sizeof message.text - 1));
    worker_send(control, &message);
}
