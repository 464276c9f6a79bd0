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
    bool is_due;  /* it has not been asked yet */
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
    struct slot slots[HTTP_SLOTS];
    size_t n_used, n_due;
    struct bytes url, packet; /* of requests that are made */
};

/* What came in one packet, and the answer of it that is looked at. */
struct packet {
    struct http_answer answer;
    const char *data; /* of that answer; no NUL behind it */
    size_t len, at;   /* bytes of the packet, and of those that were looked at */
    char bytes[HTTP_PACKET_MAX];
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

/* Until there is a packet, or EVENTS. The worker has deadlines of its own; a worker that does not
 * keep them is ended. */
static bool wait_for(struct http *http, short events, struct hallmark_error *err)
{
    enum { SLICE_MS = 1000, GRACE = 60 };
    struct pollfd fd = {.fd = http->worker.control, .events = (short)(POLLIN | events)};
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

static bool is_sane(const struct packet *p)
{
    return p->answer.len <= p->len - p->at && p->answer.len <= HTTP_DATA_MAX &&
           p->answer.type >= HTTP_READY && p->answer.type <= HTTP_FAILED &&
           (p->answer.type != HTTP_FAILED || p->answer.code == HALLMARK_ERR_IO ||
            p->answer.code == HALLMARK_ERR_USAGE || p->answer.code == HALLMARK_ERR_CONTENT ||
            p->answer.code == HALLMARK_ERR_MALFORMED);
}

/* Takes the next answer out of a packet. */
static bool unpack(struct http *http, struct packet *p, struct hallmark_error *err)
{
    bool is_whole = p->len - p->at >= sizeof p->answer;

    if (is_whole) {
        memcpy(&p->answer, p->bytes + p->at, sizeof p->answer);
        p->at += sizeof p->answer;
    }
    if (!is_whole || !is_sane(p))
        return error_set(err, HALLMARK_ERR_IO,
                         "%s: the network process said something that makes no sense", http->base);
    p->data = p->bytes + p->at;
    p->at += p->answer.len;
    return true;
}

/* Receives a packet; an empty one where it may take more requests now, which is one of EVENTS. */
static bool receive(struct http *http, short events, struct packet *out, struct hallmark_error *err)
{
    ssize_t n;

    out->len = out->at = 0;
    do
        n = recv(http->worker.control, out->bytes, sizeof out->bytes, MSG_DONTWAIT);
    while (n < 0 && (errno == EINTR || errno == ECONNRESET));
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return wait_for(http, events, err);
    if (n < 0)
        return error_set_errno(err, "the network process cannot be heard");
    if (n == 0)
        return error_set(err, HALLMARK_ERR_IO, "%s: the network process has ended", http->base);
    out->len = (size_t)n;
    return true;
}

/* The first answer, to the setup. */
static bool receive_ready(struct http *http, struct packet *out, struct hallmark_error *err)
{
    do
        if (!receive(http, 0, out, err))
            return false;
    while (!out->len);
    return unpack(http, out, err);
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
             receive_ready(http, ready, err);
    }
    if (ok && ready->answer.type != HTTP_READY)
        ok = error_set(err, (enum hallmark_errcode)ready->answer.code, "%.*s",
                       (int)ready->answer.len, ready->data);
    http->worker.layers = ready->answer.layers;
    explicit_bzero(setup, sizeof *setup);
    free(setup);
    free(ready);
    return ok;
}

/* Sends PACKET; *IS_SENT becomes false where the worker cannot take it now, for it may be waiting
 * until what it says is heard. */
static bool send_packet(struct http *http, const struct bytes *packet, bool *is_sent,
                        struct hallmark_error *err)
{
    ssize_t n;

    do
        n = send(http->worker.control, packet->data, packet->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    /* Of one that has ended, what it said last is to be heard yet. */
    *is_sent = n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return n == (ssize_t)packet->len || !*is_sent || errno == EPIPE || errno == ECONNRESET ||
           error_set_errno(err, "%s: cannot be given its task", http->worker.what);
}

/* Appends the request for the item of SLOT, by its hash or by its name. */
static bool add_request(struct run *run, size_t slot, struct bytes *packet,
                        struct hallmark_error *err)
{
    const struct fetch_item *item = &run->items[run->slots[slot].item];
    const char *path = run->slots[slot].is_by_hash ? item->by_hash : item->path;
    struct http_request request = {
        .id = (uint32_t)slot, .kind = (uint32_t)run->kind, .size = item->size};
    struct bytes *url = &run->url;
    bool is_etag = item->etag && strlen(item->etag) < sizeof request.etag;

