/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Staging metadata, and reading it. */
#include "repo/mirror_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "repo/catalogue.h"
#include "repo/mirror_cover.h"
#include "repo/mirror_fetch.h"
#include "repo/mirror_tree.h"
#include "repo/mirror_upstream.h"
#include "system/generation.h"

#define CURRENT GENERATION_STORE "/" GENERATION_CURRENT "/"

/* ---- What is staged ------------------------------------------------------------------------- */

static void add_staged(struct mirror *mirror, const char *name, const char *staged, int64_t mtime)
{
    mirror->staged = alloc_one_more(mirror->staged, mirror->n_staged, &mirror->staged_cap,
                                    sizeof *mirror->staged);
    mirror->staged[mirror->n_staged++] =
        (struct mirror_staged){alloc_strdup(name), alloc_strdup(staged), mtime};
}

/* Adds the file CONTENT, and its names by hash. MTIME 0: it keeps the time that it has. */
static void add_content(struct mirror *mirror, const struct content *content, int64_t mtime)
{
    const char *path = content->package.path;
    const struct {
        const char *name, *digits;
    } hashes[] = {{"SHA256", content->package.sha256}, {"SHA512", content->package.sha512}};
    struct bytes_view directory = index_path_directory(path);
    char *name;
    size_t i;

    add_staged(mirror, path, path, mtime);
    for (i = 0; content->by_hash && i < sizeof hashes / sizeof *hashes; i++) {
        if (!hashes[i].digits)
            continue;
        name = alloc_printf("%.*sby-hash/%s/%s", (int)directory.len, directory.data, hashes[i].name,
                            hashes[i].digits);
        add_staged(mirror, name, path, mtime);
        free(name);
    }
}

static bool stage_documents(struct mirror *mirror, struct mirror_suite *suite,
                            struct hallmark_error *err)
{
    bool ok = mirror_upstream_read_others(mirror, suite, err);
    char *path;
    int parent;
    size_t i;

    for (i = 0; ok && i < MIRROR_DOCUMENTS; i++) {
        if (!suite->documents[i].exists)
            continue;
        path = path_join(suite->directory, mirror_documents[i]);
        parent = mirror_tree_open_parent(mirror->stage.fd, path, err);
        ok = parent >= 0 && file_create(parent, mirror_documents[i],
                                        bytes_view(&suite->documents[i].data), 0644, err);
        if (ok)
            add_staged(mirror, path, path, suite->upstream->manifest.date);
        file_close(&parent);
        free(path);
    }
    return ok;
}

/* ---- Metadata ------------------------------------------------------------------------------- */

/* FD if that has the size of CONTENT; else closes it, and gives -1. */
static int if_same_size(int fd, const struct content *content)
{
    struct stat st;

    if (fd >= 0 &&
        (fstat(fd, &st) < 0 || st.st_size < 0 || (uint64_t)st.st_size != content->package.size))
        file_close(&fd);
    return fd;
}

/* Opens the file at PATH below the served tree if it has the size of CONTENT; -1 without an error.
 */
static int open_served(const struct mirror *mirror, const char *path, const struct content *content)
{
    struct hallmark_error ignored = {0};

    return mirror->rootfd < 0
               ? -1
               : if_same_size(file_open_served(mirror->rootfd, path, &ignored), content);
}

/* Gives the file PATH of the served tree, which FD is, another name in the stage. */
static bool link_staged(const struct mirror *mirror, int fd, const char *path, const char *name)
{
    int parent = mirror_tree_open_parent(mirror->stage.fd, name, NULL);
    const char *last = path_basename(name);
    struct stat st, linked;
    bool ok = parent >= 0 && linkat(mirror->rootfd, path, parent, last, 0) == 0;

    if (ok && (fstat(fd, &st) < 0 || fstatat(parent, last, &linked, AT_SYMLINK_NOFOLLOW) < 0 ||
               st.st_dev != linked.st_dev || st.st_ino != linked.st_ino)) {
        unlinkat(parent, last, 0);
        ok = false;
    }
    file_close(&parent);
    return ok;
}

/* Takes CONTENT from the current generation, of which it becomes another name. */
static bool take_current(struct mirror *mirror, const struct content *content)
{
    struct content_sink sink = {.take = content_ignore};
    struct hallmark_error ignored = {0};
    char *path = alloc_printf(CURRENT "%s", content->package.path);
    int fd = open_served(mirror, path, content);
    bool ok = fd >= 0 && content_read(content, fd, &sink, &ignored) &&
              link_staged(mirror, fd, path, content->package.path);

    if (ok)
        add_content(mirror, content, 0);
    file_close(&fd);
    free(path);
    return ok;
}

