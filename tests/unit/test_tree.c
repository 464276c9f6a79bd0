/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks over trees that the test makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "system/tree.h"
#include "temporary.h"

/* A fresh directory, and what the last scan of it gave. */
struct fixture {
    char *path;
    int fd;
    struct tree tree;
    struct hallmark_error err;
};

static int set_up(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);

    f->path = temporary_new();
    f->fd = file_open_directory(f->path, &f->err);
    assert_true(f->fd >= 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    tree_free(&f->tree);
    file_close(&f->fd);
    temporary_remove(f->path);
    free(f);
    return 0;
}

static void make_directory(struct fixture *f, const char *path)
{
    assert_int_equal(mkdirat(f->fd, path, 0755), 0);
}

static void make_file(struct fixture *f, const char *path)
{
    int fd = openat(f->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, path, strlen(path)), strlen(path));
    close(fd);
}

static bool scan_with(struct fixture *f, const struct tree_options *options)
{
    tree_free(&f->tree);
    error_clear(&f->err);
    return tree_scan(&f->tree, f->fd, options, &f->err);
}

static bool scan(struct fixture *f)
{
    struct tree_options options = {0};

    return scan_with(f, &options);
}

/* The paths found, with one blank between them. */
static void assert_found(struct fixture *f, const char *want)
{
    struct strlist paths = {0};
    char *joined;
    size_t i;

    for (i = 0; i < f->tree.n_files; i++)
        strlist_add(&paths, f->tree.files[i].path);
    joined = strlist_join(&paths);
    assert_string_equal(joined, want);
    free(joined);
    strlist_free(&paths);
}

static void assert_skipped(struct fixture *f, const char *want)
{
    char *joined = strlist_join(&f->tree.skipped);

    assert_string_equal(joined, want);
    assert_int_equal(f->tree.n_skipped, f->tree.skipped.n_items);
    free(joined);
}

static void assert_refused(struct fixture *f, enum hallmark_errcode code, const char *text)
{
    assert_false(scan(f));
    assert_int_equal(f->err.code, code);
    assert_non_null(strstr(f->err.text, text));
    assert_int_equal(f->tree.n_files, 0);
    assert_null(f->tree.files);
}

static void tree_accepts_nothing(void **state)
{
    struct fixture *f = *state;

    assert_true(scan(f));
    assert_int_equal(f->tree.n_files, 0);
    assert_skipped(f, "");
}

static void tree_accepts_files_in_order_of_bytes(void **state)
{
    struct fixture *f = *state;

    make_directory(f, "a");
    make_directory(f, "a/b");
    make_directory(f, "empty");
    make_file(f, "a/b/c");
    make_file(f, "a/b.x");
    make_file(f, "a-b");
    make_file(f, "a0");
    make_file(f, "B");
    assert_true(scan(f));
    /* "-" and "." are less than "/", "0" is greater. */
    assert_found(f, "B a-b a/b.x a/b/c a0");
    assert_skipped(f, "");
}

static void tree_accepts_stamps(void **state)
{
    struct fixture *f = *state;
    struct timespec times[2] = {{.tv_sec = 1, .tv_nsec = 2}, {.tv_sec = 1700000000, .tv_nsec = 7}};
    struct tree_stamp stamp;
    struct stat st;

    make_file(f, "five5");
    assert_int_equal(utimensat(f->fd, "five5", times, 0), 0);
    assert_int_equal(fstatat(f->fd, "five5", &st, 0), 0);
    assert_true(scan(f));
    assert_int_equal(f->tree.files[0].stamp.size, 5);
    assert_true(f->tree.files[0].stamp.mtime == 1700000000000000007);
    assert_true(f->tree.files[0].stamp.inode == st.st_ino);
    assert_true(f->tree.files[0].stamp.device == st.st_dev);
    tree_stamp_from(&stamp, &st);
    assert_true(tree_stamp_is_equal(&stamp, &f->tree.files[0].stamp));
}

/* Each member alone makes a difference. */
static void tree_rejects_another_stamp_as_equal(void **state)
{
    const struct tree_stamp a = {1, 2, 3, 4, 5};
    struct tree_stamp b[5] = {a, a, a, a, a};
    size_t i;

    (void)state;
    b[0].device++;
    b[1].inode++;
    b[2].size++;
    b[3].mtime++;
    b[4].ctime++;
    assert_true(tree_stamp_is_equal(&a, &a));
    for (i = 0; i < 5; i++)
        assert_false(tree_stamp_is_equal(&a, &b[i]));
}

