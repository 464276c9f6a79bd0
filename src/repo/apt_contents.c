/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contents of the packages of a tree. */
#include "repo/apt_contents.h"

#include <string.h>

#include "base/strlist.h"
#include "format/contents.h"
#include "format/deb822.h"

bool apt_contents_open(struct apt_tree *tree, const struct hallmark_settings *settings, int statefd,
                       int spoolfd)
{
    const char *value = settings->values[SETTINGS_CONTENTS];
    struct hallmark_error ignored = {0}; /* a lost cache costs time */

    if (!value || strcmp(value, "yes") != 0)
        return false;
    apt_tree_use_contents(
        tree, contents_cache_open(
                  statefd, spoolfd >= 0 ? CONTENTS_CACHE_WRITE : CONTENTS_CACHE_READ, &ignored));
    return true;
}

/* Packages of the installer are not installed, so nobody looks for their files. */
static bool is_needed(struct apt_tree *tree, const char *path)
{
    static const char udeb[] = ".udeb";
    size_t len = strlen(path);

    return apt_tree_contents(tree) &&
           (len < sizeof udeb || strcmp(path + len + 1 - sizeof udeb, udeb) != 0);
}

bool apt_contents_knows(struct apt_tree *tree, const struct release_entry *entry)
{
    return !is_needed(tree, entry->path) ||
           contents_cache_has(apt_tree_contents(tree), entry->sha256);
}

bool apt_contents_add(struct apt_tree *tree, const struct release_entry *entry,
                      struct bytes_view paths, struct hallmark_error *err)
{
    struct bytes list = {0};
    bool ok = true;

    if (!apt_contents_knows(tree, entry))
        ok = contents_pack(paths, entry->path, &list, err) &&
             contents_cache_put(apt_tree_contents(tree), entry->sha256, bytes_view(&list), err);
    bytes_free(&list);
    return ok;
}

bool apt_contents_save(struct apt_tree *tree, struct hallmark_error *err)
{
    return !apt_tree_contents(tree) || contents_cache_save(apt_tree_contents(tree), err);
}

/* ---- Writing -------------------------------------------------------------------------------- */

static bool collect(void *ctx, struct bytes_view text, struct hallmark_error *err)
{
    (void)err;
    bytes_append(ctx, text.data, text.len);
    return true;
}

/* Appends the label of PACKAGE to LABELS. */
static bool add_label(struct apt_tree *tree, const struct apt_package *package,
                      struct strlist *labels, struct hallmark_error *err)
{
    struct bytes text = {0}, label = {0};
    struct index_sink sink = {.take = collect, .ctx = &text};
    const struct deb822_field *section;
    struct deb822 stanza;
    bool ok = apt_pool_write(apt_tree_pool(tree), package, &sink, err) &&
              deb822_parse(&stanza, bytes_view(&text), DEB822_CONTROL, package->path, err);

    if (ok) {
        section = deb822_find(&stanza, "Section");
        contents_label(section ? section->value : bytes_view_str(""),
                       bytes_view_str(package->package), &label);
        strlist_add_view(labels, bytes_view(&label));
        deb822_free(&stanza);
    }
    bytes_free(&text);
    bytes_free(&label);
    return ok;
}

static bool add_package(struct apt_tree *tree, const struct apt_package *package,
                        struct contents *contents, struct strlist *labels,
                        struct hallmark_error *err)
{
    struct bytes_view list;

    if (!contents_cache_get(apt_tree_contents(tree), package->sha256, &list, err) ||
        !add_label(tree, package, labels, err))
        return false;
    contents_add(contents, bytes_view_str(labels->items[labels->n_items - 1]), list);
    return true;
}

bool apt_contents_write(struct apt_tree *tree, const struct apt_item *item,
                        const struct index_sink *sink, struct hallmark_error *err)
{
    struct contents *contents = contents_new();
    struct strlist labels = {0};
    const struct apt_package *package;
    bool ok = true;
    size_t i;

    for (i = 0; ok && (package = apt_pool_package(apt_tree_pool(tree), i)) != NULL; i++)
        if (apt_tree_belongs(package, item))
            ok = add_package(tree, package, contents, &labels, err);
    ok = ok && contents_write(contents, sink->take, sink->ctx, err);
    contents_free(contents);
    strlist_free(&labels);
    return ok;
}
