/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list of strings that owns them; NULL-terminated once anything was added. */
#ifndef BASE_STRLIST_H
#define BASE_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct strlist {
    char **items;
    size_t n_items;
    size_t cap;
};

void strlist_add(struct strlist *list, const char *s);
void strlist_add_view(struct strlist *list, struct bytes_view s);

/* Adds the words of TEXT, which blanks and newlines separate. */
void strlist_add_words(struct strlist *list, struct bytes_view text);

/* The items with one blank between them; free(3) releases it. */
char *strlist_join(const struct strlist *list);

void strlist_sort(struct strlist *list);
bool strlist_has(const struct strlist *list, const char *s);
void strlist_free(struct strlist *list);

#endif
