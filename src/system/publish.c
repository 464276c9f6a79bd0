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
#include "system/publish_content.h"

#define LINK_PREFIX GENERATION_STORE "/" GENERATION_CURRENT "/"
#define NEW_LINK    ".new-link" /* in the store, where generation_clean() removes it */
/* Likewise, but never removed: a link before the exchange, somebody's directory after it. */
#define TAKEN_OVER "taken-over"

/* What stands at the root under a name that we publish. */
enum place {
    PLACE_EMPTY, /* nothing */
    PLACE_LINK,  /* our link */
    PLACE_MADE,  /* our link, made by this run where nothing was */
    PLACE_PLAIN, /* a regular file of somebody else */
    PLACE_TREE,  /* a directory of somebody else, where we publish a directory */
};

/* One publication. */
struct publication {
    struct generation_store store;
    const struct publish_file *files;
    size_t n_files;
    struct strlist roots; /* what stands at the root: the first components of the files' names */
    enum place *places;   /* of each of these */
    struct strlist stale; /* our links at the root that the new generation has no use for */
};

static bool is_our_link(int rootfd, const char *name)
{
    char target[GENERATION_LINK_ROOM];
    size_t prefix_len = strlen(LINK_PREFIX);

    return generation_read_link(rootfd, name, target) &&
           strncmp(target, LINK_PREFIX, prefix_len) == 0 && strcmp(target + prefix_len, name) == 0;
}

/* Whether a directory is published at NAME, and may take the place of another one. */
static bool is_exchangeable(const struct publication *p, const char *name)
{
    size_t i, len = strlen(name);

    for (i = 0; i < p->n_files && strcmp(name, PUBLISH_CONTENT_BY_HASH) != 0; i++)
        if (strncmp(p->files[i].name, name, len) == 0 && p->files[i].name[len] == '/')
            return true;
    return false;
}

/* Finds out what stands at NAME. */
static bool look_at(const struct publication *p, const char *name, enum place *out,
                    struct hallmark_error *err)
{
    int rootfd = p->store.rootfd;
    struct stat st;
    const char *what = "a special file";

    if (fstatat(rootfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        *out = PLACE_EMPTY;
        return errno == ENOENT || error_set_errno(err, "%s", name);
    }
    *out = S_ISREG(st.st_mode) ? PLACE_PLAIN : PLACE_LINK;
    errno = 0;
    if ((S_ISREG(st.st_mode) && !is_exchangeable(p, name)) ||
        (S_ISLNK(st.st_mode) && is_our_link(rootfd, name)))
        return true;
    if (S_ISDIR(st.st_mode) && is_exchangeable(p, name)) {
        *out = PLACE_TREE;
        return true;
    }
    if (S_ISLNK(st.st_mode) && errno && errno != ENAMETOOLONG)
        return error_set_errno(err, "%s: cannot read the link", name);
    if (S_ISLNK(st.st_mode))
        what = "a symbolic link to another place";
    else if (S_ISDIR(st.st_mode))
        what = "a directory";
    else if (S_ISREG(st.st_mode))
        what = "a file";
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

    for (i = 0; i < p->roots.n_items; i++) {
        if (p->places[i] != from)
            continue;
        if (!make_link(&p->store, p->roots.items[i], from, err))
            return false;
        p->places[i] = to;
    }
    return true;
}

static void remove_made_links(const struct publication *p)
{
    size_t i;

    for (i = 0; i < p->roots.n_items; i++)
        if (p->places[i] == PLACE_MADE)
            unlinkat(p->store.rootfd, p->roots.items[i], 0);
}

/* Adds the names of our links in the directory FD to OUT. */
static bool list_our_links(int fd, struct strlist *out, struct hallmark_error *err)
{
    struct strlist names = {0};
    bool ok = generation_list(fd, &names, err);
    size_t i;

    for (i = 0; ok && i < names.n_items; i++)
        if (is_our_link(fd, names.items[i]))
            strlist_add(out, names.items[i]);
    strlist_free(&names);
    return ok;
}

/* Finds the links to what the new generation has not. */
static bool find_stale_links(struct publication *p, struct hallmark_error *err)
{
    struct strlist links = {0};
    bool ok = list_our_links(p->store.rootfd, &links, err);
    size_t i;

    for (i = 0; ok && i < links.n_items; i++)
        if (!strlist_has(&p->roots, links.items[i]))
            strlist_add(&p->stale, links.items[i]);
    strlist_free(&links);
    return ok;
}

static bool remove_stale_links(const struct publication *p, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < p->stale.n_items; i++)
        if (unlinkat(p->store.rootfd, p->stale.items[i], 0) < 0)
            return error_set_errno(err, "%s: cannot remove the link", p->stale.items[i]);
    return p->stale.n_items == 0 || file_sync(p->store.rootfd, "the root", err);
}

