/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* package_index: what is accepted names files that may be opened; the pieces in which an index
 * comes change nothing. */
#include <stdint.h>

#include "base/path.h"
#include "format/package_index.h"
#include "invariant.h"

static bool take(void *ctx, const struct package_index_entry *entry, struct hallmark_error *err)
{
    size_t *sum = ctx;
    size_t i;

    (void)err;
    INVARIANT(path_check(entry->path, "", NULL));
    INVARIANT(entry->size <= INT64_MAX && entry->hashes <= (RELEASE_SHA256 | RELEASE_SHA512));
    INVARIANT(entry->n_entries <= INT64_MAX && entry->n_unpacked <= INT64_MAX);
    INVARIANT(!entry->name.len == !entry->version.len &&
              !entry->name.len == !entry->architecture.len);
    INVARIANT(encoding_is_printable_text(entry->name));
    for (i = 0; i < entry->path.len; i++)
        *sum = *sum * 31 + (unsigned char)entry->path.data[i];
    *sum += (size_t)(entry->size + entry->n_entries + entry->n_unpacked) + entry->sha256[0] +
            entry->sha512[0] + 1;
    return true;
}

static size_t read_all(enum index_path_kind kind, struct bytes_view text, size_t step,
                       struct hallmark_error *err)
{
    size_t sum = 0, n;
    struct package_index_sink sink = {.take = take, .ctx = &sum};
    struct package_index *index = package_index_new(kind, "Index", &sink);
    bool ok = true;

    for (; ok && text.len; text = bytes_view_of(text.data + n, text.len - n)) {
        n = step < text.len ? step : text.len;
        ok = package_index_feed(index, bytes_view_of(text.data, n), err);
    }
    ok = ok && package_index_finish(index, err);
    package_index_free(index);
    invariant_error(ok, err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum index_path_kind kinds[] = {INDEX_PATH_PACKAGES, INDEX_PATH_SOURCES,
                                                 INDEX_PATH_UNPACKED_SIZES};
    struct bytes_view text = bytes_view_of(data, size);
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct hallmark_error whole = {0}, parts = {0};

        INVARIANT(read_all(kinds[i], text, size, &whole) == read_all(kinds[i], text, 13, &parts));
        INVARIANT(strcmp(whole.text, parts.text) == 0);
    }
    return 0;
}
