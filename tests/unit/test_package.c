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
                     struct package_content *content, struct hallmark_error *err)
{
    struct package_format format = archives_format(name);

    *err = (struct hallmark_error){0};
    package_content_free(content);
    return package_check(reader, fd, name, &format, content, err);
}

static bool check(struct package_reader *reader, const char *name, struct package_content *content,
                  struct hallmark_error *err)
{
    int fd = archives_open(&archives, name);
    bool ok = check_fd(reader, fd, name, content, err);

    close(fd);
    return ok;
}

static void package_accepts_and_rejects_every_archive(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_content content = {.totals = {0}};
    struct hallmark_error err;
    pid_t pid = 0;
    size_t i;

    (void)state;
    for (i = 0; i < archives.n; i++) {
        struct archives_case c = archives_get(&archives, i);

        check(reader, c.name, &content, &err);
        if ((int)err.code != c.check)
            fail_msg("%s: %d %s, wanted %d", c.name, (int)err.code, err.text, c.check);
        if (err.code &&
            (strncmp(err.text, c.name, strlen(c.name)) != 0 || !strstr(err.text, c.reason)))
            fail_msg("%s: \"%s\" does not say \"%s\"", c.name, err.text, c.reason);
        if (i == 0)
            pid = reader->worker.pid;
        assert_int_equal(reader->worker.pid, pid);
    }
    package_content_free(&content);
    package_reader_free(reader);
}

static void package_accepts_and_counts(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_content content = {.totals = {0}};
    struct hallmark_error err;

    (void)state;
    assert_true(check(reader, "ok-good.tar.gz", &content, &err));
    assert_int_equal(content.totals.n_entries, 4);
    assert_int_equal(content.totals.n_bytes, 50000);
    assert_true(check(reader, "ok-deb.deb", &content, &err));
    assert_int_equal(content.totals.n_entries, 3);
    assert_int_equal(content.totals.n_bytes, 5);
    assert_non_null(strstr(content.control.data, "Package: "));
    assert_int_equal(content.control.data[content.control.len - 1], '\n');
    assert_true(check(reader, "A22-sparse-small.tar.gz", &content, &err));
    assert_int_equal(content.totals.n_bytes, 1 << 20);
    assert_int_equal(content.control.len, 0);
    package_content_free(&content);
    package_reader_free(reader);
}

/* Where they are asked for, and then for every .deb; never for a .tar. */
static void package_accepts_listing_files(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_content content = {.totals = {0}};
    struct hallmark_error err;
    char *end;
    int i;

    (void)state;
    assert_true(check(reader, "ok-deb.deb", &content, &err));
    assert_int_equal(content.files.len, 0);
    package_reader_list_files(reader);
    assert_true(check(reader, "ok-deb.deb", &content, &err));
    assert_string_equal(content.files.data, "./usr/hello\n");
    assert_non_null(strstr(content.control.data, "Package: "));
    assert_true(check(reader, "ok-deb-files.deb", &content, &err));
    end = content.files.data;
    assert_memory_equal(end, "./usr/file\n./usr/link\n./usr/hard\n", 33);
    for (i = 0, end += 33; *end; i++) {
        assert_memory_equal(end, "./usr/", 6);
        assert_int_equal(strtol(end + 6, &end, 10), i);
        assert_int_equal(*end++, '\n');
    }
    assert_int_equal(i, 5000);
    assert_true(check(reader, "A01-newline.deb", &content, &err));
    assert_string_equal(content.files.data, "./c d\n/e\n");
    assert_true(check(reader, "ok-deb-empty-data.deb", &content, &err));
    assert_int_equal(content.files.len, 0);
    assert_true(check(reader, "ok-good.tar.gz", &content, &err));
    assert_int_equal(content.files.len, 0);
    package_content_free(&content);
    package_reader_free(reader);
}

/* In as many parts as it takes, each of them whole. */
static void package_accepts_a_large_control_file(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_content content = {.totals = {0}};
    struct hallmark_error err;
    char *end;
    int i;

    (void)state;
    assert_true(check(reader, "ok-deb-large-control.deb", &content, &err));
    assert_int_equal(content.control.len, 524288);
    end = strstr(content.control.data, "\nX-Numbers:");
    assert_non_null(end);
    end += strlen("\nX-Numbers:");
    for (i = 0; *end == ' '; i++)
        assert_int_equal(strtol(end, &end, 10), i);
    assert_true(i > 1000);
    package_content_free(&content);
    package_reader_free(reader);
}

static void package_accepts_after_the_reader_was_killed(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_content content = {.totals = {0}};
    struct hallmark_error err;

    (void)state;
    assert_true(check(reader, "ok-good.tar.gz", &content, &err));
    kill(reader->worker.pid, SIGKILL);
    assert_false(check(reader, "ok-good.tar.gz", &content, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "the archive reader died (signal 9)"));
    assert_true(check(reader, "ok-good.tar.gz", &content, &err));
    package_content_free(&content);
    package_reader_free(reader);
}

