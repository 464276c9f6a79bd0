/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control file of a source package, dsc(5): one stanza, clearsigned or not, of which Source,
 * Version and the lists of files mean something here. Who signed it is not asked: a repository's
 * own signature covers it.
 */
#ifndef FORMAT_DSC_H
#define FORMAT_DSC_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "format/deb822.h"
#include "format/release.h"

/* A file that a .dsc lists, beside which it lies. */
struct dsc_file {
    struct bytes_view name; /* one component of a path */
    uint64_t size;          /* bytes */
    unsigned char sha256[RELEASE_SHA256_LEN];
};

struct dsc {
    struct deb822 stanza;              /* points into the parsed document */
    struct bytes_view source, version; /* likewise */
    struct dsc_file *files;            /* likewise; in the order of Checksums-Sha256 */
    size_t n_files;
};

/* Parses DOCUMENT, which must outlive *OUT. HALLMARK_ERR_MALFORMED, with WHAT (borrowed): what
 * clearsign_unwrap() refuses in one that starts like a clearsigned one; what deb822_parse() refuses
 * in DEB822_CONTROL; LIMITS_DSC_BYTES; no Format or Files; a Source or Version that is missing or
 * not spelled as it must be; what dsc_parse_files() refuses. */
bool dsc_parse(struct dsc *out, struct bytes_view document, const char *what,
               struct hallmark_error *err);
void dsc_free(struct dsc *dsc);

/* The files of STANZA's Checksums-Sha256, pointing into it; *OUT is released with free(3).
 * HALLMARK_ERR_MALFORMED: no such field or no entry in it; an entry that is not " HASH SIZE NAME",
 * with a hash and a size as release_parse() wants them and a name that path_check() accepts and
 * that has no "/"; a name twice; LIMITS_DSC_FILES; another list (Files, Checksums-Sha1,
 * Checksums-Sha512), where there is one, that has other files or sizes. */
bool dsc_parse_files(const struct deb822 *stanza, struct dsc_file **out, size_t *n_out,
                     struct hallmark_error *err);

/* Whether NAME is a field that lists files. */
bool dsc_is_list(struct bytes_view name);

/* Whether PATH is that of a .dsc. */
bool dsc_is_path(struct bytes_view path);

#endif
