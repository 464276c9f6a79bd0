/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_repository_fetch(): packages, verified while they come, into a directory. What is there
 * under a package's name is whole and verified. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "repo/parcel.h"
#include "repo/path_table.h"
#include "repo/repository.h"

enum {
    PUBLIC_FILE = 0644,
    TOGETHER = 256, /* files that are synced at once; so many are open beside those that come */
};

/* What was in the directory at first: to ask for one name after the other takes longer. */
struct there {
    bool is_known;  /* else there is too much */
    bool has_parts; /* there may be something to be gone on with */
    struct strlist names;
    struct path_table table;
};

/* One file that is wanted. */
struct wanted {
    struct parcel parcel;
    uint64_t n_told;                /* bytes of it that progress counts */
    unsigned n_attempts;            /* at this location */
    bool is_due;                    /* it has to be fetched (again) */
    struct hallmark_error *problem; /* why this location does not have it; NULL: it does */
};

struct download {
    const struct hallmark_repository *repository;
    const struct hallmark_fetch_options *options;
    struct hallmark_fetch_report report;
    struct failover_walk walk;
    struct fetch *fetch; /* of the location that is asked */
    struct parcel_place place;
    mode_t mode; /* of the files */
    struct wanted *wanted;
    size_t n_wanted;
    struct path_table names; /* of those that are wanted */
    struct there there;
    struct wanted **due;            /* those of one round */
    struct wanted *ready[TOGETHER]; /* verified, and not there yet */
    size_t n_ready;
    uint64_t n_done, n_total;
    struct hallmark_error worst;
};

/* ---- What is there already ------------------------------------------------------------------ */

/* path_table_path_fn */
static const char *there_name(const void *ctx, size_t index)
{
    const struct strlist *names = ctx;

    return names->items[index];
}

static bool has_suffix(const char *s, const char *suffix)
{
    size_t len = strlen(s), n = strlen(suffix);

    return len >= n && strcmp(s + len - n, suffix) == 0;
}

/* Lists the directory DIR unless it has much more than the N_WANTED files that are wanted. */
static void list_there(struct there *there, DIR *dir, size_t n_wanted)
{
    enum { MUCH_MORE = 4 };
    struct dirent *entry;

    there->has_parts = false;
    while ((errno = 0, entry = readdir(dir)) != NULL &&
           there->names.n_items <= MUCH_MORE * n_wanted) {
        there->has_parts |= has_suffix(entry->d_name, PARCEL_PART);
        path_table_add(&there->table, entry->d_name, there->names.n_items);
        strlist_add(&there->names, entry->d_name);
    }
    there->is_known = !entry && errno == 0;
    there->has_parts |= !there->is_known;
}

static void there_init(struct there *there, int dirfd, size_t n_wanted)
{
    int fd = n_wanted > 1 ? file_open_directory_beneath(dirfd, "", NULL) : -1;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    *there = (struct there){.has_parts = true};
    path_table_init(&there->table);
    if (dir)
        list_there(there, dir, n_wanted);
    if (dir)
        closedir(dir);
    else
        file_close(&fd);
}

static void there_free(struct there *there)
{
    path_table_free(&there->table);
    strlist_free(&there->names);
}

static bool there_has(const struct there *there, const char *name)
{
    size_t ignored;

    return !there->is_known ||
           path_table_find(&there->table, name, there_name, &there->names, &ignored);
}

static bool set_in_the_way(const struct wanted *w, const char *what, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_USAGE, "%s: %s is there, and stays", w->parcel.name, what);
}

/* Whether the file under the package's name is the package. One that is another may be replaced if
 * that was asked for; nothing else ever is. */
