/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fetching files. */
#include "repo/mirror_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/path.h"

enum { FILE_MODE = 0644, NAME_LEN = 40 };

/* A new file without a name in the directory DIRFD; -1 where that cannot be had. */
static int create_nameless(int dirfd)
{
    int fd = file_open_nameless(dirfd, FILE_MODE);

    if (fd >= 0 && fchmod(fd, FILE_MODE) < 0)
        file_close(&fd);
    return fd;
}

/* A new file NAME in the directory DIRFD. */
static int create(int dirfd, const char *name, struct hallmark_error *err)
{
    int fd = file_open_at(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);

    if (fd >= 0 && fchmod(fd, FILE_MODE) == 0)
        return fd;
    error_set_errno(err, "%s: cannot create", name);
    file_close(&fd);
    return -1;
}

/* ---- From this machine ---------------------------------------------------------------------- */

static bool copy(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    const int *fd = ctx;

    return file_write_all(*fd, data, len) || error_set_errno(err, "cannot write a copy");
}

bool mirror_fetch_copy(struct mirror *mirror, const struct content *content, int fd,
                       const char *name, struct hallmark_error *err)
{
    const char *last = path_basename(name);
    int parent = mirror_tree_open_parent(mirror->stage.fd, name, err), to = -1;
    struct content_sink sink = {.take = copy, .ctx = &to};
    bool ok = false;

    if (parent >= 0)
        to = create(parent, last, err);
    if (to >= 0) {
        ok = content_read(content, fd, &sink, err);
        if (close(to) < 0 && ok)
            ok = error_set_errno(err, "%s: cannot close", name);
        if (!ok)
            unlinkat(parent, last, 0);
    }
    file_close(&parent);
    return ok;
}

/* ---- A batch -------------------------------------------------------------------------------- */

/* One item that has begun to come. */
struct arrival {
    struct digest *digest; /* NULL: it has not */
    int fd;
    bool is_nameless;
    uint64_t n_taken;
};

struct arrivals {
    const struct mirror_batch *batch;
    struct arrival *items;
    bool has_nameless; /* the stage's file system has such files */
};

/* Hidden, so that nothing upstream has such a name. */
static void name_of(char out[NAME_LEN], size_t i)
{
    snprintf(out, NAME_LEN, ".fetching-%zu", i);
}

static bool start(struct arrivals *all, size_t i, struct hallmark_error *err)
{
    struct arrival *item = &all->items[i];
    char name[NAME_LEN];

    if (item->digest)
        return true;
    if (all->has_nameless)
        item->fd = create_nameless(all->batch->mirror->stage.fd);
    item->is_nameless = all->has_nameless && item->fd >= 0;
    name_of(name, i);
    if (!item->is_nameless)
        item->fd = create(all->batch->mirror->stage.fd, name, err);
    if (item->fd < 0)
        return false;
    item->digest = digest_new(all->batch->hashes[i], err);
    if (!item->digest)
        file_close(&item->fd);
    return item->digest != NULL;
}

static bool take(void *ctx, size_t i, const void *data, size_t len, struct hallmark_error *err)
{
    struct arrivals *all = ctx;
    struct arrival *item = &all->items[i];
    struct mirror *mirror = all->batch->mirror;

    if (!mirror_here(mirror, start(all, i, err) && digest_update(item->digest, data, len, err) &&
                                 (file_write_all(item->fd, data, len) ||
                                  error_set_errno(err, "cannot write what was fetched"))))
        return false;
    item->n_taken += len;
    return mirror_count(mirror, data, len, err);
}

static void drop(struct arrival *item)
{
    if (item->digest)
        file_close(&item->fd);
    digest_free(item->digest);
    item->digest = NULL;
}

/* Item I keeps no name in the stage. */
static bool remove_name(const struct arrivals *all, size_t i)
{
    char name[NAME_LEN];

    name_of(name, i);
    return all->items[i].is_nameless || unlinkat(all->batch->mirror->stage.fd, name, 0) == 0;
}

static bool restart(void *ctx, size_t i, struct hallmark_error *err)
{
    struct arrivals *all = ctx;
    struct arrival *item = &all->items[i];

    if (!item->digest)
        return true;
    drop(item);
    all->batch->mirror->n_done -= item->n_taken;
    item->n_taken = 0;
    return mirror_here(all->batch->mirror,
                       remove_name(all, i) || error_set_errno(err, "cannot begin a file again"));
}

static bool close_file(struct arrival *item)
{
    int fd = item->fd;

    item->fd = -1;
    return close(fd) == 0;
}

/* Completes the file of item I, and gives it to whom it is for. One without a name would end with
 * its descriptor. */
static bool hand_over(const struct arrivals *all, size_t i, struct hallmark_error *why)
{
    struct arrival *item = &all->items[i];
    const char *path = all->batch->items[i].path;
    char name[NAME_LEN];
    struct mirror_loose file = {.dirfd = all->batch->mirror->stage.fd, .name = name};
    struct digest_value found;

    name_of(name, i);
    if (!item->is_nameless && !close_file(item))
        return error_set_errno(why, "%s: cannot close", path);
    file.fd = item->fd;
    if (!digest_final(item->digest, &found, why) ||
        !all->batch->arrived(all->batch->ctx, i, &file, &found, why))
        return false;
    return !item->is_nameless || close_file(item) || error_set_errno(why, "%s: cannot close", path);
}

