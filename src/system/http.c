/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The side of the network worker that trusts nothing that it says. */
#include "system/http.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/path.h"
#include "system/http_worker.h"
#include "system/worker.h"

struct http {
    struct url url;
    char *base; /* URL with the directories that were entered */
    struct fetch_options options;
    char *ca_file;
    struct worker worker;
};

/* One request that the worker has. */
struct slot {
    bool is_used, is_by_hash;
    bool is_next; /* its second name is asked for */
    size_t item;
    uint64_t n_received;
};

/* One call of http_get(). */
struct run {
    struct http *http;
    enum http_kind kind;
    const struct fetch_item *items;
    size_t n_items, n_next;
    const struct fetch_sink *sink;
    struct slot slots[HTTP_PARALLEL];
    size_t n_used;
};

struct packet {
    struct http_answer answer;
    char data[HTTP_DATA_MAX + 1];
};

struct http *http_new(struct url *url, const struct fetch_options *options)
{
    struct http *http = alloc_array(1, sizeof *http);

    http->worker = (struct worker)WORKER_INIT;
    http->url = *url;
    *url = (struct url){0};
    http->base = alloc_strdup(http->url.text);
    if (options)
        http->options = *options;
    if (http->options.ca_file)
        http->ca_file = alloc_strdup(http->options.ca_file);
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    worker_stop(&http->worker);
    url_free(&http->url);
    free(http->base);
    free(http->ca_file);
    free(http);
}

const char *http_url(const struct http *http)
{
    return http->base;
}

void http_enter(struct http *http, const char *directory)
{
    char *base = http->base;

    http->base = path_join(base, directory);
    free(base);
}

/* ---- What the worker says ------------------------------------------------------------------- */

static unsigned patience(const struct http *http)
{
    enum { DAY = 86400 };
    unsigned seconds = http->options.seconds;

    return seconds == 0 ? LIMITS_HTTP_SECONDS : seconds < DAY ? seconds : DAY;
}

/* The worker has deadlines of its own; a worker that does not keep them is ended. */
static bool wait_readable(struct http *http, struct hallmark_error *err)
{
    enum { SLICE_MS = 1000, GRACE = 60 };
    struct pollfd fd = {.fd = http->worker.control, .events = POLLIN};
    unsigned idle = 0;
    int n;

    for (;;) {
        n = poll(&fd, 1, SLICE_MS);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return error_set_errno(err, "cannot wait for the network process");
        if (n == 0 && ++idle > 11 * patience(http) + GRACE)
            return error_set(err, HALLMARK_ERR_IO, "%s: the network process says nothing any more",
                             http->base);
    }
}

static bool is_sane(const struct packet *p, size_t len)
{
    return len >= sizeof p->answer && p->answer.len == len - sizeof p->answer &&
           p->answer.type >= HTTP_READY && p->answer.type <= HTTP_FAILED &&
           (p->answer.type != HTTP_FAILED || p->answer.code == HALLMARK_ERR_IO ||
            p->answer.code == HALLMARK_ERR_USAGE || p->answer.code == HALLMARK_ERR_CONTENT ||
            p->answer.code == HALLMARK_ERR_MALFORMED);
}

static bool receive(struct http *http, struct packet *out, struct hallmark_error *err)
{
    ssize_t n;

    if (!wait_readable(http, err))
        return false;
    do
        n = recv(http->worker.control, out, sizeof *out - 1, 0);
    while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n < 0)
        return error_set_errno(err, "the network process cannot be heard");
    if (n == 0)
        return error_set(err, HALLMARK_ERR_IO, "%s: the network process has ended", http->base);
    if (!is_sane(out, (size_t)n))
        return error_set(err, HALLMARK_ERR_IO,
                         "%s: the network process said something that makes no sense", http->base);
    out->data[out->answer.len] = '\0';
    return true;
}

/* ---- What it is asked ----------------------------------------------------------------------- */

static bool fits(const char *text, size_t max, const char *what, struct hallmark_error *err)
{
    return strlen(text) < max || error_set(err, HALLMARK_ERR_USAGE, "%s is too long", what);
}