static bool look(const struct download *d, struct wanted *w, struct hallmark_error *err)
{
    const struct content *content = w->parcel.content;
    struct content_sink sink = {.take = content_ignore};
    struct hallmark_error why = {0};
    struct stat st;
    int fd;

    w->is_due = true;
    if (fstatat(d->place.dirfd, w->parcel.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || error_set_errno(err, "%s", w->parcel.name);
    if (!S_ISREG(st.st_mode))
        return set_in_the_way(w, "something that is no file", err);
    fd = file_open_beneath(d->place.dirfd, w->parcel.name, err);
    if (fd < 0)
        return error_set_errno(err, "%s", w->parcel.name);
    w->is_due =
        (uint64_t)st.st_size != content->package.size || !content_read(content, fd, &sink, &why);
    file_close(&fd);
    return !w->is_due || d->options->replace ||
           set_in_the_way(w, "another file (--replace replaces it)", err);
}

/* ---- One that comes ------------------------------------------------------------------------- */

static void tell_progress(struct download *d, struct wanted *w)
{
    d->n_done = d->n_done - w->n_told + w->parcel.n_taken;
    w->n_told = w->parcel.n_taken;
    if (d->options->progress)
        d->options->progress(d->options->ctx, d->n_done, d->n_total);
}

static bool set_etag(void *ctx, size_t i, const char *etag, struct hallmark_error *err)
{
    struct download *d = ctx;

    return parcel_set_etag(&d->due[i]->parcel, etag, err);
}

static bool take(void *ctx, size_t i, const void *data, size_t len, struct hallmark_error *err)
{
    struct download *d = ctx;

    if (!parcel_take(&d->due[i]->parcel, data, len, err))
        return false;
    tell_progress(d, d->due[i]);
    return true;
}

static bool restart(void *ctx, size_t i, struct hallmark_error *err)
{
    struct download *d = ctx;

    (void)err;
    parcel_discard(&d->due[i]->parcel);
    tell_progress(d, d->due[i]);
    return true;
}

/* Keeps the problem that weighs most: what is wrong weighs more than what could not be had; else
 * the first one stays. */
static void note_problem(struct download *d, const struct wanted *w,
                         const struct hallmark_error *why)
{
    d->report.n_bad++;
    if (d->worst.code == HALLMARK_OK ||
        (d->worst.code == HALLMARK_ERR_IO && why->code != HALLMARK_ERR_IO))
        d->worst = *why;
    if (d->options->problem)
        d->options->problem(d->options->ctx, &w->parcel.content->package, why);
}

/* Whether somebody else has put the package there meanwhile. */
static bool has_come(const struct download *d, struct wanted *w)
{
    struct hallmark_error ignored = {0};
    bool is_there = look(d, w, &ignored) && !w->is_due;

    w->is_due = false;
    return is_there;
}

static void put_one(struct download *d, struct wanted *w)
{
    enum parcel_other other = d->options->replace ? PARCEL_REPLACE_OTHER : PARCEL_KEEP_OTHER;
    struct hallmark_error problem = {0};
    bool is_fresh = repository_check_fresh(d->repository, &problem);

    if (is_fresh && parcel_put(&w->parcel, other, &problem)) {
        d->report.n_fetched++;
        d->report.n_bytes += w->parcel.content->package.size;
        return;
    }
    if (is_fresh && has_come(d, w))
        d->report.n_present++;
    else
        note_problem(d, w, &problem);
    parcel_discard(&w->parcel);
}

/* Makes all that is verified durable, and then appear. */
static bool put_ready(struct download *d, struct hallmark_error *err)
{
    size_t i;

    if (d->n_ready == 1 && !file_sync(d->ready[0]->parcel.fd, d->ready[0]->parcel.name, err))
        return false;
    if (d->n_ready > 1 && !file_sync_all(d->place.dirfd, d->options->into, err))
        return false;
    for (i = 0; i < d->n_ready; i++)
        put_one(d, d->ready[i]);
    d->n_ready = 0;
    return true;
}

/* What is wrong is fetched once more, from the start: something on the way, or what an earlier
 * attempt has left, may be the cause. */
static bool end(void *ctx, size_t i, const struct hallmark_error *why, struct hallmark_error *err)
{
    enum { ATTEMPTS = 2 };
    struct download *d = ctx;
    struct wanted *w = d->due[i];
    struct hallmark_error problem = {0};

    w->n_attempts++;
    w->is_due = false;
    if (!why && parcel_check(&w->parcel, d->mode, &problem)) {
        d->ready[d->n_ready++] = w;
        return d->n_ready < TOGETHER || put_ready(d, err);
    }
    if (why)
        problem = *why;
    if (problem.code == HALLMARK_ERR_CONTENT && w->n_attempts < ATTEMPTS &&
        fetch_is_remote(d->fetch)) {
        w->is_due = true;
    } else {
        w->problem = alloc_array(1, sizeof *w->problem);
        *w->problem = problem;
    }
    if (problem.code == HALLMARK_ERR_IO)
        parcel_leave(&w->parcel);
    else
        parcel_discard(&w->parcel);
    d->there.has_parts = true;
    return true;
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* Lists those that are due in ITEMS; *N is how many there are. */
static bool list_due(struct download *d, struct fetch_item *items, size_t *n,
                     struct hallmark_error *err)
{
    bool may_resume = fetch_is_remote(d->fetch);
    size_t i;

    for (*n = i = 0; i < d->n_wanted; i++) {
        struct wanted *w = &d->wanted[i];

        if (!w->is_due)
            continue;
        if (w->n_attempts == 0 && d->there.has_parts && !parcel_resume(&w->parcel, err))
            return false;
        if (!may_resume)
            parcel_discard(&w->parcel);
        d->due[*n] = w;
        items[*n] = content_item(w->parcel.content);
        items[*n].n_present = w->parcel.n_taken;
        items[(*n)++].etag = w->parcel.etag;
    }
    return true;
}

/* Fetches those that are due from one location, until none is. */
static bool get_due(struct download *d, struct hallmark_error *err)
{
    struct fetch_sink sink = {
        .set_etag = set_etag, .take = take, .restart = restart, .end = end, .ctx = d};
    struct fetch_item *items = alloc_array(d->n_wanted, sizeof *items);
    bool ok;
    size_t n;

    do
        ok = list_due(d, items, &n, err) && fetch_items(d->fetch, items, n, &sink, err) &&
             put_ready(d, err);
    while (ok && n);
    free(items);
    return ok;
}

/* What one location could not give is due at the next one. Whether there was any. */
static bool pass_on(struct download *d)
{
    struct hallmark_error worst = {0};
    size_t i;

    for (i = 0; i < d->n_wanted; i++) {
        struct wanted *w = &d->wanted[i];

        if (!w->problem)
            continue;
        failover_weigh(&worst, w->problem);
        w->is_due = true;
        w->n_attempts = 0;
    }
    if (worst.code != HALLMARK_OK)
        failover_fail(&d->walk, &worst);
    return worst.code != HALLMARK_OK;
}

static void forget_problems(struct download *d)
{
    size_t i;

    for (i = 0; i < d->n_wanted; i++) {
        free(d->wanted[i].problem);
        d->wanted[i].problem = NULL;
    }
}

/* Fetches those that are due from one location after another. */
static bool get_all(struct download *d, struct hallmark_error *err)
{
    bool ok = true, is_more = true;
    size_t i;

    d->walk.repository = d->repository;
    while (ok && is_more && failover_next(&d->walk, &d->fetch)) {
        forget_problems(d);
        ok = get_due(d, err);
        is_more = ok && pass_on(d);
    }
    for (i = 0; ok && i < d->n_wanted; i++)
        if (d->wanted[i].problem)
            note_problem(d, &d->wanted[i], d->wanted[i].problem);
    forget_problems(d);
    return ok;
}

/* path_table_path_fn */
static const char *name_of(const void *ctx, size_t index)
{
    const struct download *d = ctx;

    return d->wanted[index].parcel.name;
}

static bool add(struct download *d, const struct hallmark_package *package,
                struct hallmark_error *err)
{
    struct wanted w = {0};
    const char *path;
    size_t i;

    parcel_init(&w.parcel, &d->place, content_of(package));
    if (!content_check_hashes(w.parcel.content, err))
        return false;
    if (path_table_find(&d->names, w.parcel.name, name_of, d, &i)) {
        path = d->wanted[i].parcel.content->package.path;
        return strcmp(package->path, path) == 0 ||
               error_set(err, HALLMARK_ERR_USAGE,
                         "%s and %s have the same name: fetch them into two directories", path,
                         package->path);
    }
    w.is_due = true;
    if (there_has(&d->there, w.parcel.name) && !look(d, &w, err))
        return false;
    path_table_add(&d->names, w.parcel.name, d->n_wanted);
    if (w.is_due)
        d->n_total += package->size;
    else
        d->report.n_present++;
    d->wanted[d->n_wanted++] = w;
    return true;
}

static bool run(struct download *d, const struct hallmark_package *const *packages,
                size_t n_packages, struct hallmark_error *err)
{
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < n_packages; i++)
        ok = add(d, packages[i], err);
    /* A refusal changes nothing, not even the time of the directory. */
    d->place.has_nameless = ok && d->n_total && file_has_nameless(d->place.dirfd, PARCEL_TRIAL);
    ok = ok && get_all(d, err);
    for (i = 0; i < d->n_wanted; i++)
        parcel_leave(&d->wanted[i].parcel);
    return ok && file_sync(d->place.dirfd, d->options->into, err) &&
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
    d.place.dirfd = file_open_directory(options->into, err);
    if (d.place.dirfd < 0)
        return false;
    path_table_init(&d.names);
    there_init(&d.there, d.place.dirfd, n_packages);
    d.wanted = alloc_array(n_packages, sizeof *d.wanted);
    d.due = alloc_array(n_packages, sizeof(struct wanted *));
    ok = run(&d, packages, n_packages, err);
    free(d.wanted);
    free(d.due);
    path_table_free(&d.names);
    there_free(&d.there);
    file_close(&d.place.dirfd);
    if (report)
        *report = d.report;
    return ok;
}
