/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allow-lists of system calls, by libseccomp. Calls that an architecture lacks are passed over. */
#include "system/syscalls.h"

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>

/* An int argument; what stands above it in the register is undefined. */
#define WORD 0xffffffffU
/* No set-id bits, nothing that others may write. */
#define BAD_MODE (WORD & ~0755U)

struct rule {
    const char *name;
    unsigned roles;   /* 1 << enum sandbox_role */
    unsigned arg;     /* the argument that is checked */
    uint64_t mask;    /* 0: none is checked */
    uint64_t value;   /* of the argument under the mask */
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

bool syscalls_restrict(enum sandbox_role role)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int result;
    size_t i;

    if (!ctx) {
        errno = ENOMEM;
        return false;
    }
    result = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    for (i = 0; i < sizeof rules / sizeof *rules && result == 0; i++)
        if (rules[i].roles & 1U << role)
            result = add_rule(ctx, &rules[i]);
    if (result == 0)
        result = add_mmap(ctx, "mmap");
    if (result == 0)
        result = add_mmap(ctx, "mmap2");
    if (result == 0)
        result = seccomp_load(ctx);
    seccomp_release(ctx);
    errno = -result;
    return result == 0;
}
