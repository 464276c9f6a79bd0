/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Committing a mirror. */
#include "repo/mirror_commit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "repo/mirror_fetch.h"
#include "repo/mirror_trace.h"
#include "repo/mirror_tree.h"
#include "repo/mirror_upstream.h"
#include "system/publish.h"

/* A machine that fetched its indexes on a Friday evening installs from them on Monday. */
enum { DEFAULT_KEEP = 3 * 24 * 60 * 60 };

static int64_t keep_seconds(const struct mirror *mirror)
{
    return mirror->options->keep ? mirror->options->keep : DEFAULT_KEEP;
}

/* ---- Retiring ------------------------------------------------------------------------------- */

static bool has_file(const struct mirror_files *files, size_t *at, const char *path)
{
    while (*at < files->n_files && strcmp(files->files[*at].path, path) < 0)
        ++*at;
    return *at < files->n_files && strcmp(files->files[*at].path, path) == 0;
}

void mirror_commit_retire(struct mirror_retired_list *out, const struct mirror_retired_list *old,
                          const struct digest_cache *cache, const struct mirror_files *files,
                          int64_t now)
{
    size_t i = 0, k = 0, at = 0;
    const char *known, *path;
    int order;

    for (;;) {
        known = digest_cache_path(cache, i);
        if (!known && k == old->n_items)
            return;
        order = !known ? 1 : k == old->n_items ? -1 : strcmp(known, old->items[k].path);
        path = order <= 0 ? known : old->items[k].path;
        if (!has_file(files, &at, path))
            mirror_record_retire(out, path, order >= 0 ? old->items[k].since : now);
        i += order <= 0;
        k += order >= 0;
    }
}

static bool has_path(const struct digest_cache *cache, size_t *at, const char *path)
{
    const char *known;

    while ((known = digest_cache_path(cache, *at)) != NULL && strcmp(known, path) < 0)
        ++*at;
    return known && strcmp(known, path) == 0;
}

void mirror_commit_expect(struct mirror_retired_list *out, const struct mirror_retired_list *old,
                          const struct digest_cache *cache, const struct mirror_files *files,
                          int64_t now)
{
    size_t i, k = 0, at = 0;

    for (i = 0; i < files->n_files; i++) {
        const struct mirror_file *file = &files->files[i];

        for (; k < old->n_items && strcmp(old->items[k].path, file->path) < 0; k++)
            mirror_record_retire(out, old->items[k].path, old->items[k].since);
        if (k < old->n_items && strcmp(old->items[k].path, file->path) == 0) {
            mirror_record_retire(out, file->path, old->items[k++].since);
        } else if (file->fate == MIRROR_MISSING && !has_path(cache, &at, file->path)) {
            mirror_record_retire(out, file->path, now);
        }
    }
    for (; k < old->n_items; k++)
        mirror_record_retire(out, old->items[k].path, old->items[k].since);
}

bool mirror_commit_announce(struct mirror *mirror, struct hallmark_error *err)
{
    struct mirror_retired_list list = {0};
    struct bytes text = {0};
    bool ok = true;

    /* Without the cache, a file that is missing may be one that is listed, and got lost. */
    if (mirror->record.source && !mirror->cache)
        return true;
    mirror_commit_expect(&list, &mirror->retired, mirror->cache, &mirror->files, mirror->now);
    mirror_record_write_retired(&list, &text);
    if (list.n_items > mirror->retired.n_items && text.len <= LIMITS_RETIRED_BYTES) {
        ok = mirror_record_save_retired(mirror->statefd, &list, err);
        mirror_record_free_retired(&mirror->retired);
        mirror->retired = list;
        list = (struct mirror_retired_list){0};
    }
    mirror_record_free_retired(&list);
    bytes_free(&text);
    return ok;
}

/* Removes the retired files whose time is over. */
static bool remove_retired(struct mirror *mirror, struct hallmark_error *err)
{
    int64_t oldest = mirror->now - keep_seconds(mirror);
    struct mirror_retired_list left = {0};
    bool ok = true, removed;
    size_t i;

    for (i = 0; i < mirror->retired.n_items; i++) {
        const struct mirror_retired *item = &mirror->retired.items[i];

        removed = false;
        if (!ok || item->since > oldest) {
            mirror_record_retire(&left, item->path, item->since);
            continue;
        }
        ok = mirror_tree_remove(mirror->rootfd, item->path, &removed, err);
        mirror->report.n_removed += removed;
        if (!ok)
            mirror_record_retire(&left, item->path, item->since);
    }
    /* What is forgotten here must be gone for good. */
    if (left.n_items != mirror->retired.n_items)
        ok = file_sync_all(mirror->rootfd, "the tree", ok ? err : NULL) &&
             mirror_record_save_retired(mirror->statefd, &left, ok ? err : NULL) && ok;
    mirror_record_free_retired(&mirror->retired);
    mirror->retired = left;
    mirror->report.n_retired = left.n_items;
    return ok;
}

