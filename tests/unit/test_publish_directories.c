/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Publication of files in directories: an index, under its own name and those of its hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "publish_root.h"

static int set_up(void **state)
{
    struct run *run = alloc_array(1, sizeof *run);

    run_start(run, NULL);
    *state = run;
    return 0;
}

static int tear_down(void **state)
{
    struct run *run = *state;

    assert_clean(run);
    run_end(run);
    free(run);
    return 0;
}

/* What a reader gets at PATH, "(none)" where nothing is. */
static void assert_reads(struct run *f, const char *path, const char *want)
{
    struct bytes data = {0};
    bool exists;

    assert_true(file_read(f->fd, path, 100, &data, &exists, NULL));
    if (!exists)
        bytes_append_str(&data, "(none)");
    assert_string_equal(data.data, want);
    bytes_free(&data);
}

static void assert_link(struct run *f, const char *path, const char *want)
{
    char target[256] = "";

    assert_true(readlinkat(f->fd, path, target, sizeof target - 1) >= 0);
    assert_string_equal(target, want);
}

static void assert_mode(struct run *f, const char *path, unsigned want)
{
    struct stat st;

    assert_int_equal(fstatat(f->fd, path, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, want);
}

static bool is_there(struct run *f, const char *path)
{
    struct stat st;

    return fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Publishes Release, Packages with TEXT, and that by its hash, which is said to be NAME. */
static bool commit_by_hash(struct run *f, const char *name, const char *text,
                           struct hallmark_error *err)
{
    char *path = alloc_printf("by-hash/SHA256/%s", name);
    struct publish_file files[] = {{.name = "Release", .data = bytes_view_str(name)},
                                   {.name = "Packages", .data = bytes_view_str(text)},
                                   {.name = path, .data = bytes_view_str(text)}};
    bool ok;

    ok = publish_commit(f->fd, files, sizeof files / sizeof *files, err);
    free(path);
    return ok;
}

static ino_t inode(struct run *f, const char *path)
{
    struct stat st;

    assert_int_equal(fstatat(f->fd, path, &st, 0), 0);
    return st.st_ino;
}

static void publish_accepts_directories(void **state)
{
    static const char *const all[] = {"Release", "Packages", "by-hash/SHA256/aa"};
    struct run *f = *state;

    assert_true(commit_by_hash(f, "aa", "A", NULL));
    assert_reads(f, "Packages", "A");
    assert_reads(f, "by-hash/SHA256/aa", "A");
    assert_link(f, "by-hash", ".hallmark/current/by-hash");
    assert_mode(f, ".hallmark/00000001/by-hash", 0755);
    assert_mode(f, ".hallmark/00000001/by-hash/SHA256", 0755);
    assert_mode(f, "by-hash/SHA256/aa", 0644);
    assert_true(inode(f, "Packages") == inode(f, "by-hash/SHA256/aa"));
    assert_true(is_intact(f->fd, all, 3));
    assert_int_equal(unlinkat(f->fd, "by-hash/SHA256/aa", 0), 0);
    assert_false(is_intact(f->fd, all, 3));
    assert_true(is_intact(f->fd, all, 2));
}

/* As many as there are generations, and no more. */
static void publish_accepts_older_files_by_hash(void **state)
{
    struct run *f = *state;
    size_t n_removed;

    assert_true(commit_by_hash(f, "aa", "A", NULL));
    assert_true(commit_by_hash(f, "bb", "B", NULL));
    assert_true(commit_by_hash(f, "cc", "C", NULL));
    assert_reads(f, "Packages", "C");
    assert_reads(f, "by-hash/SHA256/aa", "A");
    assert_reads(f, "by-hash/SHA256/bb", "B");
    assert_reads(f, "by-hash/SHA256/cc", "C");
    assert_true(inode(f, "by-hash/SHA256/aa") == inode(f, ".hallmark/00000001/Packages"));
    assert_true(publish_prune(f->fd, 2, 0, INT64_MAX / 2, &n_removed, NULL));
    assert_int_equal(n_removed, 1);
    assert_reads(f, "by-hash/SHA256/aa", "A");
    /* The same index again: it is there by its hash already. */
    assert_true(commit_by_hash(f, "cc", "C", NULL));
    assert_reads(f, "by-hash/SHA256/aa", "(none)");
    assert_reads(f, "by-hash/SHA256/bb", "B");
    assert_reads(f, "by-hash/SHA256/cc", "C");
    assert_true(inode(f, "Packages") == inode(f, "by-hash/SHA256/cc"));
}

static void publish_accepts_removed_names(void **state)
{
    struct run *f = *state;

    assert_true(commit_by_hash(f, "aa", "A", NULL));
    assert_true(commit(f->fd, "two", NULL));
    assert_true(is_intact(f->fd, names, N_NAMES));
    assert_false(is_there(f, "Packages"));
    assert_false(is_there(f, "by-hash"));
    /* What a crash between the switch and the removal leaves. */
    assert_int_equal(symlinkat(".hallmark/current/Packages", f->fd, "Packages"), 0);
    assert_false(is_intact(f->fd, names, N_NAMES));
    assert_true(commit(f->fd, "three", NULL));
    assert_false(is_there(f, "Packages"));
    assert_true(is_intact(f->fd, names, N_NAMES));
}

/* Another tool's index becomes a generation, with what ours had by hash. */
static void publish_accepts_an_index_edited_by_hand(void **state)
{
    struct run *f = *state;

    assert_true(commit_by_hash(f, "aa", "A", NULL));
    assert_int_equal(unlinkat(f->fd, "Packages", 0), 0);
    assert_true(file_create(f->fd, "Packages", bytes_view_str("edited"), 0644, NULL));
    assert_true(commit_by_hash(f, "bb", "B", NULL));
    assert_reads(f, "Packages", "B");
    assert_reads(f, ".hallmark/00000002/Packages", "edited");
    assert_reads(f, ".hallmark/00000002/by-hash/SHA256/aa", "A");
    assert_reads(f, "by-hash/SHA256/aa", "A");
    assert_link(f, ".hallmark/current", "00000003");
}

static void publish_rejects_a_directory_of_somebody_else(void **state)
{
    struct run *f = *state;
    struct hallmark_error err = {0};

    assert_int_equal(mkdirat(f->fd, "by-hash", 0755), 0);
    assert_false(commit_by_hash(f, "aa", "A", &err));
    assert_int_equal(err.code, HALLMARK_ERR_USAGE);
    assert_non_null(strstr(err.text, "by-hash: is a directory; move it away"));
    assert_false(is_there(f, "Packages"));
    assert_false(is_there(f, ".hallmark"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(publish_accepts_directories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_older_files_by_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_removed_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_accepts_an_index_edited_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publish_rejects_a_directory_of_somebody_else, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
