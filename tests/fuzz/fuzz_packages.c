/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* packages: an index that is accepted is written again with the same stanzas. */
#include <stdint.h>

#include "base/path.h"
#include "format/packages.h"
#include "invariant.h"

static void check_stanzas(const struct packages *packages)
{
    const struct packages_stanza *stanza;
    char *name;
    size_t i;

    for (i = 0; i < packages->n_stanzas; i++) {
        stanza = &packages->stanzas[i];
        name = strndup(stanza->filename.data, stanza->filename.len);
        INVARIANT(path_check(bytes_view_str(name), "", NULL));
        INVARIANT(packages_find(packages, name) == stanza);
        INVARIANT(stanza->hashes & RELEASE_SHA256 && stanza->size <= INT64_MAX);
        free(name);
    }
}

static void check_written(struct packages *packages, size_t size)
{
    struct packages again = {0};
    struct bytes text = {0};
    struct hallmark_error err = {0};

    INVARIANT(packages_write(packages, &text, &err));
    INVARIANT(text.len == size);
    INVARIANT(packages_parse(&again, bytes_view(&text), &err));
    INVARIANT(again.n_stanzas == packages->n_stanzas);
    packages_free(&again);
    bytes_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packages packages = {0};
    struct hallmark_error err = {0};
    bool ok = packages_parse(&packages, bytes_view_of(data, size), &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (ok) {
        check_stanzas(&packages);
        ok = packages_sort(&packages, &err);
        invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
        check_written(&packages, size);
    }
    packages_free(&packages);
    return 0;
}
