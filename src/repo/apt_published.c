/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading published indexes. */
#include "repo/apt_published.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "repo/apt_files.h"

/* Where to, and where from. */
struct loading {
    struct apt_pool *pool;
    struct apt_sources *sources;
    struct publication *before;
    int rootfd;
};

/* Reads the index at PATH, which is not hashed where it is known by its stamp; but Sources is, out
 * of which stanzas are taken without a second look. */
static bool load_index(struct loading *l, const char *path, const struct release_entry *entry,
                       struct hallmark_error *err)
{
    struct apt_pool_index index = {.rootfd = l->rootfd, .path = path, .entry = entry};
    struct index_stamps_look look;
    bool is_right = true, ok;

    index.is_known = index_stamps_knows(l->before->stamps, path, entry, &look);
    if (strcmp(path_basename(path), "Sources") == 0)
        ok = apt_sources_load(l->sources, l->rootfd, path, entry, &is_right, err);
    else
        ok = apt_pool_load(l->pool, &index, &is_right, err);
    if (ok && is_right)
        index_stamps_note(l->before->stamps, path, entry, &look);
    if (!is_right)
        l->before->is_intact = false;
    return ok;
}

static bool is_read(const char *path)
{
    const char *name = path_basename(path);

    return strcmp(name, "Packages") == 0 || strcmp(name, "Sources") == 0;
}

static bool load_suite(struct loading *l, const struct publication_suite *suite,
                       struct hallmark_error *err)
{
    const struct release *release = &suite->release;
    char *path;
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < release->n_entries; i++) {
        path = path_join(suite->directory, release->entries[i].path);
        ok = is_read(path) ? load_index(l, path, &release->entries[i], err)
                           : apt_files_check(l->rootfd, path, &release->entries[i], l->before, err);
        free(path);
    }
    return ok;
}

bool apt_published_load(struct apt_pool *pool, struct apt_sources *sources, int rootfd,
                        struct publication *before, struct hallmark_error *err)
{
    struct loading l = {.pool = pool, .sources = sources, .before = before, .rootfd = rootfd};
    size_t i;
    bool ok = true;

    for (i = 0; ok && i < before->suites.n_suites; i++)
        ok = load_suite(&l, &before->suites.suites[i], err);
    ok = ok && apt_files_check_places(rootfd, before, err);
    if (!before->is_intact) {
        apt_pool_distrust(pool);
        apt_sources_distrust(sources);
    }
    return ok;
}
