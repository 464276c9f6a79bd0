/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of strings. */
#include "base/strlist.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void strlist_add_view(struct strlist *list, struct bytes_view s)
{
    /* One more than needed, for the NULL behind the last. */
    list->items = alloc_one_more(list->items, list->n_items + 1, &list->cap, sizeof *list->items);
    list->items[list->n_items++] = alloc_strndup(s.data, s.len);
    list->items[list->n_items] = NULL;
}

void strlist_add(struct strlist *list, const char *s)
{
    strlist_add_view(list, bytes_view_str(s));
}

void strlist_add_words(struct strlist *list, struct bytes_view text)
{
    size_t i = 0, start;

    while (i < text.len) {
        while (i < text.len && memchr(" \t\n", text.data[i], 3))
            i++;
        start = i;
        while (i < text.len && !memchr(" \t\n", text.data[i], 3))
            i++;
        if (i > start)
            strlist_add_view(list, bytes_view_of(text.data + start, i - start));
    }
}

char *strlist_join(const struct strlist *list)
{
    struct bytes text = {0};
    size_t i;

    bytes_append(&text, "", 0);
    for (i = 0; i < list->n_items; i++) {
        if (i)
            bytes_append_str(&text, " ");
        bytes_append_str(&text, list->items[i]);
    }
    return text.data;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *list)
{
    if (list->n_items)
        qsort(list->items, list->n_items, sizeof *list->items, compare);
}

bool strlist_has(const struct strlist *list, const char *s)
{
    size_t i;

    for (i = 0; i < list->n_items; i++)
        if (strcmp(list->items[i], s) == 0)
            return true;
    return false;
}

void strlist_free(struct strlist *list)
{
    size_t i;

    for (i = 0; i < list->n_items; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strlist){0};
}
