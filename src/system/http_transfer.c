/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request of the network worker. */
#include "system/http_transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "base/alloc.h"
#include "base/timestamp.h"
#include "base/url.h"

enum { ATTEMPTS = 3, LENGTH_DIGITS = 19 };

/* RFC 9110 section 8.8.2.2: what was changed last so long before it was sent has not been changed
 * twice within the second that is said. */
enum { MODIFIED_LONG_AGO = 60 };

/* RFC 9110 section 15. */
enum {
    STATUS_OK = 200,
    STATUS_PARTIAL = 206,
    STATUS_REDIRECTS = 300,
    STATUS_NOT_MODIFIED = 304,
    STATUS_FAILURES = 400,
    STATUS_MISSING = 404,
    STATUS_GONE = 410,
    STATUS_NO_RANGE = 416,
};

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static long status_of(const struct http_transfer *t)
{
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* Whether the body is (a part of) the file. */
static bool is_wanted(long status)
{
    return status == STATUS_OK || status == STATUS_PARTIAL;
}

bool http_transfer_flush(struct http_transfer_context *context)
{
    struct bytes *answers = &context->answers;
    ssize_t n;

    if (!answers->len)
        return true;
    do
        n = send(context->control, answers->data, answers->len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)answers->len)
        return false;
    answers->len = 0;
    return true;
}

/* Gives an answer with LEN bytes behind it; false when nobody listens any more. */
static bool say(const struct http_transfer *t, enum http_answer_type type, const void *data,
                size_t len)
{
    struct http_answer answer = {
        .type = type, .id = t->request.id, .code = (uint32_t)t->why.code, .len = (uint32_t)len};
    struct bytes *answers = &t->context->answers;

    if (answers->len + sizeof answer + len > HTTP_PACKET_MAX && !http_transfer_flush(t->context))
        return false;
    bytes_append(answers, &answer, sizeof answer);
    bytes_append(answers, data, len);
    return true;
}

/* ---- What a server says --------------------------------------------------------------------- */

/* The value of the header LINE where its name is NAME (RFC 9110 section 5.1); else NULL. */
static const char *header_value(const char *line, const char *name)
{
    size_t len = strlen(name);

    if (strncasecmp(line, name, len) != 0 || line[len] != ':')
        return NULL;
    return line + len + 1 + strspn(line + len + 1, " \t");
}

/* Whether the ETag VALUE vouches for every byte (RFC 9110 section 8.8.3). */
static bool is_strong(const char *value)
{
    size_t len = strlen(value), i;

    for (i = 0; i < len; i++)
        if (value[i] <= ' ' || value[i] >= 127)
            return false;
    return len > 2 && value[0] == '"' && value[len - 1] == '"';
}

/* A date of HTTP; 0 where it is none. */
static int64_t date_of(const char *value)
{
    int64_t when;

    return timestamp_parse_rfc1123(bytes_view_str(value), &when) ? when : 0;
}

/* What the document that comes can be asked for again by, as of fetch_is_validator(); "": nothing.
 */
static void write_validator(const struct http_transfer *t, char out[HTTP_ETAG_MAX])
{
    const struct http_transfer_answer *answer = &t->answer;

    strcpy(out, answer->etag);
    if (!*out && t->request.kind == HTTP_DOCUMENT && answer->modified > 0 &&
        answer->modified <= answer->date - MODIFIED_LONG_AGO)
        snprintf(out, HTTP_ETAG_MAX, "@%jd", (intmax_t)answer->modified);
}

