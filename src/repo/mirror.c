/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_mirror_sync(), and what the steps of a run share. */
#include "repo/mirror.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/path.h"
#include "crypto/digest.h"
#include "repo/keyring_files.h"
#include "repo/location.h"
#include "repo/mirror_attempt.h"
#include "repo/note.h"

enum { SERVED_DIRECTORY = 0755, STATE_DIRECTORY = 0700, NAME_DIGITS = 16 };

const char *const mirror_documents[MIRROR_DOCUMENTS] = {"InRelease", "Release", "Release.gpg"};

void mirror_note(const struct mirror *mirror, enum hallmark_note kind, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note_tell(mirror->options->note, mirror->options->ctx, kind, fmt, ap);
    va_end(ap);
}

bool mirror_wants(const struct mirror *mirror, const char *name)
{
    size_t i;

    for (i = 0; i < mirror->packages.n_items; i++)
        if (fnmatch(mirror->packages.items[i], name, 0) == 0)
            return true;
    return mirror->packages.n_items == 0;
}

bool mirror_here(struct mirror *mirror, bool ok)
{
    if (!ok)
        mirror->blame = MIRROR_BLAME_HERE;
    return ok;
}

bool mirror_count(void *ctx, const void *data, size_t len, struct hallmark_error *err)
{
    struct mirror *mirror = ctx;

    (void)data;
    (void)err;
    mirror->n_done += len;
    if (mirror->options->progress)
        mirror->options->progress(mirror->options->ctx, mirror->n_done, mirror->n_total);
    return true;
}

/* ---- The policy ----------------------------------------------------------------------------- */

static const char **list_of(const struct strlist *names)
{
    const char **list = NULL;
    size_t i;

    if (names->n_items)
        list = alloc_array(names->n_items + 1, sizeof *list);
    for (i = 0; i < names->n_items; i++)
        list[i] = names->items[i];
    return list;
}

void mirror_policy_make(struct mirror_policy *out, const struct mirror *mirror, const char *suite,
                        const char *state_dir)
{
    out->policy = *mirror->options->policy;
    out->components = list_of(&mirror->components);
    out->architectures = list_of(&mirror->architectures);
    out->policy.now = mirror->now;
    out->policy.mirrors = NULL;
    out->policy.suite = suite;
    out->policy.state_dir = state_dir;
    out->policy.components = out->components;
    out->policy.architectures = out->architectures;
}

void mirror_policy_free(struct mirror_policy *policy)
{
    free(policy->components);
    free(policy->architectures);
}

/* Sorts NAMES, each once, into OUT. */
static bool take_names(struct strlist *out, const char *const *names, const char *what,
                       struct hallmark_error *err)
{
    struct strlist sorted = {0};
    bool ok = true;
    size_t i;

    for (; ok && names && *names; names++) {
        ok = path_check(bytes_view_str(*names), what, err);
        if (!ok && err)
            err->code = HALLMARK_ERR_USAGE;
        strlist_add(&sorted, *names);
    }
    strlist_sort(&sorted);
    for (i = 0; i < sorted.n_items; i++)
        if (i == 0 || strcmp(sorted.items[i], sorted.items[i - 1]) != 0)
            strlist_add(out, sorted.items[i]);
    strlist_free(&sorted);
    return ok;
}

/* ---- Opening -------------------------------------------------------------------------------- */

/* The name of this mirror's own directory in the state directory: for people, and unique. */
static char *state_name(const struct mirror *mirror, struct hallmark_error *err)
{
    struct digest_value digest;
    char digits[2 * DIGEST_SHA256_LEN + 1];

    if (!digest_bytes(DIGEST_SHA256, bytes_view_str(mirror->root), &digest, err))
        return NULL;
    encoding_hex(digits, digest.sha256, sizeof digest.sha256);
    return alloc_printf("mirrors/%.100s-%.*s", path_basename(mirror->root), NAME_DIGITS, digits);
}

/* Whether the directory DIR, which exists, is PATH or below it. */
static bool is_inside(const char *dir, const char *path)
{
    char *real = path_resolve(dir, NULL);
    size_t len = strlen(path);
    bool is = real && strncmp(real, path, len) == 0 &&
              (real[len] == '\0' || real[len] == '/' || len == 1);

    free(real);
    return is;
}

