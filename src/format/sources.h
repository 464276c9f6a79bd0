/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index Sources of an apt repository (wiki.debian.org/DebianRepository/Format): for each source
 * package the fields of its .dsc, where it is, and its files. Written without MD5 and SHA-1; what
 * others write is read, too.
 */
#ifndef FORMAT_SOURCES_H
#define FORMAT_SOURCES_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "format/dsc.h"
#include "format/release.h"

struct sources_stanza {
    struct bytes_view text;             /* its lines, without the empty one behind */
    struct bytes_view package, version; /* inside of text, like all views here */
    struct bytes_view directory; /* relative to the repository; "." is the repository itself */
    struct dsc_file dsc;         /* the .dsc itself, in that directory */
    unsigned hashes;                    /* of enum release_hashes; RELEASE_SHA256 at least */
};

struct sources {
    struct sources_stanza *stanzas; /* after parsing sorted by the path of the .dsc */
    size_t n_stanzas, stanzas_cap;
};

/* Parses TEXT, which must outlive *OUT. HALLMARK_ERR_MALFORMED, with the line where a stanza
 * starts: what deb822_parse() refuses in DEB822_CONTROL; no empty line behind one; a Package,
 * Version or Directory that is missing or not spelled as it must be; what dsc_parse_files()
 * refuses; not exactly one .dsc among the files; a .dsc of two stanzas;
 * LIMITS_SOURCES_STANZA_BYTES, LIMITS_SOURCES_BYTES, LIMITS_ENTRIES. */
bool sources_parse(struct sources *out, struct bytes_view text, struct hallmark_error *err);
void sources_free(struct sources *sources);

/* The stanza of the .dsc at PATH in what sources_parse() made, lent; NULL where there is none. */
const struct sources_stanza *sources_find(const struct sources *sources, const char *path);

/* All files of STANZA, the .dsc included; free(3) releases them. They point into the text. */
bool sources_parse_files(const struct sources_stanza *stanza, struct dsc_file **out, size_t *n_out,
                         struct hallmark_error *err);

/* Appends the stanza of DSC to OUT: Package, the other fields in their order but for Source and
 * those that say what a file is, Directory, Checksums-Sha256, and Checksums-Sha512 where HASHES has
 * it. ENTRIES are first that of the .dsc itself, then those of its files in their order. */
void sources_write_stanza(const struct dsc *dsc, const struct release_entry *entries,
                          unsigned hashes, struct bytes *out);

/* Appends a stanza that sources_write_stanza() made to SOURCES; TEXT must outlive it. WHAT is for
 * messages. */
bool sources_add(struct sources *sources, struct bytes_view text, const char *what,
                 struct hallmark_error *err);

/* Appends a copy of STANZA, whose text must outlive SOURCES. */
void sources_keep(struct sources *sources, const struct sources_stanza *stanza);

/* By Package, Version and the path of the .dsc; and whether the first two are the same. */
int sources_compare(const struct sources_stanza *a, const struct sources_stanza *b);
bool sources_is_same_version(const struct sources_stanza *a, const struct sources_stanza *b);

/* Sorts by Package, Version and the path of the .dsc. HALLMARK_ERR_MALFORMED where two .dsc files
 * are the same version of a package and not the same bytes. */
bool sources_sort(struct sources *sources, struct hallmark_error *err);

/* The stanzas as the text of the index. HALLMARK_ERR_MALFORMED: LIMITS_SOURCES_BYTES. */
bool sources_write(const struct sources *sources, struct bytes *out, struct hallmark_error *err);

#endif