static void note_header(struct http_transfer_answer *answer, const char *line)
{
    const char *value;

    if ((value = header_value(line, "Content-Length"))) {
        answer->n_lengths++;
        answer->is_odd |=
            !*value || value[strspn(value, "0123456789")] || strlen(value) > LENGTH_DIGITS;
    } else if (header_value(line, "Transfer-Encoding"))
        answer->is_chunked = true;
    else if ((value = header_value(line, "Content-Encoding")) && *value &&
             strcasecmp(value, "identity") != 0) {
        answer->is_encoded = true;
        answer->is_gzip = strcasecmp(value, "gzip") == 0 || strcasecmp(value, "x-gzip") == 0;
    } else if ((value = header_value(line, "Content-Range")) &&
               strlen(value) < sizeof answer->range) {
        strcpy(answer->range, value);
    } else if ((value = header_value(line, "ETag")) && is_strong(value) &&
               strlen(value) < sizeof answer->etag) {
        strcpy(answer->etag, value);
    } else if ((value = header_value(line, "Date")))
        answer->date = date_of(value);
    else if ((value = header_value(line, "Last-Modified")))
        answer->modified = date_of(value);
}

static size_t take_header(char *data, size_t size, size_t n, void *ctx)
{
    struct http_transfer *t = ctx;
    char line[1024];
    size_t len = size * n;

    t->n_header_bytes += len;
    if (t->n_header_bytes > LIMITS_HTTP_HEADERS) {
        error_set(&t->why, HALLMARK_ERR_IO, "the server sends more than %d bytes of headers",
                  LIMITS_HTTP_HEADERS);
        return 0;
    }
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
        t->answer = (struct http_transfer_answer){0};
    if (len >= sizeof line) /* none of those that count is as long */
        return len;
    memcpy(line, data, len);
    line[len] = '\0';
    while (len > 0 && strchr(" \t\r\n", line[len - 1]))
        line[--len] = '\0';
    note_header(&t->answer, line);
    return size * n;
}

/* Bytes that are compressed already, and that some servers say so of: they are left as they are. */
static bool is_gzip_name(const char *url)
{
    size_t len = strlen(url);

    return (len > 3 && strcmp(url + len - 3, ".gz") == 0) ||
           (len > 4 && strcmp(url + len - 4, ".tgz") == 0) || strstr(url, "/by-hash/");
}

static bool check_partial(struct http_transfer *t)
{
    uintmax_t first, last, total;
    char more;

    if (sscanf(t->answer.range, "bytes %ju-%ju/%ju%c", &first, &last, &total, &more) == 3 &&
        first == t->n_start && first > 0 && last + 1 == total &&
        (!t->answer.etag[0] || strcmp(t->answer.etag, t->etag) == 0) &&
        (t->request.kind != HTTP_FILE || total == t->request.size)) {
        strcpy(t->answer.etag, t->etag); /* where it did not say so again */
        return true;
    }
    /* It is not the file that was begun: that has to be fetched anew. */
    return error_set(&t->why, t->n_start ? HALLMARK_ERR_CONTENT : HALLMARK_ERR_IO,
                     "the server sends another part of the file than was asked for");
}

static bool check_length(struct http_transfer *t)
{
    curl_off_t length = -1;
    uintmax_t size = t->request.size;

    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length < 0 || t->request.kind == HTTP_PROBE)
        return true;
    if (t->request.kind == HTTP_FILE && (uintmax_t)length != size - t->n_start)
        return error_set(&t->why, HALLMARK_ERR_CONTENT, "has %jd bytes, %ju were listed",
                         (intmax_t)length + (intmax_t)t->n_start, size);
    return (uintmax_t)length <= size ||
           error_set(&t->why, HALLMARK_ERR_MALFORMED, "is larger than %ju bytes", size);
}

