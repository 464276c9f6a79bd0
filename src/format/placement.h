/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which suites and which component of an apt repository a package belongs to: by the first of the
 * Rules that fits it, or by its directory below pool/, hallmark.conf(5).
 */
#ifndef FORMAT_PLACEMENT_H
#define FORMAT_PLACEMENT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"
#include "format/settings.h"

#define PLACEMENT_POOL "pool"

enum { PLACEMENT_SUITES = 64 };

struct placement_rule {
    struct strlist words; /* NAME VERSION ARCHITECTURE SUITES COMPONENT */
    uint64_t suites;      /* a bit of each suite; 0: none */
    bool is_by_directory; /* SUITES is "." */
};

struct placement {
    struct strlist suites, components; /* of the settings, in their order */
    struct placement_rule *rules;
    size_t n_rules;
};

/* What is wrong with one line of Rules; NULL: nothing. */
const char *placement_rule_fault(const char *line);

/* Takes the suites, components and rules out of SETTINGS. HALLMARK_ERR_USAGE where there is no
 * suite, where one is the directory of another, or has the name of a component, and where a rule
 * names a suite or a component that there is not. Freed by placement_free(). */
bool placement_init(struct placement *out, const struct hallmark_settings *settings,
                    struct hallmark_error *err);
void placement_free(struct placement *placement);

/* A package to be placed. */
struct placement_package {
    const char *path; /* "pool/..." */
    const char *package, *version, *architecture;
};

/* Where a package goes. */
struct placed {
    uint64_t suites;  /* a bit of each suite, by its index; 0: it is not published */
    size_t component; /* its index */
};

/* HALLMARK_ERR_USAGE where there are several suites, and neither a rule nor the directory says
 * which. */
bool placement_find(const struct placement *placement, const struct placement_package *package,
                    struct placed *out, struct hallmark_error *err);

#endif