static bool end(void *ctx, size_t i, const struct hallmark_error *why, struct hallmark_error *err)
{
    struct arrivals *all = ctx;
    const struct mirror_batch *batch = all->batch;
    struct hallmark_error wrong = {0};
    bool ok = true;

    if (!why &&
        (!start(all, i, err) || (!hand_over(all, i, &wrong) && wrong.code != HALLMARK_ERR_CONTENT)))
        ok = mirror_here(batch->mirror, error_set(err, wrong.code, "%s", wrong.text));
    else if (!why && wrong.code)
        why = &wrong;
    if (all->items[i].digest && (!ok || why)) {
        remove_name(all, i);
        batch->mirror->n_done -= all->items[i].n_taken;
    }
    drop(&all->items[i]);
    return ok && (!why || batch->failed(batch->ctx, i, why, err));
}

bool mirror_fetch_batch(const struct mirror_batch *batch, struct hallmark_error *err)
{
    struct arrivals all = {.batch = batch,
                           .items = alloc_array(batch->n_items, sizeof *all.items),
                           .has_nameless = batch->n_items &&
                                           file_has_nameless(batch->mirror->stage.fd, ".fetching")};
    struct fetch_sink sink = {.take = take, .restart = restart, .end = end, .ctx = &all};
    bool ok =
        !batch->n_items || fetch_items(batch->fetch, batch->items, batch->n_items, &sink, err);
    size_t i;

    for (i = 0; i < batch->n_items; i++) {
        if (all.items[i].digest)
            remove_name(&all, i);
        drop(&all.items[i]);
    }
    free(all.items);
    return ok;
}

/* ---- Files ---------------------------------------------------------------------------------- */

bool mirror_fetch_look(struct mirror *mirror, struct hallmark_error *err)
{
    struct mirror_look look = {.rootfd = mirror->rootfd,
                               .cache = mirror->options->full ? NULL : mirror->cache,
                               .sink = {.take = mirror_count, .ctx = mirror}};
    struct hallmark_mirror_report *report = &mirror->report;
    bool ok = mirror_files_look(&mirror->files, &look, err);
    size_t i;

    report->n_hashed = look.n_hashed;
    mirror->n_done = mirror->n_total = 0;
    for (i = 0; i < mirror->files.n_files; i++) {
        const struct mirror_file *file = &mirror->files.files[i];

        report->n_files++;
        report->n_bytes += file->size;
        report->n_replaced += file->fate == MIRROR_WRONG;
        if (file->fate == MIRROR_GOOD)
            continue;
        mirror->n_total += file->size;
        if (mirror->options->dry_run) {
            report->n_fetched++;
            report->n_fetched_bytes += file->size;
        }
    }
    return ok;
}

char *mirror_fetch_waiting(const struct mirror_file *file, struct hallmark_error *err)
{
    struct digest_value digest;
    char digits[2 * DIGEST_SHA256_LEN + 1];

    if (!digest_bytes(DIGEST_SHA256, bytes_view_str(file->path), &digest, err))
        return NULL;
    encoding_hex(digits, digest.sha256, sizeof digest.sha256);
    return alloc_printf(".replacing-%s", digits);
}

/* Whether an earlier attempt has left what is to replace FILE, which then waits again. */
static bool take_left(struct mirror *mirror, const struct mirror_file *file)
{
    struct content_sink sink = {.take = content_ignore};
    struct hallmark_error ignored = {0};
    struct content *content;
    char *waiting;
    bool ok;
    int fd;

    if (mirror->stage.leftfd < 0 || file->fate != MIRROR_WRONG)
        return false;
    waiting = mirror_fetch_waiting(file, &ignored);
    content = mirror_files_content(file);
    fd = waiting ? file_open_beneath(mirror->stage.leftfd, waiting, &ignored) : -1;
    ok = fd >= 0 && content_read(content, fd, &sink, &ignored) &&
         renameat(mirror->stage.leftfd, waiting, mirror->stage.fd, waiting) == 0;
    file_close(&fd);
    content_free(content);
    free(waiting);
    return ok;
}

/* The files that are missing, while they are fetched. */
struct missing {
    struct mirror *mirror;
    size_t *indexes; /* of each item in the list of files */
    struct fetch_item *items;
    unsigned *hashes;
    size_t n_items, n_failed;
    bool *is_due;                /* of each item: it is not here yet */
    struct hallmark_error first; /* of those that failed */
    int parent;                  /* the directory that was used last, -1 for none, and its path: */
    char *directory;             /* with a slash at its end; "" for the root */
};

