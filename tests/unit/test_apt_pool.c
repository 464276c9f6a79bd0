/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* apt_pool: packages with their stanzas, new ones and those that are published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "corpus.h"
#include "crypto/digest.h"
#include "repo/apt_pool.h"
#include "temporary.h"

struct fixture {
    char *dir;
    int dirfd;
    struct apt_pool *pool;
    size_t n_left_out;
    struct bytes text; /* of the index */
};

static int set_up(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);

    f->dir = temporary_new();
    f->dirfd = file_open_directory(f->dir, NULL);
    f->pool = apt_pool_new(RELEASE_SHA256, f->dirfd);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    apt_pool_free(f->pool);
    bytes_free(&f->text);
    file_close(&f->dirfd);
    temporary_remove(f->dir);
    free(f);
    return 0;
}

static struct release_entry entry_of(const char *path, unsigned char seed)
{
    struct release_entry entry = {.path = (char *)(uintptr_t)path, .size = seed};

    memset(entry.sha256, seed, sizeof entry.sha256);
    return entry;
}

static bool add(struct fixture *f, const char *path, unsigned char seed, const char *control,
                struct hallmark_error *err)
{
    struct release_entry entry = entry_of(path, seed);
    struct package_totals totals = {.n_entries = seed};

    return apt_pool_add(f->pool, &entry, bytes_view_str(control), &totals, err);
}

#define CONTROL(name, version, arch)                                                               \
    "Package: " name "\nVersion: " version "\nArchitecture: " arch "\nDescription: x\n"

static bool refuse(void *ctx, const char *path, const struct hallmark_error *why)
{
    (void)ctx;
    (void)path;
    (void)why;
    return false;
}

static bool leave_out(void *ctx, const char *path, const struct hallmark_error *why)
{
    struct fixture *f = ctx;

    (void)path;
    assert_int_equal(why->code, HALLMARK_ERR_MALFORMED);
    f->n_left_out++;
    return true;
}

static bool take(void *ctx, struct bytes_view text, struct hallmark_error *err)
{
    (void)err;
    bytes_append(ctx, text.data, text.len);
    return true;
}

/* Sorts, and writes what is used into F->text. */
static void write_all(struct fixture *f)
{
    struct apt_pool_broken broken = {.leave_out = leave_out, .ctx = f};
    struct index_sink sink = {.take = take, .ctx = &f->text};
    struct hallmark_error err = {0};
    struct apt_package *package;
    size_t i;

    f->text.len = 0;
    bytes_append_str(&f->text, "");
    assert_true(apt_pool_sort(f->pool, &broken, &err));
    for (i = 0; (package = apt_pool_package(f->pool, i)) != NULL; i++)
        if (package->is_used)
            assert_true(apt_pool_write(f->pool, package, &sink, &err));
}

/* Reads the index NAME as what ENTRY lists. */
static bool load_index(struct fixture *f, const char *name, const struct release_entry *entry,
                       bool *is_intact, struct hallmark_error *err)
{
    struct apt_pool_index index = {.rootfd = f->dirfd, .path = name, .entry = entry};

    return apt_pool_load(f->pool, &index, is_intact, err);
}

/* Makes what was written the published index of a new pool. */
static bool load(struct fixture *f, struct hallmark_error *err)
{
    struct release_entry entry = {.size = f->text.len};
    struct digest_value digest;
    bool is_intact = true;

    apt_pool_free(f->pool);
    f->pool = apt_pool_new(RELEASE_SHA256, f->dirfd);
    assert_true(digest_bytes(DIGEST_SHA256, bytes_view(&f->text), &digest, err));
    memcpy(entry.sha256, digest.sha256, sizeof entry.sha256);
    unlinkat(f->dirfd, "Packages", 0);
    assert_true(file_create(f->dirfd, "Packages", bytes_view(&f->text), 0644, err));
    assert_true(load_index(f, "Packages", &entry, &is_intact, err));
    return is_intact;
}

