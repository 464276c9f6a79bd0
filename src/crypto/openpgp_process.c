/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The helper process: fork(2), narrow, work, answer through a pipe. The answer is a struct answer
 * and the bytes that it announces; the parent believes neither before it has checked them.
 */
#include "crypto/openpgp_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

enum {
    ANSWER_MAGIC = 0x484d4f50,
    READ_STEP = 64 * 1024,
    EXIT_MILLISECONDS = 2000, /* a helper that has answered is gone at once, or does not work */
    EXIT_POLL_MILLISECONDS = 2,
};

struct answer {
    uint32_t magic;
    uint32_t code; /* enum hallmark_errcode */
    uint64_t len;  /* of the bytes that follow */
    char text[sizeof((struct hallmark_error *)0)->text];
};

/* ---- In the helper ---- */

static void child_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    int i;

    for (i = 1; i < NSIG; i++)
        sigaction(i, &action, NULL); /* fails for some, which nobody can have changed */
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void die_with_all(int signum)
{
    (void)signum;
    kill(0, SIGKILL);
}

/* A session of its own, so that one signal reaches all that gpg starts; and an end with the parent.
 */
static bool child_session(pid_t parent)
{
    struct sigaction action = {.sa_handler = die_with_all};

    if (setsid() < 0 || sigaction(SIGTERM, &action, NULL) < 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
        return false;
    return getppid() == parent;
}

static bool child_limits(enum openpgp_process_env env)
{
    static const struct rlimit none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &none) < 0)
        return false;
    if (env == OPENPGP_PROCESS_PRIVATE)
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    return prctl(PR_SET_DUMPABLE, 0) == 0; /* the passphrase is in this memory */
}

static void close_from(unsigned first)
{
    struct rlimit limit = {0, 0};
    enum { MAX_FDS = 65536 };
    rlim_t i;

#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, UINT_MAX, 0) == 0)
        return;
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > MAX_FDS)
        limit.rlim_cur = MAX_FDS;
    for (i = first; i < limit.rlim_cur; i++)
        close((int)i);
}

bool openpgp_process_narrow(int fd)
{
    int null, i;

    fd = fcntl(fd, F_DUPFD_CLOEXEC, OPENPGP_PROCESS_FD + 1);
    null = file_open_at(AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (fd < 0 || null < 0 || dup3(fd, OPENPGP_PROCESS_FD, O_CLOEXEC) < 0)
        return false;
    for (i = 0; i < OPENPGP_PROCESS_FD; i++)
        if ((null == i ? fcntl(i, F_SETFD, 0) : dup2(null, i)) < 0)
            return false;
    close_from(OPENPGP_PROCESS_FD + 1);
    return true;
}

static bool put_env(const char *name, const char *value)
{
    return !value || setenv(name, value, 1) == 0;
}

/* The user's home directory where the environment does not tell. */
static char *passwd_home(void)
{
    const struct passwd *entry = getpwuid(getuid());

    return entry && entry->pw_dir ? alloc_strdup(entry->pw_dir) : NULL;
}

static char *copy_env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? alloc_strdup(value) : NULL;
}

/* What a pinentry needs to find the person. */
static const char *const person[] = {"GPG_TTY",         "TERM",       "DISPLAY",
                                     "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
                                     "XDG_RUNTIME_DIR"};
enum { PERSON_TTY = 0, N_PERSON = sizeof person / sizeof *person };

static void copy_person(char *kept[N_PERSON])
{
    const char *tty = NULL;
    int fd;
    size_t i;

    for (i = 0; i < N_PERSON; i++)
        kept[i] = copy_env(person[i]);
    for (fd = STDIN_FILENO; fd <= STDERR_FILENO && !tty; fd++)
        tty = ttyname(fd);
    if (tty && !kept[PERSON_TTY])
        kept[PERSON_TTY] = alloc_strdup(tty);
}

/* Nothing of the caller's environment but what the task needs. */
static bool child_environment(const struct openpgp_process *process)
{
    char *kept[N_PERSON] = {NULL}, *home = NULL, *gnupg_home = NULL;
    bool ok;
    size_t i;

    if (process->env == OPENPGP_PROCESS_PERSON)
        copy_person(kept);
    if (process->env == OPENPGP_PROCESS_PRIVATE)
        home = alloc_strdup(process->home);
    else if ((home = copy_env("HOME")) == NULL)
        home = passwd_home();
    gnupg_home = process->home ? alloc_strdup(process->home) : copy_env("GNUPGHOME");
    ok = clearenv() == 0 && put_env("PATH", OPENPGP_PROCESS_PATH) && put_env("LC_ALL", "C") &&
         put_env("HOME", home) && put_env("GNUPGHOME", gnupg_home);
    for (i = 0; i < N_PERSON; i++) {
        ok = ok && put_env(person[i], kept[i]);
        free(kept[i]);
    }
    free(home);
    free(gnupg_home);
    return ok;
}

