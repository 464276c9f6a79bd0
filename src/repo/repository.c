/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_repository_*(): opening a repository, and what its verified manifest says. */
#include "repo/repository.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/url.h"
#include "format/index_path.h"
#include "format/packet.h"
#include "repo/documents.h"
#include "repo/index.h"
#include "repo/index_find.h"
#include "repo/keyring_files.h"
#include "repo/location.h"
#include "repo/package_find.h"
#include "repo/revocations.h"
#include "repo/state.h"

/* Loads the newest of what is remembered under any of the repository's URLs. */
static bool load_floor(const struct hallmark_repository *repository, struct release_floor *out,
                       struct hallmark_error *err)
{
    struct release_floor floor;
    size_t i;

    for (i = 0; repository->state_dir && i < repository->remembered.n_items; i++) {
        floor = (struct release_floor){0};
        if (!state_load(repository->state_dir, repository->remembered.items[i], &floor, err))
            return false;
        if (floor.date > out->date) {
            state_free(out);
            *out = floor;
        } else {
            state_free(&floor);
        }
    }
    out->revoked = &repository->revoked;
    return true;
}

/* A bundle comes from anywhere: what was seen before is remembered by what the manifest says of
 * itself, and it is judged again by that. */
static void check_bundle(struct hallmark_repository *repository,
                         const struct release_document *document, struct openpgp *keys,
                         const struct policy *policy, struct hallmark_error *err)
{
    const struct release *release = &repository->verified->release;
    struct release_floor floor = {0};
    char *key =
        alloc_printf("bundle:%s/%s/%s/%s", release->origin ? release->origin : "",
                     release->label ? release->label : "", release->suite ? release->suite : "",
                     release->codename ? release->codename : "");

    strlist_free(&repository->remembered);
    strlist_add(&repository->remembered, key);
    free(key);
    release_trust_free(repository->verified);
    repository->verified = NULL;
    if (load_floor(repository, &floor, err))
        repository->verified = release_trust_verify(document, keys, policy, &floor, err);
    state_free(&floor);
}

/* Verifies what the server has; what was kept is judged as if it had come just now. */
static bool verify_documents(struct hallmark_repository *repository, struct openpgp *keys,
                             const struct policy *policy, enum cached cached,
                             struct hallmark_error *err)
{
    struct documents documents = {0};
    struct release_document document = {0};
    struct release_floor floor = {0};
    struct hallmark_error why = {0};
    bool is_cached;

    if (!openpgp_prepare(keys, err) || !load_floor(repository, &floor, err))
        return false;
    if (documents_read(repository, cached, &documents, &why)) {
        /* While gpg is busy; below a suite's directory there are indexes. */
        if (fetch_is_remote(repository->place.fetch) && *repository->place.directory)
            package_reader_begin(repository->reader);
        document.name = documents.name;
        document.text = bytes_view(&documents.text);
        if (!documents.is_inline)
            document.signature = bytes_view(&documents.signature);
        repository->verified = release_trust_verify(&document, keys, policy, &floor, &why);
    }
    if (repository->verified && repository->bundle)
        check_bundle(repository, &document, keys, policy, &why);
    state_free(&floor);
    is_cached = documents.is_text_cached || documents.is_signature_cached;
    if (repository->verified) {
        documents_keep(repository, &documents);
        repository->manifest.document = documents.is_inline ? "InRelease" : "Release";
        repository->document = documents.text;
        repository->signature = documents.signature;
        documents.text = documents.signature = (struct bytes){0};
    }
    documents_free(&documents);
    /* Whoever could write to the cache, or a server that lies, must not keep us from what is there.
     */
    if (!repository->verified && is_cached)
        return verify_documents(repository, keys, policy, WITHOUT_CACHE, err);
    return repository->verified || error_set(err, why.code, "%s", why.text);
}

/* A key may be as much ahead of the clock as what it signs. */
static bool open_session(struct repository_keys *keys, const struct hallmark_policy *policy,
                         struct hallmark_error *err)
{
    if (keys->session)
        return true;
    keys->session = openpgp_open(keys->keyring, policy->now + policy->clock_skew, err);
    if (keys->session && keys->remembers)
        openpgp_remember(keys->session);
    return keys->session != NULL;
}

static bool verify(struct hallmark_repository *repository, const struct hallmark_policy *in,
                   struct repository_keys *keys, struct hallmark_error *err)
{
    struct policy policy = {0};
    bool ok;

