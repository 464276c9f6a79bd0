/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The indexes Packages and Sources as other publishers write them, too
 * (wiki.debian.org/DebianRepository/Format), and Unpacked-Sizes (hallmark-repository(5)), read as
 * they come, one stanza in memory. Strict about the fields that say which file this is; what all
 * other fields hold is passed over.
 */
#ifndef FORMAT_PACKAGE_INDEX_H
#define FORMAT_PACKAGE_INDEX_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "format/index_path.h"
#include "format/release.h"

/* One file. The views are lent until the sink returns. */
struct package_index_entry {
    struct bytes_view name, version, architecture; /* printable ASCII without blanks */
    struct bytes_view path;                        /* as path_check() wants it */
    uint64_t size;                                 /* bytes */
    unsigned hashes; /* of enum release_hashes; 0 where the index has only weak ones */
    unsigned char sha256[RELEASE_SHA256_LEN], sha512[RELEASE_SHA512_LEN];
    const char *index; /* what package_index_new() was told; NULL where no index says it */
    /* Of Unpacked-Sizes, which says nothing else but the path: what is in an archive. */
    uint64_t n_entries, n_unpacked; /* the latter in bytes */
};

/* Takes what is found; false, with an error set, ends the reading. */
struct package_index_sink {
    bool (*take)(void *ctx, const struct package_index_entry *entry, struct hallmark_error *err);
    void *ctx;
};

struct package_index;

/* Starts reading the index that messages call WHAT (borrowed, like SINK). */
struct package_index *package_index_new(enum index_path_kind kind, const char *what,
                                        const struct package_index_sink *sink);
void package_index_free(struct package_index *index);

/* Reads on; entries are given to the sink as soon as their stanza has ended.
 * HALLMARK_ERR_MALFORMED, with the line: a line that is no field, no continuation and not empty,
 * holds nothing but blanks, has a NUL, or is longer than LIMITS_CONTROL_BYTES; of the fields that
 * mean something here one that is missing, twice, continued though it has one line, or not spelled
 * as release_parse() wants it in an entry ("./" before a path is passed over). Packages: Package,
 * Version, Architecture, Filename, Size; Sources: Package, Version, Directory. SHA256 or SHA512,
 * Checksums-Sha256 or Checksums-Sha512 may be missing (then hashes is 0), but not be wrong. */
bool package_index_feed(struct package_index *index, struct bytes_view data,
                        struct hallmark_error *err);

/* The end of the index; a last line without newline and a last stanza without empty line are fine.
 */
bool package_index_finish(struct package_index *index, struct hallmark_error *err);

#endif
