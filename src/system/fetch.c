/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Local directories and file:// URLs. */
#include "system/fetch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"

struct fetch {
    char *url;
    char *file;
    int dirfd;
};

static bool has_prefix(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Undoes percent-encoding (RFC 3986 section 2.1) in place; false for a bad escape or an encoded
 * NUL. */
static bool percent_decode(char *s)
{
    char *out = s;

    for (; *s; s++) {
        if (*s == '%') {
            int high = hex_value(s[1]), low = high < 0 ? -1 : hex_value(s[2]);

            if (low < 0 || (high == 0 && low == 0))
                return false;
            *out++ = (char)(high << 4 | low);
            s += 2;
        } else {
            *out++ = *s;
        }
    }
    *out = '\0';
    return true;
}

/* The path that LOCATION means; free(3) releases it. */
static char *location_path(const char *location, struct hallmark_error *err)
{
    const char *path = location;
    char *decoded;

    if (!has_prefix(location, "file:")) {
        if (strstr(location, "://")) {
            error_set(err, HALLMARK_ERR_USAGE,
                      "%s: only directories and file:// URLs can be read by this version",
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
    if (path[0] == '/' && path[1] != '/' && percent_decode(decoded))
        return decoded;
    error_set(err, HALLMARK_ERR_USAGE, "%s: is not a URL of the form file:///DIRECTORY", location);
    free(decoded);
    return NULL;
}

/* file:// and PATH, with everything but unreserved characters and "/" percent-encoded. */
static char *path_url(const char *path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    struct bytes url = {0};

    bytes_append_str(&url, "file://");
    for (; *path; path++)
        if (strchr(plain, *path))
            bytes_append(&url, path, 1);
        else
            bytes_printf(&url, "%%%02X", (unsigned char)*path);
    return url.data;
}

struct fetch *fetch_open(const char *location, const struct fetch_options *options,
                         struct hallmark_error *err)
{
    struct fetch *fetch = alloc_array(1, sizeof *fetch);
    char *path = location_path(location, err), *resolved = NULL, *slash;
    struct stat st;

    (void)options; /* nothing here is over a network */
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

void fetch_close(struct fetch *fetch)
{
    if (!fetch)
        return;
    file_close(&fetch->dirfd);
    free(fetch->url);
    free(fetch->file);
    free(fetch);
}

bool fetch_enter(struct fetch *fetch, const char *directory, struct hallmark_error *err)
{
    char *url = path_join(fetch->url, directory);
    struct fetch *entered = fetch_open(url, NULL, err), saved = *fetch;

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
    (void)fetch;
    return false;
}

const char *fetch_url(const struct fetch *fetch)
{
    return fetch->url;
}

const char *fetch_file(const struct fetch *fetch)
{
    return fetch->file;
}

bool fetch_document(struct fetch *fetch, const char *name, size_t max_len, struct bytes *out,
                    bool *exists, struct hallmark_error *err)
{
    return file_read(fetch->dirfd, name, max_len, out, exists, err);
}

bool fetch_has(struct fetch *fetch, const char *name)
{
    struct stat st;

    return fstatat(fetch->dirfd, name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

bool fetch_list(struct fetch *fetch, const char *name, struct strlist *out,
                struct hallmark_error *err)
{
    int fd = file_open_at(fetch->dirfd, name, O_RDONLY | O_DIRECTORY, 0);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    struct stat st;
    bool ok;

    if (!dir) {
        ok = errno == ENOENT || errno == ENOTDIR || error_set_errno(err, "%s", name);
        file_close(&fd);
        return ok;
    }
    while ((errno = 0, entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
            S_ISDIR(st.st_mode))
            strlist_add(out, entry->d_name);
    ok = errno == 0 || error_set_errno(err, "%s", name);
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

int fetch_index(struct fetch *fetch, const char *name, const char *by_hash,
                struct hallmark_error *err)
{
    struct hallmark_error ignored = {0};
    int fd = by_hash ? file_open_served(fetch->dirfd, by_hash, &ignored) : -1;

    if (fd >= 0)
        return fd;
    return judge_open(file_open_served(fetch->dirfd, name, err), name, err);
}

int fetch_package(struct fetch *fetch, const char *path, struct hallmark_error *err)
{
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

    for (i = 0; ok && i < n_items; i++) {
        struct hallmark_error why = {0};

        fd = items[i].is_index ? fetch_index(fetch, items[i].path, items[i].by_hash, &why)
                               : fetch_package(fetch, items[i].path, &why);
        if (fd >= 0 && check_size(fd, &items[i], &why))
            ok = copy_item(fd, &items[i], sink, i, &why, err);
        file_close(&fd);
        ok = ok && sink->end(sink->ctx, i, why.code ? &why : NULL, err);
    }
    return ok;
}