static bool start(struct http *http, struct hallmark_error *err)
{
    struct http_setup *setup;
    struct packet *ready;
    const char *credentials = http->url.credentials ? http->url.credentials : "";
    const char *ca_file = http->ca_file ? http->ca_file : "";
    bool ok;

    if (http->worker.pid > 0)
        return true;
    setup = alloc_array(1, sizeof *setup);
    ready = alloc_array(1, sizeof *ready);
    setup->sandbox = (uint32_t)http->options.sandbox;
    setup->seconds = patience(http);
    ok = fits(credentials, sizeof setup->credentials, "the password in the URL", err) &&
         fits(ca_file, sizeof setup->ca_file, "the name of the file of certificates", err);
    if (ok) {
        strcpy(setup->credentials, credentials);
        strcpy(setup->ca_file, ca_file);
        strcpy(setup->origin, http->url.origin);
        ok = worker_start(&http->worker, "the network process", http_worker_run, err) &&
             worker_request(&http->worker, setup, sizeof *setup, NULL, 0, err) &&
             receive(http, ready, err);
    }
    if (ok && ready->answer.type != HTTP_READY)
        ok = error_set(err, (enum hallmark_errcode)ready->answer.code, "%s", ready->data);
    http->worker.layers = ready->answer.layers;
    explicit_bzero(setup, sizeof *setup);
    free(setup);
    free(ready);
    return ok;
}

/* Asks for the item of SLOT, by its hash or by its name. */
static bool ask(struct run *run, size_t slot, struct hallmark_error *err)
{
    const struct fetch_item *item = &run->items[run->slots[slot].item];
    const char *path = run->slots[slot].is_by_hash ? item->by_hash : item->path;
    struct http_request *request = alloc_array(1, sizeof *request);
    struct bytes url = {0};
    bool ok;

    bytes_append_str(&url, run->http->base);
    bytes_append_str(&url, "/");
    url_append_path(&url, path);
    request->id = (uint32_t)slot;
    request->kind = (uint32_t)run->kind;
    request->size = item->size;
    if (item->n_present && item->n_present < item->size && item->etag &&
        !run->slots[slot].is_next && strlen(item->etag) < sizeof request->etag) {
        request->n_present = item->n_present;
        strcpy(request->etag, item->etag);
    } else if (run->kind == HTTP_DOCUMENT && item->etag &&
               strlen(item->etag) < sizeof request->etag) {
        strcpy(request->etag, item->etag);
    }
    ok = fits(url.data, sizeof request->url, "a URL", err);
    if (ok) {
        strcpy(request->url, url.data);
        ok = worker_request(&run->http->worker, request, sizeof *request, NULL, 0, err);
    }
    run->slots[slot].n_received = request->n_present;
    bytes_free(&url);
    free(request);
    return ok;
}

static bool fill_slots(struct run *run, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < HTTP_PARALLEL && run->n_next < run->n_items; i++) {
        struct slot *slot = &run->slots[i];

        if (slot->is_used)
            continue;
        *slot = (struct slot){.is_used = true, .item = run->n_next};
        slot->is_by_hash = run->items[run->n_next++].by_hash != NULL;
        run->n_used++;
        if (!ask(run, i, err))
            return false;
    }
    return true;
}

/* ---- What comes of it ----------------------------------------------------------------------- */

static bool end(struct run *run, struct slot *slot, const struct hallmark_error *why,
                struct hallmark_error *err)
{
    slot->is_used = false;
    run->n_used--;
    return run->sink->end(run->sink->ctx, slot->item, why, err);
}

static bool end_missing(struct run *run, struct slot *slot, struct hallmark_error *err)
{
    const char *path = run->items[slot->item].path;
    struct hallmark_error why = {0};

    if (run->kind == HTTP_FILE)
        error_set(&why, HALLMARK_ERR_CONTENT, "%s: is missing, but it is listed", path);
    else
        error_set(&why, HALLMARK_ERR_NO_PACKAGE, "%s: is not there", path);
    return end(run, slot, &why, err);
}

static bool end_unchanged(struct run *run, struct slot *slot, struct hallmark_error *err)
{
    const struct fetch_item *item = &run->items[slot->item];
    struct hallmark_error why = {0};

    if (run->kind != HTTP_DOCUMENT || !item->etag || !*item->etag)
        error_set(&why, HALLMARK_ERR_IO, "%s: the network process says a change that nobody asked",
                  item->path);
    else
        error_set(&why, HALLMARK_ATTENTION, "%s: is unchanged", item->path);
    return end(run, slot, &why, err);
}

