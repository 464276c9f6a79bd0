/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Publication: what readers see in the end. What they see at every instant, after every crash and
 * every failed system call, is in test_publish_faults.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "system/publish.h"
#include "temporary.h"

enum { N_NAMES = 3 };

static const char *const names[N_NAMES] = {"Release", "Release.gpg", "InRelease"};

struct fixture {
    char *path;
    int fd;
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

    file_close(&f->fd);
    temporary_remove(f->path);
    free(f);
    return 0;
}

/* Publishes files that say WHAT and their name. */
static bool commit(struct fixture *f, const char *what)
{
    struct publish_file files[N_NAMES];
    char *texts[N_NAMES];
    size_t i;
    bool ok;

    for (i = 0; i < N_NAMES; i++) {
        texts[i] = alloc_printf("%s %s\n", what, names[i]);
        files[i] = (struct publish_file){.name = names[i], .data = bytes_view_str(texts[i])};
    }
    error_clear(&f->err);
    ok = publish_commit(f->fd, files, N_NAMES, &f->err);
    for (i = 0; i < N_NAMES; i++)
        free(texts[i]);
    return ok;
}

static bool is_intact(int rootfd, const char *const *files, size_t n_files)
{
    struct hallmark_error err = {0};
    bool is = false;

    assert_true(publish_check(rootfd, files, n_files, &is, &err));
    return is;
}

/* What a reader gets at PATH, "(none)" where nothing is. */
static void assert_reads(struct fixture *f, const char *path, const char *want)
{
    struct bytes data = {0};
    bool exists;

    assert_true(file_read(f->fd, path, LIMITS_MANIFEST_BYTES, &data, &exists, &f->err));
    if (!exists)
        bytes_append_str(&data, "(none)");
    assert_string_equal(data.data ? data.data : "", want);
    bytes_free(&data);
}

/* What a reader gets at all names: WHAT and the name. */
static void assert_published(struct fixture *f, const char *what)
{
    char *want;
    size_t i;

    for (i = 0; i < N_NAMES; i++) {
        want = alloc_printf("%s %s\n", what, names[i]);
        assert_reads(f, names[i], want);
        free(want);
    }
    assert_true(is_intact(f->fd, names, N_NAMES));
}