static bool send_answer(const struct bytes *out, const struct hallmark_error *err)
{
    struct answer answer = {.magic = ANSWER_MAGIC, .code = (uint32_t)err->code};

    memcpy(answer.text, err->text, sizeof answer.text);
    answer.len = err->code == HALLMARK_OK ? out->len : 0;
    return file_write_all(OPENPGP_PROCESS_FD, &answer, sizeof answer) &&
           file_write_all(OPENPGP_PROCESS_FD, out->data, answer.len);
}

bool openpgp_process_answer(struct bytes *out)
{
    static const struct hallmark_error none;
    bool ok = send_answer(out, &none);

    out->len = 0;
    return ok;
}

static void child_main(const struct openpgp_process *process, int fd, pid_t parent)
    __attribute__((noreturn));

static void child_main(const struct openpgp_process *process, int fd, pid_t parent)
{
    struct hallmark_error err = {0};
    struct bytes out = {0};
    bool ok;

    /* The environment first: it may need the terminal's name. */
    if (!child_environment(process) || !openpgp_process_narrow(fd))
        _exit(HALLMARK_ERR_IO);
    child_signals();
    if (!child_session(parent) || !child_limits(process->env))
        error_set_errno(&err, "cannot confine the process");
    else if (chdir("/") < 0)
        error_set_errno(&err, "cannot change to the root directory");
    else if (!process->work(process->request, &out, &err))
        error_set(&err, HALLMARK_ERR_IO, "failed without a reason");
    ok = send_answer(&out, &err);
    bytes_wipe(&out);
    _exit(ok ? 0 : HALLMARK_ERR_IO);
}

/* ---- In the caller ---- */

/* Whether more than one comes. */
enum answers { THE_ONLY_ONE, ONE_OF_SEVERAL };

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool timed_out(const struct openpgp_process *process, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_IO, "%s: no answer within %d seconds; it was stopped",
                     process->what, process->seconds);
}

/* How many bytes of the answer IN are known to be missing; 0: it is whole. */
static size_t count_missing(const struct bytes *in)
{
    struct answer answer;
    size_t len = in->len;

    if (len < sizeof answer)
        return sizeof answer - len;
    memcpy(&answer, in->data, sizeof answer);
    len -= sizeof answer;
    return answer.len > len ? answer.len - len : 0;
}

/* Reads FD to its end, or to the end of an answer. */
static bool read_answer(const struct openpgp_process *process, int fd, enum answers answers,
                        struct bytes *in, struct hallmark_error *err)
{
    int64_t deadline = milliseconds() + (int64_t)process->seconds * 1000, left;
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    size_t wanted = READ_STEP;
    ssize_t n = 0;

    do {
        if (answers == ONE_OF_SEVERAL && (wanted = count_missing(in)) == 0)
            return true;
        if (wanted > READ_STEP)
            wanted = READ_STEP;
        left = deadline - milliseconds();
        if (left <= 0)
            return timed_out(process, err);
        n = poll(&poll_fd, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (n == 0 || (n < 0 && errno == EINTR)) {
            n = 1;
            continue;
        }
        if (n > 0)
            n = file_read_some(fd, bytes_reserve(in, wanted), wanted);
        if (n < 0 && errno == ECONNRESET)
            n = 0; /* it has left something unread */
        if (n < 0)
            return error_set_errno(err, "%s: cannot read its answer", process->what);
        in->len += (size_t)n;
        if (in->len > sizeof(struct answer) + process->max_len)
            return error_set(err, HALLMARK_ERR_IO, "%s: its answer exceeds %zu bytes",
                             process->what, process->max_len);
    } while (n > 0);
    return true;
}

/* Appends the body of the answer IN to OUT, or sets the error that it holds. */
static bool take_answer(const struct openpgp_process *process, const struct bytes *in,
                        struct bytes *out, struct hallmark_error *err)
{
    struct answer answer;

