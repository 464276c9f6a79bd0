/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checking packages: which archives are whole, and that one reader process serves many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

#include "archives.h"
#include "system/reader.h"

static struct archives archives;

static bool check_fd(struct package_reader *reader, int fd, const char *name,
                     struct package_totals *totals, struct hallmark_error *err)
{
    struct package_format format = archives_format(name);

    *err = (struct hallmark_error){0};
    return package_check(reader, fd, name, &format, totals, err);
}

static bool check(struct package_reader *reader, const char *name, struct package_totals *totals,
                  struct hallmark_error *err)
{
    int fd = archives_open(&archives, name);
    bool ok = check_fd(reader, fd, name, totals, err);

    close(fd);
    return ok;
}

static void package_accepts_and_rejects_every_archive(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_totals totals;
    struct hallmark_error err;
    pid_t pid = 0;
    size_t i;

    (void)state;
    for (i = 0; i < archives.n; i++) {
        struct archives_case c = archives_get(&archives, i);

        check(reader, c.name, &totals, &err);
        if ((int)err.code != c.check)
            fail_msg("%s: %d %s, wanted %d", c.name, (int)err.code, err.text, c.check);
        if (err.code &&
            (strncmp(err.text, c.name, strlen(c.name)) != 0 || !strstr(err.text, c.reason)))
            fail_msg("%s: \"%s\" does not say \"%s\"", c.name, err.text, c.reason);
        if (i == 0)
            pid = reader->worker.pid;
        assert_int_equal(reader->worker.pid, pid);
    }
    package_reader_free(reader);
}

static void package_accepts_and_counts(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_totals totals;
    struct hallmark_error err;

    (void)state;
    assert_true(check(reader, "ok-good.tar.gz", &totals, &err));
    assert_int_equal(totals.n_entries, 4);
    assert_int_equal(totals.n_bytes, 50000);
    assert_true(check(reader, "ok-deb.deb", &totals, &err));
    assert_int_equal(totals.n_entries, 3);
    assert_int_equal(totals.n_bytes, 5);
    assert_true(check(reader, "A22-sparse-small.tar.gz", &totals, &err));
    assert_int_equal(totals.n_bytes, 1 << 20);
    package_reader_free(reader);
}

static void package_accepts_after_the_reader_was_killed(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_totals totals;
    struct hallmark_error err;

    (void)state;
    assert_true(check(reader, "ok-good.tar.gz", &totals, &err));
    kill(reader->worker.pid, SIGKILL);
    assert_false(check(reader, "ok-good.tar.gz", &totals, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "the archive reader died (signal 9)"));
    assert_true(check(reader, "ok-good.tar.gz", &totals, &err));
    package_reader_free(reader);
}

static void package_rejects_what_is_no_file(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_totals totals;
    struct hallmark_error err;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_false(check_fd(reader, fd, "null.tar", &totals, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    assert_string_equal(err.text, "null.tar: is not a regular file");
    close(fd);
    assert_false(check_fd(reader, -1, "none.tar", &totals, &err));
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    package_reader_free(reader);
}

static void package_reader_leaves_no_process(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_totals totals;
    struct hallmark_error err;
    pid_t pid;

    (void)state;
    assert_true(check(reader, "ok-good.tar.gz", &totals, &err));
    pid = reader->worker.pid;
    package_reader_free(reader);
    assert_int_equal(kill(pid, 0), -1);
    package_reader_free(NULL);
}

static int make_archives(void **state)
{
    (void)state;
    archives_make(&archives);
    return 0;
}

static int free_archives(void **state)
{
    (void)state;
    archives_free(&archives);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(package_accepts_and_rejects_every_archive),
        cmocka_unit_test(package_accepts_and_counts),
        cmocka_unit_test(package_accepts_after_the_reader_was_killed),
        cmocka_unit_test(package_rejects_what_is_no_file),
        cmocka_unit_test(package_reader_leaves_no_process),
    };

    return cmocka_run_group_tests(tests, make_archives, free_archives);
}