    if (!policy_from(&policy, in, err))
        return false;
    ok = open_session(keys, in, err) &&
         (!repository->state_dir ||
          revocations_load(repository->state_dir, &repository->revoked, err)) &&
         verify_documents(repository, keys->session, &policy, WITH_CACHE, err);
    policy_free(&policy);
    if (ok)
        openpgp_add_revoked(keys->session, &repository->revoked);
    return ok;
}

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static void fill_signatures(struct hallmark_repository *repository)
{
    const struct verified_release *verified = repository->verified;
    size_t i;

    repository->signatures = alloc_array(verified->n_signatures, sizeof *repository->signatures);
    for (i = 0; i < verified->n_signatures; i++) {
        const struct release_signature *from = &verified->signatures[i];
        struct hallmark_signature *to = &repository->signatures[i];

        to->fingerprint = from->openpgp.fingerprint;
        to->primary = text_or_null(from->openpgp.primary);
        encoding_escape(repository->user_ids[i], sizeof repository->user_ids[i],
                        from->openpgp.user_id, strlen(from->openpgp.user_id));
        to->user_id = text_or_null(repository->user_ids[i]);
        to->digest = from->openpgp.digest ? packet_digest_name(from->openpgp.digest) : NULL;
        to->created = from->openpgp.created;
        to->counted = from->is_counted;
        to->verdict = from->verdict;
    }
}

/* What of the manifest is no package: indexes; and in an archive all, since packages stand in
 * indexes only. */
static enum content_kind kind_of(const struct hallmark_repository *repository,
                                 const struct release_entry *entry)
{
    struct index_path ignored;

    return repository->is_archive || index_path_parse(&ignored, entry->path) ? CONTENT_METADATA
                                                                             : CONTENT_PACKAGE;
}

static void count_files(struct hallmark_repository *repository)
{
    const struct release *release = &repository->verified->release;
    size_t i;

    repository->files = alloc_array(release->n_entries, sizeof *repository->files);
    for (i = 0; i < release->n_entries; i++)
        if (kind_of(repository, &release->entries[i]) == CONTENT_PACKAGE)
            repository->manifest.n_packages++;
    repository->manifest.n_indexes = release->n_entries - repository->manifest.n_packages;
}

static void fill_manifest(struct hallmark_repository *repository)
{
    const struct verified_release *verified = repository->verified;
    const struct release *release = &verified->release;
    struct hallmark_manifest *manifest = &repository->manifest;

    manifest->location = repository->place.url;
    manifest->origin = release->origin;
    manifest->label = release->label;
    manifest->suite = release->suite;
    manifest->codename = release->codename;
    manifest->version = release->version;
    manifest->description = release->description;
    manifest->date = release->date;
    manifest->valid_until = release->valid_until;
    manifest->expires = verified->expires;
    fill_signatures(repository);
    manifest->signatures = repository->signatures;
    manifest->n_signatures = verified->n_signatures;
    count_files(repository);
    manifest->text = verified->text.data;
    manifest->text_len = verified->text.len;
}

static bool choose_state(struct hallmark_repository *repository, const char *state_dir,
                         struct hallmark_error *err)
{
    if (state_dir && !*state_dir)
        return true;
    repository->state_dir = state_dir ? alloc_strdup(state_dir) : location_state(err);
    return repository->state_dir != NULL;
}

static void copy_list(struct strlist *out, const char *const *list)
{
    for (; list && *list; list++)
        strlist_add(out, *list);
}

/* Opens what is now known to be there. */
static bool settle(struct hallmark_repository *repository, struct hallmark_error *err)
{
    repository->is_archive = index_is_archive(&repository->verified->release);
    repository->has_indexes = index_exists(repository);
    if (!repository->is_archive && !place_is_flat(&repository->place, err))
        return false;
    fill_manifest(repository);
    return true;
}

/* Finds the manifest, in a bundle below where that is laid out; then the place is called like its
 * file. */
static bool find_place(struct hallmark_repository *repository, const char *location,
                       const struct hallmark_policy *policy, const struct fetch_options *options,
                       struct hallmark_error *err)
{
    struct place *place = &repository->place;

    if (!url_is_http(location) && bundle_is(location)) {
        repository->bundle = bundle_open(location, err);
        if (!repository->bundle || !place_find(place, repository->bundle->dir, NULL, options, err))
            return false;
        free(place->url);
        place->url = alloc_strdup(repository->bundle->url);
        return true;
    }
    return place_find(place, location, policy->suite, options, err);
}

static void remember_under(struct hallmark_repository *repository, const char *url)
{
    if (url && !strlist_has(&repository->remembered, url))
        strlist_add(&repository->remembered, url);
}

/* A manifest is remembered under the URLs of all mirrors: none of them is to show anything older.
 * They are those that the configuration means, whatever servers say; beside them, that of where it
 * was found, if a server denies that there is a directory of the suite. */
