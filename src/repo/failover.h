/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The locations of one repository. Its manifest comes from one of them as a whole; since hashes
 * decide about everything else, any other file may come from any of them.
 */
#ifndef REPO_FAILOVER_H
#define REPO_FAILOVER_H

#include "repo/content.h"
#include "repo/place.h"

enum { FAILOVER_MAX = 65 }; /* LIMITS_SOURCE_WORDS mirrors, and the one that has them */

struct hallmark_repository;

/* One location. */
struct failover_location {
    char *text;         /* as it was given */
    struct place place; /* opened when it is first needed; not of the manifest's own */
    bool is_open, is_down;
};

struct failover {
    struct failover_location locations[FAILOVER_MAX]; /* the first is that of the manifest */
    size_t n_locations;
    char *suite, *ca_file; /* with which they are opened, as the first was */
    struct fetch_options options;
    void (*trouble)(void *ctx, const char *location, const struct hallmark_error *err);
    void *trouble_ctx;
};

/* The locations that there are beside AT, which gave the manifest: LOCATION and the mirrors of
 * POLICY. failover_free() accepts NULL. */
struct failover *failover_new(const char *at, const char *location,
                              const struct hallmark_policy *policy);
void failover_free(struct failover *failover);

/* All locations as they were given, each once, with NULL behind them. Lent. */
void failover_list(const struct failover *failover, const char *out[FAILOVER_MAX + 1]);

/* Locations that are tried one after another: first those that have not failed before. */
struct failover_walk {
    const struct hallmark_repository *repository;
    bool is_tried[FAILOVER_MAX];
    size_t at;                   /* the current one */
    struct hallmark_error worst; /* why none so far was good */
};

/* The next location in *OUT, lent; false where there is none left. */
bool failover_next(struct failover_walk *walk, struct fetch **out);

/* The current location does not have what is wanted, and WHY. */
void failover_fail(struct failover_walk *walk, const struct hallmark_error *why);

/* Keeps in *WORST what weighs more: what is wrong, before what could not be had; else the first. */
void failover_weigh(struct hallmark_error *worst, const struct hallmark_error *why);

/* As content_get(), from the first location that has it right. */
bool failover_get(const struct hallmark_repository *repository, const struct content *content,
                  const struct content_sink *sink, struct hallmark_error *err);

#endif
