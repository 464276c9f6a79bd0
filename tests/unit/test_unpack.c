/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unpacking: every archive of make_archives.py, and what the directory looks like afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archives.h"
#include "system/unpack.h"

static struct archives archives;
static char *place; /* an empty directory to unpack in */

static struct unpack_options default_options(void)
{
    return (struct unpack_options){.sandbox = archives_sandbox()};
}

static size_t count_entries(const char *dir)
{
    DIR *d = opendir(dir);
    size_t n = 0;

    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static char *into(const char *name)
{
    return path_join(place, name);
}

static struct stat stat_of(const char *name)
{
    char *path = into(name);
    struct stat st;

    if (lstat(path, &st) < 0)
        fail_msg("%s: is not there", path);
    free(path);
    return st;
}

static void assert_content(const char *name, const char *text)
{
    char *path = into(name);
    struct bytes data = {0};
    struct hallmark_error err = {0};

    assert_true(file_read(AT_FDCWD, path, 1 << 20, &data, NULL, &err));
    assert_string_equal(data.data, text);
    bytes_free(&data);
    free(path);
}

static void assert_target(const char *name, const char *text)
{
    char *path = into(name), target[256] = "";

    assert_true(readlink(path, target, sizeof target - 1) > 0);
    assert_string_equal(target, text);
    free(path);
}

static void assert_error(const struct hallmark_error *err, enum hallmark_errcode code,
                         const char *reason)
{
    if (err->code != code || !strstr(err->text, reason))
        fail_msg("%d \"%s\", wanted %d and \"%s\"", (int)err->code, err->text, (int)code, reason);
}

/* Unpacks the archive NAME as DIR in the place; whatever happens, nothing else may be left there.
 */
static bool run(const char *name, const char *dir, const struct unpack_options *options,
                struct hallmark_unpack_report *report, struct hallmark_error *err)
{
    struct package_format format = archives_format(name);
    size_t n_before = count_entries(place);
    char *path = into(dir);
    struct unpack *unpack;
    int fd = archives_open(&archives, name);
    bool ok = false;

    *err = (struct hallmark_error){0};
    unpack = unpack_open(path, err);
    if (unpack)
        ok = unpack_run(unpack, fd, name, &format, options, report, err);
    unpack_close(unpack);
    assert_int_equal(count_entries(place), n_before + ok);
    close(fd);
    free(path);
    return ok;
}

static void assert_unpacks(const char *name, const struct unpack_options *options)
{
    struct hallmark_unpack_report report;
    struct hallmark_error err;

    if (!run(name, "x", options, &report, &err))
        fail_msg("%s", err.text);
}

static void clean(void)
{
    struct hallmark_error err = {0};
    char *path = into("x");

    assert_true(file_remove_tree(AT_FDCWD, path, &err));
    free(path);
}

static void unpack_accepts_and_rejects_every_archive(void **state)
{
    struct unpack_options options = default_options();
    struct hallmark_unpack_report report;
    struct hallmark_error err;
    size_t i;

    (void)state;
    for (i = 0; i < archives.n; i++) {
        struct archives_case c = archives_get(&archives, i);

        run(c.name, "x", &options, &report, &err);
        if ((int)err.code != c.unpack)
            fail_msg("%s: %d %s, wanted %d", c.name, (int)err.code, err.text, c.unpack);
        if (err.code && (strncmp(err.text, c.name, strlen(c.name)) != 0 ||
                         !strstr(err.text, c.reason) || strchr(err.text, '\n')))
            fail_msg("%s: \"%s\" does not say \"%s\"", c.name, err.text, c.reason);
        clean();
        assert_int_equal(access("/tmp/hallmark-escaped", F_OK), -1);
    }
}

static void unpack_accepts_and_makes_what_the_archive_says(void **state)
{
    struct unpack_options options = default_options();

    (void)state;
    assert_unpacks("ok-good.tar.gz", &options);
    assert_int_equal(stat_of("x/d/f").st_size, 50000);
    assert_int_equal(stat_of("x/d/f").st_mtime, 1700000000);
    assert_int_equal(stat_of("x/d").st_mtime, 1700000000);
    assert_int_equal(stat_of("x/d/l").st_mtime, 1700000000);
    assert_int_equal(stat_of("x/d/f").st_uid, geteuid());
    assert_int_equal(stat_of("x/d/f").st_nlink, 2);
    assert_true(stat_of("x/d/f").st_ino == stat_of("x/d/h").st_ino);
    assert_target("x/d/l", "f");
    clean();
    assert_unpacks("ok-symlinks.tar.gz", &options);
    assert_target("x/c", "b/../b/f");
    assert_target("x/a/l", "../b/f");
    assert_content("x/a/l", "data\n");
    clean();
    assert_unpacks("ok-utf8-pax.tar.gz", &options);
    assert_content("x/gr\xc3\xbc\xc3\x9f"
                   "e/\xe6\x97\xa5\xe6\x9c\xac.txt",
                   "data\n");
    assert_target("x/l", "\xe6\x97\xa5");
    clean();
    assert_unpacks("ok-deb.deb", &options);
    assert_content("x/usr/hello", "data\n");
    assert_int_equal(count_entries(place), 1);
    clean();
}

static void unpack_accepts_and_masks_modes(void **state)
{
    struct unpack_options options = default_options();
    mode_t before = umask(027);

    (void)state;
    assert_unpacks("A10-set-id-and-sticky.tar.gz", &options);
    assert_int_equal(stat_of("x").st_mode, S_IFDIR | 0750);
    assert_int_equal(stat_of("x/d").st_mode, S_IFDIR | 0755);
    assert_int_equal(stat_of("x/d/f").st_mode, S_IFREG | 0755);
    assert_int_equal(stat_of("x/d/g").st_mode, S_IFREG | 0600);
    assert_int_equal(stat_of("x/d/h").st_mode, S_IFREG | 0755);
    clean();
    umask(022);
    assert_unpacks("A27-directory-000.tar.gz", &options);
    assert_int_equal(stat_of("x").st_mode, S_IFDIR | 0755);
    assert_int_equal(stat_of("x/d").st_mode, S_IFDIR | 0700);
    assert_int_equal(stat_of("x/d/e").st_mode, S_IFDIR | 0700);
    clean();
    assert_unpacks("ok-directory-later.tar.gz", &options);
    assert_int_equal(stat_of("x/a").st_mode, S_IFDIR | 0755);
    clean();
    assert_unpacks("ok-dots.tar.gz", &options);
    assert_int_equal(stat_of("x").st_mode, S_IFDIR | 0755);
    clean();
    umask(before);
}

static void unpack_accepts_and_drops_attributes(void **state)
{
    struct unpack_options options = default_options();
    char *path = into("x/f"), list[256];

    (void)state;
    assert_unpacks("A14-capability.tar.gz", &options);
    assert_int_equal(getxattr(path, "security.capability", list, sizeof list), -1);
    clean();
    assert_unpacks("A15-xattr-acl-flags-owner.tar.gz", &options);
    assert_int_equal(getxattr(path, "user.evil", list, sizeof list), -1);
    assert_int_equal(getxattr(path, "system.posix_acl_access", list, sizeof list), -1);
    assert_int_equal(stat_of("x/f").st_uid, geteuid());
    assert_int_equal(stat_of("x/f").st_mode, S_IFREG | 0644);
    clean();
    free(path);
}

static void unpack_accepts_and_clamps_times(void **state)
{
    struct unpack_options options = default_options();

    (void)state;
    assert_unpacks("A29-mtime-negative.tar.gz", &options);
    assert_int_equal(stat_of("x/f").st_mtime, 0);
    clean();
    assert_unpacks("A29-mtime-year-10000.tar.gz", &options);
    assert_true(stat_of("x/f").st_mtime <= 253402300799); /* or what the file system holds */
    assert_true(stat_of("x/f").st_mtime > 1700000000);
    clean();
}

static void unpack_accepts_holes(void **state)
{
    struct unpack_options options = default_options();
    char *path = into("x/sparse"), text[3] = "";
    int fd;

    (void)state;
    assert_unpacks("A22-sparse-small.tar.gz", &options);
    assert_int_equal(stat_of("x/sparse").st_size, 1 << 20);
    assert_true(stat_of("x/sparse").st_blocks * 512 < 1 << 19);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, text, 2, 511), 2);
    assert_memory_equal(text, "a\0", 2);
    assert_int_equal(pread(fd, text, 2, (1 << 19) - 1), 2);
    assert_memory_equal(text, "\0b", 2);
    close(fd);
    clean();
    free(path);
}

