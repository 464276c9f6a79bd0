/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy for one entry of an archive. */
#include "system/entry.h"

#include <string.h>

#include "base/encoding.h"
#include "base/limits.h"

enum {
    FILE_MODE_GRANTED = 0755, /* no set-id, no sticky bit, no writing by others */
    FILE_MODE_NEEDED = 0600,
    DIRECTORY_MODE_NEEDED = 0700,
    NSEC_PER_SEC = 1000000000,
    SHOWN = 256, /* bytes of a name in a message */
};

static int shown(struct bytes_view text)
{
    return text.len < SHOWN ? (int)text.len : SHOWN;
}

static bool refuse(const struct entry *entry, const char *why, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_UNSAFE, "the entry \"%.*s\" %s", shown(entry->path),
                     entry->path.data, why);
}

/* Takes the first component off *REST, and the "/" behind it. False when nothing is left. */
static bool next_component(struct bytes_view *rest, struct bytes_view *out)
{
    const char *slash;

    if (rest->len == 0)
        return false;
    slash = memchr(rest->data, '/', rest->len);
    out->data = rest->data;
    out->len = slash ? (size_t)(slash - rest->data) : rest->len;
    rest->data += out->len + (slash != NULL);
    rest->len -= out->len + (slash != NULL);
    return true;
}

static struct bytes_view strip_dots(struct bytes_view path)
{
    while (path.len >= 2 && memcmp(path.data, "./", 2) == 0) {
        path.data += 2;
        path.len -= 2;
    }
    if (bytes_view_equals(path, "."))
        path.len = 0;
    return path;
}

/* What is wrong with a path that strip_dots() has seen; NULL for nothing. */
static const char *path_fault(struct bytes_view path)
{
    struct bytes_view rest = path, component;
    unsigned depth = 0;

    if (path.len > LIMITS_PATH_BYTES)
        return "has a path of more than 4095 bytes";
    if (!encoding_is_printable_text(path))
        return "has a name that is not printable UTF-8";
    if (path.len && path.data[0] == '/')
        return "has an absolute path";
    if (path.len && path.data[path.len - 1] == '/')
        return "has a name that ends in \"/\" and is no directory";
    while (next_component(&rest, &component)) {
        if (bytes_view_equals(component, ".."))
            return "has a path with \"..\"";
        if (component.len == 0 || bytes_view_equals(component, "."))
            return "has a path with an empty component or \".\"";
        if (component.len > LIMITS_COMPONENT_BYTES)
            return "has a component of more than 255 bytes";
        if (++depth > LIMITS_DEPTH)
            return "is more than 64 directories deep";
    }
    return NULL;
}

struct bytes_view entry_parent(struct bytes_view path)
{
    const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;

    path.len = slash ? (size_t)(slash - path.data) : 0;
    return path;
}

static unsigned count_components(struct bytes_view path)
{
    struct bytes_view component;
    unsigned n = 0;

    while (next_component(&path, &component))
        n++;
    return n;
}

/* Whether TARGET, read from inside the directory of PATH, stays in the tree as far as its text
 * goes. */
static bool stays_inside(struct bytes_view path, struct bytes_view target)
{
    struct bytes_view component;
    unsigned depth = count_components(entry_parent(path));

    if (target.data[0] == '/')
        return false;
    while (next_component(&target, &component)) {
        if (component.len == 0 || bytes_view_equals(component, "."))
            continue;
        if (!bytes_view_equals(component, ".."))
            depth++;
        else if (depth-- == 0)
            return false;
    }
    return true;
}

static bool check_symlink(const struct entry *entry, enum hallmark_links links,
                          struct hallmark_error *err)
{
    struct bytes_view target = entry->target;

    if (target.len == 0 || target.len > LIMITS_PATH_BYTES)
        return refuse(entry, "is a link with a target that is empty or has more than 4095 bytes",
                      err);
    if (!encoding_is_printable_text(target))
        return refuse(entry, "is a link with a target that is not printable UTF-8", err);
    if (links == HALLMARK_LINKS_ANY || stays_inside(entry->path, target))
        return true;
    return error_set(err, HALLMARK_ERR_UNSAFE,
                     "the entry \"%.*s\" is a link that leaves the tree, to \"%.*s\" "
                     "(--links=any lets it)",
                     shown(entry->path), entry->path.data, shown(target), target.data);
}