static void assert_mode(struct fixture *f, const char *path, unsigned want)
{
    struct stat st;

    assert_int_equal(fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(st.st_mode & 07777, want);
}

static void assert_link(struct fixture *f, const char *path, const char *want)
{
    char target[256];
    ssize_t len = readlinkat(f->fd, path, target, sizeof target - 1);

    assert_true(len >= 0);
    target[len] = '\0';
    assert_string_equal(target, want);
}

static bool is_there(struct fixture *f, const char *path)
{
    struct stat st;

    return fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void write_file(struct fixture *f, const char *path, const char *text)
{
    assert_true(file_create(f->fd, path, bytes_view_str(text), 0644, &f->err));
}

static void assert_refused(struct fixture *f, enum hallmark_errcode code, const char *text)
{
    assert_false(commit(f, "refused"));
    assert_int_equal(f->err.code, code);
    assert_non_null(strstr(f->err.text, text));
}

/* ---- publish_commit ---- */

static void publish_accepts_first_publication(void **state)
{
    struct fixture *f = *state;
    mode_t umask_before = umask(0077);

    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_true(commit(f, "one"));
    umask(umask_before);
    assert_published(f, "one");
    assert_mode(f, ".hallmark", 0755);
    assert_mode(f, ".hallmark/00000001", 0755);
    assert_mode(f, ".hallmark/00000001/InRelease", 0644);
    assert_link(f, ".hallmark/current", "00000001");
    assert_link(f, "InRelease", ".hallmark/current/InRelease");
}

static void publish_accepts_further_publications(void **state)
{
    struct fixture *f = *state;

    assert_true(commit(f, "one"));
    assert_true(commit(f, "two"));
    assert_published(f, "two");
    assert_true(commit(f, "three"));
    assert_published(f, "three");
    assert_reads(f, ".hallmark/00000001/Release", "one Release\n");
    assert_reads(f, ".hallmark/00000002/Release.gpg", "two Release.gpg\n");
    assert_link(f, ".hallmark/current", "00000003");
}

static void publish_accepts_an_empty_file(void **state)
{
    struct fixture *f = *state;
    const struct publish_file empty = {.name = "Packages"};

    assert_true(publish_commit(f->fd, &empty, 1, &f->err));
    assert_reads(f, "Packages", "");
}

/* Whatever the mode of an existing store says, once something is current it is left as it is. */
static void publish_accepts_the_administrators_mode(void **state)
{
    struct fixture *f = *state;

    assert_true(commit(f, "one"));
    assert_int_equal(fchmodat(f->fd, ".hallmark", 0750, 0), 0);
    assert_true(commit(f, "two"));
    assert_mode(f, ".hallmark", 0750);
}

/* The files of another tool: they are a generation before the first one of ours. */
static void publish_accepts_files_of_another_tool(void **state)
{
    struct fixture *f = *state;

    write_file(f, "Release", "foreign R\n");
    write_file(f, "Release.gpg", "foreign G\n");
    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_true(commit(f, "ours"));
    assert_published(f, "ours");
    assert_link(f, ".hallmark/current", "00000002");
    assert_reads(f, ".hallmark/00000001/Release", "foreign R\n");
    assert_reads(f, ".hallmark/00000001/Release.gpg", "foreign G\n");
    assert_reads(f, ".hallmark/00000001/InRelease", "(none)");
    assert_mode(f, ".hallmark/00000001/Release", 0644);
}

/* sed -i on a link makes a plain file of it. */
static void publish_accepts_a_file_edited_by_hand(void **state)
{
    struct fixture *f = *state;

    assert_true(commit(f, "one"));
    assert_int_equal(unlinkat(f->fd, "InRelease", 0), 0);
    write_file(f, "InRelease", "edited\n");
    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_true(commit(f, "two"));
    assert_published(f, "two");
    /* What readers saw between: the edited file beside those of the first generation. */
    assert_reads(f, ".hallmark/00000002/InRelease", "edited\n");
    assert_reads(f, ".hallmark/00000002/Release", "one Release\n");
    assert_reads(f, ".hallmark/00000002/Release.gpg", "one Release.gpg\n");
    assert_link(f, ".hallmark/current", "00000003");
}

/* A link that somebody removed must not come back before the switch. */
static void publish_accepts_a_removed_link(void **state)
{
    struct fixture *f = *state;

    assert_true(commit(f, "one"));
    assert_int_equal(unlinkat(f->fd, "InRelease", 0), 0);
    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_true(commit(f, "two"));
    assert_published(f, "two");
    assert_reads(f, ".hallmark/00000002/InRelease", "(none)");
    assert_reads(f, ".hallmark/00000002/Release", "one Release\n");
}

/* A name that is published no more keeps what it had until the switch. */
static void publish_accepts_fewer_names(void **state)
{
    struct fixture *f = *state;
    const struct publish_file one = {.name = "Packages", .data = {"P\n", 2}};

    assert_true(publish_commit(f->fd, &one, 1, &f->err));
    write_file(f, "InRelease", "edited\n");
    assert_true(commit(f, "two"));
    assert_published(f, "two");
    assert_reads(f, ".hallmark/00000002/Packages", "P\n");
    assert_reads(f, "Packages", "(none)");
}

static void publish_accepts_a_lost_generation(void **state)
{
    struct fixture *f = *state;

    assert_true(commit(f, "one"));
    assert_true(commit(f, "two"));
    assert_true(file_remove_tree(f->fd, ".hallmark/00000002", &f->err));
    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_true(commit(f, "three"));
    assert_published(f, "three");
    assert_link(f, ".hallmark/current", "00000003");
}

static void publish_accepts_leftovers_of_crashes(void **state)
{
    struct fixture *f = *state;

    assert_true(commit(f, "one"));
    assert_int_equal(mkdirat(f->fd, ".hallmark/.new-00000002", 0700), 0);
    write_file(f, ".hallmark/.new-00000002/Release", "half");
    assert_int_equal(mkdirat(f->fd, ".hallmark/.old-00000001", 0700), 0);
    assert_int_equal(symlinkat("00000009", f->fd, ".hallmark/.new-current"), 0);
    assert_int_equal(symlinkat("x", f->fd, ".hallmark/.new-link"), 0);
    /* Complete, but never switched to. */
    assert_int_equal(mkdirat(f->fd, ".hallmark/00000002", 0755), 0);
    write_file(f, ".hallmark/00000002/Release", "never published");
    /* Not ours. */
    write_file(f, ".hallmark/.htaccess", "Require all granted\n");
    write_file(f, ".hallmark/0000002", "seven digits");
    assert_true(commit(f, "two"));
    assert_published(f, "two");
    assert_false(is_there(f, ".hallmark/.new-00000002"));
    assert_false(is_there(f, ".hallmark/.old-00000001"));
    assert_false(is_there(f, ".hallmark/.new-current"));
    assert_false(is_there(f, ".hallmark/.new-link"));
    assert_false(is_there(f, ".hallmark/00000002"));
    assert_true(is_there(f, ".hallmark/.htaccess"));
    assert_true(is_there(f, ".hallmark/0000002"));
    assert_link(f, ".hallmark/current", "00000003");
}

static void publish_accepts_cleaning(void **state)
{
    struct fixture *f = *state;

    assert_true(publish_clean(f->fd, &f->err));
    assert_false(is_there(f, ".hallmark"));
    assert_true(commit(f, "one"));
    assert_int_equal(mkdirat(f->fd, ".hallmark/.new-00000002", 0700), 0);
    assert_int_equal(mkdirat(f->fd, ".hallmark/00000002", 0755), 0);
    assert_true(publish_clean(f->fd, &f->err));
    assert_false(is_there(f, ".hallmark/.new-00000002"));
    assert_false(is_there(f, ".hallmark/00000002"));
    assert_published(f, "one");
}

static void publish_rejects_a_directory_at_a_name(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mkdirat(f->fd, "Release", 0755), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, "Release: is a directory; move it away");
    assert_false(is_there(f, ".hallmark"));
    assert_false(is_there(f, "InRelease"));
}

static void publish_rejects_a_foreign_link_at_a_name(void **state)
{
    static const char *const targets[] = {"/etc/passwd", ".hallmark/current/Release",
                                          ".hallmark/current/InRelease/", "current/InRelease",
                                          ".hallmark/current/"};
    struct fixture *f = *state;
    size_t i;

    assert_true(commit(f, "one"));
    for (i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_int_equal(unlinkat(f->fd, "InRelease", 0), 0);
        assert_int_equal(symlinkat(targets[i], f->fd, "InRelease"), 0);
        assert_false(is_intact(f->fd, names, N_NAMES));
        assert_refused(f, HALLMARK_ERR_USAGE, "InRelease: is a symbolic link to another place");
        assert_link(f, "InRelease", targets[i]);
        assert_link(f, ".hallmark/current", "00000001");
        assert_false(is_there(f, ".hallmark/00000002"));
    }
}

static void publish_rejects_a_fifo_at_a_name(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mkfifoat(f->fd, "Release.gpg", 0600), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, "Release.gpg: is a special file");
}

