/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* package_name: what file names say, and the order of versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "format/package_name.h"

struct name_case {
    const char *path, *name, *version, *arch;
    enum package_name_kind kind;
    enum package_name_compression compression;
};

static void assert_view(const char *path, const char *part, struct bytes_view found,
                        const char *wanted)
{
    if (!bytes_view_equals(found, wanted))
        fail_msg("%s: the %s is \"%.*s\", wanted \"%s\"", path, part, (int)found.len, found.data,
                 wanted);
}

static void assert_names(const struct name_case *cases, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        struct package_name found;

        package_name_parse(&found, cases[i].path);
        assert_view(cases[i].path, "name", found.name, cases[i].name);
        assert_view(cases[i].path, "version", found.version, cases[i].version);
        assert_view(cases[i].path, "architecture", found.arch, cases[i].arch);
        assert_int_equal(found.kind, cases[i].kind);
        assert_int_equal(found.compression, cases[i].compression);
    }
}

#define TAR(path, name, version, compression)                                                      \
    {                                                                                              \
        path, name, version, "", PACKAGE_NAME_TAR, PACKAGE_NAME_##compression                      \
    }
#define DEB(path, name, version, arch)                                                             \
    {                                                                                              \
        path, name, version, arch, PACKAGE_NAME_DEB, PACKAGE_NAME_PLAIN                            \
    }
#define OTHER(path, name)                                                                          \
    {                                                                                              \
        path, name, "", "", PACKAGE_NAME_OTHER, PACKAGE_NAME_PLAIN                                 \
    }

static void package_name_accepts_tars(void **state)
{
    static const struct name_case cases[] = {
        TAR("hello-2.10.tar", "hello", "2.10", PLAIN),
        TAR("hello-2.10.tar.gz", "hello", "2.10", GZIP),
        TAR("pool/main/h/hello-2.10.tgz", "hello", "2.10", GZIP),
        TAR("hello-2.10.tar.bz2", "hello", "2.10", BZIP2),
        TAR("hello-2.10.tbz2", "hello", "2.10", BZIP2),
        TAR("hello-2.10.tar.xz", "hello", "2.10", XZ),
        TAR("hello-2.10.txz", "hello", "2.10", XZ),
        TAR("hello-2.10.tar.lzma", "hello", "2.10", LZMA),
        TAR("hello-2.10.tlz", "hello", "2.10", LZMA),
        TAR("hello-2.10.tar.zst", "hello", "2.10", ZSTD),
        TAR("hello-2.10.tzst", "hello", "2.10", ZSTD),
        TAR("foo-bar-1.2-rc1.tar.gz", "foo-bar", "1.2-rc1", GZIP),
        TAR("foo-v1.2.tar.gz", "foo", "1.2", GZIP),
        TAR("foo-version.tar.gz", "foo-version.tar.gz", "", GZIP),
        TAR("foo-v.tar.gz", "foo-v.tar.gz", "", GZIP),
        TAR("my_tool-1.0.tar.gz", "my_tool", "1.0", GZIP),
        TAR("foo-1.0_beta.tar.gz", "foo", "1.0_beta", GZIP),
        TAR("foo.tar.gz", "foo.tar.gz", "", GZIP),
        TAR("foo-.tar.gz", "foo-.tar.gz", "", GZIP),
        TAR("foo_.tar.gz", "foo_.tar.gz", "", GZIP),
        TAR("1.0.tar.gz", "1.0.tar.gz", "", GZIP),
        TAR("-1.0.tar.gz", "-1.0.tar.gz", "", GZIP),
        TAR("_1.0.tar.gz", "_1.0.tar.gz", "", GZIP),
        TAR("v-1.tar.gz", "v", "1", GZIP),
        TAR("a/b-2/c.tar", "c.tar", "", PLAIN),
        TAR("foo-1.tar.tar.gz", "foo", "1.tar", GZIP),
    };

    (void)state;
    assert_names(cases, sizeof cases / sizeof *cases);
}

static void package_name_accepts_debian_sources(void **state)
{
    static const struct name_case cases[] = {
        TAR("hello_2.10.orig.tar.gz", "hello", "2.10", GZIP),
        TAR("hello_2.10-3.debian.tar.xz", "hello", "2.10-3", XZ),
        TAR("foo_1.0.orig-data.tar.xz", "foo", "1.0", XZ),
        TAR("foo_1.0.orig-a-b2.tar.xz", "foo", "1.0", XZ),
        TAR("foo_1.0.orig-.tar.xz", "foo", "1.0.orig-", XZ),
        TAR("foo-1.0.orig.tar.gz", "foo", "1.0", GZIP),
        TAR("dpkg_1.21.22.tar.xz", "dpkg", "1.21.22", XZ),
        TAR("gcc-12-cross_15.tar.xz", "gcc-12-cross", "15", XZ),
        TAR("openjdk-17_17.0.1+12.orig.tar.xz", "openjdk-17", "17.0.1+12", XZ),
        TAR("foo_1.0_2.tar.xz", "foo", "1.0_2", XZ),
        TAR(".orig.tar.gz", ".orig.tar.gz", "", GZIP),
        TAR("a.debian.tar.gz", "a.debian.tar.gz", "", GZIP),
    };

    (void)state;
    assert_names(cases, sizeof cases / sizeof *cases);
}