/* Years that nanoseconds in 64 bits do not reach. */
static void tree_accepts_far_dates(void **state)
{
    struct stat st = {0};
    struct tree_stamp stamp;

    (void)state;
    st.st_mtim.tv_sec = INT64_MAX;
    st.st_mtim.tv_nsec = 999999999;
    st.st_ctim.tv_sec = INT64_MIN;
    tree_stamp_from(&stamp, &st);
    assert_true(stamp.mtime == INT64_MAX);
    assert_true(stamp.ctime == INT64_MIN);
    st.st_mtim = (struct timespec){.tv_sec = -1, .tv_nsec = 1};
    tree_stamp_from(&stamp, &st);
    assert_true(stamp.mtime == -999999999);
}

static void tree_accepts_and_skips_what_is_hidden(void **state)
{
    struct fixture *f = *state;

    make_directory(f, ".git");
    make_file(f, ".git/config");
    make_directory(f, "d");
    make_file(f, "d/.\n\033[2J");
    make_file(f, "d/x");
    assert_int_equal(mkfifoat(f->fd, ".fifo", 0600), 0);
    assert_true(scan(f));
    assert_found(f, "d/x");
    assert_skipped(f, ".fifo (hidden) .git (hidden) d/.\\x0a\\x1b[2J (hidden)");
}

static void tree_accepts_and_skips_links(void **state)
{
    struct fixture *f = *state;

    make_directory(f, "d");
    make_file(f, "d/x");
    assert_int_equal(symlinkat("d", f->fd, "to-directory"), 0);
    assert_int_equal(symlinkat("d/x", f->fd, "to-file"), 0);
    assert_int_equal(symlinkat("/etc/passwd", f->fd, "bad name"), 0);
    assert_int_equal(symlinkat("..", f->fd, "d/up"), 0);
    assert_true(scan(f));
    assert_found(f, "d/x");
    assert_skipped(f, "bad name (symbolic link) d/up (symbolic link) to-directory (symbolic link) "
                      "to-file (symbolic link)");
}

static void tree_accepts_and_skips_what_is_excluded(void **state)
{
    struct fixture *f = *state;
    struct strlist exclude = {0};
    struct tree_options options = {.exclude = &exclude};

    make_directory(f, "incoming");
    make_file(f, "incoming/bad name");
    make_directory(f, "d");
    make_directory(f, "d/e");
    make_file(f, "d/x.part");
    make_file(f, "d/x.tar");
    make_file(f, "d/e/x.tar");
    make_file(f, "d/e/y");
    strlist_add_words(&exclude, bytes_view_str("incoming *.part d/*.tar"));
    assert_true(scan_with(f, &options));
    /* "*" does not reach across "/". */
    assert_found(f, "d/e/x.tar d/e/y");
    assert_skipped(f, "d/x.part (excluded) d/x.tar (excluded) incoming (excluded)");
    strlist_free(&exclude);
}

static void tree_accepts_what_it_writes_itself(void **state)
{
    static const char *const reserved[] = {"InRelease", "Release", "by-hash", NULL};
    static const char *const written[] = {"InRelease", "Release", ".hallmark", NULL};
    struct fixture *f = *state;
    struct tree_options options = {.reserved = reserved, .written = written};

    make_file(f, "InRelease");
    assert_int_equal(symlinkat(".hallmark/current/Release", f->fd, "Release"), 0);
    make_directory(f, ".hallmark");
    make_directory(f, "sub");
    make_file(f, "sub/Release"); /* only at the root */
    make_file(f, "sub/by-hash");
    assert_true(scan_with(f, &options));
    assert_found(f, "sub/Release sub/by-hash");
    assert_skipped(f, "");
}

static void tree_rejects_reserved_names(void **state)
{
    static const char *const reserved[] = {"InRelease", "Release", NULL};
    static const char *const written[] = {"Release", NULL};
    struct fixture *f = *state;
    struct tree_options options = {.reserved = reserved, .written = written};
    static const char *const names[] = {"InRelease", "INRELEASE", "release"};
    size_t i;

    for (i = 0; i < 3; i++) {
        make_directory(f, names[i]);
        assert_false(scan_with(f, &options));
        assert_int_equal(f->err.code, HALLMARK_ERR_MALFORMED);
        assert_non_null(strstr(f->err.text, names[i]));
        assert_non_null(strstr(f->err.text, "reserved"));
        assert_int_equal(unlinkat(f->fd, names[i], AT_REMOVEDIR), 0);
    }
    assert_int_equal(symlinkat("x", f->fd, "InRelease"), 0);
    assert_false(scan_with(f, &options));
    assert_int_equal(f->err.code, HALLMARK_ERR_MALFORMED);
}