static void publish_rejects_a_store_that_is_no_directory(void **state)
{
    struct fixture *f = *state;
    size_t n;

    write_file(f, ".hallmark", "x");
    assert_refused(f, HALLMARK_ERR_USAGE, ".hallmark: is not a directory; move it away");
    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_int_equal(unlinkat(f->fd, ".hallmark", 0), 0);
    assert_int_equal(mkdirat(f->fd, "elsewhere", 0755), 0);
    assert_int_equal(symlinkat("elsewhere", f->fd, ".hallmark"), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, ".hallmark: is not a directory; move it away");
    assert_false(is_there(f, "elsewhere/current"));
    error_clear(&f->err);
    assert_false(publish_prune(f->fd, 1, 0, 0, &n, &f->err));
    assert_int_equal(f->err.code, HALLMARK_ERR_USAGE);
}

static void publish_rejects_a_foreign_current(void **state)
{
    static const char *const targets[] = {"..",       "/etc",     "1",        "00000001/",
                                          "0000000a", "00000000", "000000001"};
    struct fixture *f = *state;
    size_t i;

    assert_true(commit(f, "one"));
    for (i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_int_equal(unlinkat(f->fd, ".hallmark/current", 0), 0);
        assert_int_equal(symlinkat(targets[i], f->fd, ".hallmark/current"), 0);
        assert_false(is_intact(f->fd, names, N_NAMES));
        assert_refused(f, HALLMARK_ERR_USAGE, "which is no generation; remove it");
    }
    assert_int_equal(unlinkat(f->fd, ".hallmark/current", 0), 0);
    assert_int_equal(mkdirat(f->fd, ".hallmark/current", 0755), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, ".hallmark/current: is not a link to a generation");
    assert_int_equal(unlinkat(f->fd, ".hallmark/current", AT_REMOVEDIR), 0);
    write_file(f, ".hallmark/00000007", "x");
    assert_int_equal(symlinkat("00000007", f->fd, ".hallmark/current"), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, ".hallmark/00000007: is not a directory");
}