static void name_urls(struct hallmark_repository *repository, const char *location,
                      const struct hallmark_policy *policy)
{
    const char *const *mirror;
    char *url = place_url(location, policy->suite);

    remember_under(repository, repository->place.url);
    if (policy->suite || policy->mirrors)
        remember_under(repository, url);
    free(url);
    for (mirror = policy->mirrors; mirror && *mirror; mirror++) {
        url = place_url(*mirror, policy->suite);
        remember_under(repository, url);
        free(url);
    }
}

/* Has gpg list the keys, and be ready to verify, while a server is asked. What is wrong with that
 * is told by whoever needs it. */
static void open_ahead(struct repository_keys *keys, const struct hallmark_policy *policy)
{
    if (open_session(keys, policy, NULL))
        openpgp_prepare(keys->session, NULL);
}

struct hallmark_repository *repository_open_with(const char *location,
                                                 const struct hallmark_policy *policy,
                                                 struct repository_keys *keys,
                                                 struct hallmark_error *err)
{
    struct hallmark_repository *repository = alloc_array(1, sizeof *repository);
    struct fetch_options options = {.sandbox = policy->sandbox,
                                    .seconds = (unsigned)policy->network_timeout,
                                    .ca_file = policy->ca_file};

    repository->now = policy->now;
    clock_gettime(CLOCK_MONOTONIC, &repository->opened);
    repository->lent = alloc_array(1, sizeof *repository->lent);
    repository->found = index_find_new();
    repository->reader = package_reader_new(policy->sandbox);
    copy_list(&repository->components, policy->components);
    copy_list(&repository->architectures, policy->architectures);
    repository->failover = failover_new(location, location, policy);
    if (url_is_http(location))
        open_ahead(keys, policy);
    if (!find_place(repository, location, policy, &options, err) ||
        !choose_state(repository, policy->state_dir, err)) {
        hallmark_repository_close(repository);
        return NULL;
    }
    if (!repository->bundle)
        name_urls(repository, location, policy);
    if (fetch_is_remote(repository->place.fetch))
        repository->cache = cache_new(repository->state_dir);
    if (!verify(repository, policy, keys, err) || !settle(repository, err)) {
        hallmark_repository_close(repository);
        return NULL;
    }
    return repository;
}

struct hallmark_repository *repository_open(const char *location,
                                            const struct hallmark_policy *policy,
                                            struct bytes_view keyring, struct hallmark_error *err)
{
    struct repository_keys keys = {.keyring = keyring};
    struct hallmark_repository *repository = repository_open_with(location, policy, &keys, err);

    openpgp_close(keys.session);
    return repository;
}

/* The first location that has a manifest which may be believed. */
static struct hallmark_repository *open_first(const char *location,
                                              const struct hallmark_policy *policy,
                                              struct bytes_view keyring, struct hallmark_error *err)
{
    struct failover *all = failover_new(location, location, policy);
    struct hallmark_policy each = *policy;
    struct hallmark_repository *repository = NULL;
    struct hallmark_error worst = {0};
    const char *urls[FAILOVER_MAX + 1];
    struct timespec start, now;
    size_t i;

    clock_gettime(CLOCK_MONOTONIC, &start);
    failover_list(all, urls);
    each.mirrors = all->n_locations > 1 ? urls : NULL;
    for (i = 0; i < all->n_locations && !repository; i++) {
        struct hallmark_error why = {0};

        clock_gettime(CLOCK_MONOTONIC, &now);
        each.now = policy->now + (now.tv_sec - start.tv_sec);
        repository = repository_open(urls[i], &each, keyring, &why);
        if (!repository)
            failover_weigh(&worst, &why);
        if (!repository && all->n_locations > 1 && policy->trouble)
            policy->trouble(policy->trouble_ctx, urls[i], &why);
    }
    if (!repository && all->n_locations > 1)
        error_set(err, worst.code, "%s (and no other location can be used)", worst.text);
    else if (!repository)
        error_set(err, worst.code, "%s", worst.text);
    failover_free(all);
    return repository;
}

struct hallmark_repository *hallmark_repository_open(const char *location,
                                                     const struct hallmark_policy *policy,
                                                     struct hallmark_error *err)
{
    struct bytes keyring = {0};
    struct hallmark_repository *repository = NULL;

    error_clear(err);
    if (keyring_files_load(policy, &keyring, err))
        repository = open_first(location, policy, bytes_view(&keyring), err);
    bytes_free(&keyring);
    return repository;
}

void hallmark_repository_close(struct hallmark_repository *repository)
{
    size_t i;

    if (!repository)
        return;
    for (i = 0; repository->files && i < repository_count_files(repository); i++)
        content_free(repository->files[i]);
    for (i = 0; i < repository->lent->n_items; i++)
        content_free(repository->lent->items[i]);
    index_find_free(repository->found);
    free(repository->lent->items);
    free(repository->lent);
    free(repository->files);
    free(repository->signatures);
    package_reader_free(repository->reader);
    strlist_free(&repository->components);
    strlist_free(&repository->architectures);
    release_trust_free(repository->verified);
    bytes_free(&repository->document);
    bytes_free(&repository->signature);
    bundle_free(repository->bundle);
    failover_free(repository->failover);
    cache_free(repository->cache);
    strlist_free(&repository->remembered);
    strlist_free(&repository->revoked);
    place_free(&repository->place);
    free(repository->state_dir);
    free(repository);
}

