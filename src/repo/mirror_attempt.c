/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of an attempt, and which location is next. */
#include "repo/mirror_attempt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "repo/mirror_commit.h"
#include "repo/mirror_fetch.h"
#include "repo/mirror_ping.h"
#include "repo/mirror_stage.h"
#include "repo/mirror_trace.h"
#include "repo/mirror_upstream.h"

/* A run, from attempt to attempt. */
struct run {
    struct mirror *mirror;
    struct failover *all; /* the locations */
    struct timespec start;
    struct strlist hopeless;     /* manifests of which no location has all files */
    struct hallmark_error worst; /* why none so far was good */
    bool is_waiting;             /* for a location, which a ping told of, to get as new as that */
};

/* What has become of one attempt. */
enum outcome { DONE, FAILED, NOT_TRIED };

/* ---- One attempt ---------------------------------------------------------------------------- */

/* The manifests of all suites, as one word; free(3) releases it. */
static char *name_manifests(const struct mirror *mirror)
{
    struct strlist all = {0};
    char *name;
    size_t i;

    for (i = 0; i < mirror->n_suites; i++)
        strlist_add(&all, mirror->suites[i].upstream->verified->sha256);
    name = strlist_join(&all);
    strlist_free(&all);
    return name;
}

/* Every location has been asked for the files. */
static void note_hopeless(struct run *run)
{
    char *name = name_manifests(run->mirror);

    if (run->mirror->blame == MIRROR_BLAME_LOCATION)
        strlist_add(&run->hopeless, name);
    free(name);
}

static bool is_hopeless(const struct run *run)
{
    char *name = name_manifests(run->mirror);
    bool is = run->mirror->locations && strlist_has(&run->hopeless, name);

    free(name);
    return is;
}

/* With the stage open: everything up to the switch, and the switch. */
static bool copy(struct run *run, struct hallmark_error *err)
{
    struct mirror *mirror = run->mirror;
    bool ok = mirror_stage_fill(mirror, err) && mirror_stage_list(mirror, err);

    mirror_end_keys(mirror); /* which would idle while files come */
    if (!ok ||
        !mirror_here(mirror, mirror_trace_check(mirror, err) && mirror_fetch_look(mirror, err) &&
                                 mirror_commit_announce(mirror, err)))
        return false;
    if (!mirror_fetch_missing(mirror, err)) {
        note_hopeless(run);
        return false;
    }
    return mirror_upstream_check_fresh(mirror, err) &&
           mirror_here(mirror, mirror_commit(mirror, err));
}

/* What a location has given, and was verified, is for the next attempt, or the next run; a disk
 * that is full is not to be filled with it. */
static void close_stage(struct mirror *mirror, enum outcome outcome)
{
    bool is_empty = !mirror->is_left_taken && mirror->stage.leftfd < 0;

    if (outcome == DONE || mirror->blame == MIRROR_BLAME_HERE || is_empty)
        publish_stage_close(&mirror->stage);
    else
        publish_stage_leave(&mirror->stage,
                            mirror->is_left_taken ? PUBLISH_LEAVE_STAGE : PUBLISH_LEAVE_LEFTOVERS);
}

static enum outcome try_once(struct run *run, struct hallmark_error *err)
{
    struct mirror *mirror = run->mirror;
    bool ok;

