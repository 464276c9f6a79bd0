/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs a command and lets the K-th of its system calls of a kind end in a fault: in SIGKILL for it
 * and all its processes, or for it alone, in an error, in half of a write, in a power cut of ext4.
 * Processes that it forks are followed; what they execute (gpg) is let go.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

enum { MAX_TASKS = 64, MAX_RELEASED = 512, TEXT_LEN = 4096, EXIT_TROUBLE = 125, N_ARGS = 6 };

static const struct call *find_call(uint64_t number)
{
    size_t i;

    for (i = 0; i < sizeof calls / sizeof *calls; i++)
        if ((uint64_t)calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* ---- What is to be done ------------------------------------------------------------------------
 */

enum fault { COUNT, KILL, KILL_ONE, FAIL, SHORT, POWER, RUN };

struct task {
    pid_t pid;
    bool is_fresh;                        /* its first stop is not a signal to deliver */
    bool is_faulty;                       /* the call that it is in gets RESULT, if not 0 */
    long result;                          /* a negated errno, 0 for what the kernel says */
    struct __ptrace_syscall_info entered; /* that call */
};

struct tracer {
    enum fault fault;
    unsigned long point;   /* K */
    unsigned sets;         /* of enum set */
    const char *name;      /* of the only call that counts; NULL: all of the sets */
    const char *from;      /* counts only behind the first call about a path with this text */
    int error;             /* for FAIL */
    const char *directory; /* for POWER */
    uint32_t flag;         /* for POWER */
    const char *command;   /* for RUN */
    FILE *report;          /* NULL: none */
    bool lists;            /* every call that counts goes to the report */
    unsigned long n_calls;
    pid_t leader;
    int status; /* of the leader */
    struct task tasks[MAX_TASKS];
    size_t n_tasks;
    int released[MAX_RELEASED]; /* pidfds of what was executed */
    size_t n_released;
};

static void die(const char *what)
{
    fprintf(stderr, "tracer: %s: %s\n", what, strerror(errno));
    exit(EXIT_TROUBLE);
}

/* ---- Looking into a task -----------------------------------------------------------------------
 */

/* The string at ADDRESS, as far as it can be read. */
static void read_string(pid_t pid, uint64_t address, char *out, size_t len)
{
    struct iovec local = {out, len - 1}, remote = {(void *)(uintptr_t)address, len - 1};
    enum { PAGE = 4096 };
    ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

    if (n < 0) { /* it may end within a page */
        local.iov_len = remote.iov_len =
            PAGE - address % PAGE < len ? PAGE - address % PAGE : len - 1;
        n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    }
    out[n < 0 ? 0 : n] = '\0';
}

/* Where the descriptor FD of PID leads to. */
static void read_descriptor(pid_t pid, int fd, char *out, size_t len)
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, fd == AT_FDCWD ? "/proc/%d/cwd" : "/proc/%d/fd/%d", (int)pid, fd);
    n = readlink(link, out, len - 1);
    out[n < 0 ? 0 : n] = '\0';
}

static bool is_regular(pid_t pid, int fd)
{
    char link[64];
    struct stat st;

    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, fd);
    return stat(link, &st) == 0 && S_ISREG(st.st_mode);
}

static void describe(pid_t pid, const struct call *call, const uint64_t *args, char *out,
                     size_t len)
{
    size_t used = 0;

    *out = '\0';
    if (call->about == NOTHING)
        return;
    if (call->path < 0) {
        read_descriptor(pid, (int)args[0], out, len);
        return;
    }
    read_string(pid, args[call->path], out, len);
    if (call->dir < 0 || *out == '/')
        return;
    read_descriptor(pid, (int)args[call->dir], out, len - 2);
    used = strlen(out);
    out[used++] = '/';
    read_string(pid, args[call->path], out + used, len - used);
}

