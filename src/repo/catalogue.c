/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The packages of all indexes; hallmark_repository_list(). */
#include "repo/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/digest.h"
#include "repo/index.h"

/* A package that was there already: the start of a SHA-256 over its path, size and hashes. */
enum { KEY_LEN = 16 };
struct key {
    unsigned char bytes[KEY_LEN];
};

/* A hash table, at most half full. */
struct seen {
    struct key *slots; /* all zero: free */
    size_t n_slots, n_used;
};

struct reading {
    const struct hallmark_repository *repository;
    const struct catalogue_sink *sink;
    struct seen seen;
    struct bytes text; /* of the key that is made */
};

static bool is_free(const struct key *key)
{
    static const struct key none;

    return memcmp(key, &none, sizeof none) == 0;
}

static struct key *find_slot(const struct seen *seen, const struct key *key)
{
    size_t i;

    memcpy(&i, key->bytes, sizeof i);
    for (i &= seen->n_slots - 1; !is_free(&seen->slots[i]); i = (i + 1) & (seen->n_slots - 1))
        if (memcmp(&seen->slots[i], key, sizeof *key) == 0)
            break;
    return &seen->slots[i];
}

static void grow(struct seen *seen)
{
    struct seen larger = {.n_slots = seen->n_slots ? 2 * seen->n_slots : 1024};
    size_t i;

    larger.slots = alloc_array(larger.n_slots, sizeof *larger.slots);
    larger.n_used = seen->n_used;
    for (i = 0; i < seen->n_slots; i++)
        if (!is_free(&seen->slots[i]))
            *find_slot(&larger, &seen->slots[i]) = seen->slots[i];
    free(seen->slots);
    *seen = larger;
}

/* Whether KEY is new, and remembers it. */
static bool is_new(struct seen *seen, const struct key *key)
{
    struct key *slot;

    if (2 * (seen->n_used + 1) > seen->n_slots)
        grow(seen);
    slot = find_slot(seen, key);
    if (!is_free(slot))
        return false;
    *slot = *key;
    seen->n_used++;
    return true;
}

static bool make_key(struct reading *r, const struct package_index_entry *entry, struct key *out,
                     struct hallmark_error *err)
{
    struct digest_value digest;

    r->text.len = 0;
    bytes_append(&r->text, entry->path.data, entry->path.len);
    bytes_append(&r->text, "", 1);
    bytes_append(&r->text, &entry->size, sizeof entry->size);
    bytes_append(&r->text, &entry->hashes, sizeof entry->hashes);
    bytes_append(&r->text, entry->sha256, sizeof entry->sha256);
    bytes_append(&r->text, entry->sha512, sizeof entry->sha512);
    if (!digest_bytes(DIGEST_SHA256, bytes_view(&r->text), &digest, err))
        return false;
    memcpy(out->bytes, digest.sha256, sizeof out->bytes);
    return true;
}

/* Whether the manifest of a flat repository lists the file by itself: then it must say the same. */
static bool is_listed(const struct reading *r, const struct package_index_entry *entry, bool *out,
                      struct hallmark_error *err)
{
    const struct release *release = &r->repository->verified->release;
    const struct release_entry *listed = NULL;
    unsigned both = release->hashes & entry->hashes;
    char *path;

    if (!r->repository->is_archive) {
        path = alloc_strndup(entry->path.data, entry->path.len);
        listed = release_find(release, path);
        free(path);
    }
    *out = listed != NULL;
    if (!listed || (listed->size == entry->size &&
                    (!(both & RELEASE_SHA256) ||
                     memcmp(listed->sha256, entry->sha256, sizeof entry->sha256) == 0) &&
                    (!(both & RELEASE_SHA512) ||
                     memcmp(listed->sha512, entry->sha512, sizeof entry->sha512) == 0)))
        return true;
    return error_set(err, HALLMARK_ERR_CONTENT,
                     "the index and the manifest say two sizes or hashes of %s", listed->path);
}

static bool take(void *ctx, const struct package_index_entry *entry, struct hallmark_error *err)
{
    struct reading *r = ctx;
    struct content *content;
    struct key key;
    bool listed, ok;

    if (!is_listed(r, entry, &listed, err) || (!listed && !make_key(r, entry, &key, err)))
        return false;
    if (listed || !is_new(&r->seen, &key))
        return true;
    content = content_of_package(entry);
    ok = r->sink->each(r->sink->ctx, content, err);
    content_free(content);
    return ok;
}

bool catalogue_read(const struct hallmark_repository *repository, const struct catalogue_sink *sink,
                    struct hallmark_error *err)
{
    struct reading r = {.repository = repository, .sink = sink};
    struct index_walk walk = {.tier = INDEX_TIER_PACKAGES,
                              .architecture = "",
                              .absence = INDEX_MUST_BE_THERE,
                              .sink = {.take = take, .ctx = &r},
                              .problem = sink->problem,
                              .problem_ctx = sink->ctx};
    bool ok = index_walk(repository, &walk, err);

    free(r.seen.slots);
    bytes_free(&r.text);
    return ok;
}

/* ---- hallmark_repository_list() ------------------------------------------------------------- */

struct listing {
    hallmark_package_fn *each;
    void *ctx;
    bool is_stopped;
    const struct strlist *present; /* of a bundle; NULL: not asked */
};

static bool list_one(void *ctx, const struct content *content, struct hallmark_error *err)
{
    struct listing *listing = ctx;

    if (listing->present && !strlist_has(listing->present, content->package.path))
        return true;
    listing->is_stopped = !listing->each(listing->ctx, &content->package);
    /* Nobody sees this. */
    return !listing->is_stopped || error_set(err, HALLMARK_ERR_USAGE, "stopped");
}

bool hallmark_repository_list(const struct hallmark_repository *repository,
                              hallmark_package_fn *each, void *ctx, struct hallmark_error *err)
{
    struct listing listing = {.each = each, .ctx = ctx};
    const struct strlist *present = repository->bundle ? &repository->bundle->paths : NULL;
    struct catalogue_sink sink = {.each = list_one, .ctx = &listing};
    const struct content *content;
    size_t i;

    error_clear(err);
    for (i = 0; !listing.is_stopped && (content = repository_file(repository, i)) != NULL; i++)
        if (content->kind == CONTENT_PACKAGE &&
            (!present || strlist_has(present, content->package.path)))
            listing.is_stopped = !each(ctx, &content->package);
    listing.present = present;
    if (listing.is_stopped || catalogue_read(repository, &sink, err))
        return true;
    if (listing.is_stopped)
        error_clear(err);
    return listing.is_stopped;
}