static void package_rejects_what_is_no_file(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_content content = {.totals = {0}};
    struct hallmark_error err;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_false(check_fd(reader, fd, "null.tar", &content, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    assert_string_equal(err.text, "null.tar: is not a regular file");
    close(fd);
    assert_false(check_fd(reader, -1, "none.tar", &content, &err));
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    package_content_free(&content);
    package_reader_free(reader);
}

static void package_reader_leaves_no_process(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct package_content content = {.totals = {0}};
    struct hallmark_error err;
    pid_t pid;

    (void)state;
    assert_true(check(reader, "ok-good.tar.gz", &content, &err));
    pid = reader->worker.pid;
    package_reader_free(reader);
    assert_int_equal(kill(pid, 0), -1);
    package_reader_free(NULL);
}

/* ---- package_expand() ----------------------------------------------------------------------- */

static bool take(void *ctx, struct bytes_view data, struct hallmark_error *err)
{
    struct bytes *out = ctx;

    if (out->len + data.len > 1 << 20)
        return error_set(err, HALLMARK_ERR_CONTENT, "is too much");
    bytes_append(out, data.data, data.len);
    return true;
}

/* Expands what COMMAND writes. */
static bool expand(struct package_reader *reader, const char *command,
                   enum package_compression compression, struct bytes *out,
                   struct hallmark_error *err)
{
    struct package_sink sink = {.take = take, .ctx = out};
    FILE *from = popen(command, "r");
    int fd = file_open_memory("test", err);
    char buf[4096];
    size_t n;
    bool ok;

    assert_true(from && fd >= 0);
    while ((n = fread(buf, 1, sizeof buf, from)) > 0)
        assert_true(file_write_all(fd, buf, n));
    assert_int_equal(pclose(from), 0);
    bytes_free(out);
    *err = (struct hallmark_error){0};
    ok = package_expand(reader, fd, compression, &sink, err);
    close(fd);
    return ok;
}

static void package_expand_accepts_every_compression(void **state)
{
    static const struct {
        const char *command;
        enum package_compression compression;
    } cases[] = {
        {"seq 50000 | gzip", PACKAGE_GZIP},    {"seq 50000 | bzip2", PACKAGE_BZIP2},
        {"seq 50000 | xz", PACKAGE_XZ},        {"seq 50000 | xz --format=lzma", PACKAGE_LZMA},
        {"seq 50000 | zstd -q", PACKAGE_ZSTD}, {"seq 50000", PACKAGE_PLAIN},
    };
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct hallmark_error err = {0};
    struct bytes out = {0};
    pid_t pid = 0;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!expand(reader, cases[i].command, cases[i].compression, &out, &err))
            fail_msg("%s: %s", cases[i].command, err.text);
        assert_int_equal(out.len, 288894);
        assert_memory_equal(out.data, "1\n2\n3\n", 6);
        assert_memory_equal(out.data + out.len - 6, "50000\n", 6);
        if (i == 0)
            pid = reader->worker.pid;
        assert_int_equal(reader->worker.pid, pid); /* one process serves all */
    }
    bytes_free(&out);
    package_reader_free(reader);
}

static void package_expand_rejects_what_is_damaged(void **state)
{
    static const struct {
        const char *command, *reason;
        enum package_compression compression;
    } cases[] = {
        {"seq 50000 | gzip", "is in another compression, xz data were expected", PACKAGE_XZ},
        {"seq 50000 | gzip | head -c 5000", "the gzip data are truncated", PACKAGE_GZIP},
        {"seq 50000 | xz | head -c 5000", "the xz data are truncated", PACKAGE_XZ},
        {"seq 50000 | bzip2 | head -c 5000", "the bzip2 data are truncated", PACKAGE_BZIP2},
        {"seq 50000 | zstd -q | head -c 5000", "the zstd data are truncated", PACKAGE_ZSTD},
        {"{ seq 50000 | bzip2; echo x; }", "bzip2 data", PACKAGE_BZIP2},
        {"true", "is empty", PACKAGE_GZIP},
    };
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct hallmark_error err = {0};
    struct bytes out = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(expand(reader, cases[i].command, cases[i].compression, &out, &err));
        if (err.code != HALLMARK_ERR_MALFORMED || !strstr(err.text, cases[i].reason))
            fail_msg("%s: %d %s", cases[i].command, (int)err.code, err.text);
    }
    bytes_free(&out);
    package_reader_free(reader);
}

/* The sink's own error ends it at once, whatever would still come out; and the next one works. */
static void package_expand_rejects_what_the_sink_rejects(void **state)
{
    struct package_reader *reader = package_reader_new(archives_sandbox());
    struct hallmark_error err = {0};
    struct bytes out = {0};

    (void)state;
    assert_false(expand(reader, "head -c 60000000 /dev/zero | gzip -1", PACKAGE_GZIP, &out, &err));
    assert_int_equal(err.code, HALLMARK_ERR_CONTENT);
    assert_string_equal(err.text, "is too much");
    assert_int_equal(reader->worker.pid, 0);
    assert_true(expand(reader, "echo x | gzip", PACKAGE_GZIP, &out, &err));
    assert_int_equal(out.len, 2);
    bytes_free(&out);
    package_reader_free(reader);
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
        cmocka_unit_test(package_accepts_listing_files),
        cmocka_unit_test(package_accepts_a_large_control_file),
        cmocka_unit_test(package_accepts_after_the_reader_was_killed),
        cmocka_unit_test(package_rejects_what_is_no_file),
        cmocka_unit_test(package_reader_leaves_no_process),
        cmocka_unit_test(package_expand_accepts_every_compression),
        cmocka_unit_test(package_expand_rejects_what_is_damaged),
        cmocka_unit_test(package_expand_rejects_what_the_sink_rejects),
    };

    return cmocka_run_group_tests(tests, make_archives, free_archives);
}
