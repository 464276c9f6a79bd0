/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making the indexes at the root. */
#include "repo/flat_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/strlist.h"
#include "crypto/digest.h"
#include "format/packages.h"
#include "format/unpacked_sizes.h"
#include "system/compress.h"

enum { PLAIN, GZIP, XZ, SIZES, SIZES_XZ };

const char *const flat_index_names[FLAT_INDEX_FILES] = {[PLAIN] = "Packages",
                                                        [GZIP] = "Packages.gz",
                                                        [XZ] = "Packages.xz",
                                                        [SIZES] = "Unpacked-Sizes",
                                                        [SIZES_XZ] = "Unpacked-Sizes.xz"};

struct flat_index_builder {
    const struct flat_index *published;
    unsigned hashes;          /* that each stanza has */
    struct packages old, new; /* of what is published, and what will be */
    struct strlist texts;     /* of the stanzas of NEW that OLD has not */
    struct bytes sizes;       /* Unpacked-Sizes */
};

void flat_index_free(struct flat_index *index)
{
    size_t i;

    for (i = 0; i < FLAT_INDEX_FILES; i++)
        bytes_free(&index->files[i]);
}

bool flat_index_wants(const char *path)
{
    static const char suffix[] = ".deb"; /* not .udeb, which only the installer takes, nor .ddeb */
    size_t len = strlen(path);

    return len >= sizeof suffix && strcmp(path + len + 1 - sizeof suffix, suffix) == 0;
}

struct flat_index_builder *flat_index_start(const struct flat_index *published, unsigned hashes)
{
    struct flat_index_builder *builder = alloc_array(1, sizeof *builder);

    builder->published = published;
    builder->hashes = hashes;
    /* One of another version, that is not understood, only costs time. */
    packages_parse(&builder->old, bytes_view(&published->files[PLAIN]), NULL);
    return builder;
}

void flat_index_stop(struct flat_index_builder *builder)
{
    if (!builder)
        return;
    packages_free(&builder->old);
    packages_free(&builder->new);
    strlist_free(&builder->texts);
    bytes_free(&builder->sizes);
    free(builder);
}

static const struct packages_stanza *find(const struct flat_index_builder *builder,
                                          const struct release_entry *entry)
{
    const struct packages_stanza *stanza = packages_find(&builder->old, entry->path);

    if (!stanza || stanza->size != entry->size || stanza->hashes != builder->hashes ||
        memcmp(stanza->sha256, entry->sha256, sizeof entry->sha256) != 0 ||
        (builder->hashes & RELEASE_SHA512 &&
         memcmp(stanza->sha512, entry->sha512, sizeof stanza->sha512) != 0))
        return NULL;
    return stanza;
}

bool flat_index_knows(const struct flat_index_builder *builder, const struct release_entry *entry)
{
    return find(builder, entry) != NULL;
}

static bool add_new(struct flat_index_builder *builder, const struct release_entry *entry,
                    struct bytes_view text, struct hallmark_error *err)
{
    struct control control;
    struct bytes stanza = {0};
    char *what = alloc_printf("%s: control", entry->path);
    bool ok = control_parse(&control, text, what, err);

    if (ok) {
        packages_write_stanza(&control, entry, builder->hashes, &stanza);
        control_free(&control);
        strlist_add_view(&builder->texts, bytes_view(&stanza));
        bytes_free(&stanza);
        text = bytes_view_str(builder->texts.items[builder->texts.n_items - 1]);
        ok = packages_add(&builder->new, text, what, err);
    }
    free(what);
    return ok;
}

bool flat_index_add(struct flat_index_builder *builder, const struct release_entry *entry,
                    struct bytes_view control, struct hallmark_error *err)
{
    const struct packages_stanza *stanza;

    if (control.len)
        return add_new(builder, entry, control, err);
    stanza = find(builder, entry);
    if (!stanza)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: its control file is empty", entry->path);
    packages_keep(&builder->new, stanza);
    return true;
}

void flat_index_add_sizes(struct flat_index_builder *builder, const char *path,
                          const struct package_totals *totals)
{
    unpacked_sizes_write(path, totals->n_entries, totals->n_bytes, &builder->sizes);
}

/* Of each compressed file: of which one it is the compressed form, and how it is made. */
static const struct {
    int file, plain;
    bool (*compress)(struct bytes_view data, struct bytes *out, struct hallmark_error *err);
} compressed[] = {
    {GZIP, PLAIN, compress_gzip}, {XZ, PLAIN, compress_xz}, {SIZES_XZ, SIZES, compress_xz}};

