/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The index Contents-ARCH. A packed path is a line: the number of bytes that it shares with the
 * path before, in decimal, a blank, and its other bytes.
 */
#include "format/contents.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"

enum {
    COLUMN = 56,           /* where the labels start: that of Debian's own */
    PART_LEN = 256 * 1024, /* of the text, that is handed over at once */
};

static int compare_views(struct bytes_view a, struct bytes_view b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* ---- Packing -------------------------------------------------------------------------------- */

static bool is_text(struct bytes_view rest)
{
    size_t len;
    unsigned code;

    while (rest.len) {
        len = encoding_utf8(rest, &code);
        if (len == 0 || code < 0x20 || (code >= 0x7f && code <= 0x9f))
            return false;
        rest.data += len;
        rest.len -= len;
    }
    return true;
}

static bool is_path(struct bytes_view path)
{
    return path.len > 0 && path.len <= LIMITS_PATH_BYTES && is_text(path);
}

/* "./usr/bin" and "/usr/bin" are usr/bin. */
static struct bytes_view without_root(struct bytes_view path)
{
    while (path.len && (path.data[0] == '/' ||
                        (path.data[0] == '.' && (path.len == 1 || path.data[1] == '/')))) {
        path.data++;
        path.len--;
    }
    return path;
}

static int compare_paths(const void *a, const void *b)
{
    return compare_views(*(const struct bytes_view *)a, *(const struct bytes_view *)b);
}

static size_t shared_len(struct bytes_view a, struct bytes_view b)
{
    size_t n = 0;

    while (n < a.len && n < b.len && a.data[n] == b.data[n])
        n++;
    return n;
}

static void pack_sorted(const struct bytes_view *paths, size_t n_paths, struct bytes *out)
{
    struct bytes_view last = {"", 0};
    size_t shared, i;

    for (i = 0; i < n_paths; i++) {
        if (compare_views(paths[i], last) == 0)
            continue;
        shared = shared_len(last, paths[i]);
        bytes_printf(out, "%zu ", shared);
        bytes_append(out, paths[i].data + shared, paths[i].len - shared);
        bytes_append(out, "\n", 1);
        last = paths[i];
    }
}

bool contents_pack(struct bytes_view paths, const char *what, struct bytes *out,
                   struct hallmark_error *err)
{
    struct bytes_view rest = paths, line, *sorted = NULL;
    size_t n_sorted = 0, cap = 0;
    bool ok = true;

    if (paths.len > LIMITS_CONTENTS_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: the names of its files have more than %d bytes", what,
                         LIMITS_CONTENTS_BYTES);
    while (ok && bytes_view_next_line(&rest, &line)) {
        line = without_root(line);
        if (!is_path(line))
            continue;
        if (n_sorted == LIMITS_ARCHIVE_ENTRIES)
            ok = error_set(err, HALLMARK_ERR_MALFORMED, "%s: holds more than %llu files", what,
                           LIMITS_ARCHIVE_ENTRIES);
        sorted = alloc_one_more(sorted, n_sorted, &cap, sizeof *sorted);
        sorted[n_sorted++] = line;
    }
    if (ok && n_sorted) {
        qsort(sorted, n_sorted, sizeof *sorted, compare_paths);
        pack_sorted(sorted, n_sorted, out);
    }
    free(sorted);
    return ok;
}

/* ---- Unpacking ------------------------------------------------------------------------------ */

/* Takes the number of shared bytes and the blank off *REST. */
static bool take_number(struct bytes_view *rest, size_t *out)
{
    enum { DIGITS = 4 };
    size_t i;

    *out = 0;
    for (i = 0; i < rest->len && rest->data[i] >= '0' && rest->data[i] <= '9'; i++) {
        if (i == DIGITS || (i == 1 && *out == 0))
            return false;
        *out = *out * 10 + (size_t)(rest->data[i] - '0');
    }
    if (i == 0 || i == rest->len || rest->data[i] != ' ')
        return false;
    *rest = bytes_view_of(rest->data + i + 1, rest->len - i - 1);
    return true;
}

bool contents_next(struct contents_cursor *cursor)
{
    struct bytes_view rest = cursor->rest, tail, old = {0};
    struct bytes *path = &cursor->path;
    const char *end;
    size_t shared;

    if (!take_number(&rest, &shared) || shared > path->len)
        return false;
    end = memchr(rest.data, '\n', rest.len);
    if (!end || shared + (size_t)(end - rest.data) > LIMITS_PATH_BYTES)
        return false;
    tail = bytes_view_of(rest.data, (size_t)(end - rest.data));
    if (path->len > shared)
        old = bytes_view_of(path->data + shared, path->len - shared);
    /* Ascending, and not a byte more in common than was said. */
    if (tail.len == 0 || (old.len && (unsigned char)tail.data[0] <= (unsigned char)old.data[0]))
        return false;
    path->len = shared;
    bytes_append(path, tail.data, tail.len);
    cursor->rest = bytes_view_of(end + 1, rest.len - tail.len - 1);
    if (is_path(bytes_view(path)))
        return true;
    cursor->rest = bytes_view_of(end, 1);
    return false;
}

/* ---- Labels --------------------------------------------------------------------------------- */

static bool is_section(struct bytes_view text)
{
    size_t i;
    char c;

    for (i = 0; i < text.len; i++) {
        c = bytes_lower(text.data[i]);
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && !memchr("+-._/", c, 5))
            return false;
    }
    return text.len > 0;
}

