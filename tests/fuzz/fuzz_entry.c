/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * entry: what is accepted stays in the tree, and is the same when it is looked at again, as the
 * writer does. The input is text: the entry's kind ("0" and up, as enum entry_kind) and its mode,
 * time and size in decimal; its path; its target. A line each; what stands behind is the target's.
 */
#include <inttypes.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "invariant.h"
#include "system/entry.h"

enum { MODES = 0755, NUMBERS_MAX = 100 };

static bool views_equal(struct bytes_view a, struct bytes_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static void check_path(struct bytes_view path)
{
    size_t start = 0, i;
    struct bytes_view component;

    INVARIANT(path.len <= LIMITS_PATH_BYTES);
    for (i = 0; path.len && i <= path.len; i++) {
        if (i < path.len && path.data[i] != '/')
            continue;
        component = bytes_view_of(path.data + start, i - start);
        INVARIANT(component.len > 0 && component.len <= LIMITS_COMPONENT_BYTES);
        INVARIANT(!bytes_view_equals(component, ".") && !bytes_view_equals(component, ".."));
        INVARIANT(!memchr(component.data, '\0', component.len));
        start = i + 1;
    }
}

/* Follows the target of a link that is said to stay inside, directory by directory. */
static void check_target(const struct entry *entry)
{
    struct bytes_view rest = entry->target, component;
    struct bytes_view parent = entry_parent(entry->path);
    int depth = parent.len > 0;
    size_t i;

    for (i = 0; i < parent.len; i++)
        depth += parent.data[i] == '/';
    INVARIANT(rest.len > 0 && rest.data[0] != '/');
    while (rest.len) {
        for (i = 0; i < rest.len && rest.data[i] != '/'; i++)
            ;
        component = bytes_view_of(rest.data, i);
        i += i < rest.len;
        rest = bytes_view_of(rest.data + i, rest.len - i);
        if (bytes_view_equals(component, ".."))
            depth--;
        else if (component.len && !bytes_view_equals(component, "."))
            depth++;
        INVARIANT(depth >= 0);
    }
}

/* At each crossing, the walk is at a directory below the tree's top. */
static void check_walk(const struct entry *entry)
{
    struct entry_walk walk;
    size_t n = 0;

    entry_walk_start(&walk, entry);
    while (entry_walk_next(&walk)) {
        INVARIANT(walk.path.len > 0 && walk.path.data[0] != '/');
        INVARIANT(++n <= entry->target.len);
    }
    entry_walk_end(&walk);
}

static void check_accepted(const struct entry *entry, enum hallmark_links links)
{
    struct entry again = *entry;
    struct hallmark_error err = {0};

    INVARIANT(entry->kind >= ENTRY_FILE && entry->kind <= ENTRY_HARDLINK);
    INVARIANT((entry->mode & ~(unsigned)MODES) == 0);
    INVARIANT(entry->kind == ENTRY_FILE || entry->size == 0);
    INVARIANT(entry->mtime >= 0 && entry->mtime <= LIMITS_TIMESTAMP_MAX);
    INVARIANT(entry->path.len > 0 || entry->kind == ENTRY_DIRECTORY);
    check_path(entry->path);
    if (entry->kind == ENTRY_HARDLINK) {
        INVARIANT(entry->target.len > 0);
        check_path(entry->target);
    }
    if (entry->kind == ENTRY_SYMLINK && links == HALLMARK_LINKS_INSIDE) {
        check_target(entry);
        check_walk(entry);
    }
    if (again.path.len == 0) /* the tree itself is "." when it is sent */
        again.path = bytes_view_str(".");
    INVARIANT(entry_check(&again, links, &err));
    INVARIANT(views_equal(again.path, entry->path) && views_equal(again.target, entry->target));
    INVARIANT(again.mode == entry->mode && again.mtime == entry->mtime);
}

static void check(struct entry entry, enum hallmark_links links)
{
    struct hallmark_error err = {0};
    bool ok = entry_check(&entry, links, &err);

    invariant_error(ok, &err, HALLMARK_ERR_UNSAFE, HALLMARK_ERR_UNSAFE);
    if (ok)
        check_accepted(&entry, links);
}

static void read_numbers(struct bytes_view line, struct entry *out)
{
    char text[NUMBERS_MAX + 1];
    unsigned kind = 0, mode = 0;

    snprintf(text, sizeof text, "%.*s", (int)line.len, line.data);
    (void)sscanf(text, "%9u %9u %18" SCNd64 " %18" SCNu64, &kind, &mode, &out->mtime, &out->size);
    out->kind = (enum entry_kind)kind;
    out->mode = mode;
    out->mtime_nsec = kind * 1000000000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_view rest = bytes_view_of(data, size), numbers;
    struct entry entry = {0};

    if (!bytes_view_next_line(&rest, &numbers) || numbers.len > NUMBERS_MAX ||
        !bytes_view_next_line(&rest, &entry.path))
        return 0;
    read_numbers(numbers, &entry);
    entry.target = rest;
    check(entry, HALLMARK_LINKS_INSIDE);
    check(entry, HALLMARK_LINKS_ANY);
    return 0;
}