bool mirror_commit_tidy(struct mirror *mirror, struct hallmark_error *err)
{
    size_t i;

    if (!remove_retired(mirror, err) || !publish_prune(mirror->rootfd, 1, keep_seconds(mirror),
                                                       mirror->now, &mirror->report.n_pruned, err))
        return false;
    for (i = 0; i < mirror->n_suites; i++)
        if (!hallmark_repository_remember(mirror->suites[i].upstream, err))
            return false;
    return true;
}

/* ---- The switch ----------------------------------------------------------------------------- */

/* Replaces the files whose bytes upstream has changed without giving them a new name. Between here
 * and the switch, and for those who hold the older manifest, they differ from what is signed: that
 * cannot be helped, and is why a path should stand for the same bytes. */
static bool replace_changed(struct mirror *mirror, struct hallmark_error *err)
{
    struct mirror_loose from;
    struct tree_stamp stamp;
    char *waiting;
    bool ok = true;
    size_t i;

    if (!mirror->report.n_replaced)
        return true;
    if (!file_sync_all(mirror->rootfd, "the tree", err))
        return false;
    for (i = 0; ok && i < mirror->files.n_files; i++) {
        struct mirror_file *file = &mirror->files.files[i];

        if (file->fate != MIRROR_WRONG)
            continue;
        waiting = mirror_fetch_waiting(file, err);
        from = (struct mirror_loose){.dirfd = mirror->stage.fd, .name = waiting, .fd = -1};
        ok = waiting && mirror_tree_place(mirror->rootfd, &from, file->path, &stamp, err);
        if (ok)
            mirror_files_placed(file, &stamp);
        free(waiting);
    }
    return ok;
}

static int compare_staged(const void *a, const void *b)
{
    const struct mirror_staged *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static bool switch_to_staged(struct mirror *mirror, struct hallmark_error *err)
{
    struct publish_file *files = alloc_array(mirror->n_staged, sizeof *files);
    size_t i, n = 0;
    bool ok;

    /* Two indexes of one directory with the same bytes have one name by hash. */
    qsort(mirror->staged, mirror->n_staged, sizeof *mirror->staged, compare_staged);
    for (i = 0; i < mirror->n_staged; i++) {
        const struct mirror_staged *staged = &mirror->staged[i];

        if (n && strcmp(files[n - 1].name, staged->name) == 0)
            continue;
        files[n++] = (struct publish_file){
            .name = staged->name, .staged = staged->staged, .mtime = staged->mtime};
    }
    ok = publish_commit(mirror->rootfd, files, n, err);
    free(files);
    return ok;
}

static void copy_list(struct strlist *to, const struct strlist *from)
{
    size_t i;

    for (i = 0; i < from->n_items; i++)
        strlist_add(to, from->items[i]);
}

/* Remembers what is complete now; a crash before that costs the next run some reading. */
static bool remember(struct mirror *mirror, struct hallmark_error *err)
{
    struct mirror_record record = {0};
    struct mirror_retired_list retired = {0};
    struct digest_cache *cache = mirror_files_cache(&mirror->files);
    bool ok;
    size_t i;

    mirror_commit_retire(&retired, &mirror->retired, mirror->cache, &mirror->files, mirror->now);
    mirror_record_free_retired(&mirror->retired);
    mirror->retired = retired;
    record.source = alloc_strdup(fetch_url(mirror->suites[0].upstream->place.fetch));
    copy_list(&record.components, &mirror->components);
    copy_list(&record.architectures, &mirror->architectures);
    copy_list(&record.packages, &mirror->packages);
    for (i = 0; i < mirror->n_suites; i++)
        mirror_record_add(&record, mirror_upstream_name(&mirror->suites[i]),
                          mirror->suites[i].upstream->verified->sha256,
                          mirror->suites[i].upstream->verified->release.date);
    /* What the cache forgets must be known as retired before. */
    ok = mirror_record_save_retired(mirror->statefd, &mirror->retired, err) &&
         digest_cache_save(cache, mirror->statefd, err) &&
         mirror_record_save(mirror->statefd, &record, err);
    mirror_record_free(&record);
    digest_cache_free(cache);
    return ok;
}

bool mirror_commit(struct mirror *mirror, struct hallmark_error *err)
{
    return replace_changed(mirror, err) && switch_to_staged(mirror, err) &&
           mirror_trace_write(mirror, err) && remember(mirror, err) &&
           mirror_commit_tidy(mirror, err);
}