static void apt_pool_accepts_packages(void **state)
{
    struct fixture *f = *state;
    struct hallmark_error err = {0};
    struct apt_pool_counts counts;
    struct bytes first = {0};

    assert_true(add(f, "pool/b.deb", 1, CONTROL("b", "1", "amd64"), &err));
    assert_true(add(f, "pool/a2.deb", 2, CONTROL("a", "1.10", "all"), &err));
    assert_true(add(f, "pool/a1.deb", 3, CONTROL("a", "1.9", "all"), &err));
    assert_true(add(f, "pool/a1.udeb", 4, CONTROL("a", "1.9", "all"), &err));
    write_all(f);
    assert_non_null(strstr(f->text.data, "Version: 1.9"));
    assert_true(strstr(f->text.data, "a1.deb") < strstr(f->text.data, "a1.udeb"));
    assert_true(strstr(f->text.data, "a1.udeb") < strstr(f->text.data, "a2.deb"));
    assert_true(strstr(f->text.data, "a2.deb") < strstr(f->text.data, "b.deb"));
    bytes_append(&first, f->text.data, f->text.len);
    assert_true(load(f, &err));
    /* One stays, one is changed, one is new, and two are gone. */
    assert_true(add(f, "pool/b.deb", 1, "", &err));
    assert_true(add(f, "pool/a2.deb", 9, CONTROL("a", "1.11", "all"), &err));
    assert_true(add(f, "pool/c.deb", 5, CONTROL("c", "1", "all"), &err));
    write_all(f);
    apt_pool_count(f->pool, &counts);
    assert_int_equal(counts.n_packages, 3);
    assert_int_equal(counts.n_before, 4);
    assert_int_equal(counts.n_added, 1);
    assert_int_equal(counts.n_changed, 1);
    assert_int_equal(counts.n_removed, 2);
    assert_non_null(strstr(f->text.data, "Version: 1.11"));
    assert_null(strstr(f->text.data, "Version: 1.10"));
    bytes_append(&first, f->text.data, f->text.len);
    assert_true(apt_pool_secure(f->pool, &err));
    write_all(f);
    assert_string_equal(first.data + first.len - f->text.len, f->text.data);
    bytes_free(&first);
}

/* Publishes a, b and c, and loads that; the entry of the index becomes *OUT. */
static void publish_three(struct fixture *f, struct release_entry *out)
{
    struct hallmark_error err = {0};
    struct digest_value digest;

    assert_true(add(f, "pool/1.deb", 1, CONTROL("a", "1", "all"), &err));
    assert_true(add(f, "pool/2.deb", 2, CONTROL("b", "1", "all"), &err));
    assert_true(add(f, "pool/3.deb", 3, CONTROL("c", "1", "all"), &err));
    write_all(f);
    assert_true(load(f, &err));
    assert_true(digest_bytes(DIGEST_SHA256, bytes_view(&f->text), &digest, &err));
    *out = (struct release_entry){.size = f->text.len};
    memcpy(out->sha256, digest.sha256, sizeof out->sha256);
}

static void apt_pool_accepts_whole_indexes(void **state)
{
    const struct apt_package *a, *b, *c;
    struct fixture *f = *state;
    struct hallmark_error err = {0};
    struct release_entry entry;

    publish_three(f, &entry);
    assert_true(add(f, "pool/1.deb", 1, "", &err));
    assert_true(add(f, "pool/2.deb", 2, "", &err));
    assert_true(add(f, "pool/3.deb", 3, "", &err));
    write_all(f);
    a = apt_pool_package(f->pool, 0);
    b = apt_pool_package(f->pool, 1);
    c = apt_pool_package(f->pool, 2);
    assert_true(apt_pool_follows(NULL, a));
    assert_true(apt_pool_follows(a, b));
    assert_true(apt_pool_follows(b, c));
    assert_true(apt_pool_is_whole(f->pool, c, &entry));
    /* One that is missing at the start, in the middle, or at the end. */
    assert_false(apt_pool_follows(NULL, b));
    assert_false(apt_pool_follows(a, c));
    assert_false(apt_pool_follows(b, a));
    assert_false(apt_pool_is_whole(f->pool, b, &entry));
}

static void apt_pool_rejects_indexes_that_are_not_whole(void **state)
{
    struct fixture *f = *state;
    struct hallmark_error err = {0};
    struct release_entry entry;
    bool is_intact = true;

    publish_three(f, &entry);
    assert_true(add(f, "pool/1.deb", 1, "", &err));
    assert_true(add(f, "pool/2.deb", 9, CONTROL("b", "1", "all"), &err));
    assert_true(add(f, "pool/3.deb", 3, "", &err));
    write_all(f);
    assert_false(apt_pool_follows(apt_pool_package(f->pool, 0), apt_pool_package(f->pool, 1)));
    assert_false(apt_pool_follows(apt_pool_package(f->pool, 1), apt_pool_package(f->pool, 2)));
    /* Another hash, another size, and one that turned out not to be intact. */
    assert_true(apt_pool_is_whole(f->pool, apt_pool_package(f->pool, 2), &entry));
    entry.sha256[31] ^= 1;
    assert_false(apt_pool_is_whole(f->pool, apt_pool_package(f->pool, 2), &entry));
    entry.sha256[31] ^= 1;
    entry.size++;
    assert_false(apt_pool_is_whole(f->pool, apt_pool_package(f->pool, 2), &entry));
    entry.size--;
    apt_pool_distrust(f->pool);
    assert_false(apt_pool_is_whole(f->pool, apt_pool_package(f->pool, 2), &entry));
    /* In two indexes. */
    publish_three(f, &entry);
    assert_true(file_create(
        f->dirfd, "Other",
        bytes_view_str(
            CONTROL("d", "1",
                    "all") "Filename: pool/4.deb\nSize: 4\nSHA256: "
                           "0404040404040404040404040404040404040404040404040404040404040404\n\n"),
        0644, &err));
    assert_true(load_index(f, "Other", &entry, &is_intact, &err));
    assert_true(add(f, "pool/1.deb", 1, "", &err));
    assert_true(add(f, "pool/4.deb", 4, "", &err));
    write_all(f);
    assert_true(apt_pool_follows(NULL, apt_pool_package(f->pool, 1)));
    assert_false(apt_pool_follows(apt_pool_package(f->pool, 0), apt_pool_package(f->pool, 1)));
}

