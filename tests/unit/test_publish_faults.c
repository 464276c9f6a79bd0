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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "system/publish.h"

enum { N_NAMES = 3, VIEW_ROOM = 1024, FAILED = 10 };

static const char *const names[N_NAMES] = {"Release", "Release.gpg", "InRelease"};

/* What is published at the start. */
struct scenario {
    const char *name;
    void (*prepare)(int rootfd);
};

/* A root, and a child that publishes in it. */
struct run {
    char *path;
    int fd;
    char old[VIEW_ROOM], new[VIEW_ROOM]; /* what readers see before and after */
    pid_t child;
    bool is_new; /* has been seen */
    int status;  /* of the child, once it ended */
};

/* ---- Making and reading -----------------------------------------------------------------------
 */

static bool commit(int rootfd, const char *what, struct hallmark_error *err)
{
    struct publish_file files[N_NAMES];
    char texts[N_NAMES][64];
    size_t i;

    for (i = 0; i < N_NAMES; i++) {
        snprintf(texts[i], sizeof texts[i], "%s %s\n", what, names[i]);
        files[i] = (struct publish_file){names[i], bytes_view_str(texts[i])};
    }
    return publish_commit(rootfd, files, N_NAMES, err);
}

static void view_of_commit(const char *what, char out[VIEW_ROOM])
{
    size_t i, len = 0;

    for (i = 0; i < N_NAMES; i++)
        len += (size_t)snprintf(out + len, VIEW_ROOM - len, "%s %s\n|", what, names[i]);
}

/* What a reader gets at all names. */
static void view(int rootfd, char out[VIEW_ROOM])
{
    size_t i, len = 0;
    ssize_t n;
    int fd;

    for (i = 0; i < N_NAMES; i++) {
        fd = openat(rootfd, names[i], O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? 0 : read(fd, out + len, VIEW_ROOM / 4);
        assert_true(n >= 0);
        len += (size_t)n;
        len += (size_t)snprintf(out + len, VIEW_ROOM - len, "%s|", fd < 0 ? "(none)" : "");
        if (fd >= 0)
            close(fd);
    }
}

/* Whether the store holds nothing but generations up to the current one, and the link. */
static void assert_clean(const struct run *run)
{
    char current[64] = "";
    DIR *dir;
    struct dirent *entry;
    int fd = openat(run->fd, ".hallmark", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (readlinkat(fd, "current", current, sizeof current - 1) < 0)
        assert_int_equal(errno, ENOENT);
    dir = fdopendir(fd);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strcmp(entry->d_name, "current") == 0)
            continue;
        if (strlen(entry->d_name) != 8 || (*current && strcmp(entry->d_name, current) > 0))
            fail_msg("%s is left, %s is current", entry->d_name, *current ? current : "nothing");
    }
    closedir(dir);
}