static void unpack_accepts_limits_that_are_reached(void **state)
{
    struct unpack_options options = default_options();
    struct hallmark_unpack_report report;
    struct hallmark_error err;

    (void)state;
    options.max_entries = 2000;
    assert_true(run("A21-2000-entries.tar.gz", "x", &options, &report, &err));
    assert_int_equal(report.n_entries, 2000);
    clean();
    options = default_options();
    options.max_bytes = 50000;
    assert_true(run("ok-good.tar.gz", "x", &options, &report, &err));
    assert_int_equal(report.n_bytes, 50000);
    clean();
}

static void unpack_rejects_what_breaks_limits(void **state)
{
    struct unpack_options options = default_options();
    struct hallmark_unpack_report report;
    struct hallmark_error err;

    (void)state;
    options.max_entries = 1999;
    assert_false(run("A21-2000-entries.tar.gz", "x", &options, &report, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "more than 1999 entries");
    options = default_options();
    options.max_bytes = 49999;
    assert_false(run("ok-good.tar.gz", "x", &options, &report, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "more than 49999 bytes");
    options.max_bytes = (1 << 20) - 1;
    assert_false(run("A22-sparse-small.tar.gz", "x", &options, &report, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "more than 1048575 bytes");
}

/* Runs with what "ok-good.tar.gz" must hold; ENTRIES and BYTES are added to what it does hold. */
static bool run_exactly(int entries, int bytes, struct hallmark_error *err)
{
    struct unpack_options options = default_options();
    struct hallmark_unpack_report report = {0};
    struct package_totals exact;

    assert_true(run("ok-good.tar.gz", "x", &options, &report, err));
    assert_false(report.is_signed);
    clean();
    exact.n_entries = report.n_entries + (uint64_t)(int64_t)entries;
    exact.n_bytes = report.n_bytes + (uint64_t)(int64_t)bytes;
    options.exact = &exact;
    return run("ok-good.tar.gz", "x", &options, &report, err) && report.is_signed;
}

static void unpack_accepts_and_rejects_by_what_is_signed(void **state)
{
    struct hallmark_error err = {0};

    (void)state;
    assert_true(run_exactly(0, 0, &err));
    clean();
    assert_false(run_exactly(1, 0, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "entries and 50000 bytes, but ");
    error_clear(&err);
    assert_false(run_exactly(-1, 0, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "holds more than the ");
    error_clear(&err);
    assert_false(run_exactly(0, 1, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "and 50001 are signed for it");
    error_clear(&err);
    assert_false(run_exactly(0, -1, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "and 49999 bytes that are signed for it");
}

static void unpack_accepts_any_link_if_asked(void **state)
{
    struct unpack_options options = default_options();
    struct hallmark_unpack_report report;
    struct hallmark_error err;

    (void)state;
    options.links = HALLMARK_LINKS_ANY;
    assert_unpacks("A04-deep.tar.gz", &options);
    assert_target("x/a/b/l", "../../../x");
    clean();
    assert_unpacks("A04-around-a-link.tar.gz", &options);
    assert_target("x/l", "p/q/../..");
    clean();
    /* Nothing is written through one, ever. */
    assert_false(run("A04-through-absolute-symlink.tar.gz", "x", &options, &report, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "something else");
    assert_false(run("A06-directory-replaced.tar.gz", "x", &options, &report, &err));
    assert_error(&err, HALLMARK_ERR_UNSAFE, "something else");
    assert_int_equal(access("/tmp/hallmark-escaped", F_OK), -1);
}

static void assert_open_fails(const char *path, const char *reason)
{
    struct hallmark_error err = {0};
    size_t n = count_entries(place);

    assert_null(unpack_open(path, &err));
    assert_error(&err, HALLMARK_ERR_USAGE, reason);
    assert_int_equal(count_entries(place), n);
}

static void unpack_rejects_destinations(void **state)
{
    static const char *const exist[] = {"dir",      "dir/",      "file", "link",
                                        "dangling", "dangling/", "."};
    char *path;
    size_t i;

    (void)state;
    assert_int_equal(chdir(place), 0);
    assert_int_equal(mkdir("dir", 0755), 0);
    assert_int_equal(symlink("dir", "link"), 0);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    i = (size_t)open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    close((int)i);
    for (i = 0; i < sizeof exist / sizeof *exist; i++) {
        path = into(exist[i]);
        assert_open_fails(path, i == 6 ? "cannot be the name" : "exists");
        free(path);
    }
    assert_open_fails("dir", "exists");
    assert_open_fails("", "cannot be the name");
    assert_open_fails("/", "cannot be the name");
    assert_open_fails("dir/..", "cannot be the name");
    assert_open_fails("missing/x", "parent directory does not exist");
    assert_open_fails("file/x", "parent directory does not exist");
    assert_int_equal(rmdir("dir"), 0);
    assert_int_equal(unlink("link") | unlink("dangling") | unlink("file"), 0);
    assert_int_equal(chdir("/"), 0);
}

static void unpack_accepts_relative_destinations(void **state)
{
    static const char *const names[] = {"x", "x/", "x//", "./x", "sub/../x"};
    struct unpack_options options = default_options();
    struct package_format format = {PACKAGE_TAR, PACKAGE_PLAIN};
    struct hallmark_unpack_report report;
    struct hallmark_error err = {0};
    struct unpack *unpack;
    int fd = archives_open(&archives, "ok-plain.tar");
    size_t i;

    (void)state;
    assert_int_equal(chdir(place), 0);
    assert_int_equal(mkdir("sub", 0755), 0);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        unpack = unpack_open(names[i], &err);
        assert_non_null(unpack);
        assert_true(unpack_run(unpack, fd, "ok-plain.tar", &format, &options, &report, &err));
        unpack_close(unpack);
        assert_int_equal(stat_of("x/d/f").st_size, 50000);
        clean();
    }
    close(fd);
    assert_int_equal(rmdir("sub"), 0);
    assert_int_equal(chdir("/"), 0);
}

static void unpack_rejects_a_destination_that_appears_meanwhile(void **state)
{
    struct unpack_options options = default_options();
    struct package_format format = {PACKAGE_TAR, PACKAGE_PLAIN};
    struct hallmark_unpack_report report;
    struct hallmark_error err = {0};
    char *path = into("x");
    struct unpack *unpack = unpack_open(path, &err);
    int fd = archives_open(&archives, "ok-plain.tar");

    (void)state;
    assert_non_null(unpack);
    assert_int_equal(mkdir(path, 0711), 0);
    assert_false(unpack_run(unpack, fd, "ok-plain.tar", &format, &options, &report, &err));
    assert_error(&err, HALLMARK_ERR_USAGE, "by somebody else meanwhile");
    unpack_close(unpack);
    close(fd);
    assert_int_equal(count_entries(path), 0);
    assert_int_equal(stat_of("x").st_mode, S_IFDIR | 0711);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(count_entries(place), 0);
    free(path);
}

static void unpack_accepts_a_private_file(void **state)
{
    struct hallmark_error err = {0};
    struct stat st, beside = stat_of(".");
    char *path = into("x");
    struct unpack *unpack = unpack_open(path, &err);
    int fd;

    (void)state;
    assert_non_null(unpack);
    fd = unpack_private_file(unpack, &err);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    assert_int_equal(st.st_nlink, 0);
    assert_true(st.st_dev == beside.st_dev);
    close(fd);
    unpack_close(unpack);
    assert_int_equal(count_entries(place), 0);
    free(path);
}

static void unpack_accepts_and_removes_what_killed_runs_left(void **state)
{
    static const char left[] = ".hallmark-0123456789abcdef";
    struct hallmark_error err = {0};
    char *path = into("x"), *old = into(left), *tree = path_join(old, "tree"),
         *below = path_join(tree, "d");
    struct unpack *unpack, *other;

    (void)state;
    assert_int_equal(mkdir(old, 0700) | mkdir(tree, 0755) | mkdir(below, 0755), 0);
    unpack = unpack_open(path, &err);
    assert_non_null(unpack);
    assert_int_equal(access(old, F_OK), -1);
    /* But not that of a run that is at work. */
    other = unpack_open(path, &err);
    assert_non_null(other);
    assert_int_equal(count_entries(place), 2);
    unpack_close(other);
    unpack_close(unpack);
    /* Nor what is not private. */
    assert_int_equal(mkdir(old, 0755), 0);
    unpack = unpack_open(path, &err);
    unpack_close(unpack);
    assert_int_equal(rmdir(old), 0);
    free(path);
    free(old);
    free(tree);
    free(below);
}

struct seen {
    uint64_t last, total;
    size_t n;
};

static void note_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct seen *seen = ctx;

    assert_true(done >= seen->last && done <= total);
    seen->last = done;
    seen->total = total;
    seen->n++;
}

static void unpack_accepts_and_tells_progress(void **state)
{
    struct unpack_options options = default_options();
    struct seen seen = {0};
    struct hallmark_unpack_report report;
    struct hallmark_error err = {0};
    struct package_format format = {PACKAGE_TAR, PACKAGE_PLAIN};
    char *path = into("x"), *big = path_join(archives.dir, "big.tar");
    char *command =
        alloc_printf("cd '%s' && head -c 9000000 /dev/zero > big && tar -cf big.tar big "
                     "&& rm big",
                     archives.dir);
    struct unpack *unpack;
    int fd;

    (void)state;
    options.progress = note_progress;
    options.ctx = &seen;
    assert_int_equal(system(command), 0);
    fd = open(big, O_RDONLY | O_CLOEXEC);
    unpack = unpack_open(path, &err);
    assert_true(unpack_run(unpack, fd, "big.tar", &format, &options, &report, &err));
    unpack_close(unpack);
    assert_true(seen.n >= 9);
    assert_true(seen.last == seen.total && seen.total > 9000000);
    close(fd);
    clean();
    free(path);
    free(big);
    free(command);
}

static void unpack_accepts_and_reports_the_sandbox(void **state)
{
    struct unpack_options options = default_options();
    struct hallmark_unpack_report report;
    struct hallmark_error err;

    (void)state;
    assert_true(run("ok-plain.tar", "x", &options, &report, &err));
    clean();
    assert_int_equal(report.n_entries, 4);
    if (options.sandbox == HALLMARK_SANDBOX_REQUIRED)
        assert_string_equal(report.sandbox, "seccomp landlock rlimits no-new-privs");
    options.sandbox = HALLMARK_SANDBOX_OFF;
    assert_true(run("ok-plain.tar", "x", &options, &report, &err));
    clean();
    assert_string_equal(report.sandbox, "none");
}

static int make_all(void **state)
{
    (void)state;
    archives_make(&archives);
    place = temporary_new();
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    archives_free(&archives);
    temporary_remove(place);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpack_accepts_and_rejects_every_archive),
        cmocka_unit_test(unpack_accepts_and_makes_what_the_archive_says),
        cmocka_unit_test(unpack_accepts_and_masks_modes),
        cmocka_unit_test(unpack_accepts_and_drops_attributes),
        cmocka_unit_test(unpack_accepts_and_clamps_times),
        cmocka_unit_test(unpack_accepts_holes),
        cmocka_unit_test(unpack_accepts_limits_that_are_reached),
        cmocka_unit_test(unpack_rejects_what_breaks_limits),
        cmocka_unit_test(unpack_accepts_and_rejects_by_what_is_signed),
        cmocka_unit_test(unpack_accepts_any_link_if_asked),
        cmocka_unit_test(unpack_rejects_destinations),
        cmocka_unit_test(unpack_accepts_relative_destinations),
        cmocka_unit_test(unpack_rejects_a_destination_that_appears_meanwhile),
        cmocka_unit_test(unpack_accepts_a_private_file),
        cmocka_unit_test(unpack_accepts_and_removes_what_killed_runs_left),
        cmocka_unit_test(unpack_accepts_and_tells_progress),
        cmocka_unit_test(unpack_accepts_and_reports_the_sandbox),
    };

    return cmocka_run_group_tests(tests, make_all, free_all);
}
