/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unpacking a package that has been verified into a fresh directory that appears whole or not at all.
 * The reader process of package.h parses; a writer process that can touch nothing but the staging
 * directory applies the policy of hallmark-repository(5), "Unpacking", and creates the files.
 */
#ifndef SYSTEM_UNPACK_H
#define SYSTEM_UNPACK_H

#include <stdint.h>

#include "base/error.h"
#include "system/package.h"

struct unpack_options {
    enum hallmark_links links;
    enum hallmark_sandbox sandbox;
    uint64_t max_entries; /* 0: LIMITS_ARCHIVE_ENTRIES */
    uint64_t max_bytes;   /* 0: LIMITS_ARCHIVE_BYTES */
    const struct package_totals *exact; /* what must come out; NULL: not known */
    hallmark_progress_fn *progress; /* bytes of the package read, of its size; may be NULL */
    void *ctx;
};

/* A destination: a directory that does not exist yet, and its staging directory beside it. */
struct unpack;

/* Checks that INTO does not exist in any form and its parent does (HALLMARK_ERR_USAGE), and makes a
 * staging directory, mode 0700, in that parent. */
struct unpack *unpack_open(const char *into, struct hallmark_error *err);

/* An unnamed file, or one that is unlinked at once, on the destination's file system: for the private
 * copy of the package. -1 with an error. */
int unpack_private_file(struct unpack *unpack, struct hallmark_error *err);

/* Unpacks the package in FD and makes the result appear as INTO, durable. HALLMARK_ERR_UNSAFE, with
 * NAME, the entry and the reason, for whatever the policy refuses, for an archive that cannot be
 * read to its end, and where something else than EXACT comes out. REPORT->sandbox tells the layers
 * that were active. */
bool unpack_run(struct unpack *unpack, int fd, const char *name,
                const struct package_format *format, const struct unpack_options *options,
                struct hallmark_unpack_report *report, struct hallmark_error *err);

/* Removes the staging directory, if unpack_run() did not succeed, and frees UNPACK; accepts NULL. */
void unpack_close(struct unpack *unpack);

#endif
