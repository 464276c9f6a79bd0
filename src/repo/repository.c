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
#include "crypto/digest.h"
#include "format/clearsign.h"
#include "format/package_name.h"
#include "format/packages.h"
#include "format/packet.h"
#include "repo/keyring_files.h"
#include "repo/location.h"
#include "repo/package_find.h"
#include "repo/state.h"
#include "system/fetch.h"

/* A package as it is lent out, made when it is first asked for. */
struct lent_package {
    struct hallmark_package package;
    char sha256[2 * RELEASE_SHA256_LEN + 1], sha512[2 * RELEASE_SHA512_LEN + 1];
};

struct hallmark_repository {
    struct fetch *fetch;
    struct verified_release *verified;
    struct hallmark_manifest manifest;
    struct hallmark_signature *signatures;
    char user_ids[LIMITS_SIGNATURES][512]; /* escaped */
    struct lent_package **files;           /* of each entry of the release */
    size_t *packages;                      /* which of the entries are packages */
    char *state_dir;                       /* NULL: nothing is remembered */
    int64_t now;                           /* of the policy, when the repository was opened */
    struct timespec opened;                /* at that moment, CLOCK_MONOTONIC */
};

/* What the server has, read. */
struct documents {
    struct bytes text, signature;
    char *name;
    bool is_inline;
};

static void documents_free(struct documents *documents)
{
    bytes_free(&documents->text);
    bytes_free(&documents->signature);
    free(documents->name);
}

/* Reads InRelease or, where there is none, Release and Release.gpg. Once there is an InRelease it
 * alone counts: falling back after a failed check would let an attacker choose (CVE-2018-0501). */
static bool read_documents(struct fetch *fetch, const char *file, struct documents *out,
                           struct hallmark_error *err)
{
    const char *name = file ? file : "InRelease";
    bool exists, is_signed;
    char *signature;

    out->is_inline = true;
    if (!fetch_document(fetch, name, LIMITS_MANIFEST_BYTES, &out->text, &exists, err))
        return false;
    if (!exists && !file) {
        name = "Release";
        out->is_inline = false;
        if (!fetch_document(fetch, name, LIMITS_MANIFEST_BYTES, &out->text, &exists, err))
            return false;
    }
    if (!exists)
        return error_set(err, HALLMARK_ERR_SIGNATURE,
                         "%s: holds neither InRelease nor Release: nothing here is signed",
                         fetch_url(fetch));
    out->name = alloc_strdup(name);
    if (file)
        out->is_inline = clearsign_is_clearsigned(bytes_view(&out->text));
    if (out->is_inline)
        return true;
    signature = alloc_printf("%s.gpg", name);
    is_signed =
        fetch_document(fetch, signature, LIMITS_SIGNATURE_BYTES, &out->signature, &exists, err);
    if (is_signed && (!exists || out->signature.len == 0))
        is_signed = error_set(err, HALLMARK_ERR_SIGNATURE,
                              "%s: %s has no signature: it holds none itself, and %s is %s",
                              fetch_url(fetch), name, signature, exists ? "empty" : "missing");
    free(signature);
    return is_signed;
}

static bool verify(struct hallmark_repository *repository, const struct hallmark_policy *in,
                   struct bytes_view keyring, struct hallmark_error *err)
{
    struct documents documents = {0};
    struct release_document document = {0};
    struct release_floor floor = {0};
    struct policy policy = {0};
    struct openpgp *keys = NULL;

