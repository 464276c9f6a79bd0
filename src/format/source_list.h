/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hallmark.sources(5): where repositories are and who signs them, in stanzas as those of apt's
 * sources.list(5). What apt would use to weaken verification is refused; nothing is opened here.
 */
#ifndef FORMAT_SOURCE_LIST_H
#define FORMAT_SOURCE_LIST_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

enum { SOURCE_LIST_NOT_SAID = -1 };

/* One stanza; what is not said is empty, NULL, 0, or SOURCE_LIST_NOT_SAID. */
struct source_list_stanza {
    size_t line;           /* of its first field */
    bool is_enabled;       /* else the rest was not looked at */
    struct strlist types;  /* out of "deb" and "deb-src" */
    struct strlist uris;   /* of http, https and file; mirrors of one another */
    struct strlist suites; /* a directory below dists or, with a "/" at its end, below the URI */
    struct strlist components, architectures;
    struct strlist keyrings;  /* absolute paths */
    struct strlist signed_by; /* fingerprints, with "!" behind one that is exact */
    char *key;                /* armoured public keys */
    unsigned threshold;
    enum hallmark_expiry expiry;
    int64_t max_age, clock_skew; /* seconds */
    char *origin, *codename;
};

struct source_list {
    struct source_list_stanza *stanzas;
    size_t n_stanzas;
};

/* Parses a file. HALLMARK_ERR_USAGE with WHAT and the line: a field that is unknown, twice, or asks
 * for less than a good signature; a value that is not well formed; no URIs or Suites; Components
 * where there is none to be, or none where there must be; more than LIMITS_SOURCE_STANZAS stanzas,
 * or LIMITS_SOURCE_WORDS words in a field. */
bool source_list_parse(struct source_list *out, struct bytes_view text, const char *what,
                       struct hallmark_error *err);
void source_list_free(struct source_list *list);

/* Whether SUITE is a path below the URI, without a directory dists. */
bool source_list_is_flat(const char *suite);

/* Where the directory of SUITE's manifest is below URI; free(3) releases it. */
char *source_list_location(const char *uri, const char *suite);

/* Whether TEXT can be the name of a source: letters, digits, "." , "_" and "-", at most 64, the
 * first a letter or digit. */
bool source_list_is_name(const char *text);

#endif
