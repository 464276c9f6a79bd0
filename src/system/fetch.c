/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Local directories and file:// URLs; http.c does the rest. */
#include "system/fetch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "base/url.h"
#include "system/http.h"

struct fetch {
    char *url;
    char *file;
    int dirfd;
    struct http *http; /* NULL: on this machine */
};

static bool has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* The path that LOCATION means; free(3) releases it. */
static char *location_path(const char *location, struct hallmark_error *err)
{
    const char *path = location;
    char *decoded;

    if (!has_prefix(location, "file:")) {
        if (strstr(location, "://")) {
            error_set(err, HALLMARK_ERR_USAGE,
                      "%s: only directories and URLs of file, http and https can be read",
                      location);
            return NULL;
        }
        return alloc_strdup(location);
    }
    path += strlen("file:");
    if (has_prefix(path, "//localhost/"))
        path += strlen("//localhost");
    else if (has_prefix(path, "///"))
        path += strlen("//");
    decoded = alloc_strdup(path);
    if (path[0] == '/' && path[1] != '/' && url_decode(decoded))
        return decoded;
    error_set(err, HALLMARK_ERR_USAGE, "%s: is not a URL of the form file:///DIRECTORY", location);
    free(decoded);
    return NULL;
}

/* file:// and PATH, with everything but unreserved characters and "/" percent-encoded. */
static char *path_url(const char *path)
{
    struct bytes url = {0};

    bytes_append_str(&url, "file://");
    url_append_path(&url, path);
    return url.data;
}

/* The name at the end of the URL, which goes away, where it is that of a manifest. */
static char *take_manifest(char *url)
{
    static const char *const names[] = {"InRelease", "Release"};
    char *slash = strrchr(url, '/');
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (slash && strcmp(slash + 1, names[i]) == 0) {
            *slash = '\0';
            return alloc_strdup(names[i]);
        }
    return NULL;
}

static struct fetch *open_remote(const char *location, const struct fetch_options *options,
                                 struct hallmark_error *err)
{
    struct fetch *fetch;
    struct url url;

    if (!url_parse(&url, location, err))
        return NULL;
    fetch = alloc_array(1, sizeof *fetch);
    fetch->dirfd = -1;
    fetch->file = take_manifest(url.text);
    fetch->http = http_new(&url, options);
    return fetch;
}

static struct fetch *open_local(const char *location, struct hallmark_error *err)
{
    struct fetch *fetch = alloc_array(1, sizeof *fetch);
    char *path = location_path(location, err), *resolved = NULL, *slash;
    struct stat st;

    fetch->dirfd = -1;
    if (path)
        resolved = path_resolve(path, err);
    if (!resolved)
        goto fail;
    if (stat(resolved, &st) == 0 && S_ISREG(st.st_mode)) {
        fetch->file = alloc_strdup(path_basename(path));
        /* The directory as the user named it: InRelease may be a link into a generation. */
        free(resolved);
        slash = strrchr(path, '/');
        if (slash)
            slash[slash == path] = '\0';
        resolved = path_resolve(slash ? path : ".", err);
        if (!resolved)
            goto fail;
    }
    fetch->dirfd = file_open_directory(resolved, err);
    if (fetch->dirfd < 0)
        goto fail;
    fetch->url = path_url(resolved);
    free(resolved);
    free(path);
    return fetch;
fail:
    free(resolved);
    free(path);
    fetch_close(fetch);
    return NULL;
}

struct fetch *fetch_open(const char *location, const struct fetch_options *options,
                         struct hallmark_error *err)
{
    return url_is_http(location) ? open_remote(location, options, err) : open_local(location, err);
}

void fetch_close(struct fetch *fetch)
{
    if (!fetch)
        return;
    http_free(fetch->http);
    file_close(&fetch->dirfd);
    free(fetch->url);
    free(fetch->file);
    free(fetch);
}

bool fetch_enter(struct fetch *fetch, const char *directory, struct hallmark_error *err)
{
    char *url;
    struct fetch *entered, saved = *fetch;

    if (fetch->http) {
        http_enter(fetch->http, directory);
        return true;
    }
    url = path_join(fetch->url, directory);
    entered = open_local(url, err);
    free(url);
    if (!entered)
        return false;
    *fetch = *entered;
    *entered = saved;
    fetch_close(entered);
    return true;
}

bool fetch_is_remote(const struct fetch *fetch)
{
    return fetch->http != NULL;
}

const char *fetch_url(const struct fetch *fetch)
{
    return fetch->http ? http_url(fetch->http) : fetch->url;
}

const char *fetch_file(const struct fetch *fetch)
{
    return fetch->file;
}

/* ---- One remote file ------------------------------------------------------------------------ */

/* Where it goes: into a buffer, or a file. */
struct destination {
    struct bytes *bytes;
    char *etag; /* of FETCH_ETAG_LEN bytes; NULL: nobody wants it */
    int fd;
    const struct fetch_item *item;
    struct hallmark_error why;
};

