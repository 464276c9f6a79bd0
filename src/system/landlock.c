/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Landlock by its system calls; asks for what the kernel's version of the interface knows. */
#include "system/landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"

/* The same numbers on every architecture that Linux has had since 5.13. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum access_fs {
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,    /* since version 2: a link into another directory */
    TRUNCATE = 1 << 14, /* since version 3; ftruncate(2) for the end of a sparse file */
};

enum {
    ALL_FS_1 = (1 << 13) - 1, /* from EXECUTE to MAKE_SYM */
    ALL_FS_2 = ALL_FS_1 | REFER,
    ALL_FS_3 = ALL_FS_2 | TRUNCATE,
    ALL_FS_5 = ALL_FS_3 | 1 << 15, /* ioctl(2) on devices */
    BIND_TCP = 1 << 0,
    ALL_NET_4 = (1 << 2) - 1,    /* bind(2) and connect(2) of TCP */
    ALL_SCOPED_6 = (1 << 2) - 1, /* abstract unix sockets, signals */
};

/* struct landlock_ruleset_attr of version 6; older kernels accept it while the tail is zero. */
struct ruleset {
    uint64_t fs, net, scoped;
};

struct path_beneath {
    uint64_t access;
    int32_t fd;
} __attribute__((packed));

static bool ruleset_init(struct ruleset *out)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

    if (abi < 1) {
        if (abi == 0)
            errno = EOPNOTSUPP;
        return false;
    }
    out->fs = abi >= 5 ? ALL_FS_5 : abi >= 3 ? ALL_FS_3 : abi >= 2 ? ALL_FS_2 : ALL_FS_1;
    out->net = abi >= 4 ? ALL_NET_4 : 0;
    out->scoped = abi >= 6 ? ALL_SCOPED_6 : 0;
    return true;
}

/* Gives up what RULESET, a descriptor, does not allow. */
static bool enforce(int ruleset)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

bool landlock_restrict(int dirfd)
{
    struct ruleset all = {0};
    struct path_beneath beneath = {.fd = dirfd};
    bool ok;
    int fd;

    if (!ruleset_init(&all))
        return false;
    fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (fd < 0)
        return false;
    beneath.access = all.fs & (WRITE_FILE | READ_FILE | READ_DIR | MAKE_DIR | MAKE_REG | MAKE_SYM |
                               REFER | TRUNCATE);
    ok = (dirfd < 0 || syscall(SYS_landlock_add_rule, fd, RULE_PATH_BENEATH, &beneath, 0) == 0) &&
         enforce(fd);
    file_close(&fd);
    return ok;
}

bool landlock_restrict_to_files(const int *fds, size_t n)
{
    struct ruleset all = {0};
    bool ok = true;
    size_t i;
    int fd;

    if (!ruleset_init(&all))
        return false;
    all.net &= BIND_TCP;
    fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    if (fd < 0)
        return false;
    for (i = 0; ok && i < n; i++) {
        struct path_beneath beneath = {.access = READ_FILE, .fd = fds[i]};

        ok = syscall(SYS_landlock_add_rule, fd, RULE_PATH_BENEATH, &beneath, 0) == 0;
    }
    ok = ok && enforce(fd);
    file_close(&fd);
    return ok;
}
