/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Components and architectures out of paths. */
#include "repo/mirror_cover.h"

#include <string.h>

#include "base/strlist.h"
#include "repo/index.h"

/* The first component of *REST, which becomes what is behind it. */
static struct bytes_view take_component(struct bytes_view *rest)
{
    const char *slash = memchr(rest->data, '/', rest->len);
    size_t len = slash ? (size_t)(slash - rest->data) : rest->len;
    struct bytes_view component = bytes_view_of(rest->data, len);

    *rest = bytes_view_of(rest->data + len + (slash != NULL), rest->len - len - (slash != NULL));
    return component;
}

/* "main" of "updates/main". */
static const char *last_of(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

static bool names_component(struct bytes_view directory, const struct strlist *names)
{
    size_t i;

    for (i = 0; i < names->n_items; i++)
        if (bytes_view_equals(directory, last_of(names->items[i])) ||
            bytes_view_equals(directory, names->items[i]))
            return true;
    return false;
}

/* What stands at the root of a suite, and directories that are no components, are of all of them.
 */
static bool has_component(const struct hallmark_repository *repository, const char *path)
{
    const struct release *release = &repository->verified->release;
    struct bytes_view rest = bytes_view_str(path), first = take_component(&rest);

    return repository->components.n_items == 0 || rest.len == 0 ||
           !names_component(first, &release->components) ||
           names_component(first, &repository->components);
}

/* Whether NAME, without its suffixes, is ARCHITECTURE or ends with a "-" and it. */
static bool ends_with(struct bytes_view name, const char *architecture)
{
    size_t len = strlen(architecture);

    return name.len >= len && memcmp(name.data + name.len - len, architecture, len) == 0 &&
           (name.len == len || name.data[name.len - len - 1] == '-');
}

/* The architecture that one component of a path names; NULL for none. Of several that fit, the
 * longest: "kfreebsd-amd64" is not "amd64". */
static const char *architecture_of(struct bytes_view name, const struct strlist *known)
{
    const char *found = NULL, *dot = memchr(name.data, '.', name.len);
    size_t i;

    if (dot)
        name.len = (size_t)(dot - name.data);
    for (i = 0; i < known->n_items; i++)
        if (ends_with(name, known->items[i]) && (!found || strlen(known->items[i]) > strlen(found)))
            found = known->items[i];
    return found ? found : ends_with(name, "source") ? "source" : NULL;
}

static bool has_architecture(const struct hallmark_repository *repository, const char *path)
{
    const struct strlist *known = &repository->verified->release.architectures;
    struct bytes_view rest = bytes_view_str(path);
    const char *architecture;

    while (repository->architectures.n_items && rest.len) {
        architecture = architecture_of(take_component(&rest), known);
        if (architecture && strcmp(architecture, "all") != 0 &&
            !strlist_has(&repository->architectures, architecture))
            return false;
    }
    return true;
}

static bool is_patch_index(const char *path)
{
    static const char suffix[] = ".diff/Index";
    size_t len = strlen(path);

    return len >= sizeof suffix - 1 && strcmp(path + len - (sizeof suffix - 1), suffix) == 0;
}

bool mirror_cover_has(const struct hallmark_repository *repository, const char *path)
{
    struct index_path index;

    if (index_path_parse(&index, path))
        return index_is_wanted(repository, &index);
    return !is_patch_index(path) && has_component(repository, path) &&
           has_architecture(repository, path);
}

bool mirror_cover_check_path(const char *path, struct hallmark_error *err)
{
    if (path[0] != '.' && !strstr(path, "/."))
        return true;
    return error_set(err, HALLMARK_ERR_MALFORMED,
                     "%s: a component starts with \".\": a mirror writes no hidden files", path);
}
