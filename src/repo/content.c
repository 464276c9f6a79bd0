/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files, compared with what was signed. */
#include "repo/content.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "crypto/digest.h"

/* ---- Making --------------------------------------------------------------------------------- */

static void write_hashes(struct content *content)
{
    if (content->hashes & RELEASE_SHA256) {
        encoding_hex(content->sha256_text, content->sha256, sizeof content->sha256);
        content->package.sha256 = content->sha256_text;
    }
    if (content->hashes & RELEASE_SHA512) {
        encoding_hex(content->sha512_text, content->sha512, sizeof content->sha512);
        content->package.sha512 = content->sha512_text;
    }
}

/* "DIRECTORY/by-hash/SHA256/HEX" of an index at PATH. */
static char *by_hash_path(const struct content *content, const char *path)
{
    struct bytes_view directory = index_path_directory(path);
    bool is_sha256 = (content->hashes & RELEASE_SHA256) != 0;

    return alloc_printf("%.*sby-hash/%s/%s", (int)directory.len, directory.data,
                        is_sha256 ? "SHA256" : "SHA512",
                        is_sha256 ? content->sha256_text : content->sha512_text);
}

static char *copy(struct bytes_view text)
{
    return text.len ? alloc_strndup(text.data, text.len) : alloc_strdup("");
}

struct content *content_of_entry(const struct release *release, const struct release_entry *entry,
                                 const char *path, enum content_kind kind)
{
    struct content *content = alloc_array(1, sizeof *content);
    struct package_name parsed;

    package_name_parse(&parsed, entry->path);
    content->package.path = alloc_strdup(path);
    content->package.name = copy(parsed.name);
    content->package.version = copy(parsed.version);
    content->package.architecture = copy(parsed.arch);
    content->package.size = entry->size;
    content->kind = kind;
    content->said_by = "the manifest";
    content->hashes = release->hashes;
    memcpy(content->sha256, entry->sha256, sizeof content->sha256);
    if (entry->sha512)
        memcpy(content->sha512, entry->sha512, sizeof content->sha512);
    write_hashes(content);
    if (kind == CONTENT_METADATA && release->acquire_by_hash)
        content->by_hash = by_hash_path(content, path);
    return content;
}

struct content *content_of_package(const struct package_index_entry *entry)
{
    struct content *content = alloc_array(1, sizeof *content);

    content->package.path = copy(entry->path);
    content->package.name = copy(entry->name);
    content->package.version = copy(entry->version);
    content->package.architecture = copy(entry->architecture);
    content->package.size = entry->size;
    content->kind = CONTENT_PACKAGE;
    content->said_by = "the index";
    if (entry->index)
        content->index = alloc_strdup(entry->index);
    content->hashes = entry->hashes;
    memcpy(content->sha256, entry->sha256, sizeof content->sha256);
    memcpy(content->sha512, entry->sha512, sizeof content->sha512);
    write_hashes(content);
    return content;
}

struct content *content_copy(const struct content *content)
{
    struct content *out = alloc_array(1, sizeof *out);

    *out = *content;
    out->package.path = alloc_strdup(content->package.path);
    out->package.name = alloc_strdup(content->package.name);
    out->package.version = alloc_strdup(content->package.version);
    out->package.architecture = alloc_strdup(content->package.architecture);
    if (content->by_hash)
        out->by_hash = alloc_strdup(content->by_hash);
    if (content->index)
        out->index = alloc_strdup(content->index);
    write_hashes(out);
    return out;
}

void content_free(struct content *content)
{
    if (!content)
        return;
    free((char *)(uintptr_t)content->package.path);
    free((char *)(uintptr_t)content->package.name);
    free((char *)(uintptr_t)content->package.version);
    free((char *)(uintptr_t)content->package.architecture);
    free(content->by_hash);
    free(content->index);
    free(content);
}

const struct content *content_of(const struct hallmark_package *package)
{
    return (const struct content *)((const char *)package - offsetof(struct content, package));
}

/* ---- Comparing ------------------------------------------------------------------------------ */

static bool compare_hash(const struct content *content, const char *name,
                         const unsigned char *found, const unsigned char *wanted, size_t len,
                         struct hallmark_error *err)
{
    char found_text[2 * RELEASE_SHA512_LEN + 1], wanted_text[2 * RELEASE_SHA512_LEN + 1];

    if (memcmp(found, wanted, len) == 0)
        return true;
    encoding_hex(found_text, found, len);
    encoding_hex(wanted_text, wanted, len);
    return error_set(err, HALLMARK_ERR_CONTENT, "%s: %s is %s, %s says %s", content->package.path,
                     name, found_text, content->said_by, wanted_text);
}

bool content_compare(const struct content *content, const struct digest_value *found,
                     struct hallmark_error *err)
{
    if (content->hashes & RELEASE_SHA256 &&
        !compare_hash(content, "SHA256", found->sha256, content->sha256, RELEASE_SHA256_LEN, err))
        return false;
    return !(content->hashes & RELEASE_SHA512) ||
           compare_hash(content, "SHA512", found->sha512, content->sha512, RELEASE_SHA512_LEN, err);
}

bool content_has(const struct content *content, struct fetch *fetch, enum content_name name)
{
    if (name == CONTENT_BY_NAME)
        return fetch_has(fetch, content->package.path);
    return content->by_hash && fetch_has(fetch, content->by_hash);
}

bool content_exists(const struct content *content, struct fetch *fetch)
{
    return content_has(content, fetch, CONTENT_BY_HASH) ||
           content_has(content, fetch, CONTENT_BY_NAME);
}

