/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* index_stamps: a published file is known by its stamp, if it was hashed or written before, and has
 * had no chance to change since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/encoding.h"
#include "corpus.h"
#include "crypto/checksum.h"
#include "repo/index_stamps.h"
#include "repo/publication.h"
#include "repo/publication_record.h"
#include "temporary.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

enum { MODE = 0644, DATE = 1700000000 };

static const char name[] = "dists/stable/main/Packages";

/* A state directory and a served tree, which are one; with a file. */
struct fixture {
    char *dir;
    int fd;
    struct publication_suites suites;
    struct release_entry *entry; /* of the file */
};

static void set_mtime(const struct fixture *f, int64_t mtime, long nsec)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = mtime, .tv_nsec = nsec}};

    assert_int_equal(utimensat(f->fd, name, times, 0), 0);
}

static void start(struct fixture *f)
{
    struct hallmark_error err = {0};
    struct publication_state state = {
        .records[PUBLICATION_PUBLISHED] = {
            .date = DATE,
            .digests = {(char *)(uintptr_t)HEX, (char *)(uintptr_t)HEX, (char *)(uintptr_t)HEX}}};
    struct release_entry entry = {.path = "main/Packages", .size = 4};
    struct publication_suite *suite;

    *f = (struct fixture){.dir = temporary_new()};
    f->fd = file_open_directory(f->dir, &err);
    assert_true(f->fd >= 0);
    assert_int_equal(mkdirat(f->fd, "dists", 0755), 0);
    assert_int_equal(mkdirat(f->fd, "dists/stable", 0755), 0);
    assert_int_equal(mkdirat(f->fd, "dists/stable/main", 0755), 0);
    assert_true(file_create(f->fd, name, bytes_view_str("text"), MODE, &err));
    set_mtime(f, DATE, 0);
    assert_true(publication_record_state_save(f->fd, &state, &err));
    suite = publication_add_suite(&f->suites, "stable");
    suite->release.date = DATE;
    memset(entry.sha256, 7, sizeof entry.sha256);
    release_add(&suite->release, &entry);
    f->entry = &suite->release.entries[0];
}

static void stop(struct fixture *f)
{
    publication_suites_free(&f->suites);
    file_close(&f->fd);
    temporary_remove(f->dir);
}

static bool knows(const struct fixture *f, const char *release)
{
    struct index_stamps *stamps = index_stamps_load(f->fd, f->fd, release);
    struct index_stamps_look look;
    bool does = index_stamps_knows(stamps, name, f->entry, &look);

    assert_true(look.is_there);
    index_stamps_forget(stamps);
    assert_false(index_stamps_knows(stamps, name, f->entry, &look));
    index_stamps_free(stamps);
    return does;
}

enum change { CHANGE_NONE, CHANGE_NAMES, CHANGE_BYTES, CHANGE_FILE, CHANGE_DURING };

static void change(const struct fixture *f, enum change what)
{
    int fd;

    if (what == CHANGE_NAMES) {
        assert_int_equal(linkat(f->fd, name, f->fd, "other", 0), 0);
    } else if (what == CHANGE_BYTES || what == CHANGE_DURING) {
        fd = openat(f->fd, name, O_WRONLY);
        assert_true(file_write_all(fd, "TEXT", 4));
        file_close(&fd);
    } else if (what == CHANGE_FILE) {
        assert_int_equal(renameat(f->fd, name, f->fd, "old"), 0);
        fd = openat(f->fd, name, O_WRONLY | O_CREAT, MODE);
        assert_true(file_write_all(fd, "text", 4));
        file_close(&fd);
        set_mtime(f, DATE, 0);
    }
}

/* Looks at the file as if it was read and found good, then records it. */
static void record(const struct fixture *f, enum change what)
{
    struct hallmark_error err = {0};
    struct index_stamps *stamps = index_stamps_load(f->fd, f->fd, NULL);
    struct index_stamps_look look;

    assert_false(index_stamps_knows(stamps, name, f->entry, &look));
    if (what == CHANGE_DURING) {
        change(f, what);
        set_mtime(f, DATE, 0);
    }
    index_stamps_note(stamps, name, f->entry, &look);
    if (what != CHANGE_DURING)
        change(f, what);
    assert_true(index_stamps_save(stamps, &f->suites, &err));
    index_stamps_free(stamps);
}