/* What comes before a body that is wanted. */
static bool check_answer(struct http_transfer *t)
{
    const struct http_transfer_answer *answer = &t->answer;
    char validator[HTTP_ETAG_MAX];

    t->answer.is_checked = true;
    if (answer->is_odd)
        return error_set(&t->why, HALLMARK_ERR_IO, "the server says a length that is no number");
    if (answer->n_lengths > 1 || (answer->n_lengths && answer->is_chunked))
        return error_set(&t->why, HALLMARK_ERR_IO,
                         "the server says in two ways how long its answer is");
    if (answer->is_encoded &&
        !(answer->is_gzip && t->request.kind == HTTP_FILE && is_gzip_name(t->name)))
        return error_set(&t->why, HALLMARK_ERR_IO,
                         "the server sends it encoded (Content-Encoding), which was not asked for");
    if (status_of(t) == STATUS_PARTIAL) {
        if (!check_partial(t))
            return false;
    } else if (t->n_start) {
        /* Another file, or a server that has no ranges: all of it comes. */
        t->n_start = t->n_received = 0;
        if (!say(t, HTTP_RESTART, NULL, 0))
            return error_set(&t->why, HALLMARK_ERR_IO, "nobody listens");
    }
    strcpy(t->etag, answer->etag);
    write_validator(t, validator);
    if (!say(t, HTTP_ETAG, validator, strlen(validator)))
        return error_set(&t->why, HALLMARK_ERR_IO, "nobody listens");
    return check_length(t);
}

static size_t take_body(char *data, size_t size, size_t n, void *ctx)
{
    struct http_transfer *t = ctx;
    size_t len = size * n, part, done;
    long status = status_of(t);

    if (!is_wanted(status)) {
        t->answer.n_unwanted += len;
        return t->answer.n_unwanted <= LIMITS_HTTP_UNWANTED ? len : 0;
    }
    if (!t->answer.is_checked && !check_answer(t))
        return 0;
    if (len > t->request.size - t->n_received) {
        error_set(&t->why, HALLMARK_ERR_CONTENT, "does not end after %ju bytes, %s",
                  (uintmax_t)t->request.size,
                  t->request.kind == HTTP_FILE ? "as many as were listed"
                                               : "the most that are accepted");
        return 0;
    }
    for (done = 0; done < len; done += part) {
        part = len - done < HTTP_DATA_MAX ? len - done : HTTP_DATA_MAX;
        if (!say(t, HTTP_DATA, data + done, part))
            return 0;
    }
    t->n_received += len;
    return len;
}

/* ---- What is asked -------------------------------------------------------------------------- */

/* Whether URL is at the place that the credentials are for. */
static bool is_own_origin(const struct http_transfer *t, const char *url)
{
    const char *origin = t->context->setup->origin;
    size_t len = strlen(origin);

    return strncmp(url, origin, len) == 0 && (url[len] == '/' || url[len] == '\0');
}

static bool is_plain(const char *url)
{
    return strncasecmp(url, "http:", 5) == 0;
}

/* Only where TLS is possible: libcurl copies the certificates for every request. */
static void set_tls(const struct http_transfer *t)
{
    const struct bytes *pem = &t->context->certificates;
    struct curl_blob blob = {.data = pem->data, .len = pem->len, .flags = CURL_BLOB_NOCOPY};
    const char *library;

    if (is_plain(t->url) && !t->context->is_proxy_tls)
        return;
    library = curl_version_info(CURLVERSION_NOW)->ssl_version;
    curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    /* No keys below 2048 bits and no SHA-1, whatever the system's configuration says. */
    if (library && strstr(library, "OpenSSL"))
        curl_easy_setopt(t->easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=2");
    if (pem->len && !is_plain(t->url))
        curl_easy_setopt(t->easy, CURLOPT_CAINFO_BLOB, &blob);
    if (pem->len && t->context->is_proxy_tls)
        curl_easy_setopt(t->easy, CURLOPT_PROXY_CAINFO_BLOB, &blob);
}

static void set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "hallmark");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
}

static void set_times(struct http_transfer *t)
{
    long seconds = (long)t->context->setup->seconds;
    int64_t left = t->deadline - milliseconds();

    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT, seconds);
    curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, (long)LIMITS_HTTP_RATE);
    curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, seconds);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)(left > 1 ? left : 1));
}

static void add_header(struct http_transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);

    if (longer)
        t->headers = longer;
}

