/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* parcel: a file appears whole and verified, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repo/parcel.h"
#include "temporary.h"

#define PART ".x_1.deb.3a6eb0790f39ac87.part"
#define ETAG ".x_1.deb.3a6eb0790f39ac87.etag"

/* SHA-256 of "data". */
static const unsigned char hash[] = {
    0x3a, 0x6e, 0xb0, 0x79, 0x0f, 0x39, 0xac, 0x87, 0xc9, 0x4f, 0x38, 0x56, 0xb2, 0xdd, 0x2c, 0x5d,
    0x11, 0x0e, 0x68, 0x11, 0x60, 0x22, 0x61, 0xa9, 0xa9, 0x23, 0xd3, 0xbb, 0x23, 0xad, 0xc8, 0xb7};

struct fixture {
    char *dir;
    int dirfd;
    struct parcel_place place; /* it */
    struct content *content;
    struct parcel parcel;
    struct hallmark_error err;
};

static int set_up(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);
    struct package_index_entry entry = {
        .path = bytes_view_str("pool/x_1.deb"), .size = 4, .hashes = RELEASE_SHA256};

    memcpy(entry.sha256, hash, sizeof hash);
    f->dir = temporary_new();
    f->dirfd = file_open_directory(f->dir, &f->err);
    f->content = content_of_package(&entry);
    f->place.dirfd = f->dirfd;
    parcel_init(&f->parcel, &f->place, f->content);
    *state = f;
    return 0;
}

static int set_up_nameless(void **state)
{
    struct fixture *f;

    set_up(state);
    f = *state;
    f->place.has_nameless = file_has_nameless(f->dirfd, PARCEL_TRIAL);
    assert_true(f->place.has_nameless);
    parcel_init(&f->parcel, &f->place, f->content);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    parcel_discard(&f->parcel);
    content_free(f->content);
    close(f->dirfd);
    temporary_remove(f->dir);
    free(f);
    return 0;
}

