/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening a repository that is published: its tree, its state, its lock. */
#include "repo/publisher.h"

#include <errno.h>
#include <fcntl.h>
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
#include "repo/location.h"
#include "repo/note.h"
#include "repo/repository.h"
#include "repo/signing_keys.h"

enum {
    STATE_DIRECTORY = 0700,
    DERIVED_NAME_DIGITS = 16, /* of a digest: no two roots of one machine share them */
};

void publisher_note(const struct hallmark_publisher *p, enum hallmark_note kind, const char *fmt,
                    ...)
{
    va_list ap;

    va_start(ap, fmt);
    note_tell(p->options->note, p->options->ctx, kind, fmt, ap);
    va_end(ap);
}

/* NAME of the settings or, without a configuration, one made of the root. */
static char *state_name(const struct hallmark_publisher *p, struct hallmark_error *err)
{
    struct digest_value digest;
    char digits[2 * DIGEST_SHA256_LEN + 1];

    if (p->settings->values[SETTINGS_NAME])
        return alloc_strdup(p->settings->values[SETTINGS_NAME]);
    if (!digest_bytes(DIGEST_SHA256, bytes_view_str(p->root), &digest, err))
        return NULL;
    encoding_hex(digits, digest.sha256, sizeof digest.sha256);
    return alloc_printf("%.100s-%.*s", path_basename(p->root), DERIVED_NAME_DIGITS, digits);
}

static char *state_directory(const struct hallmark_publisher *p, struct hallmark_error *err)
{
    char *base, *name, *dir = NULL;

    if (p->options->state_dir)
        return alloc_strdup(p->options->state_dir);
    if (p->settings->values[SETTINGS_STATE])
        return alloc_strdup(p->settings->values[SETTINGS_STATE]);
    base = location_state(err);
    name = base ? state_name(p, err) : NULL;
    if (name)
        dir = path_join(base, name);
    free(base);
    free(name);
    return dir;
}

/* Whether PATH, as far as it exists, lies in the served tree. */
static bool is_served(const struct hallmark_publisher *p, const char *path)
{
    char *partial = path_join(path[0] == '/' ? "" : ".", path), *real, *slash;
    size_t len = strlen(p->root);
    bool is_inside;

    while ((real = realpath(partial, NULL)) == NULL && errno == ENOENT) {
        slash = strrchr(partial, '/');
        slash[slash == partial] = '\0';
    }
    is_inside = real && strncmp(real, p->root, len) == 0 &&
                (real[len] == '\0' || real[len] == '/' || len == 1);
    free(real);
    free(partial);
    return is_inside;
}

/* What must never be served. */
static bool check_outside(const struct hallmark_publisher *p, const char *path, const char *what,
                          struct hallmark_error *err)
{
    if (!path || !is_served(p, path))
        return true;
    return error_set(err, HALLMARK_ERR_USAGE,
                     "%s: the %s lies inside of the served tree %s, where everybody could fetch it",
                     path, what, p->root);
}

static bool open_places(struct hallmark_publisher *p, struct hallmark_error *err)
{
    const char *root = p->settings->values[SETTINGS_ROOT];

    if (!root)
        return error_set(err, HALLMARK_ERR_USAGE, "the repository needs a root");
    p->root = path_resolve(root, err);
    if (!p->root)
        return false;
    p->rootfd = file_open_directory(p->root, err);
    if (p->rootfd < 0)
        return false;
    p->state_dir = state_directory(p, err);
    return p->state_dir && check_outside(p, p->state_dir, "state directory", err) &&
           check_outside(p, p->signer.gnupg_home, "GnuPG home", err);
}

struct hallmark_publisher *hallmark_publisher_open(const struct hallmark_settings *settings,
                                                   const struct hallmark_publisher_options *options,
                                                   struct hallmark_error *err)
{
    struct hallmark_publisher *p = alloc_array(1, sizeof *p);

    error_clear(err);
    p->settings = settings;
    p->options = options;
    p->rootfd = p->statefd = p->lock = -1;
    settings_words(settings, SETTINGS_SIGN_WITH, &p->fingerprints);
    p->signer = (struct openpgp_signer){
        .gnupg_home = settings->values[SETTINGS_GNUPG_HOME],
        .fingerprints = p->fingerprints.items,
        .passphrase = options->passphrase,
        .interactive = options->interactive,
    };
    if (settings_check(settings, err) && open_places(p, err))
        return p;
    hallmark_publisher_close(p);
    return NULL;
}

void hallmark_publisher_close(struct hallmark_publisher *p)
{
    if (!p)
        return;
    lock_release(&p->lock);
    file_close(&p->rootfd);
    file_close(&p->statefd);
    strlist_free(&p->fingerprints);
    bytes_free(&p->keyring);
    free(p->root);
    free(p->state_dir);
    free(p);
}

bool publisher_open_state(struct hallmark_publisher *p, enum publisher_access access,
                          struct hallmark_error *err)
{
    if (p->statefd < 0 && access == PUBLISHER_WRITE)
        p->statefd = file_make_directories(p->state_dir, STATE_DIRECTORY, err);
    else if (p->statefd < 0)
        p->statefd = file_open_at(AT_FDCWD, p->state_dir, O_RDONLY | O_DIRECTORY, 0);
    if (p->statefd < 0)
        return access == PUBLISHER_READ && errno == ENOENT
                   ? true
                   : error_set_errno(err, "%s: cannot open the state directory", p->state_dir);
    if (access == PUBLISHER_READ || p->lock >= 0)
        return true;
    p->lock = lock_acquire(p->statefd, "lock", p->options->lock_wait, err);
    return p->lock >= 0 || error_prefix(err, "%s", p->root);
}

/* Where the manifest of SUITE (NULL: the first) is. */
static char *location_of(const struct hallmark_publisher *p, const char *suite,
                         struct hallmark_error *err)
{
    struct strlist suites = {0};
    char *location = NULL;

    if (settings_layout(p->settings) == SETTINGS_PLAIN)
        return alloc_strdup(p->root);
    settings_words(p->settings, SETTINGS_SUITE, &suites);
    if (suite && !strlist_has(&suites, suite))
        error_set(err, HALLMARK_ERR_USAGE, "%s: has no suite \"%s\"", p->root, suite);
    else
        location = alloc_printf("%s/dists/%s", p->root, suite ? suite : suites.items[0]);
    strlist_free(&suites);
    return location;
}

struct hallmark_repository *hallmark_publisher_repository(struct hallmark_publisher *p,
                                                          const char *suite,
                                                          struct hallmark_error *err)
{
    struct hallmark_repository *repository = NULL;
    struct hallmark_policy policy;
    char *location;

    error_clear(err);
    location = location_of(p, suite, err);
    if (!location || !signing_keys_load(p, err))
        goto out;
    hallmark_policy_init(&policy);
    policy.signed_by = (const char *const *)p->fingerprints.items;
    policy.threshold = (unsigned)p->fingerprints.n_items;
    policy.state_dir = "";
    repository = repository_open(location, &policy, bytes_view(&p->keyring), err);
out:
    free(location);
    return repository;
}
