/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of a publisher as it is now, beside what is published of it. */
#ifndef REPO_SURVEY_H
#define REPO_SURVEY_H

#include "repo/generate.h"
#include "repo/publication.h"
#include "repo/publisher.h"

struct survey {
    struct publication before;  /* what is published */
    struct generated generated; /* what would be */
    size_t n_before;            /* packages that are published */
    struct digest_cache *cache; /* as the last run left it; NULL for none */
};

/* Hashes what the cache does not know, and fills in REPORT. Writes nothing but, where what came of
 * it may be published (ACCESS), a file without a name. P's state is open. */
bool survey_run(struct survey *out, struct hallmark_publisher *p, enum publisher_access access,
                struct hallmark_publisher_report *report, struct hallmark_error *err);
/* Frees the caches, which nobody needs once they are saved: a publication forks, and the less there
 * is then, the better. */
void survey_forget_files(struct survey *survey);
void survey_free(struct survey *survey);

#endif
