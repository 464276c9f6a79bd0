/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allow-lists of system calls, by libseccomp. Calls that an architecture lacks are passed over. */
#include "system/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

/* An int argument; what stands above it in the register is undefined. */
#define WORD 0xffffffffU
/* No set-id bits, nothing that others may write. */
#define BAD_MODE (WORD & ~0755U)

struct rule {
    const char *name;
    unsigned roles; /* 1 << enum sandbox_role */
    unsigned arg;   /* the argument that is checked */
    uint64_t mask;  /* 0: none is checked */
    uint64_t value; /* of the argument under the mask */
};

enum {
    READER = 1 << SANDBOX_READER,
    WRITER = 1 << SANDBOX_WRITER,
    NETWORK = 1 << SANDBOX_NETWORK,
    BOTH = READER | WRITER,
    EVERY = BOTH | NETWORK,
};

/* Flags of open(2) that no reader needs. */
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)

static const struct rule rules[] = {
    /* ending, and what the C library does by itself */
    {"exit_group", EVERY, 0, 0, 0},
    {"exit", EVERY, 0, 0, 0},
    {"rt_sigreturn", EVERY, 0, 0, 0},
    {"sigreturn", EVERY, 0, 0, 0},
    {"restart_syscall", EVERY, 0, 0, 0},
    {"futex", EVERY, 0, 0, 0},
    {"futex_time64", EVERY, 0, 0, 0},
    {"getrandom", EVERY, 0, 0, 0},
    {"clock_gettime", EVERY, 0, 0, 0},
    {"clock_gettime64", EVERY, 0, 0, 0},
    {"gettimeofday", EVERY, 0, 0, 0},
    {"time", EVERY, 0, 0, 0},
    /* memory, never executable */
    {"brk", EVERY, 0, 0, 0},
    {"munmap", EVERY, 0, 0, 0},
    {"mremap", EVERY, 0, 0, 0},
    {"madvise", EVERY, 0, 0, 0},
    {"mprotect", EVERY, 2, PROT_EXEC, 0},
    /* descriptors that are given */
    {"close", EVERY, 0, 0, 0},
    {"sendmsg", EVERY, 0, 0, 0},
    {"recvmsg", EVERY, 0, 0, 0},
    {"write", EVERY, 0, 0, 0},
    {"writev", EVERY, 0, 0, 0},
    {"pread64", READER, 0, 0, 0},
    {"read", WRITER, 0, 0, 0},
    {"pwrite64", WRITER, 0, 0, 0},
    {"lseek", WRITER, 0, 0, 0},
    {"_llseek", WRITER, 0, 0, 0},
    {"ftruncate", WRITER, 0, 0, 0},
    {"ftruncate64", WRITER, 0, 0, 0},
    /* files below the directory that Landlock leaves */
    {"openat", WRITER, 3, BAD_MODE, 0},
    {"mkdirat", WRITER, 2, BAD_MODE, 0},
    {"fchmod", WRITER, 1, BAD_MODE, 0},
    {"symlinkat", WRITER, 0, 0, 0},
    {"linkat", WRITER, 4, WORD, 0},
    {"utimensat", WRITER, 0, 0, 0},
    {"utimensat_time64", WRITER, 0, 0, 0},
    {"newfstatat", WRITER, 0, 0, 0},
    {"fstatat64", WRITER, 0, 0, 0},
    {"fstat", WRITER, 0, 0, 0},
    {"fstat64", WRITER, 0, 0, 0},
    {"statx", WRITER, 0, 0, 0},
    /* connections, and the resolver in its threads; never a process */
    {"socket", NETWORK, 0, WORD, AF_INET},
    {"socket", NETWORK, 0, WORD, AF_INET6},
    {"socketpair", NETWORK, 0, 0, 0},
    {"connect", NETWORK, 0, 0, 0},
    {"getsockopt", NETWORK, 0, 0, 0},
    {"setsockopt", NETWORK, 0, 0, 0},
    {"getsockname", NETWORK, 0, 0, 0},
    {"getpeername", NETWORK, 0, 0, 0},
    {"sendto", NETWORK, 0, 0, 0},
    {"sendmmsg", NETWORK, 0, 0, 0},
    {"recvfrom", NETWORK, 0, 0, 0},
    {"recvmmsg", NETWORK, 0, 0, 0},
    {"shutdown", NETWORK, 0, 0, 0},
    {"poll", NETWORK, 0, 0, 0},
    {"ppoll", NETWORK, 0, 0, 0},
    {"ppoll_time64", NETWORK, 0, 0, 0},
    {"select", NETWORK, 0, 0, 0},
    {"pselect6", NETWORK, 0, 0, 0},
    {"pselect6_time64", NETWORK, 0, 0, 0},
    {"epoll_create1", NETWORK, 0, 0, 0},
    {"epoll_ctl", NETWORK, 0, 0, 0},
    {"epoll_wait", NETWORK, 0, 0, 0},
    {"epoll_pwait", NETWORK, 0, 0, 0},
    {"eventfd2", NETWORK, 0, 0, 0},
    {"pipe2", NETWORK, 0, 0, 0},
    {"fcntl", NETWORK, 0, 0, 0},
    {"fcntl64", NETWORK, 0, 0, 0},
    {"ioctl", NETWORK, 1, WORD, FIONBIO},
    {"ioctl", NETWORK, 1, WORD, FIONREAD},
    {"read", NETWORK, 0, 0, 0},
    {"readv", NETWORK, 0, 0, 0},
    {"openat", NETWORK, 2, WRITING, O_RDONLY},
    {"newfstatat", NETWORK, 0, 0, 0},
    {"fstatat64", NETWORK, 0, 0, 0},
    {"fstat", NETWORK, 0, 0, 0},
    {"fstat64", NETWORK, 0, 0, 0},
    {"statx", NETWORK, 0, 0, 0},
    {"lseek", NETWORK, 0, 0, 0},
    {"_llseek", NETWORK, 0, 0, 0},
    {"clone", NETWORK, 0, CLONE_THREAD, CLONE_THREAD},
    {"set_robust_list", NETWORK, 0, 0, 0},
    {"rseq", NETWORK, 0, 0, 0},
    {"rt_sigprocmask", NETWORK, 0, 0, 0},
    {"rt_sigaction", NETWORK, 0, 0, 0},
    {"getpid", NETWORK, 0, 0, 0},
    {"gettid", NETWORK, 0, 0, 0},
    {"getuid", NETWORK, 0, 0, 0},
    {"geteuid", NETWORK, 0, 0, 0},
    {"sched_yield", NETWORK, 0, 0, 0},
    {"nanosleep", NETWORK, 0, 0, 0},
    {"clock_nanosleep", NETWORK, 0, 0, 0},
    {"clock_nanosleep_time64", NETWORK, 0, 0, 0},
    {"uname", NETWORK, 0, 0, 0},
#if SANDBOX_SANITIZED
    {"mmap", EVERY, 2, PROT_EXEC, 0},
    {"rt_sigprocmask", EVERY, 0, 0, 0},
    {"rt_sigaction", EVERY, 0, 0, 0},
    {"sigaltstack", EVERY, 0, 0, 0},
    {"getpid", EVERY, 0, 0, 0},
    {"gettid", EVERY, 0, 0, 0},
    {"sched_yield", EVERY, 0, 0, 0},
    {"prctl", EVERY, 0, 0, 0},
    {"openat", EVERY, 0, 0, 0},
    {"readlink", EVERY, 0, 0, 0},
    {"fstat", EVERY, 0, 0, 0},
    {"newfstatat", EVERY, 0, 0, 0},
    {"read", EVERY, 0, 0, 0},
    {"ioctl", EVERY, 0, 0, 0},
    {"sysinfo", EVERY, 0, 0, 0},
#endif
};