/* Moves CONTENT from the stage of an earlier attempt, or of a run that was killed, if it had come
 * that far. */
static bool take_left(struct mirror *mirror, const struct content *content, int64_t mtime)
{
    const char *path = content->package.path;
    struct content_sink sink = {.take = content_ignore};
    struct hallmark_error ignored = {0};
    struct mirror_loose left = {.dirfd = mirror->stage.leftfd, .name = path, .fd = -1};
    struct tree_stamp stamp;
    int fd =
        mirror->stage.leftfd < 0 ? -1 : file_open_beneath(mirror->stage.leftfd, path, &ignored);
    bool ok = false;

    fd = if_same_size(fd, content);
    if (fd >= 0)
        ok = content_read(content, fd, &sink, &ignored) &&
             mirror_tree_place(mirror->stage.fd, &left, path, &stamp, &ignored);
    if (ok)
        add_content(mirror, content, mtime);
    file_close(&fd);
    return ok;
}

/* Copies CONTENT from what is served in its place, by whatever tool that was made. */
static bool take_served(struct mirror *mirror, const struct content *content, int64_t mtime)
{
    struct hallmark_error ignored = {0};
    int fd = open_served(mirror, content->package.path, content);
    bool ok = fd >= 0 && mirror_fetch_copy(mirror, content, fd, content->package.path, &ignored);

    if (ok)
        add_content(mirror, content, mtime);
    file_close(&fd);
    return ok;
}

/* Whether the manifest's file CONTENT, which it calls NAME, is metadata that the mirror holds. */
static bool is_metadata(const struct mirror_suite *suite, const struct content *content,
                        const char *name)
{
    return content->kind == CONTENT_METADATA && mirror_cover_has(suite->upstream, name);
}

static const char *entry_name(const struct mirror_suite *suite, size_t i)
{
    return suite->upstream->verified->release.entries[i].path;
}

/* The metadata of one suite that must come from upstream. */
struct missing {
    struct mirror *mirror;
    const struct mirror_suite *suite;
    const struct content **contents;
    struct fetch_item *items;
    unsigned *hashes;
    size_t n_items;
    const struct content **doubtful; /* those that did not come, */
    struct strlist reasons;          /* and why */
};

static bool find_missing(struct missing *missing, struct hallmark_error *err)
{
    struct mirror *mirror = missing->mirror;
    const struct mirror_suite *suite = missing->suite;
    const struct content *content;
    size_t i, n = repository_count_files(suite->upstream);

    missing->contents = alloc_array(n, sizeof *missing->contents);
    missing->doubtful = alloc_array(n, sizeof *missing->doubtful);
    missing->items = alloc_array(n, sizeof *missing->items);
    missing->hashes = alloc_array(n, sizeof *missing->hashes);
    for (i = 0; (content = repository_file(suite->upstream, i)) != NULL; i++) {
        if (!is_metadata(suite, content, entry_name(suite, i)))
            continue;
        if (!mirror_cover_check_path(content->package.path, err))
            return false;
        if (take_current(mirror, content) ||
            take_left(mirror, content, suite->upstream->manifest.date) ||
            take_served(mirror, content, suite->upstream->manifest.date))
            continue;
        n = missing->n_items++;
        missing->contents[n] = content;
        missing->hashes[n] = content->hashes;
        missing->items[n] = (struct fetch_item){.path = content->package.path,
                                                .by_hash = content->by_hash,
                                                .size = content->package.size,
                                                .is_index = true};
        mirror->n_total += content->package.size;
    }
    return true;
}

static bool stage_arrived(void *ctx, size_t i, const struct mirror_loose *file,
                          const struct digest_value *found, struct hallmark_error *err)
{
    struct missing *missing = ctx;
    struct mirror *mirror = missing->mirror;
    const struct content *content = missing->contents[i];
    struct tree_stamp ignored;

    if (!content_compare(content, found, err) ||
        !mirror_tree_place(mirror->stage.fd, file, content->package.path, &ignored, err))
        return false;
    mirror->report.n_fetched++;
    mirror->report.n_fetched_bytes += content->package.size;
    add_content(mirror, content, missing->suite->upstream->manifest.date);
    return true;
}

static bool note_failed(void *ctx, size_t i, const struct hallmark_error *why,
                        struct hallmark_error *err)
{
    struct missing *missing = ctx;

    if (why->code != HALLMARK_ERR_CONTENT)
        return error_set(err, why->code, "%s", why->text);
    missing->doubtful[missing->reasons.n_items] = missing->contents[i];
    strlist_add(&missing->reasons, why->text);
    return true;
}