    mirror->report = (struct hallmark_mirror_report){0};
    if (!mirror_upstream_open(mirror, err))
        return FAILED;
    if (!mirror_ping_check(mirror, err)) {
        run->is_waiting = run->is_waiting || err->code == HALLMARK_ERR_IO;
        return FAILED;
    }
    if (is_hopeless(run))
        return NOT_TRIED;
    if (mirror_upstream_is_served(mirror))
        return mirror->options->dry_run || mirror_here(mirror, mirror_commit_tidy(mirror, err))
                   ? DONE
                   : FAILED;
    mirror->report.published = true;
    if (mirror->options->dry_run)
        return mirror_stage_preview(mirror, err) &&
                       mirror_here(mirror, mirror_fetch_look(mirror, err))
                   ? DONE
                   : FAILED;
    ok = mirror_here(mirror, publish_stage_open(&mirror->stage, mirror->rootfd,
                                                PUBLISH_KEEP_LEFTOVERS, err)) &&
         copy(run, err);
    mirror->report.published = ok;
    close_stage(mirror, ok ? DONE : FAILED);
    return ok ? DONE : FAILED;
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* A location may be asked long after the run has begun. */
static void set_clock(struct run *run)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    run->mirror->now = run->mirror->options->policy->now + (now.tv_sec - run->start.tv_sec);
}

/* Upstream may have been publishing just now; what does not agree the second time is wrong. */
static enum outcome try_location(struct run *run, const char *location, struct hallmark_error *err)
{
    struct mirror *mirror = run->mirror;
    struct hallmark_error first = {0};
    enum outcome outcome;

    mirror->source = location;
    mirror_reset(mirror);
    set_clock(run);
    outcome = try_once(run, &first);
    if (outcome == FAILED && first.code == HALLMARK_ERR_CONTENT &&
        mirror->blame == MIRROR_BLAME_LOCATION) {
        mirror_note(mirror, HALLMARK_NOTE_INFO, "%s; trying once more", first.text);
        mirror_reset(mirror);
        set_clock(run);
        outcome = try_once(run, err);
        if (outcome != NOT_TRIED)
            return outcome;
        outcome = FAILED;
    }
    if (outcome == FAILED)
        error_set(err, first.code, "%s", first.text);
    return outcome;
}

static void note_failure(struct run *run, const char *location, const struct hallmark_error *why)
{
    const struct hallmark_policy *policy = run->mirror->options->policy;

    failover_weigh(&run->worst, why);
    if (run->mirror->locations && policy->trouble)
        policy->trouble(policy->trouble_ctx, location, why);
}

static bool fail(const struct run *run, struct hallmark_error *err)
{
    /* Whoever waits for a ping to come true is to try again, whatever others say. */
    enum hallmark_errcode code = run->is_waiting ? HALLMARK_ERR_IO : run->worst.code;

    if (!run->mirror->locations)
        return error_set(err, code, "%s", run->worst.text);
    return error_set(err, code, "%s (and no other location can be used)", run->worst.text);
}

static bool try_all(struct run *run, const char *const *locations, struct hallmark_error *err)
{
    struct mirror *mirror = run->mirror;
    size_t i;

    for (i = 0; locations[i]; i++) {
        struct hallmark_error why = {0};
        enum outcome outcome = try_location(run, locations[i], &why);

        if (outcome == DONE)
            return true;
        if (outcome == FAILED && mirror->blame == MIRROR_BLAME_HERE)
            return error_set(err, why.code, "%s", why.text);
        if (outcome == FAILED)
            note_failure(run, locations[i], &why);
        else
            mirror_note(mirror, HALLMARK_NOTE_INFO,
                        "%s: has the same manifest, whose files are not all there",
                        mirror->suites[0].upstream->place.url);
    }
    return fail(run, err);
}

bool mirror_attempt(struct mirror *mirror, struct hallmark_error *err)
{
    struct run run = {.mirror = mirror};
    const char *locations[FAILOVER_MAX + 1];
    enum mirror_ping ping;
    bool ok;

    if (!mirror_ping_open(mirror, &ping, err))
        return false;
    if (ping == MIRROR_PING_KNOWN)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &run.start);
    run.all = failover_new(mirror->source, mirror->source, mirror->options->policy);
    failover_list(run.all, locations);
    if (locations[1])
        mirror->locations = locations;
    ok = try_all(&run, locations, err);
    mirror->locations = NULL;
    mirror->source = NULL;
    failover_free(run.all);
    strlist_free(&run.hopeless);
    return ok;
}