static bool store(void *ctx, size_t i, const void *data, size_t len, struct hallmark_error *err)
{
    struct destination *to = ctx;

    (void)i;
    if (to->bytes)
        bytes_append(to->bytes, data, len);
    else if (to->fd >= 0 && !file_write_all(to->fd, data, len))
        return error_set_errno(err, "cannot write a private copy of %s", to->item->path);
    return true;
}

static bool store_again(void *ctx, size_t i, struct hallmark_error *err)
{
    struct destination *to = ctx;

    (void)i;
    if (to->bytes)
        to->bytes->len = 0;
    else if (to->fd >= 0 && (ftruncate(to->fd, 0) < 0 || lseek(to->fd, 0, SEEK_SET) < 0))
        return error_set_errno(err, "cannot write a private copy of %s", to->item->path);
    return true;
}

static bool store_etag(void *ctx, size_t i, const char *etag, struct hallmark_error *err)
{
    struct destination *to = ctx;

    (void)i;
    (void)err;
    if (to->etag)
        snprintf(to->etag, FETCH_ETAG_LEN, "%s", etag);
    return true;
}

static bool store_end(void *ctx, size_t i, const struct hallmark_error *why,
                      struct hallmark_error *err)
{
    struct destination *to = ctx;

    (void)i;
    (void)err;
    if (why)
        to->why = *why;
    return true;
}

/* Fetches one file into TO. HALLMARK_ERR_NO_PACKAGE where none is there and KIND is not HTTP_FILE.
 */
static bool get_remote(struct fetch *fetch, enum http_kind kind, struct destination *to,
                       struct hallmark_error *err)
{
    struct fetch_sink sink = {
        .take = store, .set_etag = store_etag, .restart = store_again, .end = store_end, .ctx = to};

    return http_get(fetch->http, kind, to->item, 1, &sink, err) &&
           (!to->why.code || error_set(err, to->why.code, "%s", to->why.text));
}

static int open_private(struct hallmark_error *err)
{
    const char *dir = getenv("TMPDIR");
    char *name = path_join(dir && *dir == '/' ? dir : "/var/tmp", "hallmark.XXXXXX");
    int fd = mkostemp(name, O_CLOEXEC);

    if (fd < 0)
        error_set_errno(err, "%s", name);
    else
        unlink(name);
    free(name);
    return fd;
}

int fetch_open_item(struct fetch *fetch, const struct fetch_item *item, struct hallmark_error *err)
{
    struct destination to = {.fd = -1, .item = item};

    if (!fetch->http && item->is_index)
        return fetch_index(fetch, item->path, item->by_hash, err);
    if (!fetch->http)
        return fetch_package(fetch, item->path, err);
    to.fd = open_private(err);
    if (to.fd < 0)
        return -1;
    if (get_remote(fetch, HTTP_FILE, &to, err) &&
        (lseek(to.fd, 0, SEEK_SET) == 0 || error_set_errno(err, "%s", item->path)))
        return to.fd;
    file_close(&to.fd);
    return -1;
}

/* ---- What is there -------------------------------------------------------------------------- */

bool fetch_document(struct fetch *fetch, const char *name, size_t max_len, struct bytes *out,
                    bool *exists, struct hallmark_error *err)
{
    struct fetch_document document = {.name = name, .max_len = max_len};
    bool ok = fetch_document_since(fetch, &document, err);

    bytes_free(out);
    *out = document.data;
    *exists = document.exists;
    return ok;
}

bool fetch_is_validator(struct bytes_view text)
{
    enum { DIGITS = 11 };
    size_t i;

    if (text.len > 1 && text.len <= 1 + DIGITS && text.data[0] == '@') {
        if (text.data[1] == '0')
            return false; /* the date of a file that has none */
        for (i = 1; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++)
            ;
        return i == text.len;
    }
    for (i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] >= 127)
            return false;
    return text.len > 2 && text.len < FETCH_ETAG_LEN && text.data[0] == '"' &&
           text.data[text.len - 1] == '"';
}

bool fetch_document_since(struct fetch *fetch, struct fetch_document *document,
                          struct hallmark_error *err)
{
    struct fetch_item item = {
        .path = document->name, .size = document->max_len, .etag = document->known};
    struct destination to = {
        .bytes = &document->data, .fd = -1, .item = &item, .etag = document->etag};
    struct hallmark_error why = {0};

    if (!fetch->http)
        return file_read(fetch->dirfd, document->name, document->max_len, &document->data,
                         &document->exists, err);
    document->exists = get_remote(fetch, HTTP_DOCUMENT, &to, &why);
    if (document->exists)
        bytes_append_str(&document->data, "");
    document->is_unchanged = why.code == HALLMARK_ATTENTION;
    document->exists = document->exists || document->is_unchanged;
    return document->exists || why.code == HALLMARK_ERR_NO_PACKAGE ||
           error_set(err, why.code, "%s", why.text);
}