/* G14 */
static void tree_rejects_bad_names(void **state)
{
    static const char *const names[] = {"a b",  "a\nb",        "a\tb", "-rf", "caf\303\251",
                                        "\377", "back\\slash", "\033", NULL};
    struct fixture *f = *state;
    size_t i;

    for (i = 0; names[i]; i++) {
        make_file(f, names[i]);
        assert_refused(f, HALLMARK_ERR_MALFORMED, "the name");
        assert_null(strchr(f->err.text, '\n'));
        assert_null(strchr(f->err.text, '\033'));
        assert_int_equal(unlinkat(f->fd, names[i], 0), 0);
    }
    make_directory(f, "good");
    make_directory(f, "good/-bad");
    assert_refused(f, HALLMARK_ERR_MALFORMED, "good/-bad");
}

/* G13: must not open, or it would hang here. */
static void tree_rejects_fifo(void **state)
{
    struct fixture *f = *state;

    make_directory(f, "d");
    assert_int_equal(mkfifoat(f->fd, "d/fifo", 0600), 0);
    assert_refused(f, HALLMARK_ERR_MALFORMED, "d/fifo: is neither a file");
}

static void tree_rejects_socket(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_true(strlen(f->path) + 6 < sizeof address.sun_path);
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/sock", f->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_refused(f, HALLMARK_ERR_MALFORMED, "sock: is neither a file");
    close(fd);
}

static void tree_rejects_device(void **state)
{
    struct fixture *f = *state;

    if (mknodat(f->fd, "null", S_IFCHR | 0600, 0x103) < 0) {
        print_message("skipped: no right to make a device\n");
        skip();
    }
    assert_refused(f, HALLMARK_ERR_MALFORMED, "null: is neither a file");
}

/* The same tree gives the same error, whatever the order in the directory. */
static void tree_rejects_the_first_offence(void **state)
{
    struct fixture *f = *state;
    char name[16];
    int i;

    for (i = 99; i >= 10; i--) {
        snprintf(name, sizeof name, "%02d bad", i);
        make_file(f, name);
    }
    assert_refused(f, HALLMARK_ERR_MALFORMED, "\"10 bad\"");
}

static void tree_rejects_more_files_than_are_wanted(void **state)
{
    struct tree_options options = {.max_files = 2};
    struct fixture *f = *state;

    make_file(f, "a");
    make_file(f, "b");
    assert_true(scan_with(f, &options));
    make_file(f, "c");
    assert_false(scan_with(f, &options));
    assert_int_equal(f->err.code, HALLMARK_ERR_MALFORMED);
    assert_non_null(strstr(f->err.text, "c: the tree holds more than 2 files"));
    assert_true(scan(f));
}

static void tree_rejects_depth(void **state)
{
    struct fixture *f = *state;
    int fd = dup(f->fd), next, i;

    for (i = 0; i < LIMITS_DEPTH - 1; i++) {
        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(fd);
        fd = next;
    }
    assert_int_equal(mkdirat(fd, "deepest", 0755), 0);
    assert_true(scan(f));
    assert_int_equal(mkdirat(fd, "deepest/e", 0755), 0);
    assert_refused(f, HALLMARK_ERR_MALFORMED, "more than 64 directories deep");
    close(fd);
}

/* Runs the scan as a user who has no rights of root; gives the error's code and text. */
static void scan_as_nobody(struct fixture *f)
{
    enum { NOBODY = 65534 };
    int pipe_fds[2], status;
    pid_t child;

    assert_int_equal(fchmod(f->fd, 0755), 0);
    assert_int_equal(pipe(pipe_fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && setuid(NOBODY) < 0)
            _exit(2);
        if (scan(f))
            _exit(3);
        if (write(pipe_fds[1], &f->err, sizeof f->err) != sizeof f->err)
            _exit(4);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipe_fds[0], &f->err, sizeof f->err), sizeof f->err);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* G11 */