static bool check_kind(const struct entry *entry, struct hallmark_error *err)
{
    switch (entry->kind) {
    case ENTRY_FILE:
    case ENTRY_DIRECTORY:
    case ENTRY_SYMLINK:
    case ENTRY_HARDLINK:
        break;
    case ENTRY_DEVICE:
        return refuse(entry, "is a device", err);
    case ENTRY_FIFO:
        return refuse(entry, "is a fifo", err);
    case ENTRY_SOCKET:
        return refuse(entry, "is a socket", err);
    case ENTRY_OTHER:
    default:
        return refuse(entry, "is neither a file, a directory nor a link", err);
    }
    if (entry->kind != ENTRY_FILE && entry->size != 0)
        return refuse(entry, "is no file and holds data", err);
    return true;
}

static void normalize(struct entry *entry)
{
    entry->mode &= FILE_MODE_GRANTED;
    entry->mode |= entry->kind == ENTRY_DIRECTORY ? DIRECTORY_MODE_NEEDED : FILE_MODE_NEEDED;
    if (entry->mtime < 0 || entry->mtime > LIMITS_TIMESTAMP_MAX) {
        entry->mtime = entry->mtime < 0 ? 0 : LIMITS_TIMESTAMP_MAX;
        entry->mtime_nsec = 0;
    }
    if (entry->mtime_nsec >= NSEC_PER_SEC)
        entry->mtime_nsec = 0;
}

bool entry_check(struct entry *entry, enum hallmark_links links, struct hallmark_error *err)
{
    struct bytes_view path = entry->path;
    const char *fault;

    if (path.len == 0)
        return error_set(err, HALLMARK_ERR_UNSAFE, "an entry has an empty name");
    if (!check_kind(entry, err))
        return false;
    path = strip_dots(path);
    if (entry->kind == ENTRY_DIRECTORY && path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    fault = path_fault(path);
    if (fault)
        return refuse(entry, fault, err);
    if (path.len == 0 && entry->kind != ENTRY_DIRECTORY)
        return refuse(entry, "is the tree itself and no directory", err);
    entry->path = path;
    if (entry->kind == ENTRY_SYMLINK && !check_symlink(entry, links, err))
        return false;
    if (entry->kind == ENTRY_HARDLINK) {
        entry->target = strip_dots(entry->target);
        fault = path_fault(entry->target);
        if (fault || entry->target.len == 0)
            return error_set(err, HALLMARK_ERR_UNSAFE,
                             "the entry \"%.*s\" is a hard link to what %s", shown(path), path.data,
                             fault ? fault : "is the tree itself");
    }
    normalize(entry);
    return true;
}

void entry_walk_start(struct entry_walk *walk, const struct entry *entry)
{
    struct bytes_view parent = entry_parent(entry->path);

    *walk = (struct entry_walk){.rest = entry->target};
    bytes_append(&walk->path, parent.data, parent.len);
}

static void step_up(struct entry_walk *walk)
{
    walk->path.len = entry_parent(bytes_view(&walk->path)).len;
    walk->path.data[walk->path.len] = '\0';
}

bool entry_walk_next(struct entry_walk *walk)
{
    struct bytes_view component;

    if (walk->at_crossing)
        step_up(walk);
    walk->at_crossing = false;
    while (next_component(&walk->rest, &component)) {
        if (component.len == 0 || bytes_view_equals(component, "."))
            continue;
        if (!bytes_view_equals(component, "..")) {
            bytes_printf(&walk->path, "%s%.*s", walk->path.len ? "/" : "", (int)component.len,
                         component.data);
            walk->n_down++;
        } else if (walk->n_down == 0) {
            step_up(walk);
        } else {
            walk->n_down--;
            walk->at_crossing = true;
            return true;
        }
    }
    return false;
}

void entry_walk_end(struct entry_walk *walk)
{
    bytes_free(&walk->path);
}