    if (!policy_from(&policy, in, err))
        return false;
    if (repository->state_dir &&
        !state_load(repository->state_dir, fetch_url(repository->fetch), &floor, err))
        goto out;
    if (!read_documents(repository->fetch, fetch_file(repository->fetch), &documents, err))
        goto out;
    /* A key may be as much ahead of the clock as what it signs. */
    keys = openpgp_open(keyring, in->now + in->clock_skew, err);
    if (!keys)
        goto out;
    document.name = documents.name;
    document.text = bytes_view(&documents.text);
    if (!documents.is_inline)
        document.signature = bytes_view(&documents.signature);
    repository->verified = release_trust_verify(&document, keys, &policy, &floor, err);
    repository->manifest.document = documents.is_inline ? "InRelease" : "Release";
out:
    openpgp_close(keys);
    documents_free(&documents);
    policy_free(&policy);
    return repository->verified != NULL;
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

static void find_packages(struct hallmark_repository *repository)
{
    const struct release *release = &repository->verified->release;
    size_t i, n = 0;

    repository->files = alloc_array(release->n_entries, sizeof *repository->files);
    repository->packages = alloc_array(release->n_entries, sizeof *repository->packages);
    for (i = 0; i < release->n_entries; i++)
        if (!packages_is_index(release->entries[i].path))
            repository->packages[n++] = i;
    repository->manifest.n_packages = n;
}

static void fill_manifest(struct hallmark_repository *repository)
{
    const struct verified_release *verified = repository->verified;
    const struct release *release = &verified->release;
    struct hallmark_manifest *manifest = &repository->manifest;

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
    find_packages(repository);
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

struct hallmark_repository *repository_open(const char *location,
                                            const struct hallmark_policy *policy,
                                            struct bytes_view keyring, struct hallmark_error *err)
{
    struct hallmark_repository *repository = alloc_array(1, sizeof *repository);

    repository->now = policy->now;
    clock_gettime(CLOCK_MONOTONIC, &repository->opened);
    repository->fetch = fetch_open(location, err);
    if (!repository->fetch || !choose_state(repository, policy->state_dir, err) ||
        !verify(repository, policy, keyring, err)) {
        hallmark_repository_close(repository);
        return NULL;
    }
    fill_manifest(repository);
    return repository;
}

struct hallmark_repository *hallmark_repository_open(const char *location,
                                                     const struct hallmark_policy *policy,
                                                     struct hallmark_error *err)
{
    struct bytes keyring = {0};
    struct hallmark_repository *repository = NULL;

    error_clear(err);
    if (keyring_files_load(policy->keyrings, &keyring, err))
        repository = repository_open(location, policy, bytes_view(&keyring), err);
    bytes_free(&keyring);
    return repository;
}

void hallmark_repository_close(struct hallmark_repository *repository)
{
    size_t i;

    if (!repository)
        return;
    for (i = 0; repository->files && i < repository_count_files(repository); i++)
        free(repository->files[i]);
    free(repository->files);
    free(repository->packages);
    free(repository->signatures);
    release_trust_free(repository->verified);
    fetch_close(repository->fetch);
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

static struct lent_package *lend_package(const struct release *release, size_t index)
{
    const struct release_entry *entry = &release->entries[index];
    struct package_name parsed;
    struct lent_package *lent;
    char *text;

    package_name_parse(&parsed, entry->path);
    lent = alloc_array(1, sizeof *lent + parsed.name.len + parsed.version.len + 2);
    text = (char *)(lent + 1);
    memcpy(text, parsed.name.data, parsed.name.len);
    lent->package.name = text;
    text += parsed.name.len + 1;
    if (parsed.version.len)
        memcpy(text, parsed.version.data, parsed.version.len);
    lent->package.version = text;
    lent->package.path = entry->path;
    lent->package.size = entry->size;
    if (release->hashes & RELEASE_SHA256) {
        encoding_hex(lent->sha256, entry->sha256, sizeof entry->sha256);
        lent->package.sha256 = lent->sha256;
    }
    if (release->hashes & RELEASE_SHA512) {
        encoding_hex(lent->sha512, entry->sha512, sizeof entry->sha512);
        lent->package.sha512 = lent->sha512;
    }
    return lent;
}

size_t repository_count_files(const struct hallmark_repository *repository)
{
    return repository->verified->release.n_entries;
}

const struct hallmark_package *repository_file(const struct hallmark_repository *repository,
                                               size_t index)
{
    if (index >= repository_count_files(repository))
        return NULL;
    if (!repository->files[index])
        repository->files[index] = lend_package(&repository->verified->release, index);
    return &repository->files[index]->package;
}

const struct hallmark_package *
hallmark_repository_package(const struct hallmark_repository *repository, size_t index)
{
    if (index >= repository->manifest.n_packages)
        return NULL;
    return repository_file(repository, repository->packages[index]);
}

const struct hallmark_package *
hallmark_repository_find(const struct hallmark_repository *repository, const char *name,
                         struct hallmark_error *err)
{
    const struct release *release = &repository->verified->release;
    const struct release_entry *entry;

    error_clear(err);
    entry = package_find(release, name, err);
    if (!entry)
        return NULL;
    return repository_file(repository, (size_t)(entry - release->entries));
}

const struct release_entry *repository_entry(const struct hallmark_repository *repository,
                                             const struct hallmark_package *package)
{
    return release_find(&repository->verified->release, package->path);
}

static int open_index(const struct hallmark_repository *repository,
                      const struct release_entry *entry, struct hallmark_error *err)
{
    const struct release *release = &repository->verified->release;
    char hex[2 * RELEASE_SHA512_LEN + 1], *by_hash = NULL;
    bool is_sha256 = (release->hashes & RELEASE_SHA256) != 0;
    int fd;

    if (is_sha256)
        encoding_hex(hex, entry->sha256, sizeof entry->sha256);
    else
        encoding_hex(hex, entry->sha512, sizeof entry->sha512);
    if (release->acquire_by_hash)
        by_hash = alloc_printf("by-hash/%s/%s", is_sha256 ? "SHA256" : "SHA512", hex);
    fd = fetch_index(repository->fetch, entry->path, by_hash, err);
    free(by_hash);
    return fd;
}

int repository_open_package(const struct hallmark_repository *repository,
                            const struct release_entry *entry, struct hallmark_error *err)
{
    struct stat st;
    int fd = packages_is_index(entry->path) ? open_index(repository, entry, err)
                                            : fetch_package(repository->fetch, entry->path, err);

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0)
        error_set_errno(err, "%s", entry->path);
    else if ((uint64_t)st.st_size != entry->size)
        error_set(err, HALLMARK_ERR_CONTENT, "%s: has %ju bytes, the manifest says %ju",
                  entry->path, (uintmax_t)st.st_size, (uintmax_t)entry->size);
    else
        return fd;
    file_close(&fd);
    return -1;
}

static bool compare_hash(const char *path, const char *name, const unsigned char *found,
                         const unsigned char *wanted, size_t len, struct hallmark_error *err)
{
    char found_text[2 * RELEASE_SHA512_LEN + 1], wanted_text[2 * RELEASE_SHA512_LEN + 1];

    if (memcmp(found, wanted, len) == 0)
        return true;
    encoding_hex(found_text, found, len);
    encoding_hex(wanted_text, wanted, len);
    return error_set(err, HALLMARK_ERR_CONTENT, "%s: %s is %s, the manifest says %s", path, name,
                     found_text, wanted_text);
}

static bool compare(const struct release *release, const struct release_entry *entry,
                    const struct digest_value *found, struct hallmark_error *err)
{
    if (release->hashes & RELEASE_SHA256 &&
        !compare_hash(entry->path, "SHA256", found->sha256, entry->sha256, RELEASE_SHA256_LEN, err))
        return false;
    return !(release->hashes & RELEASE_SHA512) ||
           compare_hash(entry->path, "SHA512", found->sha512, entry->sha512, RELEASE_SHA512_LEN,
                        err);
}

bool repository_read_package(const struct hallmark_repository *repository, int fd,
                             const struct release_entry *entry, const struct repository_sink *sink,
                             struct hallmark_error *err)
{
    enum { STEP = 256 * 1024 };
    const struct release *release = &repository->verified->release;
    struct digest *digest = digest_new(release->hashes, err);
    unsigned char *buf = alloc_array(STEP, 1);
    struct digest_value found;
    uint64_t left = entry->size;
    ssize_t n = 0;
    bool ok = digest != NULL;

    while (ok && left) {
        n = file_read_some(fd, buf, left < STEP ? (size_t)left : STEP);
        if (n < 0)
            ok = error_set_errno(err, "%s", entry->path);
        else if (n == 0)
            ok = error_set(err, HALLMARK_ERR_CONTENT, "%s: became shorter while it was read",
                           entry->path);
        else
            ok = digest_update(digest, buf, (size_t)n, err) &&
                 sink->take(sink->ctx, buf, (size_t)n, err);
        left -= n > 0 ? (uint64_t)n : 0;
    }
    ok = ok && digest_final(digest, &found, err) && compare(release, entry, &found, err);
    digest_free(digest);
    free(buf);
    return ok;
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
    struct release_floor floor = {.date = repository->verified->release.date};

    error_clear(err);
    if (!repository->state_dir)
        return true;
    memcpy(floor.sha256, repository->verified->sha256, sizeof floor.sha256);
    return state_save(repository->state_dir, fetch_url(repository->fetch), &floor, err);
}