static void publish_rejects_a_number_beyond_the_last(void **state)
{
    struct fixture *f = *state;

    assert_true(commit(f, "one"));
    assert_int_equal(renameat(f->fd, ".hallmark/00000001", f->fd, ".hallmark/99999999"), 0);
    assert_int_equal(unlinkat(f->fd, ".hallmark/current", 0), 0);
    assert_int_equal(symlinkat("99999999", f->fd, ".hallmark/current"), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, "no number is left");
    assert_published(f, "one");
}

/* A file at the root that nobody could mean to be a manifest. */
static void publish_rejects_adopting_a_huge_file(void **state)
{
    struct fixture *f = *state;
    int fd = openat(f->fd, "Release", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, LIMITS_ADOPTED_BYTES + 1L), 0);
    close(fd);
    assert_refused(f, HALLMARK_ERR_MALFORMED, "Release: is larger than");
    assert_false(is_there(f, ".hallmark"));
    assert_mode(f, "Release", 0644);
}

/* ---- publish_check ---- */

static void publish_rejects_as_intact_what_lacks_a_file(void **state)
{
    static const char *const more[] = {"Release", "Packages"};
    struct fixture *f = *state;

    assert_true(commit(f, "one"));
    assert_true(is_intact(f->fd, names, 1));
    assert_true(is_intact(f->fd, NULL, 0));
    assert_false(is_intact(f->fd, more, 2));
    assert_int_equal(unlinkat(f->fd, ".hallmark/00000001/Release", 0), 0);
    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_int_equal(symlinkat("InRelease", f->fd, ".hallmark/00000001/Release"), 0);
    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_int_equal(unlinkat(f->fd, ".hallmark/current", 0), 0);
    assert_false(is_intact(f->fd, NULL, 0));
}

/* ---- publish_prune ---- */

/* Makes N generations; number I was made at 1000 * I. */
static void make_generations(struct fixture *f, int n)
{
    struct timespec times[2] = {0};
    char *path, *what;
    int i;

    for (i = 1; i <= n; i++) {
        what = alloc_printf("g%d", i);
        path = alloc_printf(".hallmark/%08d", i);
        assert_true(commit(f, what));
        times[0].tv_sec = times[1].tv_sec = 1000L * i;
        assert_int_equal(utimensat(f->fd, path, times, 0), 0);
        free(path);
        free(what);
    }
}

