/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_repository_bundle(): a part of a verified repository, in one file. */
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
#include "base/timestamp.h"
#include "format/deb822.h"
#include "format/ustar.h"
#include "repo/index.h"
#include "repo/repository.h"

struct writing {
    const struct hallmark_repository *repository;
    int fd;
    off_t data; /* where the member that is written begins behind its header */
};

static const char zeros[2 * USTAR_BLOCK];

static bool put(const struct writing *w, const void *data, size_t len, struct hallmark_error *err)
{
    return file_write_all(w->fd, data, len) || error_set_errno(err, "cannot write the bundle");
}

static bool put_header(struct writing *w, const char *path, uint64_t size,
                       struct hallmark_error *err)
{
    struct ustar_file file = {.size = size};
    char block[USTAR_BLOCK];

    if (strlen(path) > USTAR_PATH_LEN)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: the path is too long for a bundle", path);
    strcpy(file.path, path);
    if (!ustar_write(&file, block, err) || !put(w, block, sizeof block, err))
        return false;
    w->data = lseek(w->fd, 0, SEEK_CUR);
    return w->data >= 0 || error_set_errno(err, "cannot write the bundle");
}

static bool put_document(struct writing *w, const char *path, struct bytes_view text,
                         struct hallmark_error *err)
{
    return put_header(w, path, text.len, err) && put(w, text.data, text.len, err) &&
           put(w, zeros, ustar_padding(text.len), err);
}

static bool cut(const struct writing *w, off_t at, struct hallmark_error *err)
{
    return (ftruncate(w->fd, at) == 0 && lseek(w->fd, at, SEEK_SET) >= 0) ||
           error_set_errno(err, "cannot write the bundle");
}

static bool take(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    return put(ctx, data, len, err);
}

static bool take_again(void *ctx, struct hallmark_error *err)
{
    const struct writing *w = ctx;

    return cut(w, w->data, err);
}

/* The file CONTENT, verified while it is copied; leaves nothing behind where that fails. */
static bool put_content(struct writing *w, const struct content *content,
                        struct hallmark_error *err)
{
    struct content_sink sink = {.take = take, .restart = take_again, .ctx = w};
    off_t start = lseek(w->fd, 0, SEEK_CUR);

    if (put_header(w, content->package.path, content->package.size, err) &&
        failover_get(w->repository, content, &sink, err) &&
        put(w, zeros, ustar_padding(content->package.size), err))
        return true;
    cut(w, start, NULL);
    return false;
}

/* ---- What belongs into it ------------------------------------------------------------------- */

static bool put_receipt(struct writing *w, struct hallmark_error *err)
{
    const struct hallmark_repository *repository = w->repository;
    char now[TIMESTAMP_TEXT_LEN], date[TIMESTAMP_TEXT_LEN];
    struct bytes text = {0};
    bool ok;

    timestamp_write_rfc1123(repository->now, now);
    timestamp_write_rfc1123(repository->manifest.date, date);
    bytes_append_str(&text, "# Said by whoever has made this bundle, and not signed.\n");
    deb822_write(&text, "Format", "1");
    deb822_write(&text, "Fetched", now);
    deb822_write(&text, "From", repository->place.url);
    deb822_write(&text, "Manifest-Date", date);
    deb822_write(&text, "Manifest-SHA256", repository->verified->sha256);
    ok = put_document(w, BUNDLE_RECEIPT, bytes_view(&text), err);
    bytes_free(&text);
    return ok;
}

static bool put_manifest(struct writing *w, struct hallmark_error *err)
{
    const struct hallmark_repository *repository = w->repository;
    const char *name = repository->manifest.document;
    char *path = place_path(&repository->place, name);
    char *signature = alloc_printf("%s.gpg", path);
    bool ok = put_document(w, path, bytes_view(&repository->document), err) &&
              (!repository->signature.len ||
               put_document(w, signature, bytes_view(&repository->signature), err));

    free(path);
    free(signature);
    return ok;
}

