/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of the files in a Release are indexes, and of what: main/binary-amd64/Packages.xz in an
 * archive, Packages at the root of a flat repository (wiki.debian.org/DebianRepository/Format); and
 * Unpacked-Sizes beside it, which is hallmark-repository(5)'s own.
 */
#ifndef FORMAT_INDEX_PATH_H
#define FORMAT_INDEX_PATH_H

#include "base/bytes.h"
#include "format/package_name.h"

enum index_path_kind { INDEX_PATH_PACKAGES, INDEX_PATH_SOURCES, INDEX_PATH_UNPACKED_SIZES };

struct index_path {
    enum index_path_kind kind;
    struct bytes_view plain;        /* the path without the suffix of its compression */
    struct bytes_view component;    /* "main", "updates/main", "main/debian-installer"; empty at the
                                       root */
    struct bytes_view architecture; /* "amd64", "source"; empty at the root */
    enum package_name_compression compression;
    bool is_readable; /* we can undo that compression: not lz4 */
};

/* Takes PATH apart; false where it is no index. The views point into PATH. */
bool index_path_parse(struct index_path *out, const char *path);

/* Whether it is an index at the root. */
bool index_path_is_at_root(const char *path);

/* Whether the index belongs to the component that a person calls NAME: its name, or what stands
 * behind the last "/" of either, since Debian's "updates/main" lies in main. */
bool index_path_has_component(const struct index_path *index, const char *name);

/* Whether it is one of those that only Debian's installer reads. */
bool index_path_is_installer(const struct index_path *index);

/* The directory of PATH with its "/", empty at the root. Inside of PATH. */
struct bytes_view index_path_directory(const char *path);

#endif