static int check_size(const struct content *content, int fd, struct hallmark_error *err)
{
    const char *path = content->package.path;
    uintmax_t wanted = content->package.size;
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0)
        error_set_errno(err, "%s", path);
    else if ((uintmax_t)st.st_size != wanted)
        error_set(err, HALLMARK_ERR_CONTENT, "%s: has %ju bytes, %s says %ju", path,
                  (uintmax_t)st.st_size, content->said_by, wanted);
    else
        return fd;
    file_close(&fd);
    return -1;
}

bool content_check_hashes(const struct content *content, struct hallmark_error *err)
{
    return content->hashes ||
           error_set(err, HALLMARK_ERR_MALFORMED,
                     "%s: %s has neither SHA256 nor SHA512 of it: it cannot be verified",
                     content->package.path, content->said_by);
}

struct fetch_item content_item(const struct content *content)
{
    return (struct fetch_item){.path = content->package.path,
                               .by_hash = content->by_hash,
                               .size = content->package.size,
                               .is_index = content->kind == CONTENT_METADATA};
}

int content_open(const struct content *content, struct fetch *fetch, struct hallmark_error *err)
{
    struct fetch_item item = content_item(content);

    if (!content_check_hashes(content, err))
        return -1;
    return check_size(content, fetch_open_item(fetch, &item, err), err);
}

bool content_ignore(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    (void)ctx;
    (void)data;
    (void)len;
    (void)err;
    return true;
}

bool content_read(const struct content *content, int fd, const struct content_sink *sink,
                  struct hallmark_error *err)
{
    enum { STEP = 256 * 1024 };
    struct digest *digest = digest_new(content->hashes, err);
    unsigned char *buf = alloc_array(STEP, 1);
    uint64_t left = content->package.size;
    struct digest_value found;
    ssize_t n = 0;
    bool ok = digest != NULL;

    while (ok && left) {
        n = file_read_some(fd, buf, left < STEP ? (size_t)left : STEP);
        if (n < 0)
            ok = error_set_errno(err, "%s", content->package.path);
        else if (n == 0)
            ok = error_set(err, HALLMARK_ERR_CONTENT, "%s: became shorter while it was read",
                           content->package.path);
        else
            ok = digest_update(digest, buf, (size_t)n, err) &&
                 sink->take(sink->ctx, buf, (size_t)n, err);
        left -= n > 0 ? (uint64_t)n : 0;
    }
    ok = ok && digest_final(digest, &found, err) && content_compare(content, &found, err);
    digest_free(digest);
    free(buf);
    return ok;
}

/* ---- Over a network ------------------------------------------------------------------------- */

struct arrival {
    const struct content *content;
    const struct content_sink *sink;
    struct digest *digest;
    struct hallmark_error why; /* it cannot be had, or is not what was listed */
};

static bool arrival_take(void *ctx, size_t i, const void *data, size_t len,
                         struct hallmark_error *err)
{
    struct arrival *a = ctx;

    (void)i;
    return digest_update(a->digest, data, len, err) && a->sink->take(a->sink->ctx, data, len, err);
}

static bool arrival_restart(void *ctx, size_t i, struct hallmark_error *err)
{
    struct arrival *a = ctx;

    (void)i;
    digest_free(a->digest);
    a->digest = digest_new(a->content->hashes, err);
    return a->digest && (!a->sink->restart || a->sink->restart(a->sink->ctx, err));
}

static bool arrival_end(void *ctx, size_t i, const struct hallmark_error *why,
                        struct hallmark_error *err)
{
    struct arrival *a = ctx;
    struct digest_value found;

    (void)i;
    if (why)
        a->why = *why;
    else if (!digest_final(a->digest, &found, err))
        return false;
    else
        content_compare(a->content, &found, &a->why);
    return true;
}

static bool get_remote(const struct content *content, struct fetch *fetch,
                       const struct content_sink *sink, struct hallmark_error *err)
{
    enum { ATTEMPTS = 2 };
    struct fetch_item item = content_item(content);
    struct arrival a = {.content = content, .sink = sink};
    struct fetch_sink to = {
        .take = arrival_take, .restart = arrival_restart, .end = arrival_end, .ctx = &a};
    bool ok = true;
    int n;

    for (n = 0; ok && n < ATTEMPTS && (n == 0 || a.why.code == HALLMARK_ERR_CONTENT); n++) {
        a.why = (struct hallmark_error){0};
        ok = arrival_restart(&a, 0, err) && fetch_items(fetch, &item, 1, &to, err);
    }
    digest_free(a.digest);
    return ok && (!a.why.code || error_set(err, a.why.code, "%s", a.why.text));
}

bool content_get(const struct content *content, struct fetch *fetch,
                 const struct content_sink *sink, struct hallmark_error *err)
{
    bool ok;
    int fd;

    if (fetch_is_remote(fetch))
        return content_check_hashes(content, err) && get_remote(content, fetch, sink, err);
    fd = content_open(content, fetch, err);
    ok = fd >= 0 && content_read(content, fd, sink, err);
    file_close(&fd);
    return ok;
}

/* ---- All names of a file -------------------------------------------------------------------- */

static bool is_same_file(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool content_check(const struct content *content, struct fetch *fetch,
                   const struct content_sink *sink, struct hallmark_error *err)
{
    int fd, plain = -1;
    bool ok;

    if (fetch_is_remote(fetch))
        return content_get(content, fetch, sink, err);
    fd = content_open(content, fetch, err);
    ok = fd >= 0 && content_read(content, fd, sink, err);
    if (ok && content->by_hash && fetch_has(fetch, content->package.path)) {
        plain = check_size(content, fetch_index(fetch, content->package.path, NULL, err), err);
        ok = plain >= 0 && (is_same_file(fd, plain) || content_read(content, plain, sink, err));
    }
    file_close(&fd);
    file_close(&plain);
    return ok;
}