static void package_name_accepts_debs(void **state)
{
    static const struct name_case cases[] = {
        DEB("pool/main/h/hello/hello_2.10-3_amd64.deb", "hello", "2.10-3", "amd64"),
        DEB("libc6-udeb_2.36-9_amd64.udeb", "libc6-udeb", "2.36-9", "amd64"),
        DEB("hello-dbgsym_2.10-3_amd64.ddeb", "hello-dbgsym", "2.10-3", "amd64"),
        DEB("foo_1%3a2.0~rc1_all.deb", "foo", "1%3a2.0~rc1", "all"),
        DEB("foo_1.0.deb", "foo", "1.0", ""),
        DEB("foo.deb", "foo.deb", "", ""),
        DEB("foo-1.0.deb", "foo-1.0.deb", "", ""),
        DEB("_1.0_all.deb", "_1.0_all.deb", "", ""),
        DEB("foo__all.deb", "foo__all.deb", "", ""),
        DEB("foo_.deb", "foo_.deb", "", ""),
        DEB("foo_1_2_all.deb", "foo", "1_2", "all"),
    };

    (void)state;
    assert_names(cases, sizeof cases / sizeof *cases);
}

static void package_name_accepts_other_files(void **state)
{
    static const struct name_case cases[] = {
        OTHER("hello-2.10.zip", "hello-2.10.zip"),
        OTHER("pool/hello_2.10-3.dsc", "hello_2.10-3.dsc"),
        OTHER("hello-2.10.tar.gz.asc", "hello-2.10.tar.gz.asc"),
        OTHER("HELLO-2.10.TAR.GZ", "HELLO-2.10.TAR.GZ"),
        OTHER("targz", "targz"),
        OTHER(".tar", ".tar"),
        OTHER("a/.deb", ".deb"),
        OTHER("hello-2.10.tar.Z", "hello-2.10.tar.Z"),
        OTHER("", ""),
        OTHER("a/", ""),
        OTHER(".tar.gz", ".tar.gz"),
    };

    (void)state;
    assert_names(cases, sizeof cases / sizeof *cases);
}

static const char *const ordered[][2] = {
    {"1.0~~", "1.0~~a"},    {"1.0~~a", "1.0~"},   {"1.0~", "1.0"},
    {"1.0", "1.0a"},        {"1.0~rc1", "1.0"},   {"1.9", "1.10"},
    {"1.0", "1.0-1"},       {"1.0-1", "1.0-1.1"}, {"1.0-9", "1.0-10"},
    {"2.0", "1:1.0"},       {"9:1", "10:0"},      {"1.0a", "1.0+"},
    {"1.0A", "1.0a"},       {"1.0-1", "1.0.1"},   {"1.0-1~bpo12+1", "1.0-1"},
    {"1.0", "1.0+dfsg"},    {"1.2.3", "1.2.3.0"}, {"0.9-rc1", "0.9-rc2"},
    {"1.0-1-1", "1.0-1-2"}, {"1.0z", "1.0."},     {"a", "b"},
};

static const char *const equal[][2] = {
    {"1.0", "1.0"},   {"1.0", "1.00"}, {"0:1.0", "1.0"}, {"1.0-0", "1.0"},
    {"1.001", "1.1"}, {"00:1", "1"},   {"1.", "1.0"},
};

static int compare(const char *a, const char *b)
{
    int order = package_name_compare_versions(bytes_view_str(a), bytes_view_str(b));

    return (order > 0) - (order < 0);
}

static void package_name_accepts_dpkg_order(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < sizeof ordered / sizeof *ordered; i++)
        if (compare(ordered[i][0], ordered[i][1]) != -1 ||
            compare(ordered[i][1], ordered[i][0]) != 1)
            fail_msg("%s is not older than %s", ordered[i][0], ordered[i][1]);
    for (i = 0; i < sizeof equal / sizeof *equal; i++)
        if (compare(equal[i][0], equal[i][1]) != 0 || compare(equal[i][1], equal[i][0]) != 0)
            fail_msg("%s is not equal to %s", equal[i][0], equal[i][1]);
    assert_int_equal(compare("", ""), 0);
    assert_int_equal(compare("", "1"), -1);
    assert_int_equal(compare("~", ""), -1);
}

static void package_name_accepts_endless_numbers(void **state)
{
    char *a = alloc_printf("1.%0100000d", 7), *b = alloc_printf("1.1%0100000d", 7);

    (void)state;
    assert_int_equal(compare(a, "1.7"), 0);
    assert_int_equal(compare(a, b), -1);
    assert_int_equal(compare("99999999999999999999999999", "100000000000000000000000000"), -1);
    assert_int_equal(compare("99999999999999999999999999:1", "100000000000000000000000000:0"), -1);
    free(a);
    free(b);
}

/* The tables, asked of dpkg itself. */
static void package_name_accepts_what_dpkg_says(void **state)
{
    size_t i;

    (void)state;
    if (system("dpkg --version >/dev/null 2>&1") != 0) {
        print_message("skipped: there is no dpkg\n");
        skip();
    }
    for (i = 0; i < sizeof ordered / sizeof *ordered; i++) {
        char *command = alloc_printf("dpkg --compare-versions '%s' lt '%s' 2>/dev/null",
                                     ordered[i][0], ordered[i][1]);

        if (system(command) != 0)
            fail_msg("dpkg: %s is not older than %s", ordered[i][0], ordered[i][1]);
        free(command);
    }
    for (i = 0; i < sizeof equal / sizeof *equal; i++) {
        char *command = alloc_printf("dpkg --compare-versions '%s' eq '%s' 2>/dev/null",
                                     equal[i][0], equal[i][1]);

        if (system(command) != 0)
            fail_msg("dpkg: %s is not equal to %s", equal[i][0], equal[i][1]);
        free(command);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(package_name_accepts_tars),
        cmocka_unit_test(package_name_accepts_debian_sources),
        cmocka_unit_test(package_name_accepts_debs),
        cmocka_unit_test(package_name_accepts_other_files),
        cmocka_unit_test(package_name_accepts_dpkg_order),
        cmocka_unit_test(package_name_accepts_endless_numbers),
        cmocka_unit_test(package_name_accepts_what_dpkg_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
