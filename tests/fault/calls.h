/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system calls that the tracer knows: what they are about, and how to make them do nothing. */
#ifndef FAULT_CALLS_H
#define FAULT_CALLS_H

#include <sys/syscall.h>

/* What may be counted; a bit each. */
enum set { CHANGE = 1, READ = 2, OTHER = 4 };

/* How to find out what a call is about. */
enum about {
    PATH, /* args[path] is a path, at the directory args[dir], unless that is -1 */
    OPEN, /* likewise, and args[flags] says whether it is about writing */
    DESCRIPTOR /* args[0] */,
    DATA,    /* likewise, counts only for regular files; args[2] is a length */
    NOTHING, /* none of these */
};

struct call {
    long number;
    const char *name;
    enum set set;
    enum about about;
    int dir, path; /* indices of arguments, -1 for none */
    int spoil; /* the argument that, being -1, makes the call fail without doing anything; -1: do it
                */
};

static const struct call calls[] = {
#ifdef SYS_open
    {SYS_open, "open", CHANGE, OPEN, -1, 0, 0},
    {SYS_creat, "creat", CHANGE, PATH, -1, 0, 0},
    {SYS_mkdir, "mkdir", CHANGE, PATH, -1, 0, 0},
    {SYS_rmdir, "rmdir", CHANGE, PATH, -1, 0, 0},
    {SYS_rename, "rename", CHANGE, PATH, -1, 1, 0},
    {SYS_link, "link", CHANGE, PATH, -1, 1, 0},
    {SYS_symlink, "symlink", CHANGE, PATH, -1, 1, 0},
    {SYS_unlink, "unlink", CHANGE, PATH, -1, 0, 0},
    {SYS_chmod, "chmod", CHANGE, PATH, -1, 0, 0},
    {SYS_readlink, "readlink", READ, PATH, -1, 0, 0},
    {SYS_pipe, "pipe", OTHER, NOTHING, -1, -1, 0},
    {SYS_fork, "fork", OTHER, NOTHING, -1, -1, -1},
    {SYS_vfork, "vfork", OTHER, NOTHING, -1, -1, -1},
#endif
#ifdef SYS_renameat
    {SYS_renameat, "renameat", CHANGE, PATH, 2, 3, 1},
#endif
    {SYS_openat, "openat", CHANGE, OPEN, 0, 1, 1},
#ifdef SYS_openat2
    {SYS_openat2, "openat2", READ, PATH, 0, 1, 1},
#endif
    {SYS_mkdirat, "mkdirat", CHANGE, PATH, 0, 1, 1},
    {SYS_renameat2, "renameat2", CHANGE, PATH, 2, 3, 1},
    {SYS_linkat, "linkat", CHANGE, PATH, 2, 3, 1},
    {SYS_symlinkat, "symlinkat", CHANGE, PATH, 1, 2, 0},
    {SYS_unlinkat, "unlinkat", CHANGE, PATH, 0, 1, 1},
    {SYS_mknodat, "mknodat", CHANGE, PATH, 0, 1, 1},
    {SYS_fchmodat, "fchmodat", CHANGE, PATH, 0, 1, 1},
    {SYS_fchownat, "fchownat", CHANGE, PATH, 0, 1, 1},
    {SYS_truncate, "truncate", CHANGE, PATH, -1, 0, 0},
    {SYS_utimensat, "utimensat", CHANGE, DESCRIPTOR, -1, -1, 3},
    {SYS_fchmod, "fchmod", CHANGE, DESCRIPTOR, -1, -1, 0},
    {SYS_fchown, "fchown", CHANGE, DESCRIPTOR, -1, -1, 0},
    {SYS_ftruncate, "ftruncate", CHANGE, DESCRIPTOR, -1, -1, 0},
    {SYS_fallocate, "fallocate", CHANGE, DESCRIPTOR, -1, -1, 0},
    {SYS_fsync, "fsync", CHANGE, DESCRIPTOR, -1, -1, 0},
    {SYS_fdatasync, "fdatasync", CHANGE, DESCRIPTOR, -1, -1, 0},
    {SYS_syncfs, "syncfs", CHANGE, DESCRIPTOR, -1, -1, 0},
    {SYS_write, "write", CHANGE, DATA, -1, -1, 0},
    {SYS_pwrite64, "pwrite64", CHANGE, DATA, -1, -1, 0},
    {SYS_writev, "writev", CHANGE, DATA, -1, -1, 0},
    {SYS_pwritev, "pwritev", CHANGE, DATA, -1, -1, 0},
    {SYS_copy_file_range, "copy_file_range", CHANGE, DESCRIPTOR, -1, -1, 0},
    {SYS_read, "read", READ, DATA, -1, -1, 0},
    {SYS_pread64, "pread64", READ, DATA, -1, -1, 0},
    {SYS_readv, "readv", READ, DATA, -1, -1, 0},
    {SYS_getdents64, "getdents64", READ, DESCRIPTOR, -1, -1, 0},
    {SYS_readlinkat, "readlinkat", READ, PATH, 0, 1, 1},
    {SYS_newfstatat, "newfstatat", READ, PATH, 0, 1, 1},
    {SYS_fstat, "fstat", READ, DESCRIPTOR, -1, -1, 0},
    {SYS_statx, "statx", READ, PATH, 0, 1, 1},
    {SYS_lseek, "lseek", READ, DESCRIPTOR, -1, -1, 0},
    {SYS_close, "close", READ, DESCRIPTOR, -1, -1, -1}, /* closes although it fails */
    {SYS_flock, "flock", OTHER, DESCRIPTOR, -1, -1, 0},
    {SYS_pipe2, "pipe2", OTHER, NOTHING, -1, -1, 0},
    {SYS_socketpair, "socketpair", OTHER, NOTHING, -1, -1, 3},
    {SYS_sendmsg, "sendmsg", OTHER, DESCRIPTOR, -1, -1, 0},
    {SYS_recvmsg, "recvmsg", OTHER, DESCRIPTOR, -1, -1, 0},
    {SYS_recvfrom, "recvfrom", OTHER, DESCRIPTOR, -1, -1, 0},
    {SYS_setsid, "setsid", OTHER, NOTHING, -1, -1, -1},
    {SYS_chdir, "chdir", OTHER, PATH, -1, 0, 0},
    {SYS_prctl, "prctl", OTHER, NOTHING, -1, -1, 0},
    {SYS_getrandom, "getrandom", OTHER, NOTHING, -1, -1, 0},
    {SYS_mmap, "mmap", OTHER, NOTHING, -1, -1, 3},
};

#endif