/* ---- Taking over plain files ---- */

/* Whether readers get NAME through our link. */
static bool is_linked(const struct publication *p, const char *name)
{
    size_t i, len = strcspn(name, "/");

    for (i = 0; i < p->roots.n_items; i++)
        if (bytes_view_equals(bytes_view_of(name, len), p->roots.items[i]))
            return p->places[i] == PLACE_LINK;
    return true; /* a name that is not published any more */
}

/* Adds those files of the current generation that readers get. */
static bool add_current(struct publish_content *view, const struct publication *p,
                        struct hallmark_error *err)
{
    struct strlist names = {0};
    int fd = generation_open_directory(&p->store, p->store.current, err);
    bool ok = fd >= 0 && generation_list_files(fd, &names, err);
    size_t i;

    for (i = 0; ok && i < names.n_items; i++)
        if (is_linked(p, names.items[i]))
            publish_content_link(view, names.items[i], p->store.current);
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
    for (i = 0; i < p->roots.n_items && !found; i++) {
        path = alloc_printf("%s/%s", name, p->roots.items[i]);
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
    struct publish_content view = {0};
    unsigned long number;
    bool ok = !p->store.current || add_current(&view, p, err);
    size_t i;

    for (i = 0; ok && i < p->roots.n_items; i++)
        if (p->places[i] == PLACE_PLAIN)
            ok = publish_content_read(&view, p->store.rootfd, p->roots.items[i], err);
    ok = ok && generation_add(&p->store, view.files, view.n_files, &number, err);
    if (ok && !generation_switch(&p->store, number, err)) {
        if (p->store.current != number)
            generation_remove(&p->store, number, NULL);
        ok = false;
    }
    ok = ok && make_links(p, PLACE_PLAIN, PLACE_LINK, err);
    publish_content_free(&view);
    return ok;
}

/* ---- The contract ---- */

static bool has_by_hash(const struct publication *p)
{
    size_t i;

    for (i = 0; i < p->n_files; i++)
        if (publish_content_is_by_hash(p->files[i].name))
            return true;
    return false;
}

/* Adds the new generation: the files, and what older generations have below by-hash. */
static bool add_generation(struct publication *p, unsigned long *number, struct hallmark_error *err)
{
    struct publish_content content = {0};
    bool ok = true;
    size_t i;

    for (i = 0; ok && i < p->n_files; i++) {
        if (p->files[i].is_carried && !p->store.current)
            ok = error_set(err, HALLMARK_ERR_CONTENT, "%s: has gone meanwhile", p->files[i].name);
        publish_content_add(&content, (struct generation_file){
                                          .name = p->files[i].name,
                                          .data = p->files[i].data,
                                          .mtime = p->files[i].mtime,
                                          .staged = p->files[i].staged,
                                          .from = p->files[i].is_carried ? p->store.current : 0});
    }
    for (i = p->store.n_numbers; ok && i > 0 && has_by_hash(p); i--)
        ok = publish_content_carry(&content, &p->store, p->store.numbers[i - 1], err);
    ok = ok && generation_add(&p->store, content.files, content.n_files, number, err);
    publish_content_free(&content);
    return ok;
}

/* Our link for a directory of somebody else waits where that is going to be. */
static bool prepare_exchange(const struct publication *p, const char *name,
                             struct hallmark_error *err)
{
    char *target = alloc_printf("%s%s", LINK_PREFIX, name);
    struct stat st;
    bool ok;