static void index_stamps_accepts_what_was_read(void **state)
{
    struct fixture f;
    (void)state;

    start(&f);
    record(&f, CHANGE_NONE);
    assert_true(knows(&f, HEX));
    /* With other names, which change its ctime: before, and after. */
    record(&f, CHANGE_NAMES);
    assert_true(knows(&f, HEX));
    assert_int_equal(unlinkat(f.fd, "other", 0), 0);
    assert_false(knows(&f, HEX));
    stop(&f);
}

static void index_stamps_rejects_changes(void **state)
{
    struct fixture f;
    (void)state;

    start(&f);
    record(&f, CHANGE_NONE);
    f.entry->sha256[0]++;
    assert_false(knows(&f, HEX));
    f.entry->sha256[0]--;
    f.entry->size++;
    assert_false(knows(&f, HEX));
    f.entry->size--;
    assert_true(knows(&f, HEX));
    change(&f, CHANGE_BYTES);
    set_mtime(&f, DATE, 0); /* which changes the ctime once more */
    assert_false(knows(&f, HEX));
    stop(&f);
}

/* Between the reading and the recording, or while it was read. */
static void index_stamps_rejects_what_changed_meanwhile(void **state)
{
    static const enum change changes[] = {CHANGE_BYTES, CHANGE_FILE, CHANGE_DURING};
    struct fixture f;
    size_t i;
    (void)state;

    for (i = 0; i < sizeof changes / sizeof *changes; i++) {
        start(&f);
        record(&f, changes[i]);
        assert_false(knows(&f, HEX));
        stop(&f);
    }
}

/* A file so young that another write could leave the same mtime. */
static void index_stamps_rejects_young_files(void **state)
{
    struct timespec now;
    struct fixture f;
    (void)state;

    start(&f);
    clock_gettime(CLOCK_REALTIME, &now);
    set_mtime(&f, now.tv_sec, 1);
    record(&f, CHANGE_NONE);
    assert_false(knows(&f, HEX));
    set_mtime(&f, now.tv_sec - 3, 1);
    record(&f, CHANGE_NONE);
    assert_true(knows(&f, HEX));
    stop(&f);
}

static void write_it(const struct fixture *f, int64_t mtime, enum change what)
{
    struct hallmark_error err = {0};
    struct index_stamps *stamps = index_stamps_load(f->fd, f->fd, NULL);
    struct tree_stamp stamp;
    struct stat st;

    assert_int_equal(fstatat(f->fd, name, &st, 0), 0);
    tree_stamp_from(&stamp, &st);
    index_stamps_note_written(stamps, name, f->entry, &stamp);
    change(f, what);
    if (mtime)
        set_mtime(f, mtime, 0);
    assert_true(index_stamps_save(stamps, &f->suites, &err));
    index_stamps_free(stamps);
}

static void index_stamps_accepts_what_was_written(void **state)
{
    struct fixture f;
    (void)state;

    start(&f);
    write_it(&f, DATE, CHANGE_NONE);
    assert_true(knows(&f, HEX));
    stop(&f);
}

static void index_stamps_rejects_what_was_written_since(void **state)
{
    struct fixture f;
    (void)state;

    start(&f);
    write_it(&f, DATE + 1, CHANGE_NONE);
    assert_false(knows(&f, HEX));
    write_it(&f, 0, CHANGE_BYTES);
    assert_false(knows(&f, HEX));
    write_it(&f, DATE, CHANGE_FILE);
    assert_false(knows(&f, HEX));
    stop(&f);
}

static void index_stamps_rejects_other_manifests(void **state)
{
    char other[] = HEX;
    struct fixture f;
    (void)state;

    start(&f);
    record(&f, CHANGE_NONE);
    assert_true(knows(&f, HEX));
    other[0] = '1';
    assert_false(knows(&f, other));
    assert_false(knows(&f, NULL));
    index_stamps_remove(f.fd);
    assert_false(knows(&f, HEX));
    stop(&f);
}

