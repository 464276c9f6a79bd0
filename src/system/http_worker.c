/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network worker: narrows itself, and runs what it is asked for through one libcurl handle. */
#include "system/http_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "system/http_transfer.h"
#include "system/sandbox.h"
#include "system/worker.h"

enum { SLICE_MS = 1000, KEPT_BYTES = 4 << 20 };

/* One that waits until there is room. */
struct waiting {
    struct http_request request;
    char *url;
};

struct service {
    struct http_transfer_context context;
    struct http_setup setup;
    CURLM *multi;
    struct http_transfer transfers[HTTP_PARALLEL];
    size_t n_active;
    struct waiting waiting[HTTP_SLOTS]; /* in a ring */
    size_t first_waiting, n_waiting;
    char packet[HTTP_PACKET_MAX];
};

/* ---- Before narrowing ----------------------------------------------------------------------- */

/* All that the environment may say to libcurl and the C library is where a proxy stands. */
static void clean_environment(struct service *s)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY",  "no_proxy",    "NO_PROXY"};
    enum { N_NAMES = sizeof names / sizeof *names };
    char *values[N_NAMES];
    size_t i;

    for (i = 0; i < N_NAMES; i++) {
        const char *value = getenv(names[i]);

        values[i] = value ? alloc_strdup(value) : NULL;
        s->context.is_proxy_tls |= value && strncasecmp(value, "https:", 6) == 0;
    }
    clearenv();
    for (i = 0; i < N_NAMES; i++)
        if (values[i])
            setenv(names[i], values[i], 1); /* which copies it */
    for (i = 0; i < N_NAMES; i++)
        free(values[i]);
}

/* The certificates that vouch for servers: a file that the user names, or the system's. */
static bool load_certificates(struct service *s, struct hallmark_error *err)
{
    static const char *const usual[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    const char *file = s->setup.ca_file;
    bool exists = false;
    size_t i;

    if (*file && !file_read(AT_FDCWD, file, LIMITS_CERTIFICATES_BYTES, &s->context.certificates,
                            NULL, err)) {
        err->code = HALLMARK_ERR_USAGE;
        return false;
    }
    if (*file)
        return true;
    for (i = 0; i < sizeof usual / sizeof *usual && !exists; i++)
        if (!file_read(AT_FDCWD, usual[i], LIMITS_CERTIFICATES_BYTES, &s->context.certificates,
                       &exists, err))
            return false;
    return true;
}

/* Opens what the resolver of the C library reads, for sandbox_spec.files. */
static size_t open_resolver_files(int *fds)
{
    static const char *const names[] = {"/etc/resolv.conf", "/etc/hosts",    "/etc/nsswitch.conf",
                                        "/etc/host.conf",   "/etc/gai.conf", "/etc/services",
                                        "/etc/protocols"};
    size_t i, n = 0;

    for (i = 0; i < sizeof names / sizeof *names; i++) {
        fds[n] = file_open_at(AT_FDCWD, names[i], O_PATH, 0);
        n += fds[n] >= 0;
    }
    return n;
}

static bool narrow(const struct service *s, unsigned *layers, struct hallmark_error *err)
{
    int fds[SANDBOX_FILES_MAX];
    struct sandbox_spec spec = {
        .level = (enum hallmark_sandbox)s->setup.sandbox, .role = SANDBOX_NETWORK, .files = fds};
    bool ok;
    size_t i;

    spec.n_files = open_resolver_files(fds);
    ok = sandbox_enter(&spec, layers, err);
    for (i = 0; i < spec.n_files; i++)
        file_close(&fds[i]);
    return ok;
}

static bool set_up(struct service *s, unsigned *layers, struct hallmark_error *err)
{
    clean_environment(s);
    mallopt(M_ARENA_MAX, 1);               /* threads of the resolver: address space is limited */
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES); /* each request takes the same memory again */
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    if (!load_certificates(s, err))
        return error_prefix(err, "certificates");
    if (!libcurl_load(err))
        return false;
    /* Both read configuration and make what needs files or sockets. */
    if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK || !(s->multi = curl_multi_init()))
        return error_set(err, HALLMARK_ERR_IO, "libcurl cannot be used");
    curl_multi_setopt(s->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HTTP_PARALLEL);
    sethostent(0); /* loads what /etc/nsswitch.conf names */
    endhostent();
    return narrow(s, layers, err);
}

