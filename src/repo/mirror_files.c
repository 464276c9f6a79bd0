/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of files, compared with the served tree. */
#include "repo/mirror_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "repo/mirror_cover.h"

bool mirror_files_add(struct mirror_files *files, const struct content *content,
                      struct hallmark_error *err)
{
    const struct hallmark_package *package = &content->package;
    struct mirror_file *file;

    if (!mirror_cover_check_path(package->path, err))
        return false;
    if (!content->hashes)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: %s has neither SHA256 nor SHA512 of it: it cannot be verified",
                         package->path, content->said_by);
    if (files->n_files >= LIMITS_MIRROR_FILES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "the indexes list more than %d files",
                         LIMITS_MIRROR_FILES);
    files->files = alloc_one_more(files->files, files->n_files, &files->cap, sizeof *files->files);
    file = &files->files[files->n_files++];
    *file = (struct mirror_file){.path = alloc_strdup(package->path),
                                 .said_by = content->said_by,
                                 .size = package->size,
                                 .hashes = content->hashes};
    memcpy(file->sha256, content->sha256, sizeof file->sha256);
    memcpy(file->sha512, content->sha512, sizeof file->sha512);
    return true;
}

static int compare_files(const void *a, const void *b)
{
    const struct mirror_file *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* Whether B, of the same path, is the same file as A, which then knows the hashes of both. */
static bool merge(struct mirror_file *a, const struct mirror_file *b)
{
    unsigned both = a->hashes & b->hashes;

    if (a->size != b->size ||
        (both & RELEASE_SHA256 && memcmp(a->sha256, b->sha256, sizeof a->sha256) != 0) ||
        (both & RELEASE_SHA512 && memcmp(a->sha512, b->sha512, sizeof a->sha512) != 0))
        return false;
    if (b->hashes & ~a->hashes & RELEASE_SHA256)
        memcpy(a->sha256, b->sha256, sizeof a->sha256);
    if (b->hashes & ~a->hashes & RELEASE_SHA512)
        memcpy(a->sha512, b->sha512, sizeof a->sha512);
    a->hashes |= b->hashes;
    return true;
}

bool mirror_files_sort(struct mirror_files *files, struct hallmark_error *err)
{
    struct mirror_file *last = files->files;
    size_t i, n = files->n_files;
    bool ok = true;

    if (!n)
        return true;
    qsort(files->files, n, sizeof *files->files, compare_files);
    for (i = 1; i < n; i++) {
        struct mirror_file *file = &files->files[i];

        if (strcmp(last->path, file->path) != 0) {
            *++last = *file;
            continue;
        }
        if (ok && !merge(last, file))
            ok = error_set(err, HALLMARK_ERR_CONTENT,
                           "%s: two indexes say two sizes or hashes of it", file->path);
        free(file->path);
    }
    files->n_files = (size_t)(last - files->files) + 1;
    return ok;
}

void mirror_files_free(struct mirror_files *files)
{
    size_t i;

    for (i = 0; i < files->n_files; i++)
        free(files->files[i].path);
    free(files->files);
    *files = (struct mirror_files){0};
}

struct content *mirror_files_content(const struct mirror_file *file)
{
    struct package_index_entry entry = {
        .path = bytes_view_str(file->path), .size = file->size, .hashes = file->hashes};
    struct content *content;

    memcpy(entry.sha256, file->sha256, sizeof entry.sha256);
    memcpy(entry.sha512, file->sha512, sizeof entry.sha512);
    content = content_of_package(&entry);
    content->said_by = file->said_by;
    return content;
}

/* ---- What is there -------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Whether the cache knows all hashes of FILE, which is what was seen with this stamp. */
static bool is_known(struct mirror_file *file, const struct content *content,
                     struct digest_cache *cache)
{
    struct digest_cache_record record;

    if (!digest_cache_find(cache, file->path, &file->stamp, &record) ||
        file->hashes & ~record.algorithms || !content_compare(content, &record.digest, NULL))
        return false;
    file->hashed_at = record.hashed_at;
    return true;
}

static bool hash(struct mirror_file *file, const struct content *content, int fd,
                 struct mirror_look *how, struct hallmark_error *err)
{
    struct hallmark_error why = {0};

    file->hashed_at = now_ns();
    how->n_hashed++;
    if (content_read(content, fd, &how->sink, &why)) {
        file->fate = MIRROR_GOOD;
        return true;
    }
    file->fate = MIRROR_WRONG;
    return why.code == HALLMARK_ERR_CONTENT || error_set(err, why.code, "%s", why.text);
}

/* Directories, each with a slash at its end, that were asked for: so a first copy does not ask for
 * each of its files. */
struct asked {
    char *last;    /* the one of the last file that was not there */
    char *missing; /* the highest one that is not there; NULL: it is */
};

static bool is_below(const char *path, const char *directory)
{
    return directory && strncmp(path, directory, strlen(directory)) == 0;
}

static void forget(struct asked *asked)
{
    free(asked->last);
    free(asked->missing);
    *asked = (struct asked){0};
}

/* PATH is not there: finds out whether its directories are, once for each that holds a file. */
static void note_missing(struct asked *asked, int rootfd, const char *path)
{
    const char *slash;
    char *directory;
    int fd;

    if (is_below(path, asked->last) && !strchr(path + strlen(asked->last), '/'))
        return;
    forget(asked);
    asked->last = alloc_strndup(path, (size_t)(path_basename(path) - path));
    for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        directory = alloc_strndup(path, (size_t)(slash + 1 - path));
        fd = file_open_directory_beneath(rootfd, directory, NULL);
        if (fd < 0 && errno == ENOENT) {
            asked->missing = directory;
            return;
        }
        free(directory);
        if (fd < 0)
            return;
        file_close(&fd);
    }
}