const struct hallmark_manifest *
hallmark_repository_manifest(const struct hallmark_repository *repository)
{
    return &repository->manifest;
}

const struct verified_release *repository_release(const struct hallmark_repository *repository)
{
    return repository->verified;
}

/* ---- Files and packages --------------------------------------------------------------------- */

size_t repository_count_files(const struct hallmark_repository *repository)
{
    return repository->verified->release.n_entries;
}

struct content *repository_make_file(const struct hallmark_repository *repository, size_t index)
{
    const struct release *release = &repository->verified->release;
    const struct release_entry *entry = &release->entries[index];
    char *path = place_path(&repository->place, entry->path);
    struct content *content = content_of_entry(release, entry, path, kind_of(repository, entry));

    free(path);
    return content;
}

enum content_kind repository_file_kind(const struct hallmark_repository *repository, size_t index)
{
    return kind_of(repository, &repository->verified->release.entries[index]);
}

const struct content *repository_file(const struct hallmark_repository *repository, size_t index)
{
    if (index >= repository_count_files(repository))
        return NULL;
    if (!repository->files[index])
        repository->files[index] = repository_make_file(repository, index);
    return repository->files[index];
}

const struct content *repository_keep(const struct hallmark_repository *repository,
                                      struct content *content)
{
    struct contents *lent = repository->lent;

    lent->items = alloc_one_more(lent->items, lent->n_items, &lent->cap, sizeof(struct content *));
    return lent->items[lent->n_items++] = content;
}

/* What the manifest lists under NAME, a path from its own directory or from the root. */
static const struct release_entry *find_entry(const struct hallmark_repository *repository,
                                              const char *name)
{
    const char *directory = repository->place.directory;
    size_t len = strlen(directory);

    if (len && strncmp(name, directory, len) == 0 && name[len] == '/')
        name += len + 1;
    return release_find(&repository->verified->release, name);
}

/* The file of the manifest that NAME means; in an archive only by its path, with or without that of
 * the manifest. NULL with HALLMARK_ERR_NO_PACKAGE, and with HALLMARK_ERR_USAGE. */
static const struct content *find_file(const struct hallmark_repository *repository,
                                       const char *name, struct hallmark_error *err)
{
    const struct release *release = &repository->verified->release;
    const struct release_entry *entry =
        repository->is_archive ? find_entry(repository, name) : package_find(release, name, err);

    if (entry)
        return repository_file(repository, (size_t)(entry - release->entries));
    if (repository->is_archive)
        error_set(err, HALLMARK_ERR_NO_PACKAGE, "%s: the manifest lists no such file", name);
    return NULL;
}

const struct hallmark_package *
hallmark_repository_find(const struct hallmark_repository *repository, const char *name,
                         struct hallmark_error *err)
{
    const struct content *found;
    struct hallmark_error why = {0};
    /* Whoever looks in the indexes next needs no reason why it is not in the manifest. */
    bool is_silent = repository->is_archive && repository->has_indexes;

    error_clear(err);
    found = find_file(repository, name, is_silent ? NULL : &why);
    if (!found && repository->has_indexes && (is_silent || why.code == HALLMARK_ERR_NO_PACKAGE))
        found = index_find(repository, name, err);
    else if (!found)
        error_set(err, why.code, "%s", why.text);
    return found ? &found->package : NULL;
}

bool repository_check_fresh(const struct hallmark_repository *repository,
                            struct hallmark_error *err)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return release_trust_check_fresh(
        repository->verified, repository->now + (now.tv_sec - repository->opened.tv_sec), err);
}

bool hallmark_repository_remember(const struct hallmark_repository *repository,
                                  struct hallmark_error *err)
{
    const struct release *release = &repository->verified->release;
    struct release_floor floor = {.date = release->date,
                                  .origin = release->origin,
                                  .label = release->label,
                                  .codename = release->codename};

    bool ok;
    size_t i;

    error_clear(err);
    ok = !repository->state_dir || !repository->revoked.n_items ||
         revocations_save(repository->state_dir, &repository->revoked, err);
    memcpy(floor.sha256, repository->verified->sha256, sizeof floor.sha256);
    for (i = 0; ok && repository->state_dir && i < repository->remembered.n_items; i++)
        ok = state_save(repository->state_dir, repository->remembered.items[i], &floor, err);
    if (ok)
        cache_save(repository->cache);
    return ok;
}