static bool is_beside(const char *path, const char *other)
{
    struct bytes_view a = index_path_directory(path), b = index_path_directory(other);

    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The index that vouches for CONTENT, unless it is there already. */
static bool put_index(struct writing *w, const struct content *content, struct strlist *done,
                      struct hallmark_error *err)
{
    const struct content *index;
    size_t i;

    if (!content->index || strlist_has(done, content->index))
        return true;
    strlist_add(done, content->index);
    for (i = 0; (index = repository_file(w->repository, i)) != NULL; i++)
        if (strcmp(index->package.path, content->index) == 0)
            return put_content(w, index, err);
    return error_set(err, HALLMARK_ERR_MALFORMED, "%s: the manifest does not list it",
                     content->index);
}

/* What is signed about the sizes of CONTENT, in one compression: to leave that out would make its
 * limits weaker. */
static bool put_sizes(struct writing *w, const struct content *content, struct strlist *done,
                      struct hallmark_error *err)
{
    const struct release *release = &w->repository->verified->release;
    struct hallmark_error why = {0};
    struct index_path path;
    size_t i, k;

    for (i = 0; i < release->n_entries; i++) {
        const struct content *index = repository_file(w->repository, i);

        if (!index_path_parse(&path, release->entries[i].path) ||
            path.kind != INDEX_PATH_UNPACKED_SIZES ||
            (content->index && !is_beside(index->package.path, content->index)))
            continue;
        for (k = 0; k < done->n_items; k++)
            if (is_beside(done->items[k], index->package.path))
                break;
        if (k < done->n_items)
            continue;
        if (put_content(w, index, &why)) {
            strlist_add(done, index->package.path);
            error_clear(&why);
        }
    }
    return why.code == HALLMARK_OK || error_set(err, why.code, "%s", why.text);
}

static int compare_paths(const void *a, const void *b)
{
    const struct hallmark_package *const *x = a, *const *y = b;

    return strcmp((*x)->path, (*y)->path);
}

/* In one order, whatever was asked for: the same files make the same bytes. */
static bool put_all(struct writing *w, const struct hallmark_package **packages, size_t n_packages,
                    struct hallmark_error *err)
{
    struct strlist indexes = {0}, sizes = {0};
    bool ok = put_receipt(w, err) && put_manifest(w, err);
    size_t i;

    qsort(packages, n_packages, sizeof *packages, compare_paths);
    for (i = 0; ok && i < n_packages; i++)
        ok = put_index(w, content_of(packages[i]), &indexes, err);
    for (i = 0; ok && i < n_packages; i++)
        ok = put_sizes(w, content_of(packages[i]), &sizes, err);
    for (i = 0; ok && i < n_packages; i++)
        if (i == 0 || strcmp(packages[i]->path, packages[i - 1]->path) != 0)
            ok = content_check_hashes(content_of(packages[i]), err) &&
                 put_content(w, content_of(packages[i]), err);
    strlist_free(&indexes);
    strlist_free(&sizes);
    return ok && put(w, zeros, sizeof zeros, err);
}

/* ---- The file ------------------------------------------------------------------------------- */

static bool finish(const struct writing *w, const char *part, const char *path,
                   struct hallmark_error *err)
{
    const char *base = path_basename(path);
    char *above = base > path ? alloc_strndup(path, (size_t)(base - path)) : alloc_strdup(".");
    mode_t mask = umask(0);
    int dirfd;
    bool ok;

    umask(mask);
    ok = (fchmod(w->fd, 0644 & ~mask) == 0 || error_set_errno(err, "%s", part)) &&
         file_sync(w->fd, part, err) && repository_check_fresh(w->repository, err);
    dirfd = ok ? file_open_directory(above, err) : -1;
    ok = dirfd >= 0 && (link(part, path) == 0 || error_set_errno(err, "%s", path)) &&
         file_sync(dirfd, above, err);
    file_close(&dirfd);
    free(above);
    return ok;
}

bool hallmark_repository_bundle(const struct hallmark_repository *repository,
                                const struct hallmark_package *const *packages, size_t n_packages,
                                const char *path, struct hallmark_error *err)
{
    struct writing w = {.repository = repository};
    const struct hallmark_package **sorted;
    char *part;
    bool ok;

    error_clear(err);
    if (access(path, F_OK) == 0)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: is there, and stays", path);
    part = alloc_printf("%s.XXXXXX", path);
    w.fd = mkostemp(part, O_CLOEXEC);
    if (w.fd < 0) {
        error_set_errno(err, "%s", path);
        free(part);
        return false;
    }
    sorted = alloc_array(n_packages, sizeof *sorted);
    memcpy(sorted, packages, n_packages * sizeof *sorted);
    ok = put_all(&w, sorted, n_packages, err) && finish(&w, part, path, err);
    unlink(part);
    file_close(&w.fd);
    free(sorted);
    free(part);
    return ok;
}
