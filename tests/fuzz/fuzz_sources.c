/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sources: an index that is accepted is written again with the same stanzas. */
#include <stdint.h>

#include "base/alloc.h"
#include "base/path.h"
#include "format/sources.h"
#include "invariant.h"

static void check_stanzas(const struct sources *sources)
{
    const struct sources_stanza *s;
    struct dsc_file *files;
    size_t n_files, i;
    char *path;

    for (i = 0; i < sources->n_stanzas; i++) {
        s = &sources->stanzas[i];
        path = bytes_view_equals(s->directory, ".")
                   ? alloc_strndup(s->dsc.name.data, s->dsc.name.len)
                   : alloc_printf("%.*s/%.*s", (int)s->directory.len, s->directory.data,
                                  (int)s->dsc.name.len, s->dsc.name.data);
        INVARIANT(sources_find(sources, path) == s);
        INVARIANT(dsc_is_path(bytes_view_str(path)));
        INVARIANT(sources_parse_files(s, &files, &n_files, NULL) && n_files > 0);
        free(files);
        free(path);
    }
}

static void check_written(struct sources *sources, size_t size)
{
    struct sources again = {0};
    struct bytes text = {0};
    struct hallmark_error err = {0};

    INVARIANT(sources_write(sources, &text, &err));
    INVARIANT(text.len == size);
    INVARIANT(sources_parse(&again, bytes_view(&text), &err));
    INVARIANT(again.n_stanzas == sources->n_stanzas);
    sources_free(&again);
    bytes_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sources sources = {0};
    struct hallmark_error err = {0};
    bool ok = sources_parse(&sources, bytes_view_of(data, size), &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (ok) {
        check_stanzas(&sources);
        ok = sources_sort(&sources, &err);
        invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
        check_written(&sources, size);
    }
    sources_free(&sources);
    return 0;
}
