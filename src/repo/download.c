/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_repository_fetch(): packages, verified while they come, into a directory. What is there
 * under a package's name is whole and verified. */
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
#include "crypto/digest.h"
#include "repo/repository.h"

enum { PRIVATE_FILE = 0600, PUBLIC_FILE = 0644 };

/* One file that is wanted. */
struct parcel {
    const struct content *content;
    const char *name; /* in the directory; inside of the package's path */
    char *staged;     /* its name until it is verified; NULL: not begun */
    int fd;
    struct digest *digest;
    uint64_t n_taken;
    unsigned n_attempts;
    bool is_due; /* it has to be fetched (again) */
};

struct download {
    const struct hallmark_repository *repository;
    const struct hallmark_fetch_options *options;
    struct hallmark_fetch_report report;
    int dirfd;
    mode_t mode; /* of the files */
    struct parcel *parcels;
    size_t n_parcels;
    struct parcel **due; /* those of one round */
    uint64_t n_done, n_total;
    struct hallmark_error worst;
};

/* ---- What is there already ------------------------------------------------------------------ */

static bool ignore_bytes(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    (void)ctx;
    (void)data;
    (void)len;
    (void)err;
    return true;
}

static bool set_in_the_way(const struct parcel *p, const char *what, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_USAGE, "%s: %s is there, and stays", p->name, what);
}

/* Whether the file under the parcel's name is the package. One that is another may be replaced if
 * that was asked for; nothing else ever is. */