/* ---- At work -------------------------------------------------------------------------------- */

/* Queues the requests of a packet of LEN bytes; false where it makes no sense. */
static bool unpack(struct service *s, size_t len)
{
    struct waiting *last;
    size_t at = 0;

    for (; at < len; s->n_waiting++) {
        if (s->n_waiting == HTTP_SLOTS || len - at < sizeof last->request)
            return false;
        last = &s->waiting[(s->first_waiting + s->n_waiting) % HTTP_SLOTS];
        memcpy(&last->request, s->packet + at, sizeof last->request);
        at += sizeof last->request;
        if (last->request.url_len > len - at)
            return false;
        last->url = alloc_strndup(s->packet + at, last->request.url_len);
        at += last->request.url_len;
    }
    return true;
}

/* Takes the requests that have come; false when nobody asks any more. */
static bool take_requests(struct service *s)
{
    ssize_t n;

    do
        n = recv(s->context.control, s->packet, sizeof s->packet, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return true;
    return n > 0 && unpack(s, (size_t)n);
}

/* Begins what waits, as far as there is room. */
static bool begin(struct service *s)
{
    struct http_transfer *transfer = s->transfers;
    const struct waiting *first;

    for (; s->n_waiting && s->n_active < HTTP_PARALLEL; transfer++) {
        if (transfer->is_active)
            continue;
        first = &s->waiting[s->first_waiting];
        if (!http_transfer_begin(transfer, &s->context, &first->request, first->url) ||
            curl_multi_add_handle(s->multi, transfer->easy) != CURLM_OK)
            return false;
        s->first_waiting = (s->first_waiting + 1) % HTTP_SLOTS;
        s->n_waiting--;
        s->n_active++;
    }
    return true;
}

static bool finish(struct service *s)
{
    struct http_transfer *transfer;
    CURLMsg *message;
    CURLcode result;
    int left;

    while ((message = curl_multi_info_read(s->multi, &left)) != NULL) {
        result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        curl_multi_remove_handle(s->multi, transfer->easy);
        if (!http_transfer_end(transfer, result))
            s->n_active--;
        else if (curl_multi_add_handle(s->multi, transfer->easy) != CURLM_OK)
            return false;
    }
    return true;
}

static void serve(struct service *s)
{
    struct curl_waitfd control = {.fd = s->context.control, .events = CURL_WAIT_POLLIN};
    int n_running;

    for (;;) {
        control.revents = 0;
        if (curl_multi_poll(s->multi, &control, 1, SLICE_MS, NULL) != CURLM_OK)
            return;
        if (control.revents && !take_requests(s))
            return;
        if (!begin(s) || curl_multi_perform(s->multi, &n_running) != CURLM_OK || !finish(s) ||
            !begin(s) || !http_transfer_flush(&s->context))
            return;
    }
}

void http_worker_run(int control)
{
    struct service *s = alloc_array(1, sizeof *s);
    struct http_answer ready = {.type = HTTP_READY};
    struct hallmark_error err = {0};
    struct iovec iov[2] = {{.iov_base = &ready, .iov_len = sizeof ready}, {.iov_base = err.text}};
    unsigned layers = 0;

    s->context.control = control;
    s->context.setup = &s->setup;
    if (!worker_take(control, &s->setup, sizeof s->setup, NULL, 0))
        return;
    if (!set_up(s, &layers, &err)) {
        ready.type = HTTP_FAILED;
        ready.code = (uint32_t)err.code;
        ready.len = (uint32_t)strlen(err.text);
        iov[1].iov_len = ready.len;
    }
    ready.layers = layers;
    if (writev(control, iov, 2) > 0 && ready.type == HTTP_READY)
        serve(s);
    _exit(0);
}
