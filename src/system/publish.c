/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands at the root: links into the current generation (generation.h), and how plain files
 * are taken over without a reader noticing.
 */
#include "system/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/strlist.h"
#include "system/generation.h"

#define LINK_PREFIX GENERATION_STORE "/" GENERATION_CURRENT "/"
#define NEW_LINK    ".new-link" /* in the store, where generation_clean() removes it */

/* What stands at the root under a name that we publish. */
enum place {
    PLACE_EMPTY, /* nothing */
    PLACE_LINK,  /* our link */
    PLACE_MADE,  /* our link, made by this run where nothing was */
    PLACE_PLAIN, /* a regular file of somebody else */
};

/* One publication. */
struct publication {
    struct generation_store store;
    const struct publish_file *files;
    enum place *places; /* of each file */
    size_t n_files;
};

static bool is_our_link(int rootfd, const char *name)
{
    char target[GENERATION_LINK_ROOM];
    size_t prefix_len = strlen(LINK_PREFIX);

    return generation_read_link(rootfd, name, target) &&
           strncmp(target, LINK_PREFIX, prefix_len) == 0 && strcmp(target + prefix_len, name) == 0;
}

/* Finds out what stands at NAME. */
static bool look_at(int rootfd, const char *name, enum place *out, struct hallmark_error *err)
{
    struct stat st;
    const char *what = "a special file";

    if (fstatat(rootfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        *out = PLACE_EMPTY;
        return errno == ENOENT || error_set_errno(err, "%s", name);
    }
    *out = S_ISREG(st.st_mode) ? PLACE_PLAIN : PLACE_LINK;
    if (S_ISREG(st.st_mode) || (S_ISLNK(st.st_mode) && is_our_link(rootfd, name)))
        return true;
    if (S_ISLNK(st.st_mode))
        what = "a symbolic link to another place";
    else if (S_ISDIR(st.st_mode))
        what = "a directory";
    return error_set(err, HALLMARK_ERR_USAGE,
                     "%s: is %s; move it away, the manifest is published there", name, what);
}

/* Makes our link at NAME, in one step where something stands there already. */
static bool make_link(const struct generation_store *store, const char *name, enum place place,
                      struct hallmark_error *err)
{
    char *target = alloc_printf("%s%s", LINK_PREFIX, name);
    bool ok;

    if (place == PLACE_EMPTY) {
        ok = symlinkat(target, store->rootfd, name) == 0;
    } else {
        ok = symlinkat(target, store->fd, NEW_LINK) == 0 &&
             renameat(store->fd, NEW_LINK, store->rootfd, name) == 0;
    }
    if (!ok)
        error_set_errno(err, "%s: cannot make the link", name);
    if (!ok && place != PLACE_EMPTY)
        unlinkat(store->fd, NEW_LINK, 0);
    free(target);
    return ok;
}

/* Makes our links in all places of the kind FROM, which become TO. */
static bool make_links(struct publication *p, enum place from, enum place to,
                       struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < p->n_files; i++) {
        if (p->places[i] != from)
            continue;
        if (!make_link(&p->store, p->files[i].name, from, err))
            return false;
        p->places[i] = to;
    }
    return true;
}

static void remove_made_links(const struct publication *p)
{
    size_t i;

    for (i = 0; i < p->n_files; i++)
        if (p->places[i] == PLACE_MADE)
            unlinkat(p->store.rootfd, p->files[i].name, 0);
}

/* ---- Taking over plain files ---- */

/* What readers see now, as the files of a generation. */
struct view {
    struct publish_file *files;
    struct bytes *data; /* of each file */
    struct strlist names;
    size_t n_files, files_cap, data_cap;
};

static void view_free(struct view *view)
{
    size_t i;

    for (i = 0; i < view->n_files; i++)
        bytes_free(&view->data[i]);
    strlist_free(&view->names);
    free(view->files);
    free(view->data);
}

/* Adds what the regular file NAME in DIRFD holds; nothing where there is none. */
static bool view_add(struct view *view, int dirfd, const char *name, struct hallmark_error *err)
{
    struct bytes data = {0};
    size_t n = view->n_files;
    int fd = file_open_beneath(dirfd, name, err);
    bool ok;

    if (fd < 0)
        return errno == ENOENT || error_set_errno(err, "%s", name);
    ok = file_read_fd(fd, name, LIMITS_ADOPTED_BYTES, &data, err);
    file_close(&fd);
    if (!ok) {
        bytes_free(&data);
        return false;
    }
    view->files = alloc_one_more(view->files, n, &view->files_cap, sizeof *view->files);
    view->data = alloc_one_more(view->data, n, &view->data_cap, sizeof *view->data);
    strlist_add(&view->names, name);
    view->data[n] = data;
    view->files[n].name = view->names.items[n];
    view->files[n].data = bytes_view(&view->data[n]);
    view->n_files++;
    return true;
}

/* Whether readers get NAME through our link. */
static bool is_linked(const struct publication *p, const char *name)
{
    size_t i;

    for (i = 0; i < p->n_files; i++)
        if (strcmp(p->files[i].name, name) == 0)
            return p->places[i] == PLACE_LINK;
    return true; /* a name that is not published any more */
}

/* Adds those files of the current generation that readers get. */
static bool view_add_current(struct view *view, const struct publication *p,
                             struct hallmark_error *err)
{
    struct strlist names = {0};
    int fd = generation_open_directory(&p->store, p->store.current, err);
    bool ok = fd >= 0 && generation_list(fd, &names, err);
    size_t i;