/* Which set a call belongs to now; 0 where it does not count. */
static unsigned set_of(pid_t pid, const struct call *call, const uint64_t *args, const char *what)
{
    uint64_t flags = call->about == OPEN ? args[call->path + 1] : 0;

    if (strncmp(what, "/dev/null", 9) == 0 || strncmp(what, "/dev/tty", 8) == 0)
        return OTHER;
    if (call->about == OPEN && (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == 0)
        return READ;
    if (call->about == DATA && !is_regular(pid, (int)args[0]))
        return OTHER;
    return call->set;
}

/* ---- Registers: the arguments and the result of a call -----------------------------------------
 */

#if defined(__x86_64__)
enum { FIRST_KEPT = 0 }; /* the first argument's register that holds it to the call's end */

static void set_argument(struct user_regs_struct *regs, int index, uint64_t value)
{
    unsigned long long int *const args[N_ARGS] = {&regs->rdi, &regs->rsi, &regs->rdx,
                                                  &regs->r10, &regs->r8,  &regs->r9};

    *args[index] = value;
}

static void set_result(struct user_regs_struct *regs, long value)
{
    regs->rax = (unsigned long long)value;
}
#elif defined(__aarch64__)
enum { FIRST_KEPT = 1 }; /* the first argument's register is the result's as well */

static void set_argument(struct user_regs_struct *regs, int index, uint64_t value)
{
    regs->regs[index] = value;
}

static void set_result(struct user_regs_struct *regs, long value)
{
    regs->regs[0] = (unsigned long long)value;
}
#else
#error "tracer: this architecture is not known"
#endif

static void get_registers(pid_t pid, struct user_regs_struct *regs)
{
    struct iovec iov = {regs, sizeof *regs};

    if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &iov) < 0)
        die("PTRACE_GETREGSET");
}

static void put_registers(pid_t pid, struct user_regs_struct *regs)
{
    struct iovec iov = {regs, sizeof *regs};

    if (ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &iov) < 0)
        die("PTRACE_SETREGSET");
}

static void change_argument(pid_t pid, int index, uint64_t value)
{
    struct user_regs_struct regs;

    get_registers(pid, &regs);
    set_argument(&regs, index, value);
    put_registers(pid, &regs);
}

/* The kernel leaves the arguments' registers alone, and the program counts on that. */
static void finish_call(struct task *task)
{
    struct user_regs_struct regs;
    int i;

    get_registers(task->pid, &regs);
    for (i = FIRST_KEPT; i < N_ARGS; i++)
        set_argument(&regs, i, task->entered.entry.args[i]);
    if (task->result)
        set_result(&regs, task->result);
    put_registers(task->pid, &regs);
    task->is_faulty = false;
}

/* ---- Faults ------------------------------------------------------------------------------------
 */

static void kill_all(struct tracer *t)
{
    size_t i;

    for (i = 0; i < t->n_tasks; i++)
        kill(t->tasks[i].pid, SIGKILL);
    for (i = 0; i < t->n_released; i++)
        syscall(SYS_pidfd_send_signal, t->released[i], SIGKILL, NULL, 0);
}

static void cut_power(const struct tracer *t)
{
    const unsigned long request = _IOR('X', 125, uint32_t); /* EXT4_IOC_SHUTDOWN */
    int fd = open(t->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || ioctl(fd, request, &t->flag) < 0)
        die(t->directory);
    close(fd);
}

static void fail_call(struct tracer *t, struct task *task, const struct call *call)
{
    if (call->spoil >= 0)
        change_argument(task->pid, call->spoil, UINT64_MAX);
    task->is_faulty = true;
    task->result = -t->error;
}

static void shorten_call(struct task *task, const struct call *call)
{
    uint64_t len = task->entered.entry.args[2];

    if (call->about != DATA || len < 2)
        return;
    change_argument(task->pid, 2, len / 2);
    task->is_faulty = true;
    task->result = 0;
}