static void tree_rejects_unreadable_directory(void **state)
{
    struct fixture *f = *state;

    make_directory(f, "a");
    make_directory(f, "a/locked");
    make_file(f, "a/locked/x");
    assert_int_equal(fchmodat(f->fd, "a/locked", 0, 0), 0);
    scan_as_nobody(f);
    assert_int_equal(f->err.code, HALLMARK_ERR_IO);
    assert_non_null(strstr(f->err.text, "a/locked: cannot open the directory: Permission denied"));
    /* It can be listed, but nothing in it looked at. */
    assert_int_equal(fchmodat(f->fd, "a/locked", 0644, 0), 0);
    scan_as_nobody(f);
    assert_int_equal(f->err.code, HALLMARK_ERR_IO);
    assert_non_null(strstr(f->err.text, "a/locked/x: Permission denied"));
    assert_int_equal(fchmodat(f->fd, "a/locked", 0755, 0), 0);
}

static void tree_rejects_a_root_that_is_no_directory(void **state)
{
    struct fixture *f = *state;
    struct tree_options options = {0};
    int fd;

    make_file(f, "x");
    fd = openat(f->fd, "x", O_RDONLY | O_CLOEXEC);
    assert_false(tree_scan(&f->tree, fd, &options, &f->err));
    assert_int_equal(f->err.code, HALLMARK_ERR_IO);
    assert_false(tree_scan(&f->tree, fd, &options, NULL));
    close(fd);
}

static void tree_accepts_many_skipped(void **state)
{
    struct fixture *f = *state;
    char name[32];
    int i;

    for (i = 0; i < TREE_SKIPPED_MAX + 5; i++) {
        snprintf(name, sizeof name, ".hidden-%06d", i);
        assert_int_equal(symlinkat("x", f->fd, name), 0);
    }
    assert_true(scan(f));
    assert_int_equal(f->tree.n_skipped, TREE_SKIPPED_MAX + 5);
    assert_int_equal(f->tree.skipped.n_items, TREE_SKIPPED_MAX);
}

/* The scan reads the directory from its start whatever was read through the descriptor before. */
static void tree_accepts_a_second_scan(void **state)
{
    struct fixture *f = *state;

    make_file(f, "x");
    assert_true(scan(f));
    assert_found(f, "x");
    assert_true(scan(f));
    assert_found(f, "x");
}

/* Lets CHILD run to its next entry to a system call, and takes away what it walks at the one with
 * number K; false when it has ended. */
static bool disturb(struct fixture *f, pid_t child, int k, int *status)
{
    int i;

    for (i = 0;; i++) {
        assert_true(ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0);
        assert_int_equal(waitpid(child, status, 0), child);
        if (!WIFSTOPPED(*status))
            return i > k;
        if (i == k) {
            assert_true(file_remove_tree(f->fd, "a", &f->err));
            assert_true(file_remove_tree(f->fd, "b", &f->err));
        }
    }
}

/* G10: at any moment of the walk, all that it is about to see can vanish. */
static void tree_accepts_what_disappears(void **state)
{
    struct fixture *f = *state;
    bool is_disturbed = true;
    int k, status;
    pid_t child;

    make_file(f, "stays");
    for (k = 0; is_disturbed; k++) {
        make_directory(f, "a");
        make_directory(f, "a/c");
        make_file(f, "a/c/x");
        make_file(f, "b");
        child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                _exit(77);
            raise(SIGSTOP);
            if (!scan(f))
                _exit(1);
            _exit(strcmp(f->tree.files[f->tree.n_files - 1].path, "stays") == 0 ? 0 : 2);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
            print_message("skipped: ptrace(2) is not permitted here\n");
            skip();
        }
        is_disturbed = disturb(f, child, k, &status);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        if (is_disturbed)
            assert_int_equal(faccessat(f->fd, "b", F_OK, 0), -1);
    }
    assert_true(k > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tree_accepts_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_accepts_files_in_order_of_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_accepts_stamps, set_up, tear_down),
        cmocka_unit_test(tree_rejects_another_stamp_as_equal),
        cmocka_unit_test(tree_accepts_far_dates),
        cmocka_unit_test_setup_teardown(tree_accepts_and_skips_what_is_hidden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_accepts_and_skips_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_accepts_and_skips_what_is_excluded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_accepts_what_it_writes_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_reserved_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_bad_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_fifo, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_the_first_offence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_more_files_than_are_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_depth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_unreadable_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_rejects_a_root_that_is_no_directory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tree_accepts_many_skipped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_accepts_a_second_scan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_accepts_what_disappears, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
