/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layers around a worker process, in the order in which each leaves the next one possible. */
#include "system/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "system/landlock.h"
#include "system/syscalls.h"

enum {
    NOBODY = 65534,                   /* the id of no user and no group, the kernel's overflowuid */
    READER_FILES = 16,                /* the control socket, the package, the stream */
    WRITER_FILES = LIMITS_DEPTH + 32, /* and a directory for each level */
    NETWORK_FILES = 256,              /* connections, and two sockets for each name looked up */
};

/* What a role is allowed and called. */
static const struct {
    const char *name;
    rlim_t n_files;
    bool leaves_root, needs_landlock, has_threads;
} roles[] = {
    [SANDBOX_READER] = {"archive's reader", READER_FILES, true, false, false},
    [SANDBOX_WRITER] = {"archive's writer", WRITER_FILES, false, true, false},
    [SANDBOX_NETWORK] = {"network process", NETWORK_FILES, true, true, true},
};

static bool limit(int resource, rlim_t wanted)
{
    struct rlimit now;

    if (getrlimit((__rlimit_resource_t)resource, &now) < 0)
        return false;
    if (wanted > now.rlim_max)
        wanted = now.rlim_max;
    now.rlim_cur = now.rlim_max = wanted;
    return setrlimit((__rlimit_resource_t)resource, &now) == 0;
}

/* The address space in use; the limit counts from there, the parent may be a large program. */
static rlim_t memory_in_use(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f) {
        if (fscanf(f, "%lu", &pages) != 1)
            pages = 0;
        fclose(f);
    }
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static bool set_limits(const struct sandbox_spec *spec)
{
    if (!SANDBOX_SANITIZED && !limit(RLIMIT_AS, memory_in_use() + LIMITS_WORKER_MEMORY))
        return false;
    /* The limit of processes is one of threads, too; there the system calls are filtered. */
    return limit(RLIMIT_CORE, 0) && (roles[spec->role].has_threads || limit(RLIMIT_NPROC, 0)) &&
           limit(RLIMIT_FSIZE, spec->role == SANDBOX_WRITER ? spec->max_bytes : 0) &&
           limit(RLIMIT_NOFILE, roles[spec->role].n_files);
}

/* Root becomes nobody. Where a user namespace has no such user, root is nobody outside of it
 * anyway. */
static bool leave_root(unsigned *layers)
{
    if (geteuid() != 0)
        return true;
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0)
        return errno == EINVAL || errno == EPERM;
    *layers |= SANDBOX_USER;
    return true;
}

/* Root without capabilities owns what it makes and can do no more than any other user. */
static bool drop_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capset, &header, none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool refuse(const struct sandbox_spec *spec, const char *layer, struct hallmark_error *err)
{
    if (spec->level != HALLMARK_SANDBOX_REQUIRED)
        return true;
    return error_set_errno(err,
                           "the sandbox of the %s cannot be had, %s failed "
                           "(--sandbox=best-effort goes on without)",
                           roles[spec->role].name, layer);
}

static bool restrict_files(const struct sandbox_spec *spec)
{
    if (spec->role == SANDBOX_NETWORK)
        return landlock_restrict_to_files(spec->files, spec->n_files);
    return landlock_restrict(spec->role == SANDBOX_WRITER ? spec->dirfd : -1);
}

bool sandbox_enter(const struct sandbox_spec *spec, unsigned *layers, struct hallmark_error *err)
{
    pid_t parent = getppid();

    *layers = 0;
    if (spec->level == HALLMARK_SANDBOX_OFF)
        return true;
    if (set_limits(spec))
        *layers |= SANDBOX_RLIMITS;
    else if (!refuse(spec, "setting limits", err))
        return false;
    if (roles[spec->role].leaves_root && !leave_root(layers) &&
        !refuse(spec, "changing the user", err))
        return false;
    if (drop_privileges())
        *layers |= SANDBOX_NO_NEW_PRIVS;
    else if (!refuse(spec, "dropping privileges", err))
        return false;
    /* A change of the user takes these back. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
        getppid() != parent)
        return error_set_errno(err, "cannot tie a worker process to its parent");
    if (restrict_files(spec))
        *layers |= SANDBOX_LANDLOCK;
    else if (roles[spec->role].needs_landlock && !refuse(spec, "Landlock", err))
        return false;
    if (syscalls_restrict(spec->role))
        *layers |= SANDBOX_SECCOMP;
    else
        return refuse(spec, "seccomp", err);
    return true;
}

void sandbox_describe(unsigned layers, char *out, size_t out_len)
{
    static const struct {
        enum sandbox_layer layer;
        const char *name;
    } names[] = {{SANDBOX_SECCOMP, "seccomp"},
                 {SANDBOX_LANDLOCK, "landlock"},
                 {SANDBOX_RLIMITS, "rlimits"},
                 {SANDBOX_NO_NEW_PRIVS, "no-new-privs"},
                 {SANDBOX_USER, "user"}};
    size_t i, used = 0;

    snprintf(out, out_len, "none");
    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (layers & names[i].layer && used < out_len)
            used += (size_t)snprintf(out + used, out_len - used, "%s%s", used ? " " : "",
                                     names[i].name);
}