static bool open_state(struct mirror *mirror, struct hallmark_error *err)
{
    const struct hallmark_mirror_options *options = mirror->options;
    struct hallmark_error ignored = {0}, why = {0};
    char *name = state_name(mirror, err), *dir = NULL;

    if (!name)
        return false;
    dir = path_join(mirror->state_base, name);
    free(name);
    mirror->statefd = options->dry_run ? file_open_directory(dir, &ignored)
                                       : file_make_directories(dir, STATE_DIRECTORY, err);
    if (mirror->statefd >= 0 && is_inside(dir, mirror->root)) {
        error_set(err, HALLMARK_ERR_USAGE,
                  "%s: the state directory lies inside of the mirror %s, where everybody could "
                  "fetch it",
                  dir, mirror->root);
        file_close(&mirror->statefd);
    }
    free(dir);
    if (mirror->statefd < 0)
        return options->dry_run && (!err || err->code == HALLMARK_OK);
    if (!options->dry_run) {
        mirror->lock = lock_acquire(mirror->statefd, "lock", options->lock_wait, err);
        if (mirror->lock < 0)
            return error_prefix(err, "%s", mirror->root);
    }
    mirror->cache = digest_cache_load(mirror->statefd, &why);
    if (why.code != HALLMARK_OK)
        mirror_note(mirror, HALLMARK_NOTE_INFO, "%s; all files are read", why.text);
    return mirror_record_load(mirror->statefd, &mirror->record, &mirror->retired, err);
}

bool mirror_open(struct mirror *mirror, const char *dest, struct hallmark_error *err)
{
    const struct hallmark_policy *policy = mirror->options->policy;
    struct hallmark_error why = {0};

    if (!take_names(&mirror->components, policy->components, "component", err) ||
        !take_names(&mirror->architectures, policy->architectures, "architecture", err) ||
        !take_names(&mirror->packages, mirror->options->packages, "package", err) ||
        !keyring_files_load(policy, &mirror->keyring, err))
        return false;
    mirror->keys.keyring = bytes_view(&mirror->keyring);
    mirror->keys.remembers = true;
    if (policy->state_dir && !*policy->state_dir)
        return error_set(err, HALLMARK_ERR_USAGE, "a mirror needs a state directory");
    mirror->state_base = policy->state_dir ? alloc_strdup(policy->state_dir) : location_state(err);
    if (!mirror->state_base)
        return false;
    mirror->rootfd = mirror->options->dry_run ? file_open_directory(dest, &why)
                                              : file_make_directories(dest, SERVED_DIRECTORY, err);
    if (mirror->rootfd < 0)
        return mirror->options->dry_run &&
               (errno == ENOENT || error_set(err, why.code, "%s", why.text));
    mirror->root = path_resolve(dest, err);
    return mirror->root && open_state(mirror, err);
}

void mirror_end_keys(struct mirror *mirror)
{
    openpgp_close(mirror->keys.session);
    mirror->keys.session = NULL;
}

void mirror_reset(struct mirror *mirror)
{
    size_t i, k;

    mirror_end_keys(mirror);
    for (i = 0; i < mirror->n_suites; i++) {
        hallmark_repository_close(mirror->suites[i].upstream);
        for (k = 0; k < MIRROR_DOCUMENTS; k++)
            bytes_free(&mirror->suites[i].documents[k].data);
    }
    for (i = 0; i < mirror->n_staged; i++) {
        free(mirror->staged[i].name);
        free(mirror->staged[i].staged);
    }
    free(mirror->suites);
    free(mirror->staged);
    mirror->suites = NULL;
    mirror->staged = NULL;
    mirror->n_suites = mirror->n_staged = mirror->staged_cap = 0;
    mirror->n_done = mirror->n_total = 0;
    mirror->blame = MIRROR_BLAME_LOCATION;
    mirror->is_left_taken = false;
    mirror_files_free(&mirror->files);
}

void mirror_close(struct mirror *mirror)
{
    mirror_reset(mirror);
    digest_cache_free(mirror->cache);
    release_trust_free(mirror->ping);
    mirror_record_free(&mirror->record);
    mirror_record_free_retired(&mirror->retired);
    lock_release(&mirror->lock);
    file_close(&mirror->statefd);
    file_close(&mirror->rootfd);
    bytes_free(&mirror->keyring);
    strlist_free(&mirror->components);
    strlist_free(&mirror->architectures);
    strlist_free(&mirror->packages);
    free(mirror->root);
    free(mirror->state_base);
}

bool hallmark_mirror_sync(const char *source, const char *dest,
                          const struct hallmark_mirror_options *options,
                          struct hallmark_mirror_report *report, struct hallmark_error *err)
{
    struct mirror mirror = {.options = options,
                            .source = source,
                            .now = options->policy->now,
                            .rootfd = -1,
                            .statefd = -1,
                            .lock = -1,
                            .stage = {.fd = -1, .storefd = -1, .leftfd = -1}};
    bool ok;

    error_clear(err);
    ok = mirror_open(&mirror, dest, err) && mirror_attempt(&mirror, err);
    if (report)
        *report = mirror.report;
    mirror_close(&mirror);
    return ok;
}