/* Not every form of an index that is listed need be served; but what is served must be right. */
static bool check_doubtful(const struct missing *missing, struct hallmark_error *err)
{
    struct fetch *fetch = missing->suite->upstream->place.fetch;
    size_t i;

    for (i = 0; i < missing->reasons.n_items; i++)
        if (content_exists(missing->doubtful[i], fetch))
            return error_set(err, HALLMARK_ERR_CONTENT, "%s", missing->reasons.items[i]);
    return true;
}

static bool fetch_missing(struct missing *missing, struct hallmark_error *err)
{
    struct mirror_batch batch = {.mirror = missing->mirror,
                                 .fetch = missing->suite->upstream->place.fetch,
                                 .items = missing->items,
                                 .hashes = missing->hashes,
                                 .n_items = missing->n_items,
                                 .arrived = stage_arrived,
                                 .failed = note_failed,
                                 .ctx = missing};

    return mirror_fetch_batch(&batch, err) && check_doubtful(missing, err);
}

static void free_missing(struct missing *missing)
{
    free(missing->contents);
    free(missing->doubtful);
    strlist_free(&missing->reasons);
    free(missing->items);
    free(missing->hashes);
}

/* What is here is taken first, so that of an earlier attempt nothing gets lost by what follows. */
static bool stage_metadata(struct mirror *mirror, struct hallmark_error *err)
{
    struct missing *missing = alloc_array(mirror->n_suites, sizeof *missing);
    bool ok = true;
    size_t i;

    mirror->is_left_taken = true;
    for (i = 0; ok && i < mirror->n_suites; i++) {
        missing[i] = (struct missing){.mirror = mirror, .suite = &mirror->suites[i]};
        ok = find_missing(&missing[i], err);
    }
    for (i = 0; ok && i < mirror->n_suites; i++)
        ok = fetch_missing(&missing[i], err);
    for (i = 0; i < mirror->n_suites; i++)
        free_missing(&missing[i]);
    free(missing);
    return ok;
}

static bool has_detached(const struct mirror_suite *suite)
{
    return suite->documents[MIRROR_INRELEASE].exists && suite->documents[MIRROR_RELEASE].exists &&
           suite->documents[MIRROR_SIGNATURE].exists;
}

bool mirror_stage_fill(struct mirror *mirror, struct hallmark_error *err)
{
    bool ok = true, is_more = false;
    size_t i;

    /* The documents of one publication are read soon after one another. */
    for (i = 0; ok && i < mirror->n_suites; i++) {
        ok = stage_documents(mirror, &mirror->suites[i], err);
        is_more = is_more || has_detached(&mirror->suites[i]);
    }
    if (ok && is_more) /* while the indexes come; what is wrong is told by who needs it */
        openpgp_prepare_next(mirror->keys.session, NULL);
    return ok && stage_metadata(mirror, err);
}

/* ---- The files ------------------------------------------------------------------------------ */

static bool add_file(void *ctx, const struct content *content, struct hallmark_error *err)
{
    struct mirror *mirror = ctx;

    return !mirror_wants(mirror, content->package.name) ||
           mirror_files_add(&mirror->files, content, err);
}

/* Adds what REPOSITORY's manifest and indexes list. */
static bool list_files(struct mirror *mirror, const struct hallmark_repository *repository,
                       struct hallmark_error *err)
{
    struct catalogue_sink sink = {.each = add_file, .ctx = mirror};
    const struct content *content;
    size_t i;

    for (i = 0; (content = repository_file(repository, i)) != NULL; i++)
        if (content->kind == CONTENT_PACKAGE && !add_file(mirror, content, err))
            return false;
    return catalogue_read(repository, &sink, err);
}

/* Opens what is staged in DIRECTORY, or the one FILE of it. */
static struct hallmark_repository *open_staged(struct mirror *mirror, const char *directory,
                                               const char *file, struct hallmark_error *err)
{
    char *name = path_join(directory, file);
    char *path =
        alloc_printf("%s/" GENERATION_STORE "/" GENERATION_STAGE "/%s", mirror->root, name);
    struct mirror_policy policy;
    struct hallmark_repository *repository;

    mirror_policy_make(&policy, mirror, NULL, "");
    repository = repository_open_with(path, &policy.policy, &mirror->keys, err);
    mirror_policy_free(&policy);
    free(path);
    free(name);
    return repository;
}