    if (fstatat(p->store.fd, TAKEN_OVER, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode))
        ok = error_set(err, HALLMARK_ERR_USAGE,
                       "%s: is a directory that another tool made, and %s holds an older one of "
                       "that kind; move that away",
                       name, PUBLISH_TAKEN_OVER);
    else
        ok = (unlinkat(p->store.fd, TAKEN_OVER, 0) == 0 || errno == ENOENT) &&
             symlinkat(target, p->store.fd, TAKEN_OVER) == 0;
    if (!ok)
        error_set_errno(err, "%s: cannot make the link", PUBLISH_TAKEN_OVER);
    free(target);
    return ok;
}

/* The one step in which readers stop seeing the directory and see the current generation. */
static bool exchange(const struct publication *p, const char *name, struct hallmark_error *err)
{
    if (renameat2(p->store.fd, TAKEN_OVER, p->store.rootfd, name, RENAME_EXCHANGE) == 0)
        return true;
    if (errno == EINVAL || errno == ENOSYS)
        error_set(err, HALLMARK_ERR_USAGE,
                  "%s: is a directory that another tool made, which this file system cannot "
                  "exchange with a link in one step; move it away",
                  name);
    else
        error_set_errno(err, "%s: cannot exchange it with a link", name);
    unlinkat(p->store.fd, TAKEN_OVER, 0);
    return false;
}

/* The directory of somebody else, NULL where there is none. */
static const char *find_tree(const struct publication *p)
{
    size_t i;

    for (i = 0; i < p->roots.n_items; i++)
        if (p->places[i] == PLACE_TREE)
            return p->roots.items[i];
    return NULL;
}

/* Makes nothing, or what was before, current again. */
static void switch_back(struct publication *p, unsigned long before)
{
    if (before ? !generation_switch(&p->store, before, NULL)
               : unlinkat(p->store.fd, GENERATION_CURRENT, 0) < 0)
        return;
    p->store.current = before;
}

static bool look_around(struct publication *p, struct hallmark_error *err)
{
    size_t i, n_trees = 0;

    for (i = 0; i < p->roots.n_items; i++) {
        if (!look_at(p, p->roots.items[i], &p->places[i], err))
            return false;
        n_trees += p->places[i] == PLACE_TREE;
    }
    return n_trees <= 1 || error_set(err, HALLMARK_ERR_USAGE,
                                     "%s: is one of several directories that another tool made; "
                                     "move it away",
                                     p->roots.items[0]);
}

static bool commit(struct publication *p, struct hallmark_error *err)
{
    unsigned long number, before;
    const char *tree;
    bool ok;

    /* Files may have come here a moment ago, and what lists them must not outlast them; the store
     * itself may be new. */
    if (!file_sync_all(p->store.rootfd, "the tree", err))
        return false;
    if (!look_around(p, err) || !find_stale_links(p, err) ||
        (needs_adoption(p) && !adopt(p, err)) || !add_generation(p, &number, err))
        return false;
    before = p->store.current;
    tree = find_tree(p);
    /* The links are durable before what they lead to appears, all at once. */
    ok = make_links(p, PLACE_EMPTY, PLACE_MADE, err) && (!tree || prepare_exchange(p, tree, err)) &&
         file_sync(p->store.rootfd, "the root", err) && generation_switch(&p->store, number, err);
    if (ok && tree && !exchange(p, tree, err)) {
        ok = false;
        switch_back(p, before);
    }
    if (!ok && p->store.current != number) {
        remove_made_links(p);
        generation_remove(&p->store, number, NULL);
    }
    return ok && (!tree || file_sync(p->store.rootfd, "the root", err)) &&
           (!tree || file_sync(p->store.fd, GENERATION_STORE, err)) && remove_stale_links(p, err);
}

static void find_roots(struct publication *p)
{
    size_t i;
    char *name;

    for (i = 0; i < p->n_files; i++) {
        name = alloc_strndup(p->files[i].name, strcspn(p->files[i].name, "/"));
        if (!strlist_has(&p->roots, name))
            strlist_add(&p->roots, name);
        free(name);
    }
    p->places = alloc_array(p->roots.n_items, sizeof *p->places);
}

bool publish_commit(int rootfd, const struct publish_file *files, size_t n_files,
                    struct hallmark_error *err)
{
    struct publication p = {.files = files, .n_files = n_files};
    bool ok;