static bool look_at(struct mirror_file *file, struct mirror_look *how, struct asked *asked,
                    struct hallmark_error *err)
{
    struct hallmark_error why = {0};
    int fd = how->rootfd < 0 ? -1 : file_open_beneath(how->rootfd, file->path, &why);
    struct content *content;
    struct stat st;
    bool ok = true;

    if (why.code == HALLMARK_ERR_MALFORMED)
        return error_set(err, HALLMARK_ERR_USAGE, "%s; move it away", why.text);
    if (fd < 0 && why.code == HALLMARK_OK && how->rootfd >= 0)
        note_missing(asked, how->rootfd, file->path);
    if (fd < 0)
        return why.code == HALLMARK_OK || error_set(err, why.code, "%s", why.text);
    content = mirror_files_content(file);
    if (fstat(fd, &st) < 0)
        ok = error_set_errno(err, "%s", file->path);
    else
        tree_stamp_from(&file->stamp, &st);
    if (ok && file->stamp.size != file->size)
        file->fate = MIRROR_WRONG;
    else if (ok && is_known(file, content, how->cache))
        file->fate = MIRROR_GOOD;
    else if (ok)
        ok = hash(file, content, fd, how, err);
    content_free(content);
    file_close(&fd);
    return ok;
}

bool mirror_files_look(struct mirror_files *files, struct mirror_look *how,
                       struct hallmark_error *err)
{
    struct asked asked = {0};
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < files->n_files; i++)
        ok = is_below(files->files[i].path, asked.missing) ||
             look_at(&files->files[i], how, &asked, err);
    forget(&asked);
    return ok;
}

/* The bytes were hashed as they were written, and until the rename, which set ctime, nobody else
 * could reach them: so they are as good as hashed when the stamp had settled. */
void mirror_files_placed(struct mirror_file *file, const struct tree_stamp *stamp)
{
    int64_t newest = stamp->mtime > stamp->ctime ? stamp->mtime : stamp->ctime;

    file->fate = MIRROR_GOOD;
    file->stamp = *stamp;
    file->hashed_at = newest + DIGEST_CACHE_RACY_NS;
}

struct digest_cache *mirror_files_cache(const struct mirror_files *files)
{
    struct digest_cache *cache = digest_cache_new();
    size_t i;

    for (i = 0; i < files->n_files; i++) {
        const struct mirror_file *file = &files->files[i];
        struct digest_cache_record record = {
            .stamp = file->stamp, .hashed_at = file->hashed_at, .algorithms = file->hashes};

        memcpy(record.digest.sha256, file->sha256, sizeof file->sha256);
        memcpy(record.digest.sha512, file->sha512, sizeof file->sha512);
        if (file->fate == MIRROR_GOOD)
            digest_cache_put(cache, file->path, &record);
    }
    return cache;
}