/* A reader who takes Release and Release.gpg must get the same as one who takes InRelease. */
static bool check_detached(struct mirror *mirror, const struct mirror_suite *suite,
                           struct hallmark_error *err)
{
    struct hallmark_repository *repository;

    if (!has_detached(suite))
        return true;
    repository = open_staged(mirror, suite->directory, mirror_documents[MIRROR_RELEASE], err);
    hallmark_repository_close(repository);
    return repository != NULL;
}

static bool list_staged(struct mirror *mirror, const struct mirror_suite *suite,
                        struct hallmark_error *err)
{
    struct hallmark_repository *repository = open_staged(mirror, suite->directory, "", err);
    bool ok = repository != NULL;

    if (ok && strcmp(repository->verified->sha256, suite->upstream->verified->sha256) != 0)
        ok = error_set(err, HALLMARK_ERR_IO, "%s: the stage holds another manifest", mirror->root);
    ok = ok && list_files(mirror, repository, err) && check_detached(mirror, suite, err);
    hallmark_repository_close(repository);
    return ok;
}

/* The names at the root that are links into the current generation. */
static void find_roots(const struct mirror *mirror, struct strlist *out)
{
    char *name;
    size_t i;

    for (i = 0; i < mirror->n_staged; i++) {
        name = alloc_strndup(mirror->staged[i].name, strcspn(mirror->staged[i].name, "/"));
        if (!strlist_has(out, name))
            strlist_add(out, name);
        free(name);
    }
}

/* Whether the file at PATH would lie behind one of the links ROOTS, on any file system. */
static bool is_behind(const char *path, const struct strlist *roots)
{
    struct bytes_view first = bytes_view_of(path, strcspn(path, "/"));
    size_t i;

    for (i = 0; i < roots->n_items; i++)
        if (bytes_view_equals_nocase(first, bytes_view_str(roots->items[i])))
            return true;
    return false;
}

/* A pattern with a slip of the pen would retire all that is there. */
static bool check_names(const struct mirror *mirror, struct hallmark_error *err)
{
    return mirror->files.n_files || !mirror->packages.n_items ||
           error_set(err, HALLMARK_ERR_USAGE, "no package has a name that is wanted");
}

/* Nothing that an index lists may lie where the generations are. */
static bool check_apart(const struct mirror *mirror, struct hallmark_error *err)
{
    struct strlist roots = {0};
    const char *path;
    bool ok = true;
    size_t i;

    find_roots(mirror, &roots);
    for (i = 0; ok && i < mirror->files.n_files; i++) {
        path = mirror->files.files[i].path;
        if (is_behind(path, &roots))
            ok =
                error_set(err, HALLMARK_ERR_MALFORMED,
                          "%s: cannot be where the manifest is: a mirror has \"%.*s\" as a link to "
                          "its current generation",
                          path, (int)strcspn(path, "/"), path);
    }
    strlist_free(&roots);
    return ok;
}

bool mirror_stage_list(struct mirror *mirror, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < mirror->n_suites; i++)
        if (!list_staged(mirror, &mirror->suites[i], err))
            return false;
    return mirror_files_sort(&mirror->files, err) && check_names(mirror, err) &&
           check_apart(mirror, err);
}

/* ---- A dry run ------------------------------------------------------------------------------ */

/* Whether the mirror has CONTENT already. */
static bool has_served(const struct mirror *mirror, const struct content *content)
{
    struct content_sink sink = {.take = content_ignore};
    struct hallmark_error ignored = {0};
    int fd = open_served(mirror, content->package.path, content);
    bool ok = fd >= 0 && content_read(content, fd, &sink, &ignored);

    file_close(&fd);
    return ok;
}

static void preview_metadata(struct mirror *mirror, const struct mirror_suite *suite)
{
    const struct content *content;
    size_t i;

    for (i = 0; (content = repository_file(suite->upstream, i)) != NULL; i++) {
        if (!is_metadata(suite, content, entry_name(suite, i)))
            continue;
        if (has_served(mirror, content)) {
            add_staged(mirror, content->package.path, "", 0);
        } else if (content_exists(content, suite->upstream->place.fetch)) {
            add_staged(mirror, content->package.path, "", 0);
            mirror->report.n_fetched++;
            mirror->report.n_fetched_bytes += content->package.size;
        }
    }
}

bool mirror_stage_preview(struct mirror *mirror, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < mirror->n_suites; i++) {
        preview_metadata(mirror, &mirror->suites[i]);
        if (!list_files(mirror, mirror->suites[i].upstream, err))
            return false;
    }
    return mirror_files_sort(&mirror->files, err) && check_names(mirror, err) &&
           check_apart(mirror, err);
}
