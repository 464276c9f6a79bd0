/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Publication, watched at every system call by ptrace(2): what readers see at each instant, after
 * SIGKILL at each call, and when each call fails. The tests pass only where it is entirely the old
 * or entirely the new generation, and where the next publication cleans up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "publish_root.h"

enum { FAILED = 10 }; /* the child's status where its publication failed */

/* What is published at the start. */
struct scenario {
    const char *name;
    void (*prepare)(int rootfd);
};

static void write_file(int rootfd, const char *path, const char *text)
{
    int fd = openat(rootfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void prepare_foreign(int rootfd)
{
    write_file(rootfd, "Release", "foreign\n");
    write_file(rootfd, "Release.gpg", "foreign signature\n");
}

/* One file edited, one removed, one ours. */
static void prepare_mixture(int rootfd)
{
    assert_true(commit(rootfd, "old", NULL));
    assert_int_equal(unlinkat(rootfd, "InRelease", 0), 0);
    assert_int_equal(unlinkat(rootfd, "Release.gpg", 0), 0);
    write_file(rootfd, "InRelease", "edited\n");
}

/* What a crash left. */
static void prepare_leftovers(int rootfd)
{
    assert_true(commit(rootfd, "old", NULL));
    assert_int_equal(mkdirat(rootfd, ".hallmark/.new-00000002", 0755), 0);
    write_file(rootfd, ".hallmark/.new-00000002/Release", "half");
    assert_int_equal(mkdirat(rootfd, ".hallmark/00000002", 0755), 0);
    write_file(rootfd, ".hallmark/00000002/Release", "never current\n");
    assert_int_equal(symlinkat("00000002", rootfd, ".hallmark/.new-current"), 0);
}

static const struct scenario scenarios[] = {
    {"nothing", NULL},
    {"generation", prepare_generation},
    {"foreign", prepare_foreign},
    {"mixture", prepare_mixture},
    {"leftovers", prepare_leftovers},
};

enum { N_SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---- Tracing ---- */

/* Valgrind makes system calls of its own between those of the program, and each takes long. */
static bool is_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

/* Starts a child that publishes, stopped before it begins. False where tracing is not possible. */
static bool start_child(struct run *run)
{
    if (is_valgrind())
        return false;
    run->child = fork();
    assert_true(run->child >= 0);
    if (run->child == 0) {
        struct hallmark_error err = {0};

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(FAILED + 1);
        raise(SIGSTOP);
        _exit(commit(run->fd, "new", &err) ? 0 : FAILED);
    }
    assert_int_equal(waitpid(run->child, &run->status, 0), run->child);
    if (!WIFSTOPPED(run->status))
        return false;
    assert_true(ptrace(PTRACE_SETOPTIONS, run->child, NULL,
                       (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) == 0);
    return true;
}

/* Lets the child go on to the next entry to or exit from a system call; false when it has ended. */
static bool next_stop(struct run *run)
{
    do {
        assert_true(ptrace(PTRACE_SYSCALL, run->child, NULL, NULL) == 0);
        assert_int_equal(waitpid(run->child, &run->status, 0), run->child);
        if (!WIFSTOPPED(run->status))
            return false;
    } while (WSTOPSIG(run->status) != (SIGTRAP | 0x80));
    return true;
}

static void kill_child(struct run *run)
{
    assert_int_equal(kill(run->child, SIGKILL), 0);
    assert_int_equal(waitpid(run->child, &run->status, 0), run->child);
    assert_true(WIFSIGNALED(run->status));
}

static void skip_without_ptrace(struct run *run)
{
    run_end(run);
    print_message("skipped: ptrace(2) is not permitted here, or valgrind runs\n");
    skip();
}

static void publish_accepts_readers_at_every_instant(void **state)
{
    struct run run;
    size_t i;
    int k;

    (void)state;
    for (i = 0; i < N_SCENARIOS; i++) {
        run_start(&run, scenarios[i].prepare);
        if (!start_child(&run))
            skip_without_ptrace(&run);
        for (k = 0; next_stop(&run); k++)
            check_view(&run, scenarios[i].name, k);
        assert_true(WIFEXITED(run.status));
        assert_int_equal(WEXITSTATUS(run.status), 0);
        check_view(&run, scenarios[i].name, k);
        assert_true(run.is_new);
        assert_true(k > 50); /* or nothing was watched */
        assert_clean(&run);
        run_end(&run);
    }
}

/* Kills the child as it enters its system call number K; false where there are fewer. */
static bool kill_at(struct run *run, int k)
{
    int i;

    for (i = 0; i < 2 * k + 1; i++)
        if (!next_stop(run))
            return false;
    kill_child(run);
    return true;
}

static void publish_accepts_kill_at_every_call(void **state)
{
    struct run run;
    size_t i;
    int k, n_old = 0, n_new = 0;
    bool killed;

    (void)state;
    for (i = 0; i < N_SCENARIOS; i++) {
        killed = true;
        for (k = 0; killed; k++) {
            run_start(&run, scenarios[i].prepare);
            if (!start_child(&run))
                skip_without_ptrace(&run);
            killed = kill_at(&run, k);
            check_view(&run, scenarios[i].name, k);
            n_new += run.is_new;
            n_old += !run.is_new;
            check_next_commit(&run);
            run_end(&run);
        }
    }
    /* Both outcomes were met, or the test proves nothing. */
    assert_true(n_old > 100);
    assert_true(n_new > N_SCENARIOS);
}

/* ---- Failing calls ---- */

#ifdef __x86_64__
struct fault {
    long call;
    int code;
};

/* What a disk, a quota, or the kernel's tables can do. */
static const struct fault faults[] = {
    {SYS_openat, EMFILE},
    {SYS_mkdirat, EDQUOT},
    {SYS_renameat, EIO},
    {SYS_symlinkat, ENOSPC},
    {SYS_mkdir, EDQUOT},
    {SYS_rename, EIO},
    {SYS_renameat2, EIO},
    {SYS_unlinkat, EROFS},
    {SYS_fsync, EIO},
    {SYS_syncfs, EIO},
    {SYS_write, ENOSPC},
    {SYS_fchmod, EPERM},
    {SYS_newfstatat, EIO},
    {SYS_fstat, EIO},
    {SYS_readlinkat, EIO},
    {SYS_getdents64, EIO},
    {SYS_read, EIO},
    {SYS_close, EIO},
    {-1, 0},
};

/* Calls that are repeated when a signal interrupts them. */
static const struct fault interruptions[] = {
    {SYS_openat, EINTR}, {SYS_read, EINTR}, {SYS_write, EINTR}, {SYS_fsync, EINTR}, {-1, 0},
};

static int fault_of(const struct fault *table, long call)
{
    for (; table->call >= 0; table++)
        if (table->call == call)
            return table->code;
    return 0;
}

/* Makes the child's call number K of those in TABLE fail, and lets it run to its end. *CALL is the
 * one that failed; false where there are fewer. */
static bool fail_at(struct run *run, const struct fault *table, int k, long *call)
{
    struct user_regs_struct regs;
    int i = 0, code;
    bool failed = false;

    while (next_stop(run)) {
        assert_true(ptrace(PTRACE_GETREGS, run->child, NULL, &regs) == 0);
        code = fault_of(table, (long)regs.orig_rax);
        if (!failed && code && i++ == k) {
            *call = (long)regs.orig_rax;
            regs.orig_rax = (unsigned long long)-1;
            assert_true(ptrace(PTRACE_SETREGS, run->child, NULL, &regs) == 0);
            assert_true(next_stop(run));
            assert_true(ptrace(PTRACE_GETREGS, run->child, NULL, &regs) == 0);
            regs.rax = (unsigned long long)-code;
            assert_true(ptrace(PTRACE_SETREGS, run->child, NULL, &regs) == 0);
            failed = true;
        } else {
            assert_true(next_stop(run) || WIFEXITED(run->status));
        }
        if (WIFEXITED(run->status))
            break;
    }
    assert_true(WIFEXITED(run->status));
    return failed;
}

/* A link that was made for what then did not appear is gone. */
static void assert_no_dangling_link(const struct run *run)
{
    struct stat st;
    size_t i;

    for (i = 0; i < N_NAMES; i++)
        if (fstatat(run->fd, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
            assert_int_equal(fstatat(run->fd, names[i], &st, 0), 0);
}

static void publish_rejects_every_failing_call(void **state)
{
    struct run run;
    size_t i;
    long call;
    int k, n_refused = 0;
    bool failed;

    (void)state;
    for (i = 0; i < N_SCENARIOS; i++) {
        failed = true;
        for (k = 0; failed; k++) {
            run_start(&run, scenarios[i].prepare);
            if (!start_child(&run))
                skip_without_ptrace(&run);
            failed = fail_at(&run, faults, k, &call);
            check_view(&run, scenarios[i].name, k);
            if (WEXITSTATUS(run.status) == 0) {
                assert_true(run.is_new);
            } else {
                assert_int_equal(WEXITSTATUS(run.status), FAILED);
                n_refused++;
                /* New and yet refused: only where it is perhaps not durable. */
                assert_true(!run.is_new || call == SYS_fsync);
                /* What could not be removed at the start is still there. */
                if (scenarios[i].prepare != prepare_leftovers)
                    assert_clean(&run);
                assert_no_dangling_link(&run);
            }
            check_next_commit(&run);
            run_end(&run);
        }
    }
    assert_true(n_refused > 100);
}

static void publish_accepts_every_interruption(void **state)
{
    struct run run;
    size_t i;
    long call;
    int k;
    bool failed;

    (void)state;
    for (i = 0; i < N_SCENARIOS; i++) {
        failed = true;
        for (k = 0; failed; k++) {
            run_start(&run, scenarios[i].prepare);
            if (!start_child(&run))
                skip_without_ptrace(&run);
            failed = fail_at(&run, interruptions, k, &call);
            assert_int_equal(WEXITSTATUS(run.status), 0);
            check_view(&run, scenarios[i].name, k);
            assert_true(run.is_new);
            assert_clean(&run);
            run_end(&run);
        }
        assert_true(k > 10);
    }
}

/* One letter for each call that changes or syncs something. */
static char letter_of(const struct user_regs_struct *regs)
{
    switch ((long)regs->orig_rax) {
    case SYS_mkdirat:
        return 'd';
    case SYS_openat:
        return regs->rdx & O_CREAT ? 'c' : '\0';
    case SYS_write:
        return 'w';
    case SYS_fsync:
        return 's';
    case SYS_syncfs:
        return 'S';
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_rename:
        return 'r';
    case SYS_symlinkat:
        return 'l';
    case SYS_unlinkat:
        return 'u';
    default:
        return '\0';
    }
}

/* No test can see what a disk keeps without cutting its power, so the order is fixed here: all that
 * is there is synced, each file is written and synced, then their directory, it is renamed, the
 * store and the root are synced, and the link is made and renamed, which is synced at last. */
static void publish_accepts_the_durable_order(void **state)
{
    struct user_regs_struct regs;
    char calls[128] = "", letter;
    struct run run;

    (void)state;
    run_start(&run, prepare_generation);
    if (!start_child(&run))
        skip_without_ptrace(&run);
    while (next_stop(&run)) {
        assert_true(ptrace(PTRACE_GETREGS, run.child, NULL, &regs) == 0);
        letter = letter_of(&regs);
        if (letter && strlen(calls) < sizeof calls - 1)
            calls[strlen(calls)] = letter;
        if (!next_stop(&run))
            break;
    }
    assert_true(WIFEXITED(run.status));
    assert_string_equal(calls, "Sdcwscwscwssrsslrs");
    run_end(&run);
}
#else
static void publish_rejects_every_failing_call(void **state)
{
    (void)state;
    print_message("skipped: how to make a system call fail is known for x86-64 only\n");
    skip();
}

static void publish_accepts_every_interruption(void **state)
{
    publish_rejects_every_failing_call(state);
}

static void publish_accepts_the_durable_order(void **state)
{
    publish_rejects_every_failing_call(state);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publish_accepts_readers_at_every_instant),
        cmocka_unit_test(publish_accepts_kill_at_every_call),
        cmocka_unit_test(publish_rejects_every_failing_call),
        cmocka_unit_test(publish_accepts_every_interruption),
        cmocka_unit_test(publish_accepts_the_durable_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
