/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* release: a manifest that is accepted is written so that it is accepted again and says the same.
 */
#include <stdint.h>

#include "base/path.h"
#include "format/release.h"
#include "invariant.h"

static void check_entries(const struct release *release)
{
    size_t i;

    for (i = 0; i < release->n_entries; i++) {
        const struct release_entry *entry = &release->entries[i];

        INVARIANT(path_check(bytes_view_str(entry->path), "", NULL));
        INVARIANT(entry->size <= INT64_MAX);
        INVARIANT(!entry->sha512 == !(release->hashes & RELEASE_SHA512));
        INVARIANT(release_find(release, entry->path) == entry);
        INVARIANT(i == 0 || strcmp(release->entries[i - 1].path, entry->path) < 0);
    }
}

static void check_written(const struct release *release)
{
    struct release again = {0};
    struct bytes text = {0};
    struct hallmark_error err = {0};

    release_write(release, &text);
    INVARIANT(release_parse(&again, bytes_view(&text), &err));
    INVARIANT(release_is_same_content(release, &again));
    INVARIANT(release->date == again.date && release->valid_until == again.valid_until);
    INVARIANT(release_sort(&again, &err));
    release_free(&again);
    bytes_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct release release = {0};
    struct hallmark_error err = {0};
    bool ok = release_parse(&release, bytes_view_of(data, size), &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_CONTENT);
    if (ok) {
        INVARIANT(release.hashes != 0 && release.date > 0);
        INVARIANT(release.valid_until == 0 || release.valid_until > release.date);
        check_entries(&release);
        check_written(&release);
    }
    release_free(&release);
    return 0;
}
