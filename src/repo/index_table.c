/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A table of packages: records in the order in which they came, and chains of those whose name, or
 * whose file's name, has the same hash. */
#include "repo/index_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/strlist.h"

enum { N_BUCKETS_FIRST = 1024, NONE = UINT32_MAX };

enum key { KEY_NAME, KEY_FILE, N_KEYS };

/* A word in the text. */
struct word {
    size_t at;
    uint32_t len;
};

struct record {
    struct word name, version, architecture, path;
    uint64_t size;
    unsigned hashes;
    unsigned char sha256[RELEASE_SHA256_LEN], sha512[RELEASE_SHA512_LEN];
    uint32_t index; /* in the list of indexes; NONE */
    uint32_t key_hash[N_KEYS], next[N_KEYS];
};

struct index_table {
    struct bytes text;
    struct strlist indexes;
    struct record *records;
    size_t n_records, cap;
    uint32_t *first[N_KEYS], *last[N_KEYS]; /* of each bucket */
    size_t n_buckets;
};

struct index_table *index_table_new(void)
{
    return alloc_array(1, sizeof(struct index_table));
}

static void free_buckets(struct index_table *table)
{
    size_t key;

    for (key = 0; key < N_KEYS; key++) {
        free(table->first[key]);
        free(table->last[key]);
    }
}

void index_table_free(struct index_table *table)
{
    if (!table)
        return;
    free_buckets(table);
    strlist_free(&table->indexes);
    bytes_free(&table->text);
    free(table->records);
    free(table);
}

/* FNV-1a; collisions cost time and nothing else. */
static uint32_t hash(struct bytes_view text)
{
    uint32_t value = 2166136261U;
    size_t i;

    for (i = 0; i < text.len; i++)
        value = (value ^ (unsigned char)text.data[i]) * 16777619U;
    return value;
}

static struct bytes_view file_name(struct bytes_view path)
{
    const char *slash = memrchr(path.data, '/', path.len);

    return slash ? bytes_view_of(slash + 1, (size_t)(path.data + path.len - slash - 1)) : path;
}

/* Puts record I at the end of its chains. */
static void chain(struct index_table *table, size_t i)
{
    struct record *record = &table->records[i];
    size_t key, bucket;

    for (key = 0; key < N_KEYS; key++) {
        bucket = record->key_hash[key] & (table->n_buckets - 1);
        record->next[key] = NONE;
        if (table->first[key][bucket] == NONE)
            table->first[key][bucket] = (uint32_t)i;
        else
            table->records[table->last[key][bucket]].next[key] = (uint32_t)i;
        table->last[key][bucket] = (uint32_t)i;
    }
}

/* Makes twice as many buckets, and all chains anew. */
static void grow(struct index_table *table)
{
    size_t key, i;

    table->n_buckets = table->n_buckets ? 2 * table->n_buckets : N_BUCKETS_FIRST;
    free_buckets(table);
    for (key = 0; key < N_KEYS; key++) {
        table->first[key] = alloc_array(table->n_buckets, sizeof **table->first);
        table->last[key] = alloc_array(table->n_buckets, sizeof **table->last);
        memset(table->first[key], 0xff, table->n_buckets * sizeof **table->first);
    }
    for (i = 0; i < table->n_records; i++)
        chain(table, i);
}

static struct word keep(struct index_table *table, struct bytes_view text)
{
    struct word word = {.at = table->text.len, .len = (uint32_t)text.len};

    if (text.len)
        bytes_append(&table->text, text.data, text.len);
    return word;
}

/* Packages of one index come one after another. */
static uint32_t keep_index(struct index_table *table, const char *index)
{
    struct strlist *names = &table->indexes;

    if (!index)
        return NONE;
    if (!names->n_items || strcmp(names->items[names->n_items - 1], index) != 0)
        strlist_add(names, index);
    return (uint32_t)names->n_items - 1;
}

bool index_table_take(void *ctx, const struct package_index_entry *entry,
                      struct hallmark_error *err)
{
    struct index_table *table = ctx;
    struct record *record;

    if (table->n_records >= LIMITS_TABLE_PACKAGES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "the indexes list more than %d packages",
                         LIMITS_TABLE_PACKAGES);
    table->records =
        alloc_one_more(table->records, table->n_records, &table->cap, sizeof *table->records);
    record = &table->records[table->n_records];
    *record = (struct record){.name = keep(table, entry->name),
                              .version = keep(table, entry->version),
                              .architecture = keep(table, entry->architecture),
                              .path = keep(table, entry->path),
                              .size = entry->size,
                              .hashes = entry->hashes,
                              .index = keep_index(table, entry->index),
                              .key_hash = {hash(entry->name), hash(file_name(entry->path))}};
    memcpy(record->sha256, entry->sha256, sizeof record->sha256);
    memcpy(record->sha512, entry->sha512, sizeof record->sha512);
    if (++table->n_records > table->n_buckets)
        grow(table);
    else
        chain(table, table->n_records - 1);
    return true;
}

static struct bytes_view view(const struct index_table *table, struct word word)
{
    return word.len ? bytes_view_of(table->text.data + word.at, word.len) : bytes_view_str("");
}

static bool is_same(struct bytes_view a, struct bytes_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool give(const struct index_table *table, const struct record *record,
                 const struct package_index_sink *sink, struct hallmark_error *err)
{
    struct package_index_entry entry = {.name = view(table, record->name),
                                        .version = view(table, record->version),
                                        .architecture = view(table, record->architecture),
                                        .path = view(table, record->path),
                                        .size = record->size,
                                        .hashes = record->hashes};

    if (record->index != NONE)
        entry.index = table->indexes.items[record->index];
    memcpy(entry.sha256, record->sha256, sizeof entry.sha256);
    memcpy(entry.sha512, record->sha512, sizeof entry.sha512);
    return sink->take(sink->ctx, &entry, err);
}

/* Gives those whose key KEY is TEXT. */
static bool find(const struct index_table *table, enum key key, struct bytes_view text,
                 const struct package_index_sink *sink, struct hallmark_error *err)
{
    uint32_t wanted = hash(text), i;
    const struct record *record;
    struct bytes_view found;

    if (!table->n_records)
        return true;
    for (i = table->first[key][wanted & (table->n_buckets - 1)]; i != NONE; i = record->next[key]) {
        record = &table->records[i];
        if (record->key_hash[key] != wanted)
            continue;
        found = view(table, key == KEY_NAME ? record->name : record->path);
        if (is_same(key == KEY_NAME ? found : file_name(found), text) &&
            !give(table, record, sink, err))
            return false;
    }
    return true;
}

bool index_table_find(const struct index_table *table, struct bytes_view name,
                      struct bytes_view file, const struct package_index_sink *sink,
                      struct hallmark_error *err)
{
    return find(table, KEY_NAME, name, sink, err) && find(table, KEY_FILE, file, sink, err);
}
