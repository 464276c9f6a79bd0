/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control file of a Debian package, deb-control(5): one stanza, of which Package, Version and
 * Architecture mean something here. What the other fields say is passed on, not judged.
 */
#ifndef FORMAT_CONTROL_H
#define FORMAT_CONTROL_H

#include "base/bytes.h"
#include "base/error.h"
#include "format/deb822.h"

struct control {
    struct deb822 stanza;                            /* points into the parsed text */
    struct bytes_view package, version, architecture; /* likewise */
};

/* Parses TEXT, which must outlive *OUT. HALLMARK_ERR_MALFORMED, with WHAT (borrowed): whatever
 * deb822_parse() refuses in DEB822_CONTROL; LIMITS_STANZA_BYTES; a Package, Version or Architecture
 * that is missing or not spelled as deb-control(5) and deb-version(7) say; a field that only the
 * database of installed packages has, as dpkg-deb refuses it. */
bool control_parse(struct control *out, struct bytes_view text, const char *what,
                   struct hallmark_error *err);
void control_free(struct control *control);

/* Whether TEXT is spelled as the name of a package, binary or source, and as a version. */
bool control_is_package(struct bytes_view text);
bool control_is_version(struct bytes_view text);

#endif
