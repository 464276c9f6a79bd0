/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many files at a time, from one location after another. */
#include "repo/check_remote.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/digest.h"

enum { TOGETHER = 4096, ATTEMPTS = 2 };

/* One file. */
struct candidate {
    struct content *content;
    struct digest *digest; /* NULL: nothing has come */
    uint64_t n_taken;
    bool is_due;                 /* it has not been found good */
    struct hallmark_error why;   /* this location does not have it right */
    struct hallmark_error worst; /* of all locations */
};

struct check_remote {
    struct check_remote_options options;
    struct candidate *candidates;
    size_t n_candidates;
    struct candidate **asked; /* of one round */
};

struct check_remote *check_remote_new(const struct check_remote_options *options)
{
    struct check_remote *remote = alloc_array(1, sizeof *remote);

    remote->options = *options;
    remote->candidates = alloc_array(TOGETHER, sizeof *remote->candidates);
    remote->asked = alloc_array(TOGETHER, sizeof(struct candidate *));
    return remote;
}

/* ---- While they come ------------------------------------------------------------------------ */

static bool take(void *ctx, size_t i, const void *data, size_t len, struct hallmark_error *err)
{
    const struct check_remote *remote = ctx;
    struct candidate *c = remote->asked[i];

    if (!c->digest)
        c->digest = digest_new(c->content->hashes, err);
    if (!c->digest || !digest_update(c->digest, data, len, err))
        return false;
    c->n_taken += len;
    remote->options.progress(remote->options.ctx, (int64_t)len);
    return true;
}

static void forget(const struct check_remote *remote, struct candidate *c)
{
    digest_free(c->digest);
    c->digest = NULL;
    remote->options.progress(remote->options.ctx, -(int64_t)c->n_taken);
    c->n_taken = 0;
}

static bool restart(void *ctx, size_t i, struct hallmark_error *err)
{
    const struct check_remote *remote = ctx;

    (void)err;
    forget(remote, remote->asked[i]);
    return true;
}

static bool end(void *ctx, size_t i, const struct hallmark_error *why, struct hallmark_error *err)
{
    const struct check_remote *remote = ctx;
    struct candidate *c = remote->asked[i];
    struct digest_value found;

    error_clear(&c->why);
    if (why) {
        c->why = *why;
    } else if (!take(ctx, i, NULL, 0, err) || !digest_final(c->digest, &found, err)) {
        return false;
    } else if (content_compare(c->content, &found, &c->why)) {
        c->is_due = false;
        digest_free(c->digest);
        c->digest = NULL;
    }
    return true;
}

/* ---- One location after another ------------------------------------------------------------- */

/* Whether C is to be asked of a location for the nth time: what is wrong is fetched once more,
 * since something on the way may be the cause. */
static bool is_asked(const struct candidate *c, unsigned attempt)
{
    return c->is_due && (attempt == 0 || c->why.code == HALLMARK_ERR_CONTENT);
}

/* Of C, nothing was told: it is not good, whatever the reason. */
static void explain_silence(struct candidate *c, const struct hallmark_error *lost)
{
    if (lost->code)
        c->why = *lost;
    else
        error_set(&c->why, HALLMARK_ERR_IO, "%s: there was no answer", c->content->package.path);
}

static void ask(struct check_remote *remote, struct fetch *fetch, unsigned attempt)
{
    struct fetch_sink sink = {.take = take, .restart = restart, .end = end, .ctx = remote};
    struct fetch_item *items = alloc_array(remote->n_candidates, sizeof *items);
    struct hallmark_error lost = {0};
    size_t i, n = 0;

    for (i = 0; i < remote->n_candidates; i++) {
        struct candidate *c = &remote->candidates[i];

        if (!is_asked(c, attempt))
            continue;
        forget(remote, c);
        error_clear(&c->why);
        remote->asked[n] = c;
        items[n++] = content_item(c->content);
    }
    if (n)
        fetch_items(fetch, items, n, &sink, &lost);
    for (i = 0; i < n; i++)
        if (remote->asked[i]->is_due && !remote->asked[i]->why.code)
            explain_silence(remote->asked[i], &lost);
    free(items);
}

/* Whether some are due at the next location, since this one does not have them right. */
static bool pass_on(struct check_remote *remote, struct failover_walk *walk)
{
    struct hallmark_error worst = {0};
    size_t i;

    for (i = 0; i < remote->n_candidates; i++) {
        struct candidate *c = &remote->candidates[i];

        if (!c->is_due)
            continue;
        failover_weigh(&c->worst, &c->why);
        failover_weigh(&worst, &c->why);
    }
    if (worst.code)
        failover_fail(walk, &worst);
    return worst.code != HALLMARK_OK;
}

static void drop_all(struct check_remote *remote)
{
    size_t i;

    for (i = 0; i < remote->n_candidates; i++) {
        struct candidate *c = &remote->candidates[i];

        digest_free(c->digest);
        content_free(c->content);
        *c = (struct candidate){0};
    }
    remote->n_candidates = 0;
}

void check_remote_flush(struct check_remote *remote)
{
    struct failover_walk walk = {.repository = remote->options.repository};
    struct fetch *fetch;
    bool is_more = remote->n_candidates > 0;
    unsigned attempt;
    size_t i;

    while (is_more && failover_next(&walk, &fetch)) {
        for (attempt = 0; attempt < ATTEMPTS; attempt++)
            ask(remote, fetch, attempt);
        is_more = pass_on(remote, &walk);
    }
    for (i = 0; i < remote->n_candidates; i++) {
        struct candidate *c = &remote->candidates[i];

        if (c->is_due && !c->worst.code) /* whatever the reason: nothing has vouched for it */
            error_set(&c->worst, HALLMARK_ERR_IO, "%s: no location has answered",
                      c->content->package.path);
        remote->options.each(remote->options.ctx, c->content, c->is_due ? &c->worst : NULL);
    }
    drop_all(remote);
}

void check_remote_add(struct check_remote *remote, const struct content *content)
{
    struct candidate *c = &remote->candidates[remote->n_candidates++];

    c->content = content_copy(content);
    c->is_due = true;
    if (remote->n_candidates == TOGETHER)
        check_remote_flush(remote);
}

void check_remote_free(struct check_remote *remote)
{
    if (!remote)
        return;
    drop_all(remote);
    free(remote->candidates);
    free(remote->asked);
    free(remote);
}
