/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are called after a digest; whoever can write to them gains nothing. */
#include "repo/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "crypto/digest.h"
#include "repo/cache_document.h"

enum {
    PRIVATE_DIRECTORY = 0700,
    PRIVATE_FILE = 0600,
    HASH_LEN = 2 * DIGEST_SHA256_LEN,
    NAME_LEN = HASH_LEN + sizeof "document-",
    ADDED_MAX = 64,
};

/* A file that is to be kept. */
struct added {
    char name[NAME_LEN];
    struct bytes data; /* of a document */
    int fd;            /* of an index; -1 */
};

struct cache {
    char *dir;
    struct added added[ADDED_MAX];
    size_t n_added;
};

struct cache *cache_new(const char *state_dir)
{
    struct cache *cache;

    if (!state_dir)
        return NULL;
    cache = alloc_array(1, sizeof *cache);
    cache->dir = path_join(state_dir, "cache");
    return cache;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    while (cache->n_added) {
        struct added *added = &cache->added[--cache->n_added];

        bytes_free(&added->data);
        file_close(&added->fd);
    }
    free(cache->dir);
    free(cache);
}

static bool document_name(const char *url, char out[NAME_LEN])
{
    struct digest_value digest;
    char hex[HASH_LEN + 1];

    if (!digest_bytes(DIGEST_SHA256, bytes_view_str(url), &digest, NULL))
        return false;
    encoding_hex(hex, digest.sha256, sizeof digest.sha256);
    snprintf(out, NAME_LEN, "document-%s", hex);
    return true;
}

/* The directory, which is no link. */
static int open_directory(const struct cache *cache)
{
    return file_open_at(AT_FDCWD, cache->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

static int open_file(const struct cache *cache, const char *name)
{
    int dirfd = open_directory(cache);
    int fd = dirfd >= 0 ? file_open_beneath(dirfd, name, NULL) : -1;

    file_close(&dirfd);
    return fd;
}

/* ---- Documents ------------------------------------------------------------------------------ */

bool cache_find_document(const struct cache *cache, const char *url, struct bytes *out,
                         char etag[FETCH_ETAG_LEN])
{
    struct bytes data = {0};
    struct bytes_view text;
    char name[NAME_LEN];
    int fd = -1;
    bool ok;

    if (!cache || !document_name(url, name))
        return false;
    fd = open_file(cache, name);
    ok = fd >= 0 && file_read_fd(fd, name, LIMITS_MANIFEST_BYTES + 1024, &data, NULL) &&
         cache_document_parse(bytes_view(&data), etag, &text);
    if (ok)
        bytes_append(out, text.data, text.len);
    file_close(&fd);
    bytes_free(&data);
    return ok;
}

static struct added *add(struct cache *cache)
{
    struct added *added;

    if (!cache || cache->n_added == ADDED_MAX)
        return NULL;
    added = &cache->added[cache->n_added];
    *added = (struct added){.fd = -1};
    return added;
}

void cache_add_document(struct cache *cache, const char *url, const char *etag,
                        struct bytes_view text)
{
    struct added *added = add(cache);

    if (added && document_name(url, added->name) && cache_document_write(&added->data, etag, text))
        cache->n_added++;
}

/* ---- Indexes -------------------------------------------------------------------------------- */

int cache_find(const struct cache *cache, const struct content *content)
{
    return cache && content->hashes & RELEASE_SHA256 ? open_file(cache, content->sha256_text) : -1;
}

void cache_add(struct cache *cache, const struct content *content, int fd)
{
    struct added *added = add(cache);

    if (!added || !(content->hashes & RELEASE_SHA256) ||
        content->package.size > LIMITS_CACHE_BYTES / 4)
        return;
    added->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (added->fd < 0)
        return;
    snprintf(added->name, sizeof added->name, "%s", content->sha256_text);
    cache->n_added++;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static bool copy(int from, int to)
{
    enum { STEP = 256 * 1024 };
    char *buf = alloc_array(STEP, 1);
    off_t at = 0;
    ssize_t n;
    bool ok = true;

    do {
        n = pread(from, buf, STEP, at);
        ok = n >= 0 && file_write_all(to, buf, (size_t)n);
        at += n > 0 ? n : 0;
    } while (ok && n > 0);
    free(buf);
    return ok;
}

/* Need not survive a crash: what is damaged is noticed. */
static void save_one(int dirfd, const struct added *added)
{
    char *name = alloc_printf(".%s.%jd", added->name, (intmax_t)getpid());
    int fd;
    bool ok;

    unlinkat(dirfd, name, 0);
    fd = file_open_at(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE_FILE);
    ok = fd >= 0 && (added->fd >= 0 ? copy(added->fd, fd)
                                    : file_write_all(fd, added->data.data, added->data.len));
    if (!ok || renameat(dirfd, name, dirfd, added->name) < 0)
        unlinkat(dirfd, name, 0);
    file_close(&fd);
    free(name);
}

struct file {
    char name[NAME_LEN];
    int64_t when;
    uint64_t size;
};

static int compare_files(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return x->when < y->when ? 1 : x->when > y->when ? -1 : strcmp(x->name, y->name);
}

/* The files in DIR, but for those with names that are not ours; half-written ones are old. */
static size_t list_files(DIR *dir, struct file **out)
{
    size_t n = 0, cap = 0;
    struct dirent *entry;
    struct stat st;

    *out = NULL;
    while (n < LIMITS_CACHE_FILES && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strlen(entry->d_name) >= NAME_LEN ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        *out = alloc_one_more(*out, n, &cap, sizeof **out);
        (*out)[n] = (struct file){.when = st.st_mtime, .size = (uint64_t)st.st_size};
        snprintf((*out)[n++].name, NAME_LEN, "%s", entry->d_name);
    }
    return n;
}

static void prune(int dirfd)
{
    int copy = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    struct file *files = NULL;
    uint64_t total = 0;
    size_t n, i;

    if (!dir) {
        file_close(&copy);
        return;
    }
    n = list_files(dir, &files);
    if (n)
        qsort(files, n, sizeof *files, compare_files);
    for (i = 0; i < n; i++) {
        total += files[i].size;
        if (total > LIMITS_CACHE_BYTES || i >= LIMITS_CACHE_FILES / 2)
            unlinkat(dirfd, files[i].name, 0);
    }
    free(files);
    closedir(dir);
}

void cache_save(struct cache *cache)
{
    size_t i;
    int dirfd;

    if (!cache || !cache->n_added)
        return;
    dirfd = file_make_directories(cache->dir, PRIVATE_DIRECTORY, NULL);
    file_close(&dirfd);
    dirfd = open_directory(cache);
    if (dirfd < 0)
        return;
    for (i = 0; i < cache->n_added; i++)
        save_one(dirfd, &cache->added[i]);
    prune(dirfd);
    file_close(&dirfd);
}
