/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ar archive around a Debian package; what is in its members is test_package.c's and
 * test_unpack.c's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "system/deb.h"

static void add_member(struct bytes *out, const char *name, const char *size, const char *data)
{
    bytes_printf(out, "%-16s%-12s%-6s%-6s%-8s%-10s`\n%s", name, "0", "0", "0", "100644", size,
                 data);
    if (strlen(data) % 2)
        bytes_append_str(out, "\n");
}

static void add(struct bytes *out, const char *name, const char *data)
{
    char size[32];

    snprintf(size, sizeof size, "%zu", strlen(data));
    add_member(out, name, size, data);
}

static bool read_from(struct deb *out, const struct bytes *file, uint64_t offset,
                      struct hallmark_error *err)
{
    FILE *f = tmpfile();
    struct decompress_window window = {.offset = offset, .len = file->len - offset};
    bool ok;

    assert_non_null(f);
    assert_int_equal(fwrite(file->data, 1, file->len, f), file->len);
    assert_int_equal(fflush(f), 0);
    window.fd = fileno(f);
    ok = deb_read(out, &window, err);
    fclose(f);
    return ok;
}

static void assert_refused(struct bytes *file, const char *why)
{
    struct hallmark_error err = {0};
    struct deb deb;

    assert_false(read_from(&deb, file, 0, &err));
    assert_int_equal(err.code, HALLMARK_ERR_MALFORMED);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    bytes_free(file);
}

/* A package whose members have these names. */
static struct bytes make(const char *version, const char *control, const char *data)
{
    struct bytes out = {0};

    bytes_append_str(&out, "!<arch>\n");
    add(&out, "debian-binary", version);
    add(&out, control, "odd");
    add(&out, data, "even");
    return out;
}

static void deb_accepts_every_compression(void **state)
{
    static const struct {
        const char *control, *data;
        enum package_compression c, d;
    } cases[] = {
        {"control.tar", "data.tar", PACKAGE_PLAIN, PACKAGE_PLAIN},
        {"control.tar.gz", "data.tar.gz", PACKAGE_GZIP, PACKAGE_GZIP},
        {"control.tar.xz", "data.tar.xz", PACKAGE_XZ, PACKAGE_XZ},
        {"control.tar.zst", "data.tar.zst", PACKAGE_ZSTD, PACKAGE_ZSTD},
        {"control.tar.gz/", "data.tar.bz2/", PACKAGE_GZIP, PACKAGE_BZIP2},
        {"control.tar.gz", "data.tar.lzma", PACKAGE_GZIP, PACKAGE_LZMA},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = make("2.0\n", cases[i].control, cases[i].data);
        struct hallmark_error err = {0};
        struct deb deb;

        if (!read_from(&deb, &file, 0, &err))
            fail_msg("%s", err.text);
        assert_int_equal(deb.control.compression, cases[i].c);
        assert_int_equal(deb.data.compression, cases[i].d);
        assert_int_equal(deb.control.window.len, 3);
        assert_int_equal(deb.data.window.len, 4);
        assert_memory_equal(file.data + deb.control.window.offset, "odd\n", 4);
        assert_memory_equal(file.data + deb.data.window.offset, "even", 4);
        assert_int_equal(deb.data.window.offset + 4, file.len);
        bytes_free(&file);
    }
}

static void deb_accepts_an_offset_and_a_later_version(void **state)
{
    struct bytes inner = make("2.17\n", "control.tar", "data.tar"), file = {0};
    struct hallmark_error err = {0};
    struct deb deb;

    (void)state;
    bytes_append_str(&file, "12345");
    bytes_append(&file, inner.data, inner.len);
    assert_true(read_from(&deb, &file, 5, &err));
    assert_memory_equal(file.data + deb.data.window.offset, "even", 4);
    bytes_free(&inner);
    bytes_free(&file);
}

static void deb_rejects_other_members(void **state)
{
    static const struct {
        const char *control, *data, *why;
    } cases[] = {
        {"control.tar.bz2", "data.tar", "control.tar is in a compression"},
        {"control.tar.lzma", "data.tar", "control.tar is in a compression"},
        {"control.tar.br", "data.tar", "\"control.tar.br\" where control.tar"},
        {"control.tarx", "data.tar", "where control.tar"},
        {"contest.tar.gz", "data.tar", "where control.tar"},
        {"control.tar", "date.tar.gz", "where data.tar"},
        {"_extra", "data.tar", "\"_extra\" where control.tar"},
        {"control.tar", "data.ta", "\"data.ta\" where data.tar"},
        {"data.tar", "control.tar", "\"data.tar\" where control.tar"},
        {"control.tar", "data.tar.Z", "where data.tar"},
        {"control.tar", "/", "where data.tar"},
        {"", "data.tar", "where control.tar"},
        {" control.tar", "data.tar", "where control.tar"},
    };
    struct bytes file;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        file = make("2.0\n", cases[i].control, cases[i].data);
        assert_refused(&file, cases[i].why);
    }
    file = make("2.0\n", "control.tar", "data.tar");
    add(&file, "_gpgorigin", "x");
    assert_refused(&file, "behind data.tar");
    file = make("2.0\n", "control.tar", "data.tar");
    bytes_append_str(&file, "\n");
    assert_refused(&file, "behind data.tar");
}