static void write_file(int rootfd, const char *path, const char *text)
{
    int fd = openat(rootfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void prepare_nothing(int rootfd)
{
    (void)rootfd;
}

static void prepare_generation(int rootfd)
{
    assert_true(commit(rootfd, "old", NULL));
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
    {"nothing", prepare_nothing}, {"generation", prepare_generation}, {"foreign", prepare_foreign},
    {"mixture", prepare_mixture}, {"leftovers", prepare_leftovers},
};

enum { N_SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---- Tracing ----------------------------------------------------------------------------------
 */

/* A directory in memory where there is one: nothing here depends on what a disk keeps. */
static void run_start(struct run *run, const struct scenario *scenario)
{
    const char *tmp = getenv("TMPDIR");

    *run = (struct run){0};
    if (access("/dev/shm", W_OK | X_OK) == 0)
        tmp = "/dev/shm";
    run->path = path_join(tmp && *tmp ? tmp : "/tmp", "test_publish_faults.XXXXXX");
    assert_non_null(mkdtemp(run->path));
    assert_int_equal(chmod(run->path, 0755), 0);
    run->fd = open(run->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(run->fd >= 0);
    scenario->prepare(run->fd);
    view(run->fd, run->old);
    view_of_commit("new", run->new);
}

static void run_end(struct run *run)
{
    close(run->fd);
    assert_true(file_remove_tree(AT_FDCWD, run->path, NULL));
    free(run->path);
}

/* Starts a child that publishes, stopped before it begins. False where tracing is not permitted. */
static bool start_child(struct run *run)
{
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
    print_message("skipped: ptrace(2) is not permitted here\n");
    skip();
}

/* Readers see the old or the new, and never the old after the new. */
static void check_view(struct run *run, const char *when, int k)
{
    char now[VIEW_ROOM];

    view(run->fd, now);
    if (strcmp(now, run->new) == 0)
        run->is_new = true;
    else if (run->is_new || strcmp(now, run->old) != 0)
        fail_msg("%s %d: readers see\n%s\nold is\n%s", when, k, now, run->old);
}

/* The next publication works, and leaves nothing of the one before. */
static void check_next_commit(struct run *run)
{
    struct hallmark_error err = {0};
    char now[VIEW_ROOM], want[VIEW_ROOM];

    if (!commit(run->fd, "third", &err))
        fail_msg("the next publication fails: %s", err.text);
    view(run->fd, now);
    view_of_commit("third", want);
    assert_string_equal(now, want);
    assert_clean(run);
    assert_true(publish_is_intact(run->fd, names, N_NAMES));
}

static void publish_accepts_readers_at_every_instant(void **state)
{
    struct run run;
    size_t i;
    int k;

    (void)state;
    for (i = 0; i < N_SCENARIOS; i++) {
        run_start(&run, &scenarios[i]);
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
            run_start(&run, &scenarios[i]);
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

/* ---- Failing calls ----------------------------------------------------------------------------
 */

#ifdef __x86_64__
struct fault {
    long call;
    int code;
};

/* What a disk, a quota, or the kernel's tables can do. */
static const struct fault faults[] = {
    {SYS_openat, EMFILE},    {SYS_mkdirat, EDQUOT}, {SYS_renameat, EIO},
    {SYS_symlinkat, ENOSPC}, {SYS_mkdir, EDQUOT},   {SYS_rename, EIO},
    {SYS_renameat2, EIO},    {SYS_unlinkat, EROFS}, {SYS_fsync, EIO},
    {SYS_write, ENOSPC},     {SYS_fchmod, EPERM},   {SYS_newfstatat, EIO},
    {SYS_fstat, EIO},        {SYS_readlinkat, EIO}, {SYS_getdents64, EIO},
    {SYS_read, EIO},         {SYS_close, EIO},      {-1, 0},
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
            run_start(&run, &scenarios[i]);
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
            run_start(&run, &scenarios[i]);
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

/* No test can see what a disk keeps without cutting its power, so the order is fixed here: each
 * file is written and synced, then their directory, it is renamed, the store and the root are
 * synced, and the link is made and renamed, which is synced at last. */
static void publish_accepts_the_durable_order(void **state)
{
    struct user_regs_struct regs;
    char calls[128] = "", letter;
    struct run run;

    (void)state;
    run_start(&run, &scenarios[1]);
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
    assert_string_equal(calls, "dcwscwscwssrsslrs");
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

/* ---- Limits, rights, space --------------------------------------------------------------------
 */

/* Publishes in a child that CONFINE was called in; the error goes to *ERR. */
static void commit_confined(struct run *run, void (*confine)(struct run *run),
                            struct hallmark_error *err)
{
    int fds[2], status;
    pid_t child;

    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        confine(run);
        if (commit(run->fd, "new", err) || write(fds[1], err, sizeof *err) != sizeof *err)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(fds[0], err, sizeof *err), sizeof *err);
    close(fds[0]);
    close(fds[1]);
}

/* G28; the pipe is no file. */
static void confine_file_size(struct run *run)
{
    const struct rlimit none = {0, 0};

    (void)run;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &none) < 0)
        _exit(2);
}

static void confine_descriptors(struct run *run)
{
    const struct rlimit few = {(rlim_t)run->fd + 5, (rlim_t)run->fd + 5};

    if (setrlimit(RLIMIT_NOFILE, &few) < 0)
        _exit(2);
}

static void confine_rights(struct run *run)
{
    enum { NOBODY = 65534 };

    (void)run;
    if (geteuid() == 0 && setuid(NOBODY) < 0)
        _exit(2);
}

static void assert_confined(void (*confine)(struct run *run), const char *text)
{
    struct hallmark_error err = {0};
    struct run run;

    run_start(&run, &scenarios[1]);
    assert_int_equal(fchmod(run.fd, 0555), 0);
    commit_confined(&run, confine, &err);
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    check_view(&run, text, 0);
    assert_false(run.is_new);
    assert_clean(&run);
    assert_int_equal(fchmod(run.fd, 0755), 0);
    check_next_commit(&run);
    run_end(&run);
}

static void publish_rejects_file_size_limit(void **state)
{
    (void)state;
    assert_confined(confine_file_size, ".hallmark/00000002: Release: cannot write: File too large");
}

static void publish_rejects_too_few_descriptors(void **state)
{
    (void)state;
    assert_confined(confine_descriptors, "Too many open files");
}

static void publish_rejects_missing_rights(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: only root can make files that it may not write to\n");
        skip();
    }
    assert_confined(confine_rights, "Permission denied");
}

/* Mounts a file system of 64 KiB at PATH, in a name space of this process. */
static bool mount_small(const char *path)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0;
}

/* Publishes until the disk is full, with what is published looked at after each try. */
static int fill_disk(struct run *run)
{
    static const char big[40 * 1024];
    const struct publish_file file = {"Release", {big, sizeof big}};
    struct hallmark_error err = {0};
    char now[VIEW_ROOM];
    int fd = mount_small(run->path) ? open(run->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd < 0)
        return 77;
    if (!commit(fd, "old", NULL) || !publish_commit(fd, &file, 1, &err))
        return 1;
    if (publish_commit(fd, &file, 1, &err) || err.code != HALLMARK_ERR_IO ||
        !strstr(err.text, "Release: cannot write: No space left on device"))
        return 2;
    /* The disk is as full as before, so what was staged is gone. */
    error_clear(&err);
    if (faccessat(fd, ".hallmark/00000003", F_OK, 0) == 0 || !commit(fd, "small", &err))
        return 3;
    view(fd, now);
    view_of_commit("small", run->new);
    return strcmp(now, run->new) == 0 ? 0 : 4;
}

/* G03 */
static void publish_rejects_a_full_disk(void **state)
{
    struct run run;
    int status;
    pid_t child;

    (void)state;
    run_start(&run, &scenarios[0]);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(fill_disk(&run));
    assert_int_equal(waitpid(child, &status, 0), child);
    run_end(&run);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: no right to mount a small file system\n");
        skip();
    }
    assert_int_equal(status, 0);
}

/* ---- Readers ----------------------------------------------------------------------------------
 */

/* Reads all names, again and again; ends with 0 when it was killed by nothing it saw. */
static int read_for_ever(int rootfd, int stop_fd)
{
    char text[64], stop;
    int generation, last = 0, fd;
    ssize_t n;
    size_t i;

    while (read(stop_fd, &stop, 1) < 0) {
        for (i = 0; i < N_NAMES; i++) {
            fd = openat(rootfd, names[i], O_RDONLY | O_CLOEXEC);
            n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
            if (n <= 0)
                return 1; /* missing or torn */
            close(fd);
            text[n] = '\0';
            if (sscanf(text, "%d", &generation) != 1 || !strstr(text, names[i]) ||
                text[n - 1] != '\n')
                return 2;
            if (generation < last)
                return 3; /* back to an older one */
            last = generation;
        }
    }
    return last > 1 ? 0 : 4;
}

/* G29; with old generations being removed meanwhile, though not in the very second: a reader who is
 * put to sleep between the link and the file must find it there. */
static void publish_accepts_readers_during_publications(void **state)
{
    enum { PUBLICATIONS = 300 };
    struct run run;
    char what[16];
    size_t n_removed;
    int fds[2], status, i;
    pid_t child;

    (void)state;
    run_start(&run, &scenarios[0]);
    assert_true(commit(run.fd, "1", NULL));
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(read_for_ever(run.fd, fds[0]));
    for (i = 2; i <= PUBLICATIONS; i++) {
        snprintf(what, sizeof what, "%d", i);
        assert_true(commit(run.fd, what, NULL));
        assert_true(publish_prune(run.fd, 3, 1, (int64_t)time(NULL), &n_removed, NULL));
    }
    usleep(10000); /* so that the reader meets the last one on a busy machine */
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(fds[0]);
    close(fds[1]);
    run_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publish_accepts_readers_at_every_instant),
        cmocka_unit_test(publish_accepts_kill_at_every_call),
        cmocka_unit_test(publish_rejects_every_failing_call),
        cmocka_unit_test(publish_accepts_every_interruption),
        cmocka_unit_test(publish_accepts_the_durable_order),
        cmocka_unit_test(publish_rejects_file_size_limit),
        cmocka_unit_test(publish_rejects_too_few_descriptors),
        cmocka_unit_test(publish_rejects_missing_rights),
        cmocka_unit_test(publish_rejects_a_full_disk),
        cmocka_unit_test(publish_accepts_readers_during_publications),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
