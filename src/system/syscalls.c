/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allow-lists of system calls, by libseccomp. Calls that an architecture lacks are passed over. */
#include "system/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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

enum { READER = 1 << SANDBOX_READER, WRITER = 1 << SANDBOX_WRITER, BOTH = READER | WRITER };

static const struct rule rules[] = {
    /* ending, and what the C library does by itself */
    {"exit_group", BOTH, 0, 0, 0},
    {"exit", BOTH, 0, 0, 0},
    {"rt_sigreturn", BOTH, 0, 0, 0},
    {"sigreturn", BOTH, 0, 0, 0},
    {"restart_syscall", BOTH, 0, 0, 0},
    {"futex", BOTH, 0, 0, 0},
    {"futex_time64", BOTH, 0, 0, 0},
    {"getrandom", BOTH, 0, 0, 0},
    {"clock_gettime", BOTH, 0, 0, 0},
    {"clock_gettime64", BOTH, 0, 0, 0},
    {"gettimeofday", BOTH, 0, 0, 0},
    {"time", BOTH, 0, 0, 0},
    /* memory, never executable */
    {"brk", BOTH, 0, 0, 0},
    {"munmap", BOTH, 0, 0, 0},
    {"mremap", BOTH, 0, 0, 0},
    {"madvise", BOTH, 0, 0, 0},
    {"mprotect", BOTH, 2, PROT_EXEC, 0},
    /* descriptors that are given */
    {"close", BOTH, 0, 0, 0},
    {"sendmsg", BOTH, 0, 0, 0},
    {"recvmsg", BOTH, 0, 0, 0},
    {"write", BOTH, 0, 0, 0},
    {"writev", BOTH, 0, 0, 0},
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
#if SANDBOX_SANITIZED
    {"mmap", BOTH, 2, PROT_EXEC, 0},
    {"rt_sigprocmask", BOTH, 0, 0, 0},
    {"rt_sigaction", BOTH, 0, 0, 0},
    {"sigaltstack", BOTH, 0, 0, 0},
    {"getpid", BOTH, 0, 0, 0},
    {"gettid", BOTH, 0, 0, 0},
    {"sched_yield", BOTH, 0, 0, 0},
    {"prctl", BOTH, 0, 0, 0},
    {"openat", BOTH, 0, 0, 0},
    {"readlink", BOTH, 0, 0, 0},
    {"fstat", BOTH, 0, 0, 0},
    {"newfstatat", BOTH, 0, 0, 0},
    {"read", BOTH, 0, 0, 0},
    {"ioctl", BOTH, 0, 0, 0},
    {"sysinfo", BOTH, 0, 0, 0},
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
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int result = ctx ? add_rules(ctx, role) : -ENOMEM;

    if (result == 0)
        result = load(ctx);
    seccomp_release(ctx);
    errno = -result;
    return result == 0;
}