static void deb_rejects_another_first_member(void **state)
{
    struct bytes file = make("2.0\n", "control.tar", "data.tar");

    (void)state;
    memcpy(memmem(file.data, file.len, "debian-binary", 13), "debian-banana", 13);
    assert_refused(&file, "\"debian-banana\" where debian-binary must be");
}

static void assert_unread(const char *path, int flags, const char *why)
{
    struct decompress_window window = {.fd = open(path, flags | O_CLOEXEC), .len = 1000};
    struct hallmark_error err = {0};
    struct deb deb;

    assert_true(window.fd >= 0);
    assert_false(deb_read(&deb, &window, &err));
    assert_int_equal(err.code, HALLMARK_ERR_IO);
    if (!strstr(err.text, why))
        fail_msg("%s", err.text);
    close(window.fd);
}

static void deb_rejects_what_cannot_be_read(void **state)
{
    (void)state;
    assert_unread("/dev/null", O_RDONLY, "became shorter while it was read");
    assert_unread("/", O_RDONLY | O_DIRECTORY, "cannot read");
}

static void deb_rejects_versions(void **state)
{
    static const char *const versions[] = {"",
                                           "2.0",
                                           "2.00",
                                           "2.0x",
                                           "2\n",
                                           "3.0\n",
                                           "2.\n",
                                           "2.x\n",
                                           "02.0\n",
                                           "2.0\nmore\n",
                                           " 2.0\n",
                                           "2.0 \n",
                                           "2.00000000000000\n"};
    struct bytes file;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof versions / sizeof *versions; i++) {
        file = make(versions[i], "control.tar", "data.tar");
        assert_refused(&file, "debian-binary");
    }
}

static void deb_rejects_sizes(void **state)
{
    static const struct {
        const char *size, *why;
    } cases[] = {
        {"", "bad member header"},
        {"-4", "bad member header"},
        {"0x4", "bad member header"},
        {"4 4", "bad member header"},
        {" 4", "bad member header"},
        {"4.0", "bad member header"},
        {"+4", "bad member header"},
        {"5", "truncated inside"},
        {"9999999999", "truncated inside"},
        {"2", "behind data.tar"},
        {"3", "bad padding"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes file = {0};

        bytes_append_str(&file, "!<arch>\n");
        add(&file, "debian-binary", "2.0\n");
        add(&file, "control.tar", "");
        add_member(&file, "data.tar", cases[i].size, "even");
        assert_refused(&file, cases[i].why);
    }
}

static void deb_rejects_damage(void **state)
{
    struct bytes whole = make("2.0\n", "control.tar", "data.tar"), file;
    size_t len;

    (void)state;
    for (len = 0; len < whole.len; len++) {
        file = (struct bytes){0};
        bytes_append(&file, whole.data, len);
        assert_refused(&file, len < 8 ? "is not a .deb" : "truncated");
    }
    file = make("2.0\n", "control.tar", "data.tar");
    file.data[3] = 'X';
    assert_refused(&file, "is not a .deb");
    file = make("2.0\n", "control.tar", "data.tar");
    file.data[8 + 58] = 'X'; /* the end of the first header */
    assert_refused(&file, "bad member header");
    file = make("2.0\n", "control.tar", "data.tar");
    file.data[8 + 20] = '\n'; /* its time */
    assert_refused(&file, "bad member header");
    file = make("2.0\n", "control.tar", "data.tar");
    file.data[8 + 60 + 4 + 60 + 3] = 'X'; /* behind the odd member */
    assert_refused(&file, "bad padding");
    bytes_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deb_accepts_every_compression),
        cmocka_unit_test(deb_accepts_an_offset_and_a_later_version),
        cmocka_unit_test(deb_rejects_other_members),
        cmocka_unit_test(deb_rejects_another_first_member),
        cmocka_unit_test(deb_rejects_what_cannot_be_read),
        cmocka_unit_test(deb_rejects_versions),
        cmocka_unit_test(deb_rejects_sizes),
        cmocka_unit_test(deb_rejects_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
