/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a process cannot do any more once it has narrowed itself. Each attempt runs in a process of
 * its own, whose exit status is the outcome.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/sandbox.h"
#include "temporary.h"

enum { ALLOWED = 42, FORBIDDEN = 43, BROKEN = 44 };

static char *dir; /* the writer's */
static int dirfd_;

/* True where the attempt succeeded. */
typedef bool attempt_fn(void);

static bool try_open(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool try_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static bool try_exec(void)
{
    char arg[] = "/bin/true", *argv[] = {arg, NULL};

    return execv(arg, argv) == 0;
}

static bool try_kill(void)
{
    return kill(getppid(), 0) == 0;
}

static bool try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool try_executable_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool try_mapping_a_file(void)
{
    return mmap(NULL, 4096, PROT_READ, MAP_SHARED, dirfd_, 0) != MAP_FAILED;
}

static bool try_mknod(void)
{
    return mknodat(dirfd_, "fifo", S_IFIFO | 0600, 0) == 0;
}

static bool try_chown(void)
{
    return fchown(dirfd_, 0, 0) == 0;
}

static bool try_rename(void)
{
    return renameat(dirfd_, "a", dirfd_, "b") == 0;
}

static bool try_unlink(void)
{
    return unlinkat(dirfd_, "a", 0) == 0;
}

static bool try_setuid_file(void)
{
    return openat(dirfd_, "suid", O_WRONLY | O_CREAT | O_EXCL, 04755) >= 0;
}

static bool try_public_directory(void)
{
    return mkdirat(dirfd_, "public", 0777) == 0;
}

static bool try_setuid_mode(void)
{
    int fd = openat(dirfd_, "mode", O_WRONLY | O_CREAT | O_EXCL, 0600);

    return fd >= 0 && fchmod(fd, 04755) == 0;
}

static bool try_escape(void)
{
    return openat(dirfd_, "../hallmark-test-escaped", O_WRONLY | O_CREAT, 0600) >= 0;
}

static bool try_reading_outside(void)
{
    return openat(dirfd_, "../../etc/passwd", O_RDONLY) >= 0;
}

static bool try_large_file(void)
{
    int fd = openat(dirfd_, "large", O_WRONLY | O_CREAT | O_EXCL, 0600);
    char byte = 0;

    return fd < 0 || pwrite(fd, &byte, 1, 1000) == 1;
}

static bool try_much_memory(void)
{
    return mmap(NULL, 1UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

/* What a writer needs. */
static bool try_making_a_tree(void)
{
    const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    int d, fd = -1;

    if (mkdirat(dirfd_, "d", 0755) < 0 || mkdirat(dirfd_, "e", 0755) < 0)
        return false;
    d = openat(dirfd_, "d", O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (d >= 0)
        fd = openat(d, "f", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
    return fd >= 0 && pwrite(fd, "x", 1, 0) == 1 && ftruncate(fd, 100) == 0 &&
           futimens(fd, times) == 0 && fchmod(fd, 0755) == 0 && close(fd) == 0 &&
           symlinkat("f", d, "l") == 0 && linkat(d, "f", d, "g", 0) == 0 &&
           utimensat(d, "l", times, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool try_local_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_NETLINK, SOCK_RAW, 0) >= 0 ||
           socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool try_writing_what_may_be_read(void)
{
    return open("/etc/hosts", O_RDWR) >= 0 || open("/etc/hosts", O_RDONLY | O_TRUNC) >= 0;
}

static void *end_of_thread(void *arg)
{
    return arg;
}

/* What the network process needs: its file, a server, a thread for the resolver. */
static bool try_networking(void)
{
    static int mark;
    void *result = NULL;
    pthread_t thread;
    int fd = open("/etc/hosts", O_RDONLY);

    return fd >= 0 && close(fd) == 0 && try_socket() &&
           pthread_create(&thread, NULL, end_of_thread, &mark) == 0 &&
           pthread_join(thread, &result) == 0 && result == &mark;
}

static int run(enum sandbox_role role, attempt_fn *attempt)
{
    int hosts = open("/etc/hosts", O_PATH | O_CLOEXEC);
    struct sandbox_spec spec = {.level = HALLMARK_SANDBOX_REQUIRED,
                                .role = role,
                                .dirfd = dirfd_,
                                .max_bytes = 1000,
                                .files = &hosts,
                                .n_files = 1};
    struct hallmark_error err = {0};
    unsigned layers;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        umask(0);
        if (!sandbox_enter(&spec, &layers, &err))
            _exit(BROKEN);
        _exit(attempt() ? ALLOWED : FORBIDDEN);
    }
    assert_true(pid > 0);
    close(hosts);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void sandbox_rejects_what_a_reader_does_not_need(void **state)
{
    static attempt_fn *const attempts[] = {
        try_socket, try_fork,  try_exec,   try_kill,   try_ptrace,           try_executable_memory,
        try_mknod,  try_chown, try_rename, try_unlink, try_public_directory,
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof attempts / sizeof *attempts; i++)
        if (run(SANDBOX_READER, attempts[i]) != SIGSYS)
            fail_msg("attempt %zu", i);
    if (!SANDBOX_SANITIZED) {
        assert_int_equal(run(SANDBOX_READER, try_open), SIGSYS);
        assert_int_equal(run(SANDBOX_READER, try_setuid_file), SIGSYS);
        assert_int_equal(run(SANDBOX_READER, try_mapping_a_file), SIGSYS);
        assert_int_equal(run(SANDBOX_READER, try_much_memory), FORBIDDEN);
    }
}

static void sandbox_rejects_what_a_writer_does_not_need(void **state)
{
    static attempt_fn *const attempts[] = {
        try_socket, try_fork,  try_exec,   try_kill,   try_ptrace,
        try_mknod,  try_chown, try_rename, try_unlink, try_executable_memory,
    };
    static attempt_fn *const modes[] = {try_setuid_file, try_public_directory, try_setuid_mode};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof attempts / sizeof *attempts; i++)
        if (run(SANDBOX_WRITER, attempts[i]) != SIGSYS)
            fail_msg("attempt %zu", i);
    for (i = 0; i < sizeof modes / sizeof *modes; i++)
        if (run(SANDBOX_WRITER, modes[i]) != SIGSYS && !(SANDBOX_SANITIZED && i == 0))
            fail_msg("mode %zu", i);
    /* These calls it needs, but not there, and not so large. */
    assert_int_equal(run(SANDBOX_WRITER, try_open), FORBIDDEN);
    assert_int_equal(run(SANDBOX_WRITER, try_escape), FORBIDDEN);
    assert_int_equal(run(SANDBOX_WRITER, try_reading_outside), FORBIDDEN);
    assert_int_equal(run(SANDBOX_WRITER, try_large_file), FORBIDDEN);
}

static void sandbox_accepts_what_a_writer_needs(void **state)
{
    (void)state;
    assert_int_equal(run(SANDBOX_WRITER, try_making_a_tree), ALLOWED);
}

/* Nothing ends the process: these calls fail. */
static void sandbox_rejects_what_the_network_does_not_need(void **state)
{
    static attempt_fn *const attempts[] = {
        try_open,
        try_fork,
        try_exec,
        try_kill,
        try_ptrace,
        try_executable_memory,
        try_mknod,
        try_chown,
        try_rename,
        try_unlink,
        try_public_directory,
        try_setuid_file,
        try_escape,
        try_reading_outside,
        try_local_socket,
        try_writing_what_may_be_read,
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof attempts / sizeof *attempts; i++)
        if (run(SANDBOX_NETWORK, attempts[i]) != FORBIDDEN)
            fail_msg("attempt %zu", i);
    if (!SANDBOX_SANITIZED) {
        assert_int_equal(run(SANDBOX_NETWORK, try_mapping_a_file), FORBIDDEN);
        assert_int_equal(run(SANDBOX_NETWORK, try_much_memory), FORBIDDEN);
    }
}

static void sandbox_accepts_what_the_network_needs(void **state)
{
    (void)state;
    if (access("/etc/hosts", R_OK) != 0)
        skip();
    assert_int_equal(run(SANDBOX_NETWORK, try_networking), ALLOWED);
}

static void sandbox_accepts_and_describes_layers(void **state)
{
    char text[128], small[8];

    (void)state;
    sandbox_describe(0, text, sizeof text);
    assert_string_equal(text, "none");
    sandbox_describe(SANDBOX_SECCOMP | SANDBOX_LANDLOCK | SANDBOX_RLIMITS | SANDBOX_NO_NEW_PRIVS |
                         SANDBOX_USER,
                     text, sizeof text);
    assert_string_equal(text, "seccomp landlock rlimits no-new-privs user");
    sandbox_describe(SANDBOX_SECCOMP | SANDBOX_LANDLOCK, small, sizeof small);
    assert_string_equal(small, "seccomp");
}

static void sandbox_accepts_to_be_off(void **state)
{
    struct sandbox_spec spec = {.level = HALLMARK_SANDBOX_OFF, .role = SANDBOX_READER};
    struct hallmark_error err = {0};
    unsigned layers = 1;

    (void)state;
    assert_true(sandbox_enter(&spec, &layers, &err));
    assert_int_equal(layers, 0);
    assert_true(try_fork());
    assert_true(waitpid(-1, NULL, 0) > 0);
}

static int make_directory(void **state)
{
    struct hallmark_error err = {0};

    (void)state;
    dir = temporary_new();
    dirfd_ = file_open_directory(dir, &err);
    assert_true(dirfd_ >= 0);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    close(dirfd_);
    temporary_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sandbox_rejects_what_a_reader_does_not_need),
        cmocka_unit_test(sandbox_rejects_what_a_writer_does_not_need),
        cmocka_unit_test(sandbox_accepts_what_a_writer_needs),
        cmocka_unit_test(sandbox_rejects_what_the_network_does_not_need),
        cmocka_unit_test(sandbox_accepts_what_the_network_needs),
        cmocka_unit_test(sandbox_accepts_and_describes_layers),
        cmocka_unit_test(sandbox_accepts_to_be_off),
    };
    const char *level = getenv("HALLMARK_TEST_SANDBOX");

    if (level && strcmp(level, "off") == 0) {
        puts(
            "1..0 # SKIP HALLMARK_TEST_SANDBOX is off: valgrind, or a kernel without these layers");
        return 0;
    }
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