/* Has a document come only if it has changed. */
static void set_condition(struct http_transfer *t)
{
    const char *known = t->request.etag;
    char date[TIMESTAMP_TEXT_LEN], *condition;

    if (t->request.kind != HTTP_DOCUMENT || !*known || t->request.n_present)
        return;
    if (*known == '@') {
        timestamp_write_rfc1123(strtoll(known + 1, NULL, 10), date);
        date[strlen(date) - strlen("UTC")] = '\0';
        condition = alloc_printf("If-Modified-Since: %sGMT", date); /* RFC 9110 section 5.6.7 */
    } else {
        condition = alloc_printf("If-None-Match: %s", known);
    }
    add_header(t, condition);
    free(condition);
}

static void set_headers(struct http_transfer *t)
{
    char range[32], *condition;

    curl_slist_free_all(t->headers);
    t->headers = NULL;
    if (t->request.kind == HTTP_DOCUMENT)
        add_header(t, "Cache-Control: max-age=0"); /* proxies are to ask again */
    set_condition(t);
    if (t->n_start) {
        snprintf(range, sizeof range, "%ju-", (uintmax_t)t->n_start);
        curl_easy_setopt(t->easy, CURLOPT_RANGE, range);
        condition = alloc_printf("If-Range: %s", t->etag);
        add_header(t, condition);
        free(condition);
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

/* Makes the handle ready for the next attempt. */
static void prepare(struct http_transfer *t)
{
    const char *credentials = t->context->setup->credentials;

    t->answer = (struct http_transfer_answer){0};
    t->curl_error[0] = '\0';
    curl_easy_reset(t->easy);
    set_protocols(t->easy);
    set_tls(t);
    set_times(t);
    set_headers(t);
    curl_easy_setopt(t->easy, CURLOPT_URL, t->url);
    if (*credentials && is_own_origin(t, t->url))
        curl_easy_setopt(t->easy, CURLOPT_USERPWD, credentials);
    curl_easy_setopt(t->easy, CURLOPT_NOBODY, t->request.kind == HTTP_PROBE ? 1L : 0L);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->curl_error);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, (long)HTTP_DATA_MAX);
}

bool http_transfer_begin(struct http_transfer *t, struct http_transfer_context *context,
                         const struct http_request *request, char *url)
{
    int64_t seconds = 10 * (int64_t)context->setup->seconds;
    CURL *easy = t->easy ? t->easy : curl_easy_init();
    struct curl_slist *headers = t->headers;

    free(t->name);
    free(t->url);
    *t = (struct http_transfer){
        .context = context, .easy = easy, .headers = headers, .request = *request, .name = url};
    if (!easy)
        return false;
    t->url = alloc_strdup(url);
    t->n_start = t->n_received = request->n_present;
    strcpy(t->etag, request->etag);
    if (request->kind != HTTP_PROBE)
        seconds += (int64_t)(request->size / LIMITS_HTTP_BYTES_PER_SECOND);
    t->deadline = milliseconds() + seconds * 1000;
    t->is_active = true;
    prepare(t);
    return true;
}

void http_transfer_free(struct http_transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    free(t->name);
    free(t->url);
}

/* ---- What becomes of it --------------------------------------------------------------------- */

