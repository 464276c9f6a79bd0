/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is in a package file: .tar in any compression, .deb (deb(5)). Archives are parsed by a
 * reader process that has nothing but descriptors: no files, no network, a bounded memory
 * (sandbox.h). It serves one request after another.
 */
#ifndef SYSTEM_PACKAGE_H
#define SYSTEM_PACKAGE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum package_kind {
    PACKAGE_TAR,
    PACKAGE_DEB,
    PACKAGE_DATA, /* no archive, just compressed bytes */
};

/* The one compression that a package's bytes must be in; the name promises it. */
enum package_compression {
    PACKAGE_PLAIN,
    PACKAGE_GZIP,
    PACKAGE_BZIP2,
    PACKAGE_XZ,
    PACKAGE_LZMA,
    PACKAGE_ZSTD,
};

struct package_format {
    enum package_kind kind;
    enum package_compression compression; /* of TAR and DATA; a DEB's members say their own */
};

struct package_totals {
    uint64_t n_entries;
    uint64_t n_bytes; /* of all files, unpacked */
};

/* What is in a package. */
struct package_content {
    struct package_totals totals;
    struct bytes control; /* of a DEB: its control file, not parsed, at most LIMITS_CONTROL_BYTES */
    struct bytes files; /* of a DEB, where they are wanted: the paths of all that data.tar holds but
                           directories, as they stand there, each with a newline behind; without
                           those that hold a newline; at most LIMITS_CONTENTS_BYTES */
};

/* A reader process, or the promise to start one. */
struct package_reader;

struct package_reader *package_reader_new(enum hallmark_sandbox sandbox);
void package_reader_free(struct package_reader *reader);

/* Starts the process now, while the caller waits for something else. What goes wrong is told when
 * it is asked for something. */
void package_reader_begin(struct package_reader *reader);

/* Has the reader tell the files of each .deb from now on. */
void package_reader_list_files(struct package_reader *reader);

/* Reads the package in FD (from offset 0, by pread(2)) to its end: HALLMARK_ERR_MALFORMED, with
 * NAME, where it is truncated, corrupt, in another compression, or followed by anything but zeros;
 * what dpkg-deb would refuse in a .deb is refused. HALLMARK_ERR_IO where the reader could not work.
 * Freed by package_content_free(). */
bool package_check(struct package_reader *reader, int fd, const char *name,
                   const struct package_format *format, struct package_content *out,
                   struct hallmark_error *err);
void package_content_free(struct package_content *content);

/* Takes the next bytes; false, with an error set, ends the reading. */
struct package_sink {
    bool (*take)(void *ctx, struct bytes_view data, struct hallmark_error *err);
    void *ctx;
};

/* Decompresses all of the file in FD, which holds nothing else, and gives the bytes to SINK. Errors
 * as above; how much may come out is for the sink to say. */
bool package_expand(struct package_reader *reader, int fd, enum package_compression compression,
                    const struct package_sink *sink, struct hallmark_error *err);

#endif