static void strike(struct tracer *t, struct task *task, const struct call *call)
{
    switch (t->fault) {
    case KILL:
        kill_all(t);
        break;
    case KILL_ONE:
        kill(t->leader, SIGKILL);
        break;
    case POWER:
        cut_power(t);
        kill_all(t);
        break;
    case FAIL:
        fail_call(t, task, call);
        break;
    case SHORT:
        shorten_call(task, call);
        break;
    case RUN:
        if (system(t->command) != 0)
            die(t->command);
        break;
    case COUNT:
        break;
    }
}

static void enter_call(struct tracer *t, struct task *task)
{
    const struct call *call = find_call(task->entered.entry.nr);
    const uint64_t *args = (const uint64_t *)task->entered.entry.args;
    char what[TEXT_LEN];

    if (!call)
        return;
    describe(task->pid, call, args, what, sizeof what);
    if (t->from && !strstr(what, t->from))
        return;
    t->from = NULL;
    if (!(set_of(task->pid, call, args, what) & t->sets) ||
        (t->name && strcmp(call->name, t->name) != 0))
        return;
    t->n_calls++;
    if (t->report && (t->lists || t->n_calls == t->point)) {
        fprintf(t->report, "%s %lu %s %s\n", t->lists ? "call" : "hit", t->n_calls, call->name,
                what);
        fflush(t->report); /* a hang may be the end */
    }
    if (t->n_calls == t->point)
        strike(t, task, call);
}

/* ---- Tasks -------------------------------------------------------------------------------------
 */

static struct task *find_task(struct tracer *t, pid_t pid)
{
    size_t i;

    for (i = 0; i < t->n_tasks; i++)
        if (t->tasks[i].pid == pid)
            return &t->tasks[i];
    return NULL;
}

static struct task *add_task(struct tracer *t, pid_t pid)
{
    struct task *task = find_task(t, pid);

    if (task)
        return task;
    if (t->n_tasks == MAX_TASKS) {
        errno = E2BIG;
        die("too many processes");
    }
    task = &t->tasks[t->n_tasks++];
    *task = (struct task){.pid = pid, .is_fresh = true};
    return task;
}

static void remove_task(struct tracer *t, pid_t pid)
{
    struct task *task = find_task(t, pid);

    if (task)
        *task = t->tasks[--t->n_tasks];
}

/* A task that executes something else is left to itself. */
static void release(struct tracer *t, pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (fd >= 0 && t->n_released < MAX_RELEASED)
        t->released[t->n_released++] = fd;
    ptrace(PTRACE_DETACH, pid, NULL, NULL);
    remove_task(t, pid);
}

static void resume(pid_t pid, int signum)
{
    /* One that was killed meanwhile is gone already. */
    ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(uintptr_t)signum);
}

static void at_syscall(struct tracer *t, struct task *task)
{
    struct __ptrace_syscall_info info = {0};

    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->pid, (void *)sizeof info, &info) < 0)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        task->entered = info;
        enter_call(t, task);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && task->is_faulty) {
        finish_call(task);
    }
}

/* PID has stopped. */
static void at_stop(struct tracer *t, pid_t pid, int status)
{
    struct task *task = add_task(t, pid);
    int signum = WSTOPSIG(status), event = status >> 16;

    if (event == PTRACE_EVENT_EXEC && pid != t->leader) {
        release(t, pid);
        return;
    }
    if (signum == (SIGTRAP | 0x80))
        at_syscall(t, task);
    if (event || signum == (SIGTRAP | 0x80) || (signum == SIGSTOP && task->is_fresh))
        signum = 0;
    if (!event && status >> 8 == SIGSTOP)
        task->is_fresh = false;
    resume(pid, signum);
}

static void follow(struct tracer *t)
{
    int status;
    pid_t pid;

    /* All tracees: of one that was just forked, nothing has been heard yet. */
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFSTOPPED(status)) {
            at_stop(t, pid, status);
            continue;
        }
        remove_task(t, pid);
        if (pid == t->leader)
            t->status = status;
    }
}

