/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Release manifest of apt-secure(8): fields, and the size and hashes of the files it lists.
 * Unknown fields and hash sections are passed over. Dates are parsed, not judged.
 */
#ifndef FORMAT_RELEASE_H
#define FORMAT_RELEASE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

enum { RELEASE_SHA256_LEN = 32, RELEASE_SHA512_LEN = 64 };

struct release_entry {
    const char *path; /* lent */
    uint64_t size;    /* bytes */
    unsigned char sha256[RELEASE_SHA256_LEN];
    const unsigned char *sha512; /* RELEASE_SHA512_LEN bytes, lent; NULL: not known */
};

/* Which hash sections there are; every entry stands in all of them. */
enum release_hashes { RELEASE_SHA256 = 1, RELEASE_SHA512 = 2 };

struct release {
    char *origin, *label, *suite, *codename, *version, *description; /* NULL where absent */
    struct strlist architectures, components;
    int64_t date;        /* seconds since 1970-01-01 UTC; 0: absent */
    int64_t valid_until; /* likewise */
    bool acquire_by_hash; /* indexes are also found by their hash, below by-hash */
    bool repeats_all;     /* packages for all architectures are in the index of each one:
                             No-Support-for-Architecture-all: Packages */
    bool not_automatic, but_automatic_upgrades;
    unsigned hashes;     /* of enum release_hashes; never 0 after parsing */
    struct release_entry *entries; /* sorted by the bytes of path */
    size_t n_entries;
    size_t entries_cap;
    struct arena paths, sha512s; /* what the entries lend */
};

/* Parses TEXT. HALLMARK_ERR_MALFORMED for whatever deb822_parse() refuses, and: neither SHA256 nor
 * SHA512; a date that is absent (Date) or in another form than timestamp_parse_rfc1123() reads, or
 * outside of the years 1971 to 9998 (Valid-Until: 9999); Valid-Until not after Date; an entry line that
 * is not " HASH SIZE PATH" with one blank before the hash, blanks between, lower-case hexadecimal of the
 * right length, a decimal size without leading zero or sign that fits in 63 bits, and a path that
 * path_check() accepts, that fits on a line with the longest hash, and whose first component is not
 * "Release", "InRelease", "Release.gpg" or ".hallmark" (but the first three alone, as apt-ftparchive lists
 * them, are passed over); a path twice in one section, or two that differ
 * in case only, or one that is a directory of another; LIMITS_MANIFEST_BYTES, LIMITS_ENTRIES.
 * HALLMARK_ERR_CONTENT where two sections disagree about the files or their sizes. */
bool release_parse(struct release *out, struct bytes_view text, struct hallmark_error *err);
void release_free(struct release *release);

/* How many entries are packages: all that index_path_is_at_root() does not know. */
size_t release_count_packages(const struct release *release);

/* The entry of PATH, lent; NULL where there is none. */
const struct release_entry *release_find(const struct release *release, const char *path);

/* Appends a copy of ENTRY, and of its path and its SHA512, to a release that is being built. */
void release_add(struct release *release, const struct release_entry *entry);

/* Sorts the entries and refuses what release_parse() would refuse about paths, HALLMARK_ERR_MALFORMED.
 * Call it after the last release_add(). */
bool release_sort(struct release *release, struct hallmark_error *err);

/* The manifest as text: Origin, Label, Suite, Codename, Version, Date, Valid-Until, NotAutomatic,
 * ButAutomaticUpgrades, Acquire-By-Hash, No-Support-for-Architecture-all, Architectures, Components,
 * Description, SHA256, SHA512; nothing for what is absent. No line has blanks at its end or starts with
 * "-". Every entry must know its SHA512 where RELEASE lists it. */
void release_write(const struct release *release, struct bytes *out);

/* Whether both say the same but for Date and Valid-Until. */
bool release_is_same_content(const struct release *a, const struct release *b);

#endif
