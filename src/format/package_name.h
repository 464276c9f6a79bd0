/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a package file's name says: hello-2.10.tar.gz, hello_2.10.orig.tar.xz, hello_2.10-3_amd64.deb;
 * and the order of versions (deb-version(7)).
 */
#ifndef FORMAT_PACKAGE_NAME_H
#define FORMAT_PACKAGE_NAME_H

#include "base/bytes.h"

enum package_name_kind {
    PACKAGE_NAME_OTHER, /* hashed, not opened, not unpacked */
    PACKAGE_NAME_TAR,
    PACKAGE_NAME_DEB, /* .deb, .udeb, .ddeb */
};

enum package_name_compression {
    PACKAGE_NAME_PLAIN,
    PACKAGE_NAME_GZIP,
    PACKAGE_NAME_BZIP2,
    PACKAGE_NAME_XZ,
    PACKAGE_NAME_LZMA,
    PACKAGE_NAME_ZSTD,
};

struct package_name {
    struct bytes_view name;    /* inside the path; the whole file name where there is no version */
    struct bytes_view version; /* empty where there is none */
    struct bytes_view arch;    /* of a .deb; empty elsewhere */
    enum package_name_kind kind;
    enum package_name_compression compression; /* of a TAR */
};

/* Takes the last component of PATH apart. In Debian's names the version starts behind the first "_". In
 * others it starts behind the first "-" that a digit, or "v" and a digit, follows: foo-bar-1.2-rc1.tar.gz
 * is foo-bar, 1.2-rc1 (a leading "v" is no part of it). ".orig", ".orig-NAME" and ".debian" before ".tar"
 * belong to neither. .tgz, .tbz2, .txz, .tzst and .tlz stand for .tar.gz and so on. */
void package_name_parse(struct package_name *out, const char *path);

/* Below, equal to or above 0 as version A is older than, the same as, or newer than B. */
int package_name_compare_versions(struct bytes_view a, struct bytes_view b);

#endif