    if (is_etag && item->n_present && item->n_present < item->size && !run->slots[slot].is_next)
        request.n_present = item->n_present;
    if (is_etag && (request.n_present || run->kind == HTTP_DOCUMENT))
        strcpy(request.etag, item->etag);
    run->slots[slot].n_received = request.n_present;
    url->len = 0;
    bytes_append_str(url, run->http->base);
    bytes_append_str(url, "/");
    url_append_path(url, path);
    if (!fits(url->data, HTTP_URL_MAX, "a URL", err))
        return false;
    request.url_len = (uint32_t)url->len;
    bytes_append(packet, &request, sizeof request);
    bytes_append(packet, url->data, url->len);
    return true;
}

/* Gives the free slots an item each. */
static void fill_slots(struct run *run)
{
    size_t i;

    for (i = 0; i < HTTP_SLOTS && run->n_next < run->n_items; i++) {
        struct slot *slot = &run->slots[i];

        if (slot->is_used)
            continue;
        *slot = (struct slot){.is_used = true, .is_due = true, .item = run->n_next};
        slot->is_by_hash = run->items[run->n_next++].by_hash != NULL;
        run->n_used++;
        run->n_due++;
    }
}

/* Asks for what has not been asked, as much as goes into one packet. */
static bool ask_some(struct run *run, bool *is_sent, struct hallmark_error *err)
{
    enum { ROOM = HTTP_PACKET_MAX - sizeof(struct http_request) - HTTP_URL_MAX };
    size_t asked[HTTP_SLOTS], n_asked = 0, i;

    run->packet.len = 0;
    for (i = 0; i < HTTP_SLOTS && run->packet.len <= ROOM; i++) {
        if (!run->slots[i].is_due)
            continue;
        if (!add_request(run, i, &run->packet, err))
            return false;
        asked[n_asked++] = i;
    }
    if (!send_packet(run->http, &run->packet, is_sent, err))
        return false;
    for (i = 0; *is_sent && i < n_asked; i++, run->n_due--)
        run->slots[asked[i]].is_due = false;
    return true;
}

/* Asks for what has not been asked, until the worker can take no more. */
static bool ask_due(struct run *run, struct hallmark_error *err)
{
    bool is_sent = true;

    while (run->n_due && is_sent)
        if (!ask_some(run, &is_sent, err))
            return false;
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
    int len = (int)p->answer.len;

    if (p->answer.code == HALLMARK_ERR_IO)
        error_set(&why, HALLMARK_ERR_IO, "%s/%s: %.*s", run->http->base, path, len, p->data);
    else
        error_set(&why, (enum hallmark_errcode)p->answer.code, "%s: %.*s", path, len, p->data);
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
    char etag[HTTP_ETAG_MAX] = "";
    size_t len = p->answer.len, i;

    for (i = 0; i < len; i++)
        if (p->data[i] <= ' ' || p->data[i] >= 127)
            break;
    if (len >= sizeof etag || i < len || (len && p->data[0] == '@' && run->kind != HTTP_DOCUMENT))
        return error_set(err, HALLMARK_ERR_IO, "%s: the network process says an odd ETag",
                         run->http->base);
    memcpy(etag, p->data, len);
    return !run->sink->set_etag || run->sink->set_etag(run->sink->ctx, slot->item, etag, err);
}

static bool take_answer(struct run *run, const struct packet *p, struct hallmark_error *err)
{
    struct slot *slot = &run->slots[p->answer.id < HTTP_SLOTS ? p->answer.id : 0];
    /* A server may refuse what it does not have; what it has and is wrong is wrong. */
    bool is_name_next =
        slot->is_by_hash && (p->answer.type == HTTP_MISSING ||
                             (p->answer.type == HTTP_FAILED && p->answer.code == HALLMARK_ERR_IO));

    if (p->answer.id >= HTTP_SLOTS || !slot->is_used || slot->is_due ||
        p->answer.type == HTTP_READY)
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
        slot->is_next = slot->is_due = true;
        run->n_due++;
        return true;
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

/* Takes all that came at once; a slot that gets free is asked for the next item together with
 * others. */
static bool take_packet(struct run *run, struct packet *p, struct hallmark_error *err)
{
    while (p->at < p->len)
        if (!unpack(run->http, p, err) || !take_answer(run, p, err))
            return false;
    fill_slots(run);
    return ask_due(run, err);
}

bool http_get(struct http *http, enum http_kind kind, const struct fetch_item *items,
              size_t n_items, const struct fetch_sink *sink, struct hallmark_error *err)
{
    struct run run = {.http = http, .kind = kind, .items = items, .n_items = n_items, .sink = sink};
    struct packet *packet = alloc_array(1, sizeof *packet);
    bool ok = start(http, err) && take_packet(&run, packet, err);

    while (ok && run.n_used)
        ok = receive(http, run.n_due ? POLLOUT : 0, packet, err) && take_packet(&run, packet, err);
    /* What it was asked and nobody waits for any more would come next time. */
    if (!ok)
        worker_stop(&http->worker);
    bytes_free(&run.url);
    bytes_free(&run.packet);
    free(packet);
    return ok;
}
