/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a mirror: the list, what is there, placing, retiring, removing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus.h"
#include "crypto/digest.h"
#include "repo/mirror_commit.h"
#include "repo/mirror_files.h"
#include "repo/mirror_tree.h"
#include "temporary.h"

struct spot {
    char *dir;
    int fd;
};

static int set_up(void **state)
{
    struct spot *spot = alloc_array(1, sizeof *spot);

    spot->dir = temporary_new();
    spot->fd = file_open_directory(spot->dir, NULL);
    *state = spot;
    return 0;
}

static int tear_down(void **state)
{
    struct spot *spot = *state;

    file_close(&spot->fd);
    temporary_remove(spot->dir);
    free(spot);
    return 0;
}

/* Adds PATH with the bytes TEXT to the list. */
static bool add(struct mirror_files *files, const char *path, const char *text, unsigned hashes,
                struct hallmark_error *err)
{
    struct package_index_entry entry = {
        .path = bytes_view_str(path), .size = strlen(text), .hashes = hashes};
    struct digest_value digest;
    struct content *content;
    bool ok;

    assert_true(digest_bytes(DIGEST_SHA256 | DIGEST_SHA512, bytes_view_str(text), &digest, err));
    memcpy(entry.sha256, digest.sha256, sizeof entry.sha256);
    memcpy(entry.sha512, digest.sha512, sizeof entry.sha512);
    content = content_of_package(&entry);
    ok = mirror_files_add(files, content, err);
    content_free(content);
    return ok;
}

static void add_good(struct mirror_files *files, const char *path, const char *text)
{
    struct hallmark_error err = {0};

    if (!add(files, path, text, RELEASE_SHA256, &err))
        fail_msg("%s", err.text);
}

/* Moves NAME to PATH in the same directory. */
static bool place(int fd, const char *name, const char *path, struct tree_stamp *stamp,
                  struct hallmark_error *err)
{
    struct mirror_loose from = {.dirfd = fd, .name = name, .fd = -1};

    return mirror_tree_place(fd, &from, path, stamp, err);
}

static void put(int fd, const char *path, const char *text)
{
    struct hallmark_error err = {0};
    int parent = mirror_tree_open_parent(fd, path, &err);

    assert_true(file_replace(parent, path_basename(path), bytes_view_str(text), 0644, &err));
    file_close(&parent);
}

static bool take(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    (void)ctx;
    (void)data;
    (void)len;
    (void)err;
    return true;
}

static void mirror_files_accepts_the_same_file_twice(void **state)
{
    struct mirror_files files = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_true(mirror_files_sort(&files, &err));
    add_good(&files, "b", "1");
    add_good(&files, "a", "2");
    assert_true(add(&files, "b", "1", RELEASE_SHA256 | RELEASE_SHA512, &err));
    add_good(&files, "b", "1");
    assert_true(add(&files, "a", "2", RELEASE_SHA512, &err));
    assert_true(mirror_files_sort(&files, &err));
    assert_int_equal(files.n_files, 2);
    assert_string_equal(files.files[0].path, "a");
    assert_int_equal(files.files[0].hashes, RELEASE_SHA256 | RELEASE_SHA512); /* both must hold */
    assert_int_equal(files.files[1].hashes, RELEASE_SHA256 | RELEASE_SHA512);
    mirror_files_free(&files);
}

static void mirror_files_rejects_two_files_of_one_path(void **state)
{
    static const struct {
        const char *text;
        unsigned hashes;
    } others[] = {{"2", RELEASE_SHA256}, {"11", RELEASE_SHA256}, {"11", RELEASE_SHA512}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof others / sizeof *others; i++) {
        struct mirror_files files = {0};
        struct hallmark_error err = {0};

        add_good(&files, "a", "1");
        assert_true(add(&files, "a", others[i].text, others[i].hashes, &err));
        add_good(&files, "b", "1");
        assert_false(mirror_files_sort(&files, &err));
        corpus_assert_error(&err, HALLMARK_ERR_CONTENT,
                            "a: two indexes say two sizes or hashes of it");
        assert_int_equal(files.n_files, 2);
        mirror_files_free(&files);
    }
}

