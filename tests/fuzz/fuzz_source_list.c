/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* source_list: what is accepted is within its bounds, and asks for nothing weak. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "format/source_list.h"
#include "invariant.h"

static void check_stanza(const struct source_list_stanza *stanza)
{
    size_t i, k;

    INVARIANT(stanza->line > 0);
    INVARIANT(stanza->threshold <= LIMITS_SIGNATURES);
    INVARIANT(stanza->max_age == SOURCE_LIST_NOT_SAID || stanza->max_age > 0);
    INVARIANT(stanza->clock_skew >= SOURCE_LIST_NOT_SAID);
    INVARIANT(!stanza->is_enabled || (stanza->uris.n_items && stanza->suites.n_items));
    INVARIANT(stanza->is_enabled || !stanza->uris.n_items);
    INVARIANT(stanza->uris.n_items <= LIMITS_SOURCE_WORDS);
    for (i = 0; i < stanza->keyrings.n_items; i++)
        INVARIANT(stanza->keyrings.items[i][0] == '/');
    for (i = 0; i < stanza->uris.n_items; i++)
        for (k = 0; k < stanza->suites.n_items; k++) {
            const char *uri = stanza->uris.items[i];
            char *location = source_list_location(uri, stanza->suites.items[k]);
            /* Without the slashes that end the URI, it may be shorter. */
            size_t skipped = strnlen(location, strlen(uri));

            INVARIANT(!strstr(location + skipped, "/../"));
            free(location);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source_list list = {0};
    struct hallmark_error err = {0};
    bool ok = source_list_parse(&list, bytes_view_of(data, size), "fuzz", &err);
    size_t i;

    invariant_error(ok, &err, HALLMARK_ERR_USAGE, HALLMARK_ERR_USAGE);
    for (i = 0; i < list.n_stanzas; i++)
        check_stanza(&list.stanzas[i]);
    INVARIANT(!ok || list.n_stanzas > 0);
    source_list_free(&list);
    return 0;
}