    find_roots(&p);
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
    strlist_free(&p.roots);
    strlist_free(&p.stale);
    free(p.places);
    return ok;
}

/* Says that NAME is not in place. False with an error where errno tells that nobody knows. */
static bool set_missing(bool *is_intact, const char *name, struct hallmark_error *err)
{
    *is_intact = false;
    return file_is_absent(errno) || errno == EINVAL /* it is no link */ ||
           errno == ENAMETOOLONG /* or not one of ours */ || error_set_errno(err, "%s", name);
}

/* Looks for our link for NAME at the root, and for the file in the generation FD. */
static bool check_file(int rootfd, int fd, const char *name, bool *is_intact,
                       struct hallmark_error *err)
{
    char *root = alloc_strndup(name, strcspn(name, "/"));
    struct stat st = {0};
    bool ok = true;

    errno = ENOENT;
    if (!is_our_link(rootfd, root) || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        ok = set_missing(is_intact, name, err);
    else if (!S_ISREG(st.st_mode))
        *is_intact = false;
    free(root);
    return ok;
}

static bool check_links(int rootfd, int fd, bool *is_intact, struct hallmark_error *err)
{
    struct strlist links = {0};
    struct stat st;
    bool ok = list_our_links(rootfd, &links, err);
    size_t i;

    for (i = 0; ok && *is_intact && i < links.n_items; i++)
        if (fstatat(fd, links.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
            ok = set_missing(is_intact, links.items[i], err);
    strlist_free(&links);
    return ok;
}

/* *OUT is the directory of the current generation, -1 where there is none. */
static bool open_current(int rootfd, int *out, bool *is_intact, struct hallmark_error *err)
{
    char target[GENERATION_LINK_ROOM];
    int store = generation_openat(rootfd, GENERATION_STORE);
    bool ok = true;

    *out = -1;
    if (store < 0)
        ok = set_missing(is_intact, GENERATION_STORE, err);
    else if (!generation_read_link(store, GENERATION_CURRENT, target))
        ok = set_missing(is_intact, GENERATION_STORE "/" GENERATION_CURRENT, err);
    else if (!generation_number(target))
        *is_intact = false;
    else if ((*out = generation_openat(store, target)) < 0)
        ok = set_missing(is_intact, target, err) || error_prefix(err, "%s", GENERATION_STORE);
    file_close(&store);
    return ok;
}

bool publish_check(int rootfd, const char *const *names, size_t n_names, bool *is_intact,
                   struct hallmark_error *err)
{
    int generation;
    size_t i;
    bool ok;

    *is_intact = true;
    ok = open_current(rootfd, &generation, is_intact, err);
    for (i = 0; ok && *is_intact && i < n_names; i++)
        ok = check_file(rootfd, generation, names[i], is_intact, err);
    ok = ok && (!*is_intact || check_links(rootfd, generation, is_intact, err));
    file_close(&generation);
    return ok;
}

static bool clean(struct generation_store *store, struct hallmark_error *err)
{
    return generation_clean(store, err) && (file_remove_tree(store->fd, GENERATION_STAGE, err) ||
                                            error_prefix(err, "%s", GENERATION_STORE));
}

bool publish_clean(int rootfd, struct hallmark_error *err)
{
    struct generation_store store;
    bool ok = generation_open(&store, rootfd, err) && (store.fd < 0 || clean(&store, err));

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
    ok = ok && (store.fd < 0 || clean(&store, err));
    /* Cleaning left the current generation as the newest, which KEEP spares. */
    if (ok && store.current)
        ok = prune(&store, keep ? keep : 1, now - keep_seconds, n_removed, err);
    generation_close(&store);
    return ok;
}