static bool look(const struct download *d, struct parcel *p, struct hallmark_error *err)
{
    struct content_sink sink = {.take = ignore_bytes};
    struct hallmark_error why = {0};
    struct stat st;
    int fd;

    p->is_due = true;
    if (fstatat(d->dirfd, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || error_set_errno(err, "%s", p->name);
    if (!S_ISREG(st.st_mode))
        return set_in_the_way(p, "something that is no file", err);
    fd = file_open_beneath(d->dirfd, p->name, err);
    if (fd < 0)
        return error_set_errno(err, "%s", p->name);
    p->is_due = (uint64_t)st.st_size != p->content->package.size ||
                !content_read(p->content, fd, &sink, &why);
    file_close(&fd);
    return !p->is_due || d->options->replace ||
           set_in_the_way(p, "another file (--replace replaces it)", err);
}

/* ---- One that comes ------------------------------------------------------------------------- */

static void drop(const struct download *d, struct parcel *p)
{
    file_close(&p->fd);
    digest_free(p->digest);
    p->digest = NULL;
    if (p->staged)
        unlinkat(d->dirfd, p->staged, 0);
    free(p->staged);
    p->staged = NULL;
}

static bool begin(struct download *d, struct parcel *p, struct hallmark_error *err)
{
    if (p->staged)
        return true;
    p->staged = alloc_printf(".%.*s.%ld-%zu", LIMITS_COMPONENT_BYTES - 40, p->name, (long)getpid(),
                             (size_t)(p - d->parcels));
    p->fd = file_open_at(d->dirfd, p->staged, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE_FILE);
    if (p->fd < 0) {
        error_set_errno(err, "%s", p->staged);
        free(p->staged);
        p->staged = NULL;
        return false;
    }
    p->digest = digest_new(p->content->hashes, err);
    return p->digest != NULL;
}

static void tell_progress(const struct download *d)
{
    if (d->options->progress)
        d->options->progress(d->options->ctx, d->n_done, d->n_total);
}

static bool take(void *ctx, size_t i, const void *data, size_t len, struct hallmark_error *err)
{
    struct download *d = ctx;
    struct parcel *p = d->due[i];

    if (!begin(d, p, err) || !digest_update(p->digest, data, len, err))
        return false;
    if (!file_write_all(p->fd, data, len))
        return error_set_errno(err, "%s", p->name);
    p->n_taken += len;
    d->n_done += len;
    tell_progress(d);
    return true;
}

static bool restart(void *ctx, size_t i, struct hallmark_error *err)
{
    struct download *d = ctx;
    struct parcel *p = d->due[i];

    (void)err;
    drop(d, p);
    d->n_done -= p->n_taken;
    p->n_taken = 0;
    return true;
}

/* Renames the staged file to the parcel's name, over another one only where that was asked for. */
static bool put(const struct download *d, const struct parcel *p, struct hallmark_error *err)
{
    bool ok;

    if (d->options->replace)
        ok = renameat(d->dirfd, p->staged, d->dirfd, p->name) == 0;
    else
        ok = renameat2(d->dirfd, p->staged, d->dirfd, p->name, RENAME_NOREPLACE) == 0;
    if (!ok && !d->options->replace && errno == EINVAL) /* not on every file system */
        ok = linkat(d->dirfd, p->staged, d->dirfd, p->name, 0) == 0 &&
             unlinkat(d->dirfd, p->staged, 0) == 0;
    return ok || error_set_errno(err, "%s", p->name);
}

/* Compares, and makes the file appear under its name. */
static bool commit(struct download *d, struct parcel *p, struct hallmark_error *err)
{
    struct digest_value found;

    if (!begin(d, p, err) || !digest_final(p->digest, &found, err) ||
        !content_compare(p->content, &found, err) || !repository_check_fresh(d->repository, err))
        return false;
    if (fchmod(p->fd, d->mode) < 0 || fsync(p->fd) < 0)
        return error_set_errno(err, "%s", p->name);
    if (!put(d, p, err))
        return false;
    free(p->staged);
    p->staged = NULL;
    d->report.n_fetched++;
    d->report.n_bytes += p->content->package.size;
    return true;
}

/* Keeps the problem that weighs most: what is wrong weighs more than what could not be had; else
 * the first one stays. */
static void note_problem(struct download *d, const struct parcel *p,
                         const struct hallmark_error *why)
{
    d->report.n_bad++;
    if (d->worst.code == HALLMARK_OK ||
        (d->worst.code == HALLMARK_ERR_IO && why->code != HALLMARK_ERR_IO))
        d->worst = *why;
    if (d->options->problem)
        d->options->problem(d->options->ctx, &p->content->package, why);
}

/* What is wrong is fetched once more: something on the way may have kept a part of it. */
static bool end(void *ctx, size_t i, const struct hallmark_error *why, struct hallmark_error *err)
{
    enum { ATTEMPTS = 2 };
    struct download *d = ctx;
    struct parcel *p = d->due[i];
    struct hallmark_error problem = {0};

    if (why)
        problem = *why;
    else
        commit(d, p, &problem);
    p->n_attempts++;
    p->is_due = problem.code == HALLMARK_ERR_CONTENT && p->n_attempts < ATTEMPTS &&
                fetch_is_remote(d->repository->place.fetch);
    if (problem.code && !p->is_due)
        note_problem(d, p, &problem);
    return problem.code == HALLMARK_OK ? (drop(d, p), true) : restart(d, i, err);
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* Fetches those that are due, until none is. */
static bool get_due(struct download *d, struct hallmark_error *err)
{
    struct fetch_sink sink = {.take = take, .restart = restart, .end = end, .ctx = d};
    struct fetch_item *items = alloc_array(d->n_parcels, sizeof *items);
    bool ok = true;
    size_t i, n;

    do {
        for (i = n = 0; i < d->n_parcels; i++) {
            const struct content *content = d->parcels[i].content;

            if (!d->parcels[i].is_due)
                continue;
            d->due[n] = &d->parcels[i];
            items[n++] = (struct fetch_item){.path = content->package.path,
                                             .by_hash = content->by_hash,
                                             .size = content->package.size,
                                             .is_index = content->kind == CONTENT_METADATA};
        }
        ok = fetch_items(d->repository->place.fetch, items, n, &sink, err);
    } while (ok && n);
    free(items);
    return ok;
}

static bool add(struct download *d, const struct hallmark_package *package,
                struct hallmark_error *err)
{
    struct parcel p = {
        .content = content_of(package), .name = path_basename(package->path), .fd = -1};
    size_t i;

    if (!content_check_hashes(p.content, err))
        return false;
    for (i = 0; i < d->n_parcels; i++) {
        if (strcmp(p.name, d->parcels[i].name) != 0)
            continue;
        return strcmp(package->path, d->parcels[i].content->package.path) == 0 ||
               error_set(err, HALLMARK_ERR_USAGE,
                         "%s and %s have the same name: fetch them into two directories",
                         d->parcels[i].content->package.path, package->path);
    }
    if (!look(d, &p, err))
        return false;
    if (p.is_due)
        d->n_total += package->size;
    else
        d->report.n_present++;
    d->parcels[d->n_parcels++] = p;
    return true;
}

static bool run(struct download *d, const struct hallmark_package *const *packages,
                size_t n_packages, struct hallmark_error *err)
{
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < n_packages; i++)
        ok = add(d, packages[i], err);
    ok = ok && get_due(d, err);
    for (i = 0; i < d->n_parcels; i++)
        drop(d, &d->parcels[i]);
    return ok && file_sync(d->dirfd, d->options->into, err) &&
           (!d->worst.code || error_set(err, d->worst.code, "%s", d->worst.text));
}

bool hallmark_repository_fetch(const struct hallmark_repository *repository,
                               const struct hallmark_package *const *packages, size_t n_packages,
                               const struct hallmark_fetch_options *options,
                               struct hallmark_fetch_report *report, struct hallmark_error *err)
{
    struct download d = {.repository = repository, .options = options};
    mode_t mask = umask(0);
    bool ok;

    umask(mask);
    error_clear(err);
    d.mode = PUBLIC_FILE & ~mask;
    d.dirfd = file_open_directory(options->into, err);
    if (d.dirfd < 0)
        return false;
    d.parcels = alloc_array(n_packages, sizeof *d.parcels);
    d.due = alloc_array(n_packages, sizeof(struct parcel *));
    ok = run(&d, packages, n_packages, err);
    free(d.parcels);
    free(d.due);
    file_close(&d.dirfd);
    if (report)
        *report = d.report;
    return ok;
}
