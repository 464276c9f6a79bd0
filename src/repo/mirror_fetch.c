/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fetching files. */
#include "repo/mirror_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "repo/mirror_tree.h"

enum { FILE_MODE = 0644 };

/* Hidden, so that nothing upstream has such a name. */
static const char downloading[] = ".download";

/* Where the bytes of one file go. */
struct copy {
    struct mirror *mirror;
    int fd;
};

static bool take(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    struct copy *copy = ctx;

    if (!file_write_all(copy->fd, data, len))
        return error_set_errno(err, "cannot write what was fetched");
    return mirror_count(copy->mirror, data, len, err);
}

bool mirror_fetch_copy(struct mirror *mirror, const struct content *content, int fd,
                       const char *name, struct hallmark_error *err)
{
    struct copy copy = {.mirror = mirror, .fd = -1};
    struct content_sink sink = {.take = take, .ctx = &copy};
    const char *last = path_basename(name);
    int parent = mirror_tree_open_parent(mirror->stage.fd, name, err);
    bool ok = false;

    if (parent >= 0) {
        copy.fd = file_open_at(parent, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
        ok = (copy.fd >= 0 && fchmod(copy.fd, FILE_MODE) == 0) ||
             error_set_errno(err, "%s: cannot create", name);
        ok = ok && content_read(content, fd, &sink, err);
        if (copy.fd >= 0 && close(copy.fd) < 0 && ok)
            ok = error_set_errno(err, "%s: cannot close", name);
        if (copy.fd >= 0 && !ok)
            unlinkat(parent, last, 0);
    }
    file_close(&parent);
    return ok;
}

bool mirror_fetch_one(struct mirror *mirror, struct fetch *fetch, const struct content *content,
                      const char *name, struct hallmark_error *err)
{
    int fd = content_open(content, fetch, err);
    bool ok = fd >= 0 && mirror_fetch_copy(mirror, content, fd, name, err);

    file_close(&fd);
    return ok;
}

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

char *mirror_fetch_waiting(size_t index)
{
    return alloc_printf(".replacing-%zu", index);
}

/* Fetches file INDEX, of SUITE or any other: they have one root. */
static bool get_file(struct mirror *mirror, size_t index, struct hallmark_error *err)
{
    struct mirror_file *file = &mirror->files.files[index];
    struct fetch *fetch = mirror->suites[0].upstream->place.fetch;
    struct content *content = mirror_files_content(file);
    char *waiting = file->fate == MIRROR_WRONG ? mirror_fetch_waiting(index) : NULL;
    struct tree_stamp stamp;
    bool ok = mirror_fetch_one(mirror, fetch, content, waiting ? waiting : downloading, err);

    if (ok && !waiting) {
        ok = mirror_tree_place(mirror->rootfd, mirror->stage.fd, downloading, file->path, &stamp,
                               err);
        if (ok)
            mirror_files_placed(file, &stamp);
    }
    if (ok) {
        mirror->report.n_fetched++;
        mirror->report.n_fetched_bytes += file->size;
    }
    content_free(content);
    free(waiting);
    return ok;
}

bool mirror_fetch_missing(struct mirror *mirror, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < mirror->files.n_files; i++)
        if (mirror->files.files[i].fate != MIRROR_GOOD && !get_file(mirror, i, err))
            return false;
    return true;
}