/* Which of the generations 1 to 5 there are. */
static void assert_generations(struct fixture *f, const char *want)
{
    char have[8] = "", path[32];
    int i;

    for (i = 1; i <= 5; i++) {
        snprintf(path, sizeof path, ".hallmark/%08d", i);
        if (is_there(f, path))
            snprintf(have + strlen(have), sizeof have - strlen(have), "%d", i);
    }
    assert_string_equal(have, want);
}

static void publish_accepts_pruning_nothing(void **state)
{
    struct fixture *f = *state;
    size_t n = 7;

    assert_true(publish_prune(f->fd, 3, 0, 1, &n, &f->err));
    assert_int_equal(n, 0);
    assert_false(is_there(f, ".hallmark"));
    make_generations(f, 3);
    assert_true(publish_prune(f->fd, 3, 0, 1000000, &n, &f->err));
    assert_int_equal(n, 0);
    assert_generations(f, "123");
}

static void publish_accepts_pruning_by_number(void **state)
{
    struct fixture *f = *state;
    size_t n;

    make_generations(f, 5);
    assert_true(publish_prune(f->fd, 2, 0, 1000000, &n, &f->err));
    assert_int_equal(n, 3);
    assert_generations(f, "45");
    assert_published(f, "g5");
    assert_true(publish_prune(f->fd, 0, 0, 1000000, &n, &f->err));
    assert_int_equal(n, 1);
    assert_generations(f, "5");
    assert_published(f, "g5");
}

static void publish_accepts_pruning_by_age(void **state)
{
    struct fixture *f = *state;
    size_t n;

    make_generations(f, 5);
    /* Number 2 was current until 3000, which is not more than 1000 before. */
    assert_true(publish_prune(f->fd, 1, 1000, 4000, &n, &f->err));
    assert_int_equal(n, 1);
    assert_generations(f, "2345");
    assert_true(publish_prune(f->fd, 1, 1000, 4001, &n, &f->err));
    assert_int_equal(n, 1);
    assert_generations(f, "345");
    /* A clock that went back, and a time beyond all. */
    assert_true(publish_prune(f->fd, 1, 1000, 5, &n, &f->err));
    assert_true(publish_prune(f->fd, 1, INT64_MAX, 1, &n, &f->err));
    assert_generations(f, "345");
}

static void publish_accepts_pruning_leftovers(void **state)
{
    struct fixture *f = *state;
    size_t n;

    make_generations(f, 2);
    assert_int_equal(mkdirat(f->fd, ".hallmark/.old-00000001", 0700), 0);
    assert_int_equal(mkdirat(f->fd, ".hallmark/00000003", 0700), 0);
    assert_true(publish_prune(f->fd, 2, 0, 1000000, &n, &f->err));
    assert_int_equal(n, 0);
    assert_generations(f, "12");
    assert_false(is_there(f, ".hallmark/.old-00000001"));
    assert_published(f, "g2");
}

/* Where nothing is current, nothing tells what could be of use. */
static void publish_accepts_pruning_without_current(void **state)
{
    struct fixture *f = *state;
    size_t n;

    make_generations(f, 3);
    assert_int_equal(unlinkat(f->fd, ".hallmark/current", 0), 0);
    assert_true(publish_prune(f->fd, 1, 0, 1000000, &n, &f->err));
    assert_int_equal(n, 0);
    assert_generations(f, "123");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(publish_accepts_first_publication, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_further_publications, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_an_empty_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_the_administrators_mode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_files_of_another_tool, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_a_file_edited_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_a_removed_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_fewer_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_a_lost_generation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_leftovers_of_crashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_cleaning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_a_directory_at_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_a_foreign_link_at_a_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_a_fifo_at_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_a_store_that_is_no_directory, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_a_foreign_current, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_a_number_beyond_the_last, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_adopting_a_huge_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_as_intact_what_lacks_a_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_pruning_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_pruning_by_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_pruning_by_age, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_pruning_leftovers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_pruning_without_current, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