    for (i = 0; ok && i < names.n_items; i++)
        if (is_linked(p, names.items[i]))
            ok = view_add(view, fd, names.items[i], err);
    strlist_free(&names);
    file_close(&fd);
    return ok;
}

/* Whether readers see anything else at the root than the current generation, which making links and
 * switching would show to them in more than one step. */
static bool needs_adoption(const struct publication *p)
{
    char name[GENERATION_NAME_LEN], *path;
    struct stat st;
    size_t i;
    bool found = false;

    generation_name(name, p->store.current);
    for (i = 0; i < p->n_files && !found; i++) {
        path = alloc_printf("%s/%s", name, p->files[i].name);
        found = p->places[i] == PLACE_PLAIN ||
                (p->places[i] == PLACE_EMPTY && p->store.current &&
                 fstatat(p->store.fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0);
        free(path);
    }
    return found;
}

/* Makes a generation out of what readers see now current, then puts our links in the place of plain
 * files: the bytes stay the same throughout. */
static bool adopt(struct publication *p, struct hallmark_error *err)
{
    struct view view = {0};
    unsigned long number;
    bool ok = !p->store.current || view_add_current(&view, p, err);
    size_t i;

    for (i = 0; ok && i < p->n_files; i++)
        if (p->places[i] == PLACE_PLAIN)
            ok = view_add(&view, p->store.rootfd, p->files[i].name, err);
    ok = ok && generation_add(&p->store, view.files, view.n_files, &number, err);
    if (ok && !generation_switch(&p->store, number, err)) {
        if (p->store.current != number)
            generation_remove(&p->store, number, NULL);
        ok = false;
    }
    ok = ok && make_links(p, PLACE_PLAIN, PLACE_LINK, err);
    view_free(&view);
    return ok;
}

/* ---- The contract ---- */

static bool commit(struct publication *p, struct hallmark_error *err)
{
    unsigned long number;
    size_t i;
    bool ok;

    for (i = 0; i < p->n_files; i++)
        if (!look_at(p->store.rootfd, p->files[i].name, &p->places[i], err))
            return false;
    if ((needs_adoption(p) && !adopt(p, err)) ||
        !generation_add(&p->store, p->files, p->n_files, &number, err))
        return false;
    /* The links are durable before what they lead to appears, all at once. */
    ok = make_links(p, PLACE_EMPTY, PLACE_MADE, err) &&
         file_sync(p->store.rootfd, "the root", err) && generation_switch(&p->store, number, err);
    if (!ok && p->store.current != number) {
        remove_made_links(p);
        generation_remove(&p->store, number, NULL);
    }
    return ok;
}

bool publish_commit(int rootfd, const struct publish_file *files, size_t n_files,
                    struct hallmark_error *err)
{
    struct publication p = {.files = files, .n_files = n_files};
    bool ok;

    p.places = alloc_array(n_files, sizeof *p.places);
    ok = generation_open_or_create(&p.store, rootfd, err);
    if (ok) {
        /* What cannot be removed (a reader over NFS has it open, say) is told by publish_prune();
         * here it matters only if it is in the way. */
        generation_clean(&p.store, NULL);
        ok = commit(&p, err);
    }
    if (!ok && p.store.is_new)
        unlinkat(rootfd, GENERATION_STORE, AT_REMOVEDIR);
    generation_close(&p.store);
    free(p.places);
    return ok;
}

bool publish_is_intact(int rootfd, const char *const *names, size_t n_names)
{
    char target[GENERATION_LINK_ROOM];
    struct stat st;
    int store = generation_openat(rootfd, GENERATION_STORE), generation = -1;
    size_t i;
    bool ok;

    if (store >= 0 && generation_read_link(store, GENERATION_CURRENT, target) &&
        generation_number(target))
        generation = generation_openat(store, target);
    ok = generation >= 0;
    for (i = 0; ok && i < n_names; i++)
        ok = is_our_link(rootfd, names[i]) &&
             fstatat(generation, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
    file_close(&generation);
    file_close(&store);
    return ok;
}

bool publish_clean(int rootfd, struct hallmark_error *err)
{
    struct generation_store store;
    bool ok =
        generation_open(&store, rootfd, err) && (store.fd < 0 || generation_clean(&store, err));

    generation_close(&store);
    return ok;
}

static bool prune(const struct generation_store *store, size_t keep, int64_t oldest,
                  size_t *n_removed, struct hallmark_error *err)
{
    int64_t superseded = 0;
    size_t i;

    for (i = 0; i < store->n_numbers && store->n_numbers - i > keep; i++) {
        if (!generation_made_at(store, store->numbers[i + 1], &superseded, err))
            return false;
        if (superseded >= oldest)
            continue;
        if (!generation_remove(store, store->numbers[i], err))
            return false;
        ++*n_removed;
    }
    return true;
}

bool publish_prune(int rootfd, size_t keep, int64_t keep_seconds, int64_t now, size_t *n_removed,
                   struct hallmark_error *err)
{
    struct generation_store store;
    bool ok = generation_open(&store, rootfd, err);

    *n_removed = 0;
    ok = ok && (store.fd < 0 || generation_clean(&store, err));
    /* Cleaning left the current generation as the newest, which KEEP spares. */
    if (ok && store.current)
        ok = prune(&store, keep ? keep : 1, now - keep_seconds, n_removed, err);
    generation_close(&store);
    return ok;
}