static void apt_pool_rejects_other_bytes_of_a_version(void **state)
{
    struct apt_pool_broken broken = {.leave_out = refuse};
    struct fixture *f = *state;
    struct hallmark_error err = {0};

    assert_true(add(f, "pool/x/a.deb", 1, CONTROL("a", "1.0", "all"), &err));
    assert_true(add(f, "pool/a.deb", 2, CONTROL("a", "1.00", "all"), &err));
    assert_true(add(f, "pool/b.deb", 3, CONTROL("b", "1", "all"), &err));
    assert_true(add(f, "pool/y/b.deb", 3, CONTROL("b", "1", "all"), &err));
    assert_true(add(f, "pool/a.udeb", 4, CONTROL("a", "1.0", "all"), &err));
    assert_false(apt_pool_sort(f->pool, &broken, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED,
                        "pool/a.deb and pool/x/a.deb: both are a 1.00 for all, but their content");
    write_all(f);
    assert_int_equal(f->n_left_out, 2);
    assert_null(strstr(f->text.data, "/a.deb"));
    assert_non_null(strstr(f->text.data, "pool/b.deb"));
    assert_non_null(strstr(f->text.data, "pool/y/b.deb"));
    assert_non_null(strstr(f->text.data, "pool/a.udeb"));
}

static void apt_pool_rejects_bad_control(void **state)
{
    struct fixture *f = *state;
    struct hallmark_error err = {0};

    assert_false(add(f, "pool/a.deb", 1, "", &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "pool/a.deb: its control file is empty");
    err = (struct hallmark_error){0};
    assert_false(add(f, "pool/a.deb", 1, "Package: a\nVersion: 1\n", &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "pool/a.deb: control: has no field Archit");
}

static void apt_pool_rejects_changed_indexes(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "\n\n",
        "Package: a\n\n",
        CONTROL("a", "1", "all"),
        CONTROL("a", "1", "all") "Filename: pool/a.deb\nSize: 1\nSHA256: 00\n\n",
    };
    struct fixture *f = *state;
    struct hallmark_error err = {0};
    struct release_entry entry = entry_of("pool/a.deb", 1);
    bool is_intact;
    char *path;
    size_t i;

    assert_true(add(f, "pool/a.deb", 1, CONTROL("a", "1", "all"), &err));
    write_all(f);
    assert_true(load(f, &err));
    assert_true(apt_pool_knows(f->pool, &entry));
    entry.size++;
    assert_false(apt_pool_knows(f->pool, &entry));
    entry.size--;
    apt_pool_distrust(f->pool);
    assert_false(apt_pool_knows(f->pool, &entry));
    /* Changed between reading and copying. */
    assert_true(load(f, &err));
    path = alloc_printf("%s/Packages", f->dir);
    assert_int_equal(truncate(path, 20), 0);
    free(path);
    assert_false(apt_pool_secure(f->pool, &err));
    corpus_assert_error(&err, HALLMARK_ERR_CONTENT, "Packages: has become shorter meanwhile");
    /* What is no index is none, whatever its hash. */
    for (i = 1; i < sizeof texts / sizeof *texts; i++) {
        err = (struct hallmark_error){0};
        f->text.len = 0;
        bytes_append_str(&f->text, texts[i]);
        if (load(f, &err))
            fail_msg("accepted: %s", texts[i]);
    }
    is_intact = true;
    assert_true(load_index(f, "nothing", &entry, &is_intact, &err));
    assert_false(is_intact);
}

static void apt_pool_accepts_names(void **state)
{
    (void)state;
    assert_true(apt_pool_wants("pool/a.deb"));
    assert_true(apt_pool_wants("pool/a.udeb"));
    assert_true(apt_pool_wants("pool/a.ddeb"));
    assert_false(apt_pool_wants("pool/a.dsc"));
    assert_false(apt_pool_wants("pool/adeb"));
    assert_false(apt_pool_wants(".deb"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(apt_pool_accepts_packages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apt_pool_accepts_whole_indexes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apt_pool_rejects_indexes_that_are_not_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(apt_pool_rejects_other_bytes_of_a_version, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(apt_pool_rejects_bad_control, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apt_pool_rejects_changed_indexes, set_up, tear_down),
        cmocka_unit_test(apt_pool_accepts_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