static void mirror_files_rejects_what_cannot_be_verified(void **state)
{
    struct mirror_files files = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_false(add(&files, "a", "1", 0, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "a: the index has neither SHA256 nor SHA512 of it");
    err = (struct hallmark_error){0};
    assert_false(add(&files, "pool/.a", "1", RELEASE_SHA256, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "no hidden files");
    assert_int_equal(files.n_files, 0);
}

/* Looks at a, b/c, d and e, of which b/c is there, d has another size and e other bytes. */
static void look(struct mirror_files *files, int fd, struct digest_cache *cache, uint64_t n_hashed)
{
    struct mirror_look how = {.rootfd = fd, .cache = cache, .sink = {.take = take}};
    struct hallmark_error err = {0};

    add_good(files, "a", "1");
    add_good(files, "b/c", "22");
    add_good(files, "d", "333");
    add_good(files, "e", "4444");
    assert_true(mirror_files_sort(files, &err));
    assert_true(mirror_files_look(files, &how, &err));
    assert_int_equal(how.n_hashed, n_hashed);
    assert_int_equal(files->files[0].fate, MIRROR_MISSING);
}

static void mirror_files_accepts_what_is_there(void **state)
{
    struct spot *spot = *state;
    struct mirror_files files = {0}, again = {0}, nothing = {0};
    struct digest_cache *cache;
    struct hallmark_error err = {0};

    put(spot->fd, "b/c", "22");
    put(spot->fd, "d", "3333");
    put(spot->fd, "e", "4443");
    look(&nothing, -1, NULL, 0);
    look(&files, spot->fd, NULL, 2);
    assert_int_equal(files.files[1].fate, MIRROR_GOOD);
    assert_int_equal(files.files[2].fate, MIRROR_WRONG);
    assert_int_equal(files.files[3].fate, MIRROR_WRONG);
    /* Just written, so not believed; what was placed is. */
    cache = mirror_files_cache(&files);
    assert_int_equal(digest_cache_count(cache), 1);
    look(&again, spot->fd, cache, 2);
    digest_cache_free(cache);
    put(spot->fd, "new", "22");
    assert_true(place(spot->fd, "new", "b/c", &again.files[1].stamp, &err));
    mirror_files_placed(&again.files[1], &again.files[1].stamp);
    cache = mirror_files_cache(&again);
    mirror_files_free(&files);
    look(&files, spot->fd, cache, 1);
    assert_int_equal(files.files[1].fate, MIRROR_GOOD);
    /* But not after a change that leaves size and time. */
    mirror_files_free(&files);
    put(spot->fd, "b/c", "23");
    look(&files, spot->fd, cache, 2);
    assert_int_equal(files.files[1].fate, MIRROR_WRONG);
    digest_cache_free(cache);
    mirror_files_free(&files);
    mirror_files_free(&again);
    mirror_files_free(&nothing);
}

/* A record of other bytes than are wanted now. */
static void mirror_files_rejects_a_record_of_other_bytes(void **state)
{
    struct spot *spot = *state;
    struct mirror_files files = {0}, wanted = {0};
    struct mirror_look how = {.rootfd = spot->fd, .sink = {.take = take}};
    struct hallmark_error err = {0};
    struct tree_stamp stamp;

    put(spot->fd, "x", "old");
    assert_true(place(spot->fd, "x", "a", &stamp, &err));
    add_good(&files, "a", "old");
    mirror_files_placed(&files.files[0], &stamp);
    how.cache = mirror_files_cache(&files);
    add_good(&wanted, "a", "new");
    assert_true(mirror_files_look(&wanted, &how, &err));
    assert_int_equal(wanted.files[0].fate, MIRROR_WRONG);
    digest_cache_free(how.cache);
    mirror_files_free(&files);
    mirror_files_free(&wanted);
}

static void mirror_files_rejects_what_is_in_the_way(void **state)
{
    struct spot *spot = *state;
    struct mirror_files files = {0};
    struct mirror_look how = {.rootfd = spot->fd, .sink = {.take = take}};
    struct hallmark_error err = {0};

    add_good(&files, "a", "1");
    assert_int_equal(symlinkat("/etc/passwd", spot->fd, "a"), 0);
    assert_false(mirror_files_look(&files, &how, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "a: is not a regular file; move it away");
    mirror_files_free(&files);
}

/* A directory is asked for once; what is beside it is looked for all the same. */
static void mirror_files_accepts_missing_directories(void **state)
{
    static const char *const names[] = {"a",           "b/1/x",       "b/1/y",   "b/2/x", "b/2/y",
                                        "b/2/z/u",     "b/22/x",      "b/3/d/x", "b/3/y", "b2",
                                        "c/deep/er/x", "c/deep/er/y", "c/x",     "d/x"};
    static const char *const there[] = {"b/2/y", "b/22/x", "b/3/y", "b2", "c/x", "d/x"};
    struct spot *spot = *state;
    struct mirror_files files = {0};
    struct mirror_look how = {.rootfd = spot->fd, .sink = {.take = take}};
    struct hallmark_error err = {0};
    size_t i, k, n_good = 0;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        add_good(&files, names[i], "22");
    for (i = 0; i < sizeof there / sizeof *there; i++)
        put(spot->fd, there[i], "22");
    assert_true(mirror_files_sort(&files, &err));
    assert_true(mirror_files_look(&files, &how, &err));
    for (i = 0; i < files.n_files; i++) {
        for (k = 0; k < sizeof there / sizeof *there; k++)
            if (strcmp(files.files[i].path, there[k]) == 0)
                break;
        assert_int_equal(files.files[i].fate,
                         k < sizeof there / sizeof *there ? MIRROR_GOOD : MIRROR_MISSING);
        n_good += files.files[i].fate == MIRROR_GOOD;
    }
    assert_int_equal(n_good, sizeof there / sizeof *there);
    mirror_files_free(&files);
}

/* It takes the name of another file, too, and needs none of its own for that longer than a moment.
 */
static void mirror_tree_accepts_nameless_files(void **state)
{
    struct spot *spot = *state;
    struct mirror_loose from = {.dirfd = spot->fd, .name = ".fetching-0"};
    struct hallmark_error err = {0};
    struct tree_stamp stamp;
    struct stat st;
    int i;

    for (i = 0; i < 2; i++) {
        from.fd = file_open_nameless(spot->fd, 0644);
        assert_true(from.fd >= 0);
        assert_true(file_write_all(from.fd, "data", i ? 4 : 3));
        if (!mirror_tree_place(spot->fd, &from, "pool/a", &stamp, &err))
            fail_msg("%s", err.text);
        file_close(&from.fd);
        assert_int_equal(stamp.size, i ? 4 : 3);
        assert_int_equal(fstatat(spot->fd, "pool/a", &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_size, i ? 4 : 3);
        assert_int_equal(fstatat(spot->fd, ".fetching-0", &st, AT_SYMLINK_NOFOLLOW), -1);
    }
}

static void mirror_tree_rejects_links_on_the_way(void **state)
{
    struct spot *spot = *state;
    struct hallmark_error err = {0};
    struct tree_stamp stamp;
    struct stat st;
    bool removed;

    put(spot->fd, "x", "1");
    put(spot->fd, "elsewhere/a", "1");
    assert_int_equal(symlinkat("elsewhere", spot->fd, "pool"), 0);
    assert_false(place(spot->fd, "x", "pool/b", &stamp, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE,
                        "pool/b: \"pool\" is no directory (a link is not followed); move it away");
    err = (struct hallmark_error){0};
    assert_false(place(spot->fd, "x", "elsewhere/a/b", &stamp, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "\"a\" is no directory");
    err = (struct hallmark_error){0};
    assert_true(mirror_tree_remove(spot->fd, "pool/a", &removed, &err));
    assert_false(removed);
    assert_int_equal(fstatat(spot->fd, "elsewhere/a", &st, 0), 0);
}

static void mirror_tree_accepts_removals(void **state)
{
    struct spot *spot = *state;
    struct hallmark_error err = {0};
    struct stat st;
    bool removed;

    put(spot->fd, "pool/h/hello/a", "1");
    put(spot->fd, "pool/h/b", "1");
    assert_true(mirror_tree_remove(spot->fd, "pool/h/hello/none", &removed, &err));
    assert_false(removed);
    assert_true(mirror_tree_remove(spot->fd, "pool/h/hello", &removed, &err));
    assert_false(removed); /* a directory is none of the files */
    assert_true(mirror_tree_remove(spot->fd, "pool/h/hello/a", &removed, &err));
    assert_true(removed);
    assert_int_not_equal(fstatat(spot->fd, "pool/h/hello", &st, 0), 0);
    assert_int_equal(fstatat(spot->fd, "pool/h/b", &st, 0), 0);
    assert_true(mirror_tree_remove(spot->fd, "pool/h/b", &removed, &err));
    assert_int_not_equal(fstatat(spot->fd, "pool", &st, 0), 0);
}

/* Whoever forgets what could not be looked at keeps it for ever. */
static void mirror_tree_rejects_a_lack_of_descriptors(void **state)
{
    struct spot *spot = *state;
    struct hallmark_error err = {0};
    struct rlimit before, none;
    bool removed, ok;

    put(spot->fd, "pool/a", "1");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    ok = mirror_tree_remove(spot->fd, "pool/a", &removed, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(ok);
    assert_false(removed);
    corpus_assert_error(&err, HALLMARK_ERR_IO, "pool/a: Too many open files");
    assert_true(mirror_tree_remove(spot->fd, "pool/a", &removed, NULL));
    assert_true(removed);
}

/* "PATH SECONDS" of each, with commas between. */
static char *retired_text(const struct mirror_retired_list *list)
{
    struct bytes text = {0};
    size_t i;

    bytes_append_str(&text, "");
    for (i = 0; i < list->n_items; i++)
        bytes_printf(&text, "%s%s %d", i ? "," : "", list->items[i].path,
                     (int)list->items[i].since);
    return text.data;
}

static void mirror_commit_accepts_retirements(void **state)
{
    struct mirror_files files = {0}, before = {0};
    struct mirror_retired_list old = {0}, out = {0};
    struct digest_cache *cache;
    struct hallmark_error err = {0};
    const char *paths = "b d e g";
    struct strlist names = {0};
    char *text;
    size_t i;

    (void)state;
    strlist_add_words(&names, bytes_view_str(paths));
    for (i = 0; i < names.n_items; i++) {
        add_good(&before, names.items[i], "1");
        before.files[i].fate = MIRROR_GOOD;
    }
    cache = mirror_files_cache(&before);
    add_good(&files, "a", "1");
    add_good(&files, "d", "1");
    add_good(&files, "f", "1");
    assert_true(mirror_files_sort(&files, &err));
    mirror_record_retire(&old, "c", 3);
    mirror_record_retire(&old, "e", 4);
    mirror_record_retire(&old, "f", 5);
    mirror_record_retire(&old, "h", 6);
    mirror_commit_retire(&out, &old, cache, &files, 9);
    text = retired_text(&out);
    assert_string_equal(text, "b 9,c 3,e 4,g 9,h 6");
    free(text);
    mirror_record_free_retired(&out);
    mirror_commit_retire(&out, &old, NULL, &files, 9);
    text = retired_text(&out);
    assert_string_equal(text, "c 3,e 4,h 6");
    free(text);
    mirror_record_free_retired(&out);
    mirror_record_free_retired(&old);
    digest_cache_free(cache);
    mirror_files_free(&files);
    mirror_files_free(&before);
    strlist_free(&names);
}

/* What is missing and was never listed is on the list before it is fetched; what was listed is not.
 */
static void mirror_commit_accepts_what_may_never_be_listed(void **state)
{
    struct mirror_files files = {0}, before = {0};
    struct mirror_retired_list old = {0}, out = {0};
    struct digest_cache *cache;
    struct hallmark_error err = {0};
    const char *paths = "a b c d e f";
    struct strlist names = {0};
    char *text;
    size_t i;

    (void)state;
    strlist_add_words(&names, bytes_view_str(paths));
    add_good(&before, "b", "1");
    before.files[0].fate = MIRROR_GOOD;
    cache = mirror_files_cache(&before);
    for (i = 0; i < names.n_items; i++)
        add_good(&files, names.items[i], "1");
    assert_true(mirror_files_sort(&files, &err));
    files.files[3].fate = MIRROR_GOOD;
    files.files[4].fate = MIRROR_WRONG;
    mirror_record_retire(&old, "B", 3);
    mirror_record_retire(&old, "c", 4);
    mirror_record_retire(&old, "d", 5);
    mirror_record_retire(&old, "z", 6);
    mirror_commit_expect(&out, &old, cache, &files, 9);
    text = retired_text(&out);
    assert_string_equal(text, "B 3,a 9,c 4,d 5,f 9,z 6");
    free(text);
    mirror_record_free_retired(&out);
    mirror_commit_expect(&out, &old, NULL, &files, 9);
    text = retired_text(&out);
    assert_string_equal(text, "B 3,a 9,b 9,c 4,d 5,f 9,z 6");
    free(text);
    mirror_record_free_retired(&out);
    mirror_record_free_retired(&old);
    digest_cache_free(cache);
    mirror_files_free(&files);
    mirror_files_free(&before);
    strlist_free(&names);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirror_files_accepts_the_same_file_twice),
        cmocka_unit_test(mirror_files_rejects_two_files_of_one_path),
        cmocka_unit_test(mirror_files_rejects_what_cannot_be_verified),
        cmocka_unit_test_setup_teardown(mirror_files_accepts_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mirror_files_rejects_a_record_of_other_bytes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(mirror_files_rejects_what_is_in_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mirror_files_accepts_missing_directories, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(mirror_tree_accepts_nameless_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mirror_tree_rejects_links_on_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mirror_tree_accepts_removals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mirror_tree_rejects_a_lack_of_descriptors, set_up,
                                        tear_down),
        cmocka_unit_test(mirror_commit_accepts_retirements),
        cmocka_unit_test(mirror_commit_accepts_what_may_never_be_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
