/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a package by path, file name, or name. */
#include "repo/package_find.h"

#include <string.h>

#include "base/path.h"
#include "format/package_name.h"

/* The entries that match equally well. */
struct candidates {
    const struct release_entry *best;
    size_t n;           /* how many */
    struct bytes texts; /* their paths, ", " between */
};

enum { CANDIDATES_SHOWN = 10 };

static void candidates_add(struct candidates *c, const struct release_entry *entry)
{
    c->best = entry;
    c->n++;
    if (c->n <= CANDIDATES_SHOWN)
        bytes_printf(&c->texts, "%s%s", c->n > 1 ? ", " : "", entry->path);
    else if (c->n == CANDIDATES_SHOWN + 1)
        bytes_append_str(&c->texts, ", ...");
}

static void candidates_restart(struct candidates *c)
{
    bytes_free(&c->texts);
    *c = (struct candidates){0};
}

static void find_file(const struct release *release, const char *name, struct candidates *c)
{
    size_t i;

    for (i = 0; i < release->n_entries; i++)
        if (strcmp(path_basename(release->entries[i].path), name) == 0)
            candidates_add(c, &release->entries[i]);
}

/* Only archives: a signature or a checksum beside hello-2.10.tar.gz is not the package hello. */
static void find_newest(const struct release *release, const char *name, struct candidates *c)
{
    struct bytes_view newest = {0};
    struct package_name parsed;
    size_t i;
    int order;

    for (i = 0; i < release->n_entries; i++) {
        package_name_parse(&parsed, release->entries[i].path);
        if (parsed.kind == PACKAGE_NAME_OTHER || !bytes_view_equals(parsed.name, name))
            continue;
        order = c->n ? package_name_compare_versions(parsed.version, newest) : 1;
        if (order < 0)
            continue;
        if (order > 0)
            candidates_restart(c);
        newest = parsed.version;
        candidates_add(c, &release->entries[i]);
    }
}

const struct release_entry *package_find(const struct release *release, const char *name,
                                         struct hallmark_error *err)
{
    const struct release_entry *entry = release_find(release, name);
    struct candidates c = {0};

    if (entry)
        return entry;
    find_file(release, name, &c);
    if (c.n == 0)
        find_newest(release, name, &c);
    if (c.n == 0)
        error_set(err, HALLMARK_ERR_NO_PACKAGE, "%s: the manifest lists no such package", name);
    else if (c.n > 1)
        error_set(err, HALLMARK_ERR_USAGE, "%s: several files answer to this name: %s", name,
                  c.texts.data);
    entry = c.n == 1 ? c.best : NULL;
    bytes_free(&c.texts);
    return entry;
}