    if (in->len == 0)
        return error_set(err, HALLMARK_ERR_IO, "%s: ended without an answer", process->what);
    if (in->len < sizeof answer)
        return error_set(err, HALLMARK_ERR_IO, "%s: its answer is incomplete", process->what);
    memcpy(&answer, in->data, sizeof answer);
    answer.text[sizeof answer.text - 1] = '\0';
    if (answer.magic != ANSWER_MAGIC || answer.code > HALLMARK_ATTENTION ||
        answer.len != in->len - sizeof answer)
        return error_set(err, HALLMARK_ERR_IO, "%s: its answer is not well-formed", process->what);
    if (answer.code != HALLMARK_OK)
        return error_set(err, (enum hallmark_errcode)answer.code, "%s: %s", process->what,
                         answer.text);
    bytes_append(out, in->data + sizeof answer, in->len - sizeof answer);
    return true;
}

/* Lets time pass until the process of PIDFD ends, or DEADLINE; a moment where there is no PIDFD. */
static void pause_for(int pidfd, int64_t deadline)
{
    static const struct timespec moment = {.tv_nsec = EXIT_POLL_MILLISECONDS * 1000000L};
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    int64_t left = deadline - milliseconds();

    if (pidfd < 0)
        nanosleep(&moment, NULL);
    else if (left > 0)
        poll(&poll_fd, 1, (int)left);
}

/* Waits up to MAX milliseconds until PID has ended, without reaping it; *INFO tells how. False
 * where it lives on. True with si_pid 0 where the caller ignores SIGCHLD or has reaped it: nothing
 * is left then. */
static bool wait_for_end(pid_t pid, int max, siginfo_t *info)
{
    int64_t deadline = milliseconds() + max;
    int pidfd = -1;
    bool ended;

#ifdef SYS_pidfd_open
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* fails on kernels before 5.3 */
#endif
    for (;;) {
        memset(info, 0, sizeof *info);
        ended =
            (waitid(P_PID, (id_t)pid, info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno != EINTR) ||
            info->si_pid == pid;
        if (ended || milliseconds() >= deadline)
            break;
        pause_for(pidfd, deadline);
    }
    file_close(&pidfd);
    return ended;
}

/* Ends PID and its session, and reaps it. Whether it ended well by itself, as far as can be known.
 */
static bool finish(const struct openpgp_process *process, pid_t pid, bool answered,
                   struct hallmark_error *err)
{
    siginfo_t info, ignored;
    bool ended = wait_for_end(pid, answered ? EXIT_MILLISECONDS : 0, &info);

    /* Before it is reaped, its number cannot be anybody else's. */
    if (!ended || info.si_pid == pid) {
        kill(-pid, SIGKILL);
        kill(pid, SIGKILL);
    }
    /* What hangs in the kernel must not hang the caller. */
    if (wait_for_end(pid, EXIT_MILLISECONDS, &ignored) && ignored.si_pid == pid)
        kill(-pid, SIGKILL); /* it may have begun a session, and something in it, just then */
    waitpid(pid, NULL, WNOHANG);
    if (!answered)
        return false;
    if (!ended)
        return error_set(err, HALLMARK_ERR_IO, "%s: did not end after its answer", process->what);
    if (info.si_pid == pid && info.si_code != CLD_EXITED)
        return error_set(err, HALLMARK_ERR_IO, "%s: was killed by signal %d", process->what,
                         info.si_status);
    return true;
}

/* Forks with all signals blocked: no handler of the caller's may run in the helper. */
static pid_t start(const struct openpgp_process *process, int fd)
{
    pid_t parent = getpid(), pid;
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        child_main(process, fd, parent);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

bool openpgp_process_start(const struct openpgp_process *process, struct openpgp_running *out,
                           struct hallmark_error *err)
{
    int fds[2] = {-1, -1};
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return error_set_errno(err, "%s: cannot make a socket", process->what);
    pid = start(process, fds[1]);
    if (pid < 0) {
        error_set_errno(err, "%s: cannot start a process", process->what);
        file_close(&fds[0]);
    }
    file_close(&fds[1]);
    if (pid > 0)
        *out = (struct openpgp_running){.process = *process, .pid = pid, .fd = fds[0]};
    return pid > 0;
}

bool openpgp_process_end(struct openpgp_running *running, struct bytes *out,
                         struct hallmark_error *err)
{
    const struct openpgp_process *process = &running->process;
    struct bytes in = {0};
    bool answered, ok;

    answered = read_answer(process, running->fd, THE_ONLY_ONE, &in, err);
    ok = finish(process, running->pid, answered, err) && take_answer(process, &in, out, err);
    file_close(&running->fd);
    running->pid = 0;
    bytes_free(&in);
    return ok;
}

bool openpgp_process_next(struct openpgp_running *running, struct bytes *out,
                          struct hallmark_error *err)
{
    const struct openpgp_process *process = &running->process;
    struct bytes in = {0};
    bool ok = read_answer(process, running->fd, ONE_OF_SEVERAL, &in, err);

    /* One that ends before it has answered tells by its end why. */
    if (ok && count_missing(&in) > 0) {
        ok = finish(process, running->pid, true, err) && take_answer(process, &in, out, err);
        file_close(&running->fd);
        running->pid = 0;
    } else {
        ok = ok && take_answer(process, &in, out, err);
    }
    if (!ok)
        openpgp_process_stop(running);
    bytes_free(&in);
    return ok;
}

void openpgp_process_stop(struct openpgp_running *running)
{
    struct hallmark_error ignored = {0};

    if (running->pid <= 0)
        return;
    file_close(&running->fd);
    finish(&running->process, running->pid, false, &ignored);
    running->pid = 0;
}

bool openpgp_process_run(const struct openpgp_process *process, struct bytes *out,
                         struct hallmark_error *err)
{
    struct openpgp_running running;

    return openpgp_process_start(process, &running, err) && openpgp_process_end(&running, out, err);
}