static int add_rule(scmp_filter_ctx ctx, const struct rule *rule)
{
    struct scmp_arg_cmp cmp = SCMP_CMP(rule->arg, SCMP_CMP_MASKED_EQ, rule->mask, rule->value);
    int number = seccomp_syscall_resolve_name(rule->name);

    if (number < 0)
        return 0;
    return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, rule->mask != 0, &cmp);
}

/* Anonymous memory only: no file can be mapped, and none of it executed. */
static int add_mmap(scmp_filter_ctx ctx, const char *name)
{
    struct scmp_arg_cmp cmp[] = {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                 SCMP_A4(SCMP_CMP_MASKED_EQ, WORD, WORD)};
    int number = seccomp_syscall_resolve_name(name);

    return number < 0 ? 0 : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, 2, cmp);
}

static int add_rules(scmp_filter_ctx ctx, enum sandbox_role role)
{
    int result = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    size_t i;

    for (i = 0; i < sizeof rules / sizeof *rules && result == 0; i++)
        if (rules[i].roles & 1U << role)
            result = add_rule(ctx, &rules[i]);
    if (result == 0)
        result = add_mmap(ctx, "mmap");
    return result ? result : add_mmap(ctx, "mmap2");
}

/* The filter, behind two steps of our own: call number -1 just fails. No kernel has such a call,
 * but it is what ptrace(2) leaves of one that a tracer took the place of, as strace --inject does
 * in tests. */
static int compile(scmp_filter_ctx ctx, struct sock_filter *out, unsigned short *n_out)
{
    const struct sock_filter first[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WORD, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    enum { N_FIRST = sizeof first / sizeof *first };
    int pipefd[2], result;
    ssize_t len = -1;

    /* Not a file, which the limits forbid by now; and the filter is shorter than a pipe holds. */
    if (pipe2(pipefd, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    memcpy(out, first, sizeof first);
    result = seccomp_export_bpf(ctx, pipefd[1]);
    if (result == 0)
        len = file_read_some(pipefd[0], out + N_FIRST, (BPF_MAXINSNS - N_FIRST) * sizeof *out);
    if (result == 0 && (len <= 0 || len % (ssize_t)sizeof *out != 0))
        result = -EINVAL;
    *n_out = (unsigned short)(N_FIRST + len / (ssize_t)sizeof *out);
    file_close(&pipefd[0]);
    file_close(&pipefd[1]);
    return result;
}

static int load(scmp_filter_ctx ctx)
{
    struct sock_filter *filter = alloc_array(BPF_MAXINSNS, sizeof *filter);
    struct sock_fprog program = {.filter = filter};
    int result = compile(ctx, filter, &program.len);

    if (result == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0))
        result = -errno;
    free(filter);
    return result;
}

bool syscalls_restrict(enum sandbox_role role)
{
    /* What the network role calls differs from system to system: there it fails, as a call fails
     * that the kernel does not know. */
    scmp_filter_ctx ctx =
        seccomp_init(role == SANDBOX_NETWORK ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_KILL_PROCESS);
    int result = ctx ? add_rules(ctx, role) : -ENOMEM;

    if (result == 0)
        result = load(ctx);
    seccomp_release(ctx);
    errno = -result;
    return result == 0;
}