/* What is wrong with a file is told of its path, as of a local one; what is wrong with the network,
 * of the URL. */
static bool end_failed(struct run *run, struct slot *slot, const struct packet *p,
                       struct hallmark_error *err)
{
    const char *path = run->items[slot->item].path;
    struct hallmark_error why = {0};

    if (p->answer.code == HALLMARK_ERR_IO)
        error_set(&why, HALLMARK_ERR_IO, "%s/%s: %s", run->http->base, path, p->data);
    else
        error_set(&why, (enum hallmark_errcode)p->answer.code, "%s: %s", path, p->data);
    return end(run, slot, &why, err);
}

/* The sizes are the worker's to keep; that it did is not believed. */
static bool take_data(struct run *run, struct slot *slot, const struct packet *p,
                      struct hallmark_error *err)
{
    size_t len = p->answer.len;

    if (run->kind == HTTP_PROBE || len > run->items[slot->item].size - slot->n_received)
        return error_set(err, HALLMARK_ERR_IO, "%s: the network process hands over too much",
                         run->http->base);
    slot->n_received += len;
    return run->sink->take(run->sink->ctx, slot->item, p->data, len, err);
}

/* Only what may stand in an ETag, since it is kept and sent again. */
static bool take_etag(struct run *run, struct slot *slot, const struct packet *p,
                      struct hallmark_error *err)
{
    size_t len = strlen(p->data), i;

    for (i = 0; i < len; i++)
        if (p->data[i] <= ' ' || p->data[i] >= 127)
            break;
    if (len != p->answer.len || len >= HTTP_ETAG_MAX || i < len)
        return error_set(err, HALLMARK_ERR_IO, "%s: the network process says an odd ETag",
                         run->http->base);
    return !run->sink->set_etag || run->sink->set_etag(run->sink->ctx, slot->item, p->data, err);
}

static bool take_packet(struct run *run, const struct packet *p, struct hallmark_error *err)
{
    struct slot *slot = &run->slots[p->answer.id < HTTP_PARALLEL ? p->answer.id : 0];
    /* A server may refuse what it does not have; what it has and is wrong is wrong. */
    bool is_name_next =
        slot->is_by_hash && (p->answer.type == HTTP_MISSING ||
                             (p->answer.type == HTTP_FAILED && p->answer.code == HALLMARK_ERR_IO));

    if (p->answer.id >= HTTP_PARALLEL || !slot->is_used || p->answer.type == HTTP_READY)
        return error_set(err, HALLMARK_ERR_IO,
                         "%s: the network process answers what nobody has asked", run->http->base);
    if (p->answer.type == HTTP_DATA)
        return take_data(run, slot, p, err);
    if (p->answer.type == HTTP_ETAG)
        return take_etag(run, slot, p, err);
    if (p->answer.type == HTTP_RESTART || is_name_next) {
        slot->n_received = 0;
        if (!run->sink->restart(run->sink->ctx, slot->item, err))
            return false;
    }
    if (p->answer.type == HTTP_RESTART)
        return true;
    if (is_name_next) {
        slot->is_by_hash = false;
        slot->is_next = true;
        return ask(run, p->answer.id, err);
    }
    if (p->answer.type == HTTP_MISSING)
        return end_missing(run, slot, err);
    if (p->answer.type == HTTP_UNCHANGED)
        return end_unchanged(run, slot, err);
    if (p->answer.type == HTTP_FAILED)
        return end_failed(run, slot, p, err);
    if (run->kind == HTTP_FILE && slot->n_received != run->items[slot->item].size)
        return error_set(err, HALLMARK_ERR_IO, "%s: the network process hands over too little",
                         run->http->base);
    return end(run, slot, NULL, err);
}

bool http_get(struct http *http, enum http_kind kind, const struct fetch_item *items,
              size_t n_items, const struct fetch_sink *sink, struct hallmark_error *err)
{
    struct run run = {.http = http, .kind = kind, .items = items, .n_items = n_items, .sink = sink};
    struct packet *packet = alloc_array(1, sizeof *packet);
    bool ok = start(http, err) && fill_slots(&run, err);

    while (ok && run.n_used)
        ok = receive(http, packet, err) && take_packet(&run, packet, err) && fill_slots(&run, err);
    /* What it was asked and nobody waits for any more would come next time. */
    if (!ok)
        worker_stop(&http->worker);
    free(packet);
    return ok;
}
