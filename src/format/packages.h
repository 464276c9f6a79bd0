/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index Packages of an apt repository (wiki.debian.org/DebianRepository/Format): for each .deb
 * its control fields and where it is, how large, and its hashes. Only what this writes is read.
 */
#ifndef FORMAT_PACKAGES_H
#define FORMAT_PACKAGES_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "format/control.h"
#include "format/release.h"

struct packages_stanza {
    struct bytes_view text;                           /* its lines, without the empty one behind */
    struct bytes_view package, version, architecture; /* inside of text, like filename */
    struct bytes_view filename;
    uint64_t size; /* bytes */
    unsigned hashes; /* of enum release_hashes; RELEASE_SHA256 at least */
    unsigned char sha256[RELEASE_SHA256_LEN], sha512[RELEASE_SHA512_LEN];
};

struct packages {
    struct packages_stanza *stanzas; /* after parsing sorted by filename */
    size_t n_stanzas, stanzas_cap;
};

/* Parses TEXT, which must outlive *OUT. HALLMARK_ERR_MALFORMED, with the line where a stanza starts:
 * what control_parse() refuses in one; no empty line behind one; a Filename, Size or SHA256 that is
 * missing, twice, or not as release_parse() wants it in an entry; a Filename of two stanzas;
 * LIMITS_PACKAGES_BYTES, LIMITS_ENTRIES. */
bool packages_parse(struct packages *out, struct bytes_view text, struct hallmark_error *err);
void packages_free(struct packages *packages);

/* The stanza of FILENAME in what packages_parse() made, lent; NULL where there is none. */
const struct packages_stanza *packages_find(const struct packages *packages, const char *filename);

/* Appends the stanza of a .deb to OUT: the fields of CONTROL in their order, but for those that say
 * what a file is, and then Filename, Size, SHA256, and SHA512 where ENTRY has it (HASHES). */
void packages_write_stanza(const struct control *control, const struct release_entry *entry,
                           unsigned hashes, struct bytes *out);

/* Appends a stanza that packages_write_stanza() made to PACKAGES; TEXT must outlive it. WHAT as in
 * control_parse(). */
bool packages_add(struct packages *packages, struct bytes_view text, const char *what,
                  struct hallmark_error *err);

/* Appends a copy of STANZA, whose text must outlive PACKAGES. */
void packages_keep(struct packages *packages, const struct packages_stanza *stanza);

/* Sorts by Package, Version, Architecture and Filename. HALLMARK_ERR_MALFORMED where two files are
 * the same version of a package and not the same bytes. */
bool packages_sort(struct packages *packages, struct hallmark_error *err);

/* The stanzas as the text of the index. HALLMARK_ERR_MALFORMED: LIMITS_PACKAGES_BYTES. */
bool packages_write(const struct packages *packages, struct bytes *out, struct hallmark_error *err);

#endif