static bool is_same(const struct bytes *a, const struct bytes *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* What is published need not be compressed again where it stays the same. */
static bool compress(const struct flat_index *published, struct flat_index *index,
                     struct hallmark_error *err)
{
    const struct bytes *old, *plain;
    size_t i;

    for (i = 0; i < sizeof compressed / sizeof *compressed; i++) {
        plain = &index->files[compressed[i].plain];
        old = &published->files[compressed[i].file];
        if (plain->len == 0)
            continue;
        if (old->len && is_same(plain, &published->files[compressed[i].plain]))
            bytes_append(&index->files[compressed[i].file], old->data, old->len);
        else if (!compressed[i].compress(bytes_view(plain), &index->files[compressed[i].file], err))
            return false;
    }
    return true;
}

static bool list_files(struct release *release, const struct flat_index *index,
                       struct hallmark_error *err)
{
    struct release_entry entry;
    struct digest_value digest;
    size_t i;

    for (i = 0; i < FLAT_INDEX_FILES; i++) {
        if (index->files[i].len == 0)
            continue;
        if (!digest_bytes(release->hashes, bytes_view(&index->files[i]), &digest, err))
            return false;
        entry = (struct release_entry){
            .path = flat_index_names[i], .size = index->files[i].len, .sha512 = digest.sha512};
        memcpy(entry.sha256, digest.sha256, sizeof entry.sha256);
        release_add(release, &entry);
    }
    release->acquire_by_hash = true;
    return true;
}

/* "all" is for every architecture, and none by itself. */
static void name_architectures(struct release *release, const struct packages *packages)
{
    struct bytes_view architecture, last = {"", 0};
    char *name;
    size_t i;

    for (i = 0; i < packages->n_stanzas; i++) {
        architecture = packages->stanzas[i].architecture;
        if (architecture.len == last.len && memcmp(architecture.data, last.data, last.len) == 0)
            continue;
        last = architecture;
        name = alloc_strndup(architecture.data, architecture.len);
        if (strcmp(name, "all") != 0 && !strlist_has(&release->architectures, name))
            strlist_add(&release->architectures, name);
        free(name);
    }
    strlist_sort(&release->architectures);
}

bool flat_index_finish(struct flat_index_builder *builder, struct release *release,
                       struct flat_index *out, struct hallmark_error *err)
{
    struct flat_index index = {{{0}}};

    if (builder->new.n_stanzas == 0 && builder->sizes.len == 0)
        return true;
    bytes_append(&index.files[SIZES], builder->sizes.data, builder->sizes.len);
    if (!packages_sort(&builder->new, err) ||
        !packages_write(&builder->new, &index.files[PLAIN], err) ||
        !compress(builder->published, &index, err) || !list_files(release, &index, err)) {
        flat_index_free(&index);
        return false;
    }
    if (release->architectures.n_items == 0 && builder->new.n_stanzas)
        name_architectures(release, &builder->new);
    *out = index;
    return true;
}

void flat_index_list_by_hash(const struct release_entry *entry, unsigned hashes,
                             struct strlist *out)
{
    char hex[2 * RELEASE_SHA512_LEN + 1], *path;

    if (hashes & RELEASE_SHA256) {
        encoding_hex(hex, entry->sha256, sizeof entry->sha256);
        path = alloc_printf("by-hash/SHA256/%s", hex);
        strlist_add(out, path);
        free(path);
    }
    if (hashes & RELEASE_SHA512) {
        encoding_hex(hex, entry->sha512, RELEASE_SHA512_LEN);
        path = alloc_printf("by-hash/SHA512/%s", hex);
        strlist_add(out, path);
        free(path);
    }
}

static void publish_file(struct flat_index_published *out, const char *name, struct bytes_view data)
{
    out->files[out->n_files++] = (struct publish_file){.name = name, .data = data};
}

void flat_index_list(const struct flat_index *index, const struct release *release,
                     struct flat_index_published *out)
{
    struct bytes_view data;
    size_t i, n;

    *out = (struct flat_index_published){.n_files = 0};
    for (i = 0; i < FLAT_INDEX_FILES; i++) {
        data = bytes_view(&index->files[i]);
        if (data.len == 0)
            continue;
        publish_file(out, flat_index_names[i], data);
        n = out->names.n_items;
        flat_index_list_by_hash(release_find(release, flat_index_names[i]), release->hashes,
                                &out->names);
        for (; n < out->names.n_items; n++)
            publish_file(out, out->names.items[n], data);
    }
}

void flat_index_published_free(struct flat_index_published *published)
{
    strlist_free(&published->names);
}