static void find_missing(struct missing *missing)
{
    const struct mirror_files *files = &missing->mirror->files;
    size_t i, n = 0;

    missing->indexes = alloc_array(files->n_files, sizeof *missing->indexes);
    missing->items = alloc_array(files->n_files, sizeof *missing->items);
    missing->hashes = alloc_array(files->n_files, sizeof *missing->hashes);
    missing->is_due = alloc_array(files->n_files, sizeof *missing->is_due);
    for (i = 0; i < files->n_files; i++) {
        const struct mirror_file *file = &files->files[i];

        if (file->fate == MIRROR_GOOD || take_left(missing->mirror, file))
            continue;
        missing->indexes[n] = i;
        missing->is_due[n] = true;
        missing->hashes[n] = file->hashes;
        missing->items[n++] = (struct fetch_item){.path = file->path, .size = file->size};
    }
    missing->n_items = n;
}

/* The directory that PATH goes into, lent until the next call; most files go where the one before
 * went. -1: it cannot be opened. */
static int find_parent(struct missing *missing, const char *path, struct hallmark_error *err)
{
    size_t len = (size_t)(path_basename(path) - path);

    if (missing->parent >= 0 && strlen(missing->directory) == len &&
        memcmp(missing->directory, path, len) == 0)
        return missing->parent;
    file_close(&missing->parent);
    free(missing->directory);
    missing->directory = alloc_strndup(path, len);
    missing->parent = mirror_tree_open_parent(missing->mirror->rootfd, path, err);
    return missing->parent;
}

/* Compares the file and moves it to its place, or to where it waits for the switch. */
static bool place(void *ctx, size_t i, const struct mirror_loose *loose,
                  const struct digest_value *found, struct hallmark_error *err)
{
    struct missing *missing = ctx;
    struct mirror *mirror = missing->mirror;
    size_t index = missing->indexes[i];
    struct mirror_file *file = &mirror->files.files[index];
    struct content *content = mirror_files_content(file);
    char *waiting = NULL;
    struct tree_stamp stamp;
    bool ok = content_compare(content, found, err);
    int parent;

    if (ok && file->fate == MIRROR_WRONG) {
        waiting = mirror_fetch_waiting(file, err);
        ok = waiting && (mirror_tree_place_in(mirror->stage.fd, loose, waiting, &stamp, NULL) ||
                         error_set_errno(err, "%s: cannot keep it for later", file->path));
    } else if (ok) {
        parent = find_parent(missing, file->path, err);
        ok = parent >= 0 && mirror_tree_place_in(parent, loose, file->path, &stamp, err);
        if (ok)
            mirror_files_placed(file, &stamp);
    }
    if (ok) {
        missing->is_due[i] = false;
        mirror->report.n_fetched++;
        mirror->report.n_fetched_bytes += file->size;
    }
    content_free(content);
    free(waiting);
    return ok;
}

static bool note_failed(void *ctx, size_t i, const struct hallmark_error *why,
                        struct hallmark_error *err)
{
    struct missing *missing = ctx;

    (void)i;
    (void)err;
    if (missing->n_failed++ == 0)
        missing->first = *why;
    else
        mirror_note(missing->mirror, HALLMARK_NOTE_INFO, "%s", why->text);
    return true;
}

/* What one location could not give is left for the next one. */
static void keep_due(struct missing *missing)
{
    size_t i, n = 0;

    for (i = 0; i < missing->n_items; i++) {
        if (!missing->is_due[i])
            continue;
        missing->is_due[n] = true;
        missing->indexes[n] = missing->indexes[i];
        missing->items[n] = missing->items[i];
        missing->hashes[n++] = missing->hashes[i];
    }
    missing->n_items = n;
}

/* Fetches the files from one location after another. */
static bool fetch_all(struct missing *missing, struct hallmark_error *err)
{
    struct mirror *mirror = missing->mirror;
    struct mirror_batch batch = {
        .mirror = mirror, .arrived = place, .failed = note_failed, .ctx = missing};
    struct failover_walk walk = {.repository = mirror->suites[0].upstream};

    while (missing->n_items && failover_next(&walk, &batch.fetch)) {
        struct hallmark_error why = {0};

        batch.items = missing->items;
        batch.hashes = missing->hashes;
        batch.n_items = missing->n_items;
        missing->n_failed = 0;
        error_clear(&missing->first);
        if (!mirror_fetch_batch(&batch, &why)) {
            if (mirror->blame == MIRROR_BLAME_HERE || !mirror->locations)
                return error_set(err, why.code, "%s", why.text);
            failover_fail(&walk, &why);
        } else if (missing->n_failed) {
            failover_fail(&walk, &missing->first);
        }
        keep_due(missing);
    }
    if (missing->n_items < 2)
        return !missing->n_items || error_set(err, walk.worst.code, "%s", walk.worst.text);
    return error_set(err, walk.worst.code, "%s (and %zu more)", walk.worst.text,
                     missing->n_items - 1);
}

bool mirror_fetch_missing(struct mirror *mirror, struct hallmark_error *err)
{
    struct missing missing = {.mirror = mirror, .parent = -1};
    bool ok;

    find_missing(&missing);
    ok = fetch_all(&missing, err);
    file_close(&missing.parent);
    free(missing.directory);
    free(missing.indexes);
    free(missing.items);
    free(missing.hashes);
    free(missing.is_due);
    return ok;
}
