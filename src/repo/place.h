/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a repository is: a directory with a manifest, or the directory dists/SUITE of an apt
 * archive, which a person names by itself or by the archive's root.
 */
#ifndef REPO_PLACE_H
#define REPO_PLACE_H

#include "base/error.h"
#include "system/fetch.h"

struct place {
    struct fetch *fetch; /* of the root: of an archive what is above dists, else the directory */
    char *directory; /* of the manifest, below the root: "dists/stable"; "" for the root itself */
    char *url;       /* of that directory, by which it is remembered; one for all spellings */
    char *file;      /* the manifest's name where LOCATION is one; else NULL */
};

/* Finds the place that LOCATION means. SUITE (NULL: not said) is the suite of an archive's root;
 * where it is not said, the root must hold one suite. HALLMARK_ERR_USAGE with the suites that there
 * are, and whatever fetch_open() says, which OPTIONS are for. Freed by place_free(). */
bool place_find(struct place *out, const char *location, const char *suite,
                const struct fetch_options *options, struct hallmark_error *err);
void place_free(struct place *place);

/* The URL of the place that LOCATION means with SUITE, as far as that can be said without looking
 * there; NULL where it cannot be opened. free(3) releases it. */
char *place_url(const char *location, const char *suite);

/* Makes the manifest's directory the root: what is below a directory dists is no archive after all.
 */
bool place_is_flat(struct place *place, struct hallmark_error *err);

/* The path below the root of NAME, a path below the manifest's directory; free(3) releases it. */
char *place_path(const struct place *place, const char *name);

#endif