static void start(struct tracer *t, char **argv)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    int status;

    t->leader = fork();
    if (t->leader < 0)
        die("fork");
    if (t->leader == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(argv[0], argv);
        die(argv[0]);
    }
    if (waitpid(t->leader, &status, 0) != t->leader || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, t->leader, NULL, (void *)options) < 0)
        die("cannot trace");
    add_task(t, t->leader)->is_fresh = false;
    resume(t->leader, 0);
}

/* ---- The command line --------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    int number;
} errors[] = {{"EIO", EIO},     {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT},
              {"EROFS", EROFS}, {"EMFILE", EMFILE}, {"ENFILE", ENFILE},
              {"EINTR", EINTR}, {"ENOMEM", ENOMEM}, {"EACCES", EACCES}};

static int error_number(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].number;
    return 0;
}

static void usage(void)
{
    fputs("usage: tracer --count | --kill K | --kill-one K | --fail K:ERRNO | --short K |\n"
          "              --power K:FLAG:DIR | --run K:COMMAND\n"
          "              [--set change|read|other]... [--call NAME] [--from TEXT] [--report FILE] "
          "[--list] -- "
          "COMMAND...\n"
          "Counts the system calls that change files (or read them, or others that can fail), and\n"
          "makes the K-th fail. The report gets \"hit K CALL PATH\", \"calls N\", and \"status "
          "N\".\n",
          stderr);
    exit(EXIT_TROUBLE);
}

static unsigned set_number(const char *name)
{
    if (strcmp(name, "change") == 0)
        return CHANGE;
    if (strcmp(name, "read") == 0)
        return READ;
    if (strcmp(name, "other") != 0)
        usage();
    return OTHER;
}

/* Takes K and what may stand behind it, of the option FAULT. */
static void parse_point(struct tracer *t, enum fault fault, char *text)
{
    char *end;

    t->fault = fault;
    t->point = strtoul(text, &end, 10);
    if (t->point == 0 || (*end == ':') != (fault == FAIL || fault == POWER || fault == RUN))
        usage();
    t->command = t->directory = end + 1;
    if (fault == FAIL && (t->error = error_number(end + 1)) == 0)
        usage();
    if (fault == POWER) {
        t->flag = (uint32_t)strtoul(end + 1, &end, 10);
        t->directory = end + 1;
    }
}

static void parse_option(struct tracer *t, int option)
{
    switch (option) {
    case 'r':
        t->report = fopen(optarg, "we");
        if (!t->report)
            die(optarg);
        break;
    case 's':
        t->sets |= set_number(optarg);
        break;
    case 'n':
        t->name = optarg;
        break;
    case 'f':
        t->from = optarg;
        break;
    case 'l':
        t->lists = true;
        break;
    case '?':
        usage();
        break;
    default:
        if (option != COUNT)
            parse_point(t, (enum fault)option, optarg);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"count", no_argument, NULL, COUNT},
        {"kill", required_argument, NULL, KILL},
        {"kill-one", required_argument, NULL, KILL_ONE},
        {"fail", required_argument, NULL, FAIL},
        {"short", required_argument, NULL, SHORT},
        {"power", required_argument, NULL, POWER},
        {"run", required_argument, NULL, RUN},
        {"set", required_argument, NULL, 's'},
        {"call", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, 'f'},
        {"report", required_argument, NULL, 'r'},
        {"list", no_argument, NULL, 'l'},
        {0},
    };
    static struct tracer t;
    int option;

    while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0)
        parse_option(&t, option);
    if (optind == argc)
        usage();
    if (!t.sets)
        t.sets = CHANGE;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    start(&t, argv + optind);
    follow(&t);
    if (t.report) {
        fprintf(t.report, "calls %lu\nstatus %d\n", t.n_calls,
                WIFSIGNALED(t.status) ? 128 + WTERMSIG(t.status) : WEXITSTATUS(t.status));
        fclose(t.report);
    }
    return WIFSIGNALED(t.status) ? 128 + WTERMSIG(t.status) : WEXITSTATUS(t.status);
}
