/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Publication without space, rights, or descriptors, and with readers who read all the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "publish_root.h"

/* ---- Limits, rights, space ---- */

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

static void confine_rights(struct run *run)
{
    enum { NOBODY = 65534 };

    if (fchmodat(run->fd, ".hallmark", 0555, 0) < 0 || (geteuid() == 0 && setuid(NOBODY) < 0))
        _exit(2);
}

static void assert_confined(void (*confine)(struct run *run), const char *text)
{
    struct hallmark_error err = {0};
    struct run run;

    run_start(&run, prepare_generation);
    commit_confined(&run, confine, &err);
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
    check_view(&run, text, 0);
    assert_false(run.is_new);
    assert_clean(&run);
    assert_int_equal(fchmodat(run.fd, ".hallmark", 0755, 0), 0);
    check_next_commit(&run);
    run_end(&run);
}

static void publish_rejects_file_size_limit(void **state)
{
    (void)state;
    assert_confined(confine_file_size, ".hallmark/00000002: Release: cannot write: File too large");
}

static void publish_rejects_missing_rights(void **state)
{
    (void)state;
    assert_confined(confine_rights, "Permission denied");
}

/* That nobody can look is no answer. */
static void publish_check_rejects_a_lack_of_descriptors(void **state)
{
    struct hallmark_error err = {0};
    struct rlimit before, none;
    struct run run;
    bool is, ok;

    (void)state;
    run_start(&run, prepare_generation);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    ok = publish_check(run.fd, names, N_NAMES, &is, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(ok);
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    assert_string_equal(err.text, ".hallmark: Too many open files");
    assert_true(is_intact(run.fd, names, N_NAMES));
    run_end(&run);
}

/* Mounts a file system of 64 KiB at PATH, in a name space of this process. */
static bool mount_small(const char *path)
{
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0;
}

/* Publishes until the disk is full, with what is published looked at after each try. */
static int fill_disk(struct run *run)
{
    static const char big[40 * 1024];
    const struct publish_file file = {.name = "Release", .data = {big, sizeof big}};
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
    run_start(&run, NULL);
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

/* ---- Readers ---- */

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
    run_start(&run, NULL);
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
        cmocka_unit_test(publish_rejects_file_size_limit),
        cmocka_unit_test(publish_rejects_missing_rights),
        cmocka_unit_test(publish_check_rejects_a_lack_of_descriptors),
        cmocka_unit_test(publish_rejects_a_full_disk),
        cmocka_unit_test(publish_accepts_readers_during_publications),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
