/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dsc: what is accepted gives a stanza of Sources that is accepted, too, and lists the same files.
 */
#include <stdint.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/path.h"
#include "format/sources.h"
#include "invariant.h"

static bool is_same(struct bytes_view a, struct bytes_view b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* A .dsc and its files as a tree may have them. */
static struct release_entry *make_entries(const struct dsc *dsc)
{
    static const unsigned char sha512[RELEASE_SHA512_LEN];
    struct release_entry *entries = alloc_array(dsc->n_files + 1, sizeof *entries);
    size_t i;

    entries[0].path = alloc_strdup("pool/main.dsc");
    entries[0].sha512 = sha512;
    for (i = 0; i < dsc->n_files; i++) {
        entries[i + 1].path =
            alloc_printf("pool/%.*s", (int)dsc->files[i].name.len, dsc->files[i].name.data);
        entries[i + 1].size = dsc->files[i].size;
        entries[i + 1].sha512 = sha512;
        memcpy(entries[i + 1].sha256, dsc->files[i].sha256, sizeof entries[i + 1].sha256);
    }
    return entries;
}

static void check_files(const struct sources_stanza *stanza, const struct dsc *dsc)
{
    struct dsc_file *files;
    size_t n_files, i;

    INVARIANT(sources_parse_files(stanza, &files, &n_files, NULL));
    INVARIANT(n_files == dsc->n_files + 1);
    for (i = 0; i < dsc->n_files; i++)
        INVARIANT(is_same(files[i + 1].name, dsc->files[i].name) &&
                  files[i + 1].size == dsc->files[i].size &&
                  memcmp(files[i + 1].sha256, dsc->files[i].sha256, RELEASE_SHA256_LEN) == 0);
    free(files);
}

static void check_stanza(const struct dsc *dsc)
{
    struct release_entry *entries = make_entries(dsc);
    struct sources sources = {0}, again = {0};
    struct bytes text = {0}, index = {0};
    struct hallmark_error err = {0};
    size_t i;

    sources_write_stanza(dsc, entries, RELEASE_SHA256 | RELEASE_SHA512, &text);
    INVARIANT(sources_add(&sources, bytes_view(&text), "stanza", &err));
    INVARIANT(is_same(sources.stanzas[0].package, dsc->source));
    INVARIANT(is_same(sources.stanzas[0].version, dsc->version));
    INVARIANT(sources_sort(&sources, &err) && sources_write(&sources, &index, &err));
    INVARIANT(sources_parse(&again, bytes_view(&index), &err) && again.n_stanzas == 1);
    INVARIANT(sources_find(&again, "pool/main.dsc") == again.stanzas);
    check_files(again.stanzas, dsc);
    sources_free(&sources);
    sources_free(&again);
    bytes_free(&text);
    bytes_free(&index);
    for (i = 0; i <= dsc->n_files; i++)
        free((char *)(uintptr_t)entries[i].path);
    free(entries);
}

/* Some fields and bytes more may be too many; and one .dsc is enough for a stanza. */
static bool has_room(const struct dsc *dsc, size_t size)
{
    size_t i;

    for (i = 0; i < dsc->n_files; i++)
        if (dsc_is_path(dsc->files[i].name))
            return false;
    return dsc->stanza.n_fields + 4 <= LIMITS_FIELDS && size <= LIMITS_DSC_BYTES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsc dsc;
    struct hallmark_error err = {0};
    bool ok = dsc_parse(&dsc, bytes_view_of(data, size), "fuzz", &err);
    size_t i;

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (!ok)
        return 0;
    INVARIANT(dsc.source.len && dsc.version.len && dsc.n_files);
    for (i = 0; i < dsc.n_files; i++)
        INVARIANT(path_check(dsc.files[i].name, "", NULL) &&
                  !memchr(dsc.files[i].name.data, '/', dsc.files[i].name.len) &&
                  dsc.files[i].size <= INT64_MAX);
    if (has_room(&dsc, size))
        check_stanza(&dsc);
    dsc_free(&dsc);
    return 0;
}