bool fetch_has(struct fetch *fetch, const char *name)
{
    struct fetch_item item = {.path = name};
    struct destination to = {.fd = -1, .item = &item};
    struct hallmark_error why = {0};
    struct stat st;

    if (fetch->http)
        return get_remote(fetch, HTTP_PROBE, &to, &why) || why.code != HALLMARK_ERR_NO_PACKAGE;
    return fstatat(fetch->dirfd, name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

static bool list_directory(DIR *dir, const char *name, struct strlist *out,
                           struct hallmark_error *err)
{
    struct dirent *entry;
    struct stat st;

    while ((errno = 0, entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
            S_ISDIR(st.st_mode))
            strlist_add(out, entry->d_name);
    return errno == 0 || error_set_errno(err, "%s", name);
}

bool fetch_list(struct fetch *fetch, const char *name, struct strlist *out,
                struct hallmark_error *err)
{
    DIR *dir = NULL;
    bool ok;
    int fd;

    if (fetch->http)
        return true;
    fd = file_open_at(fetch->dirfd, name, O_RDONLY | O_DIRECTORY, 0);
    if (fd >= 0)
        dir = fdopendir(fd);
    if (!dir) {
        ok = errno == ENOENT || errno == ENOTDIR || error_set_errno(err, "%s", name);
        file_close(&fd);
        return ok;
    }
    ok = list_directory(dir, name, out, err);
    closedir(dir);
    return ok;
}

/* What a failure to open PATH means where a manifest lists it. */
static int judge_open(int fd, const char *path, struct hallmark_error *err)
{
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        error_set(err, HALLMARK_ERR_CONTENT, "%s: is missing, but it is listed", path);
    else if (fd < 0 && err && err->code == HALLMARK_ERR_MALFORMED)
        err->code = HALLMARK_ERR_CONTENT;
    return fd;
}

static int refuse_remote(const char *name, struct hallmark_error *err)
{
    error_set(err, HALLMARK_ERR_USAGE, "%s: is not on this machine", name);
    return -1;
}

int fetch_index(struct fetch *fetch, const char *name, const char *by_hash,
                struct hallmark_error *err)
{
    struct hallmark_error ignored = {0};
    int fd = by_hash && !fetch->http ? file_open_served(fetch->dirfd, by_hash, &ignored) : -1;

    if (fd >= 0)
        return fd;
    if (fetch->http)
        return refuse_remote(name, err);
    return judge_open(file_open_served(fetch->dirfd, name, err), name, err);
}

int fetch_package(struct fetch *fetch, const char *path, struct hallmark_error *err)
{
    if (fetch->http)
        return refuse_remote(path, err);
    return judge_open(file_open_beneath(fetch->dirfd, path, err), path, err);
}

/* ---- Several files -------------------------------------------------------------------------- */

static bool check_size(int fd, const struct fetch_item *item, struct hallmark_error *why)
{
    uintmax_t wanted = item->size;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set_errno(why, "%s", item->path);
    return (uintmax_t)st.st_size == wanted ||
           error_set(why, HALLMARK_ERR_CONTENT, "%s: has %ju bytes, %ju were listed", item->path,
                     (uintmax_t)st.st_size, wanted);
}

/* Gives the bytes of FD to SINK as item I. False where the sink ends it all; WHY is set where the
 * item cannot be had. */
static bool copy_item(int fd, const struct fetch_item *item, const struct fetch_sink *sink,
                      size_t i, struct hallmark_error *why, struct hallmark_error *err)
{
    enum { STEP = 256 * 1024 };
    unsigned char *buf = alloc_array(STEP, 1);
    uint64_t left = item->size;
    ssize_t n = 1;
    bool ok = true;

    while (ok && left && n > 0) {
        n = file_read_some(fd, buf, left < STEP ? (size_t)left : STEP);
        if (n < 0)
            error_set_errno(why, "%s", item->path);
        else if (n == 0)
            error_set(why, HALLMARK_ERR_CONTENT, "%s: became shorter while it was read",
                      item->path);
        else
            ok = sink->take(sink->ctx, i, buf, (size_t)n, err);
        left -= n > 0 ? (uint64_t)n : 0;
    }
    free(buf);
    return ok;
}

bool fetch_items(struct fetch *fetch, const struct fetch_item *items, size_t n_items,
                 const struct fetch_sink *sink, struct hallmark_error *err)
{
    bool ok = true;
    size_t i;
    int fd;

    if (fetch->http)
        return http_get(fetch->http, HTTP_FILE, items, n_items, sink, err);
    for (i = 0; ok && i < n_items; i++) {
        struct hallmark_error why = {0};

        fd = fetch_open_item(fetch, &items[i], &why);
        if (fd >= 0 && check_size(fd, &items[i], &why))
            ok = copy_item(fd, &items[i], sink, i, &why, err);
        file_close(&fd);
        ok = ok && sink->end(sink->ctx, i, why.code ? &why : NULL, err);
    }
    return ok;
}