void contents_label(struct bytes_view section, struct bytes_view package, struct bytes *out)
{
    if (is_section(section)) {
        bytes_append(out, section.data, section.len);
        bytes_append(out, "/", 1);
    }
    bytes_append(out, package.data, package.len);
}

/* ---- Merging -------------------------------------------------------------------------------- */

struct list {
    struct contents_cursor cursor;
    struct bytes_view label;
};

/* A heap of lists, the one with the least path on top. */
struct contents {
    struct list *lists;
    size_t n_lists, lists_cap;
    struct bytes_view *labels; /* of the current path */
    size_t n_labels, labels_cap;
    struct bytes path, text;
};

struct contents *contents_new(void)
{
    return alloc_array(1, sizeof(struct contents));
}

void contents_free(struct contents *c)
{
    size_t i;

    if (!c)
        return;
    for (i = 0; i < c->n_lists; i++)
        bytes_free(&c->lists[i].cursor.path);
    free(c->lists);
    free(c->labels);
    bytes_free(&c->path);
    bytes_free(&c->text);
    free(c);
}

void contents_add(struct contents *c, struct bytes_view label, struct bytes_view list)
{
    c->lists = alloc_one_more(c->lists, c->n_lists, &c->lists_cap, sizeof *c->lists);
    c->lists[c->n_lists++] = (struct list){.cursor = {.rest = list}, .label = label};
}

static bool is_less(const struct list *a, const struct list *b)
{
    return compare_views(bytes_view(&a->cursor.path), bytes_view(&b->cursor.path)) < 0;
}

static void sift_down(struct contents *c, size_t i)
{
    struct list moved = c->lists[i];
    size_t child;

    while ((child = 2 * i + 1) < c->n_lists) {
        if (child + 1 < c->n_lists && is_less(&c->lists[child + 1], &c->lists[child]))
            child++;
        if (!is_less(&c->lists[child], &moved))
            break;
        c->lists[i] = c->lists[child];
        i = child;
    }
    c->lists[i] = moved;
}

static bool set_damaged(struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_IO, "Contents: a list of files is damaged");
}

/* Takes list I off the heap, which is at its end. */
static bool drop(struct contents *c, size_t i, struct hallmark_error *err)
{
    bool is_damaged = c->lists[i].cursor.rest.len > 0;

    bytes_free(&c->lists[i].cursor.path);
    c->lists[i] = c->lists[--c->n_lists];
    return !is_damaged || set_damaged(err);
}

/* Every list at its first path, and those that have none dropped. */
static bool start(struct contents *c, struct hallmark_error *err)
{
    size_t i;

    for (i = 0; i < c->n_lists;) {
        if (contents_next(&c->lists[i].cursor))
            i++;
        else if (!drop(c, i, err))
            return false;
    }
    for (i = c->n_lists / 2; i > 0; i--)
        sift_down(c, i - 1);
    return true;
}

/* Takes the least path off the lists that have it, into path and labels. */
static bool take_path(struct contents *c, struct hallmark_error *err)
{
    struct list *top = &c->lists[0];

    c->path.len = c->n_labels = 0;
    bytes_append(&c->path, top->cursor.path.data, top->cursor.path.len);
    do {
        c->labels = alloc_one_more(c->labels, c->n_labels, &c->labels_cap, sizeof *c->labels);
        c->labels[c->n_labels++] = top->label;
        if (!contents_next(&top->cursor) && !drop(c, 0, err))
            return false;
        if (c->n_lists)
            sift_down(c, 0);
    } while (c->n_lists && compare_views(bytes_view(&top->cursor.path), bytes_view(&c->path)) == 0);
    return true;
}

static void write_line(struct contents *c)
{
    size_t n_blanks = c->path.len + 1 < COLUMN ? COLUMN - c->path.len : 1, i;

    bytes_append(&c->text, c->path.data, c->path.len);
    memset(bytes_reserve(&c->text, n_blanks), ' ', n_blanks);
    c->text.len += n_blanks;
    if (c->n_labels > 1)
        qsort(c->labels, c->n_labels, sizeof *c->labels, compare_paths);
    for (i = 0; i < c->n_labels; i++) {
        if (i && compare_views(c->labels[i - 1], c->labels[i]) == 0)
            continue;
        if (i)
            bytes_append(&c->text, ",", 1);
        bytes_append(&c->text, c->labels[i].data, c->labels[i].len);
    }
    bytes_append(&c->text, "\n", 1);
}

bool contents_write(struct contents *c, contents_sink_fn *sink, void *ctx,
                    struct hallmark_error *err)
{
    if (!start(c, err))
        return false;
    while (c->n_lists) {
        if (!take_path(c, err))
            return false;
        write_line(c);
        if (c->text.len >= PART_LEN || c->n_lists == 0) {
            if (!sink(ctx, bytes_view(&c->text), err))
                return false;
            c->text.len = 0;
        }
    }
    return true;
}
