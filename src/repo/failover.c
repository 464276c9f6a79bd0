/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files from several locations, one after another. */
#include "repo/failover.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "repo/repository.h"

/* ---- The locations -------------------------------------------------------------------------- */

static void add(struct failover *failover, const char *location)
{
    size_t i;

    for (i = 0; i < failover->n_locations; i++)
        if (strcmp(failover->locations[i].text, location) == 0)
            return;
    if (failover->n_locations < FAILOVER_MAX)
        failover->locations[failover->n_locations++].text = alloc_strdup(location);
}

struct failover *failover_new(const char *at, const char *location,
                              const struct hallmark_policy *policy)
{
    struct failover *failover = alloc_array(1, sizeof *failover);
    const char *const *mirror;

    add(failover, at);
    add(failover, location);
    for (mirror = policy->mirrors; mirror && *mirror; mirror++)
        add(failover, *mirror);
    if (policy->suite)
        failover->suite = alloc_strdup(policy->suite);
    if (policy->ca_file)
        failover->ca_file = alloc_strdup(policy->ca_file);
    failover->options = (struct fetch_options){.sandbox = policy->sandbox,
                                               .seconds = (unsigned)policy->network_timeout,
                                               .ca_file = failover->ca_file};
    failover->trouble = policy->trouble;
    failover->trouble_ctx = policy->trouble_ctx;
    return failover;
}

void failover_free(struct failover *failover)
{
    size_t i;

    if (!failover)
        return;
    for (i = 0; i < failover->n_locations; i++) {
        free(failover->locations[i].text);
        place_free(&failover->locations[i].place);
    }
    free(failover->suite);
    free(failover->ca_file);
    free(failover);
}

void failover_list(const struct failover *failover, const char *out[FAILOVER_MAX + 1])
{
    size_t i;

    for (i = 0; i < failover->n_locations; i++)
        out[i] = failover->locations[i].text;
    out[i] = NULL;
}

/* A mirror has what it has under the same names. */
static bool open_location(const struct hallmark_repository *repository,
                          struct failover_location *location, struct hallmark_error *err)
{
    const struct failover *failover = repository->failover;
    const char *directory = repository->place.directory;

    if (!place_find(&location->place, location->text, failover->suite, &failover->options, err))
        return false;
    location->is_open = (*directory || place_is_flat(&location->place, err)) &&
                        (strcmp(location->place.directory, directory) == 0 ||
                         error_set(err, HALLMARK_ERR_CONTENT, "%s: is not laid out as \"%s\" is",
                                   location->place.url, repository->place.url));
    if (!location->is_open)
        place_free(&location->place);
    return location->is_open;
}

/* ---- One after another ---------------------------------------------------------------------- */

void failover_weigh(struct hallmark_error *worst, const struct hallmark_error *why)
{
    if (worst->code == HALLMARK_OK ||
        (worst->code == HALLMARK_ERR_IO && why->code != HALLMARK_ERR_IO))
        *worst = *why;
}

void failover_fail(struct failover_walk *walk, const struct hallmark_error *why)
{
    struct failover *failover = walk->repository->failover;
    struct failover_location *location = &failover->locations[walk->at];

    location->is_down = location->is_down || why->code == HALLMARK_ERR_IO;
    failover_weigh(&walk->worst, why);
    if (failover->trouble && failover->n_locations > 1)
        failover->trouble(failover->trouble_ctx, location->text, why);
}

/* Chooses a location that was not tried yet. */
static bool choose(struct failover_walk *walk)
{
    const struct failover *failover = walk->repository->failover;
    size_t i;
    int may_be_down;

    for (may_be_down = 0; may_be_down < 2; may_be_down++)
        for (i = 0; i < failover->n_locations; i++)
            if (!walk->is_tried[i] && (may_be_down || !failover->locations[i].is_down)) {
                walk->is_tried[i] = true;
                walk->at = i;
                return true;
            }
    return false;
}

bool failover_next(struct failover_walk *walk, struct fetch **out)
{
    struct failover *failover = walk->repository->failover;

    while (choose(walk)) {
        struct failover_location *location = &failover->locations[walk->at];
        struct hallmark_error why = {0};

        if (walk->at == 0 || location->is_open || open_location(walk->repository, location, &why)) {
            *out = walk->at == 0 ? walk->repository->place.fetch : location->place.fetch;
            return true;
        }
        failover_fail(walk, &why);
    }
    return false;
}

bool failover_get(const struct hallmark_repository *repository, const struct content *content,
                  const struct content_sink *sink, struct hallmark_error *err)
{
    struct failover_walk walk = {.repository = repository};
    struct fetch *fetch;
    size_t n = 0;

    while (failover_next(&walk, &fetch)) {
        struct hallmark_error why = {0};

        if (n++ && sink->restart && !sink->restart(sink->ctx, err))
            return false;
        if (content_get(content, fetch, sink, &why))
            return true;
        failover_fail(&walk, &why);
    }
    return error_set(err, walk.worst.code, "%s", walk.worst.text);
}