static void index_stamps_rejects_what_others_can_write(void **state)
{
    struct fixture f;
    (void)state;

    start(&f);
    record(&f, CHANGE_NONE);
    assert_int_equal(fchmodat(f.fd, INDEX_STAMPS_FILE, 0660, 0), 0);
    assert_false(knows(&f, HEX));
    assert_int_equal(fchmodat(f.fd, INDEX_STAMPS_FILE, 0600, 0), 0);
    assert_true(knows(&f, HEX));
    stop(&f);
}

static void rejects(const char *text, const char *reason)
{
    struct hallmark_error err = {0};

    assert_null(index_stamps_parse(bytes_view_str(text), HEX, &err));
    corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, reason);
}

/* A file with the lines BODY, and with the checksum of that. */
static char *sealed(const char *body)
{
    uint64_t sum = checksum_xxh3(bytes_view_str(body));
    unsigned char bytes[sizeof sum];
    char hex[2 * sizeof sum + 1];
    size_t i;

    for (i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(sum >> 8 * i);
    encoding_hex(hex, bytes, sizeof bytes);
    return alloc_printf("hallmark-stamps 1 " HEX " %s\n%s", hex, body);
}

static void index_stamps_rejects_damage(void **state)
{
    char *text = sealed(HEX " 1 2 3 4 5 a\n");
    struct hallmark_error err = {0};
    struct index_stamps *stamps = index_stamps_parse(bytes_view_str(text), HEX, &err);
    size_t len = strlen(text);
    (void)state;

    assert_non_null(stamps);
    index_stamps_free(stamps);
    text[len - 4]++;
    rejects(text, "checksum differs");
    text[len - 4]--;
    text[len - 1] = '\0';
    rejects(text, "checksum differs");
    text[0] = 'H';
    rejects(text, "another version");
    rejects("", "is empty");
    rejects("hallmark-stamps 1 " HEX "\n", "checksum differs");
    free(text);
}

static void index_stamps_rejects_bad_lines(void **state)
{
    static const char *const bad[] = {
        "\n",
        "x 1 2 3 4 5 a\n",
        "00 1 2 3 4 5 a\n",
        HEX " 1 2 3 4 5\n",
        HEX " 1 2 3 4 5 \n",
        HEX " 1 2 3 4 5 /a\n",
        HEX " 1 2 3 4 5 ../a\n",
        HEX " -1 2 3 4 5 a\n",
        HEX " 1 2 3 9223372036854775808 5 a\n",
        HEX " 1 2 3 4 9223372036854775808 a\n",
    };
    char *text;
    size_t i;
    (void)state;

    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        text = sealed(bad[i]);
        rejects(text, "does not describe a file");
        free(text);
    }
    text = sealed(HEX " 1 2 3 4 5 a\n" HEX " 1 2 3 4 5 b\n" HEX " 1 2 3 4 5 a\n");
    rejects(text, "two lines about one file");
    free(text);
}

static void index_stamps_accepts_none(void **state)
{
    struct release_entry entry = {.size = 1};
    struct tree_stamp stamp = {.size = 1};
    struct index_stamps_look look;
    (void)state;

    assert_false(index_stamps_knows(NULL, "a", &entry, &look));
    assert_false(look.is_there);
    index_stamps_note(NULL, "a", &entry, &look);
    index_stamps_note_written(NULL, "a", &entry, &stamp);
    index_stamps_forget(NULL);
    index_stamps_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_stamps_accepts_what_was_read),
        cmocka_unit_test(index_stamps_rejects_changes),
        cmocka_unit_test(index_stamps_rejects_what_changed_meanwhile),
        cmocka_unit_test(index_stamps_rejects_young_files),
        cmocka_unit_test(index_stamps_accepts_what_was_written),
        cmocka_unit_test(index_stamps_rejects_what_was_written_since),
        cmocka_unit_test(index_stamps_rejects_other_manifests),
        cmocka_unit_test(index_stamps_rejects_what_others_can_write),
        cmocka_unit_test(index_stamps_rejects_damage),
        cmocka_unit_test(index_stamps_rejects_bad_lines),
        cmocka_unit_test(index_stamps_accepts_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