/* Follows a redirect: only to http and https, never from https to http, and not for ever. */
static bool redirect(struct http_transfer *t)
{
    char *to = NULL;
    char *shown;

    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to);
    if (!to)
        return error_set(&t->why, HALLMARK_ERR_IO, "the server says %ld, but not where to look",
                         status_of(t));
    shown = url_redact(to);
    if (++t->n_redirects > LIMITS_HTTP_REDIRECTS)
        error_set(&t->why, HALLMARK_ERR_IO, "more than %d redirects, the last one to %.200s",
                  LIMITS_HTTP_REDIRECTS, shown);
    else if (!url_is_http(to))
        error_set(&t->why, HALLMARK_ERR_IO, "a redirect to %.200s, which is not http or https",
                  shown);
    else if (strncasecmp(t->url, "https:", 6) == 0 && strncasecmp(to, "https:", 6) != 0)
        error_set(&t->why, HALLMARK_ERR_IO, "a redirect from https to %.200s", shown);
    else if (strcmp(shown, to) != 0)
        error_set(&t->why, HALLMARK_ERR_IO, "a redirect to %.200s, which holds a password", shown);
    else if (strlen(to) >= HTTP_URL_MAX)
        error_set(&t->why, HALLMARK_ERR_IO, "a redirect to %.200s..., which is too long", shown);
    free(shown);
    if (t->why.code)
        return false;
    to = alloc_strdup(to); /* it is the handle's */
    free(t->url);
    t->url = to;
    return true;
}

/* What a server did not do, but the network between: worth another attempt. */
static bool is_passing(CURLcode result)
{
    return result == CURLE_PARTIAL_FILE || result == CURLE_RECV_ERROR ||
           result == CURLE_SEND_ERROR || result == CURLE_GOT_NOTHING || result == CURLE_HTTP2 ||
           result == CURLE_HTTP2_STREAM;
}

/* Goes on behind what came, where a strong validator says that it is the same file (RFC 9110
 * section 13.1.5); else from the start. */
static bool try_again(struct http_transfer *t)
{
    t->n_attempts++;
    if (t->n_received && (!t->etag[0] || status_of(t) == STATUS_NO_RANGE)) {
        t->n_received = 0;
        if (!say(t, HTTP_RESTART, NULL, 0))
            return false;
    }
    t->n_start = t->n_received;
    return true;
}

static void judge_failure(struct http_transfer *t, CURLcode result)
{
    char *shown = url_redact(t->curl_error[0] ? t->curl_error : curl_easy_strerror(result));

    error_set(&t->why, HALLMARK_ERR_IO, "%.500s%s%.200s", shown,
              t->n_redirects ? ", after a redirect to " : "", t->n_redirects ? t->url : "");
    free(shown);
}

/* An answer that is complete. */
static enum http_answer_type judge_answer(struct http_transfer *t)
{
    long status = status_of(t);

    if (status == STATUS_MISSING || status == STATUS_GONE)
        return HTTP_MISSING;
    if (status == STATUS_NOT_MODIFIED && t->request.kind == HTTP_DOCUMENT && t->request.etag[0])
        return HTTP_UNCHANGED;
    if (!is_wanted(status))
        error_set(&t->why, HALLMARK_ERR_IO, "the server answers with status %ld", status);
    else if (!t->answer.is_checked && !check_answer(t)) /* there was no body */
        ;
    else if (t->request.kind == HTTP_FILE && t->n_received != t->request.size)
        error_set(&t->why, HALLMARK_ERR_CONTENT, "has %ju bytes, %ju were listed",
                  (uintmax_t)t->n_received, (uintmax_t)t->request.size);
    return t->why.code ? HTTP_FAILED : HTTP_DONE;
}

bool http_transfer_end(struct http_transfer *t, CURLcode result)
{
    long status = status_of(t);
    enum http_answer_type type = HTTP_FAILED;
    bool again = false;

    if (t->why.code)
        ;
    else if (status >= STATUS_REDIRECTS && status < STATUS_FAILURES &&
             status != STATUS_NOT_MODIFIED)
        again = redirect(t);
    else if ((is_passing(result) || (status == STATUS_NO_RANGE && t->n_start)) &&
             t->n_attempts + 1 < ATTEMPTS)
        again = try_again(t);
    else if (result == CURLE_OK || (status && !is_wanted(status)))
        type = judge_answer(t);
    else
        judge_failure(t, result);
    if (again) {
        prepare(t);
        return true;
    }
    say(t, type, t->why.text, type == HTTP_FAILED ? strlen(t->why.text) : 0);
    t->is_active = false;
    return false;
}