/* How many files are in the directory. */
static int count(const struct fixture *f)
{
    DIR *dir = opendir(f->dir);
    int n = -2;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static bool exists(const struct fixture *f, const char *name)
{
    struct stat st;

    return fstatat(f->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_content(const struct fixture *f, const char *name, const char *text)
{
    struct hallmark_error err = {0};
    struct bytes out = {0};

    assert_true(file_read(f->dirfd, name, 100, &out, NULL, &err));
    assert_string_equal(out.data, text);
    bytes_free(&out);
}

static void put_file(struct fixture *f, const char *name, const char *text, mode_t mode)
{
    assert_true(file_create(f->dirfd, name, bytes_view_str(text), mode, &f->err));
}

static void parcel_accepts_the_right_bytes(void **state)
{
    struct fixture *f = *state;

    assert_true(parcel_set_etag(&f->parcel, "\"e\"", &f->err));
    assert_true(parcel_take(&f->parcel, "da", 2, &f->err));
    assert_true(parcel_take(&f->parcel, "ta", 2, &f->err));
    assert_false(exists(f, "x_1.deb"));
    assert_false(exists(f, ETAG)); /* it is small */
    assert_true(parcel_check(&f->parcel, 0640, &f->err));
    assert_false(exists(f, "x_1.deb"));
    assert_true(parcel_put(&f->parcel, PARCEL_KEEP_OTHER, &f->err));
    assert_content(f, "x_1.deb", "data");
    assert_int_equal(count(f), 1);
}

static void parcel_accepts_to_have_no_name_meanwhile(void **state)
{
    struct fixture *f = *state;

    assert_true(parcel_set_etag(&f->parcel, "\"e\"", &f->err));
    assert_true(parcel_take(&f->parcel, "da", 2, &f->err));
    assert_int_equal(count(f), 0);
    assert_true(parcel_take(&f->parcel, "ta", 2, &f->err));
    assert_true(parcel_check(&f->parcel, 0640, &f->err));
    assert_int_equal(count(f), 0);
    assert_true(parcel_put(&f->parcel, PARCEL_KEEP_OTHER, &f->err));
    assert_content(f, "x_1.deb", "data");
    assert_int_equal(count(f), 1);
}

/* What is large can be gone on with after its process was killed: it needs a name. */
static void parcel_accepts_a_name_for_what_is_large(void **state)
{
    struct fixture *f = *state;

    f->content->package.size = 65537;
    parcel_init(&f->parcel, &f->place, f->content);
    assert_true(parcel_take(&f->parcel, "da", 2, &f->err));
    assert_content(f, PART, "da");
    parcel_discard(&f->parcel);
    assert_int_equal(count(f), 0);
}

static void parcel_rejects_other_bytes(void **state)
{
    struct fixture *f = *state;

    assert_true(parcel_take(&f->parcel, "dama", 4, &f->err));
    assert_false(parcel_check(&f->parcel, 0640, &f->err));
    assert_int_equal(f->err.code, HALLMARK_ERR_CONTENT);
    assert_non_null(strstr(f->err.text, "pool/x_1.deb: SHA256 is"));
    parcel_discard(&f->parcel);
    assert_int_equal(count(f), 0);
}

static void parcel_rejects_to_replace(void **state)
{
    struct fixture *f = *state;

    put_file(f, "x_1.deb", "other", 0644);
    assert_true(parcel_take(&f->parcel, "data", 4, &f->err));
    assert_true(parcel_check(&f->parcel, 0640, &f->err));
    assert_false(parcel_put(&f->parcel, PARCEL_KEEP_OTHER, &f->err));
    assert_int_equal(f->err.code, HALLMARK_ERR_IO);
    assert_non_null(strstr(f->err.text, "x_1.deb: File exists"));
    assert_content(f, "x_1.deb", "other");
    error_clear(&f->err);
    assert_true(parcel_put(&f->parcel, PARCEL_REPLACE_OTHER, &f->err));
    assert_content(f, "x_1.deb", "data");
    assert_int_equal(count(f), 1);
}

static void parcel_accepts_to_go_on(void **state)
{
    struct fixture *f = *state;

    assert_true(parcel_set_etag(&f->parcel, "\"e\"", &f->err));
    assert_true(parcel_take(&f->parcel, "da", 2, &f->err));
    parcel_leave(&f->parcel);
    assert_int_equal(count(f), 2);
    assert_content(f, ETAG, "\"e\"");
    assert_int_equal(f->parcel.n_taken, 0);
    assert_true(parcel_resume(&f->parcel, &f->err));
    assert_int_equal(f->parcel.n_taken, 2);
    assert_string_equal(f->parcel.etag, "\"e\"");
    assert_true(parcel_take(&f->parcel, "ta", 2, &f->err));
    assert_true(parcel_check(&f->parcel, 0640, &f->err));
    assert_true(parcel_put(&f->parcel, PARCEL_KEEP_OTHER, &f->err));
    assert_content(f, "x_1.deb", "data");
    assert_int_equal(count(f), 1);
}

/* A record that another time has left does not vouch for what comes now. */
static void parcel_rejects_the_record_of_another_time(void **state)
{
    struct fixture *f = *state;

    put_file(f, PART, "xx", 0600);
    put_file(f, ETAG, "\"old\"", 0600);
    assert_true(parcel_set_etag(&f->parcel, "\"e\"", &f->err));
    assert_false(exists(f, ETAG));
    assert_true(parcel_take(&f->parcel, "da", 2, &f->err));
    assert_content(f, PART, "da");
    parcel_discard(&f->parcel);
    f->content->package.size = 65537;
    put_file(f, ETAG, "\"old\"", 0600);
    assert_true(parcel_set_etag(&f->parcel, "", &f->err));
    assert_true(parcel_take(&f->parcel, "da", 2, &f->err));
    parcel_leave(&f->parcel);
    assert_int_equal(count(f), 0);
}

/* Of a large one, the ETag stands there while it comes: its process may be killed. */
static void parcel_accepts_to_be_killed(void **state)
{
    struct fixture *f = *state;
    struct parcel next;

    f->content->package.size = 65537;
    assert_true(parcel_set_etag(&f->parcel, "\"a\"", &f->err));
    assert_content(f, ETAG, "\"a\"");
    assert_true(parcel_set_etag(&f->parcel, "\"e\"", &f->err));
    assert_true(parcel_take(&f->parcel, "da", 2, &f->err));
    assert_content(f, ETAG, "\"e\"");
    assert_int_equal(flock(f->parcel.fd, LOCK_UN), 0);
    parcel_init(&next, &f->place, f->content);
    assert_true(parcel_resume(&next, &f->err));
    assert_int_equal(next.n_taken, 2);
    assert_string_equal(next.etag, "\"e\"");
    assert_true(parcel_set_etag(&next, "", &f->err));
    assert_false(exists(f, ETAG));
    parcel_discard(&next);
    assert_int_equal(count(f), 0);
}

/* Without an ETag nothing is kept; nor is what is as long as the whole, or has no good record. */
static void parcel_rejects_to_go_on(void **state)
{
    static const char *const records[] = {NULL, "", "e", "\"e", "W/\"e\"", "\"a b\"", "\"a\"\n"};
    struct fixture *f = *state;
    size_t i;

    assert_true(parcel_take(&f->parcel, "da", 2, &f->err));
    parcel_leave(&f->parcel);
    assert_int_equal(count(f), 0);
    for (i = 0; i < sizeof records / sizeof *records; i++) {
        put_file(f, PART, "da", 0600);
        if (records[i])
            put_file(f, ETAG, records[i], 0600);
        assert_true(parcel_resume(&f->parcel, &f->err));
        assert_int_equal(f->parcel.n_taken, 0);
        assert_int_equal(count(f), 0);
    }
    put_file(f, PART, "data", 0600);
    put_file(f, ETAG, "\"e\"", 0600);
    assert_true(parcel_resume(&f->parcel, &f->err));
    assert_int_equal(f->parcel.n_taken, 0);
    assert_int_equal(count(f), 0);
}

static void assert_refused(struct fixture *f, enum hallmark_errcode code, const char *reason)
{
    error_clear(&f->err);
    assert_false(parcel_resume(&f->parcel, &f->err));
    assert_int_equal(f->err.code, code);
    if (!strstr(f->err.text, reason))
        fail_msg("%s", f->err.text);
    error_clear(&f->err);
    assert_false(parcel_take(&f->parcel, "x", 1, &f->err));
    assert_int_equal(f->err.code, code);
    unlinkat(f->dirfd, PART, 0);
}

static void parcel_rejects_what_is_not_ours(void **state) /* N18 */
{
    struct fixture *f = *state;
    struct parcel other;

    put_file(f, "precious", "precious", 0600);
    assert_int_equal(symlinkat("precious", f->dirfd, PART), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, "is in the way, and not ours");
    assert_int_equal(linkat(f->dirfd, "precious", f->dirfd, PART, 0), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, "is in the way, and not ours");
    assert_int_equal(mkfifoat(f->dirfd, PART, 0600), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, "is in the way, and not ours");
    put_file(f, PART, "da", 0600);
    assert_int_equal(fchmodat(f->dirfd, PART, 0620, 0), 0);
    assert_refused(f, HALLMARK_ERR_USAGE, "is in the way, and not ours");
    assert_content(f, "precious", "precious");
    parcel_init(&other, &f->place, f->content);
    assert_true(parcel_take(&other, "d", 1, &f->err));
    assert_refused(f, HALLMARK_ERR_BUSY, "x_1.deb: another process is fetching it");
    parcel_discard(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define NAMED(test)    cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define NAMELESS(test) cmocka_unit_test_setup_teardown(test, set_up_nameless, tear_down)
        NAMED(parcel_accepts_the_right_bytes),
        NAMED(parcel_rejects_other_bytes),
        NAMED(parcel_rejects_to_replace),
        NAMED(parcel_accepts_to_go_on),
        NAMED(parcel_rejects_the_record_of_another_time),
        NAMED(parcel_accepts_to_be_killed),
        NAMED(parcel_rejects_to_go_on),
        NAMED(parcel_rejects_what_is_not_ours),
        NAMELESS(parcel_accepts_to_have_no_name_meanwhile),
        NAMELESS(parcel_accepts_a_name_for_what_is_large),
        NAMELESS(parcel_rejects_other_bytes),
        NAMELESS(parcel_rejects_to_replace),
        NAMELESS(parcel_accepts_to_go_on),
        NAMELESS(parcel_accepts_to_be_killed),
        NAMELESS(parcel_rejects_to_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
