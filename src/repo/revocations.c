/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The consumer's memory of revoked keys: one deb822 field, a line for each key. */
#include "repo/revocations.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/path.h"
#include "crypto/openpgp.h"
#include "format/deb822.h"

enum { PRIVATE_DIRECTORY = 0700, PRIVATE_FILE = 0600, LOCK_WAIT_SECONDS = 10 };
enum { FINGERPRINT_V4_LEN = 40 };

/* Beside the memory of manifests, and under its lock. */
static const char directory_name[] = "verified", lock_name[] = "lock";
static const char file_name[] = "revoked-keys", field_name[] = "Revoked-Keys";

/* As gpg writes them. */
static bool is_fingerprint(const char *word)
{
    size_t len = strspn(word, "0123456789ABCDEF");

    return (len == FINGERPRINT_V4_LEN || len == OPENPGP_FINGERPRINT_LEN) && !word[len];
}

static bool parse(struct strlist *out, struct bytes_view text, struct hallmark_error *err)
{
    struct deb822 stanza = {0};
    const struct deb822_field *field;
    size_t i = 0;
    bool ok = deb822_parse(&stanza, text, DEB822_STRICT, "state", err);

    field = ok ? deb822_find(&stanza, field_name) : NULL;
    if (field)
        strlist_add_words(out, field->value);
    while (i < out->n_items && is_fingerprint(out->items[i]))
        i++;
    /* An empty list is never written: somebody may have wanted it to look like that. */
    if (ok && (i == 0 || i < out->n_items))
        ok = error_set(err, HALLMARK_ERR_MALFORMED, "is not a list of revoked keys");
    deb822_free(&stanza);
    return ok;
}

/* Loads from the opened directory of states; DIR is for messages. */
static bool load_from(int dirfd, const char *dir, struct strlist *out, struct hallmark_error *err)
{
    struct bytes text = {0};
    bool exists;
    bool ok = file_read(dirfd, file_name, LIMITS_REVOKED_BYTES, &text, &exists, err) &&
              (!exists || parse(out, bytes_view(&text), err));

    bytes_free(&text);
    return ok || error_prefix(err, "%s/%s", dir, file_name);
}

bool revocations_load(const char *state_dir, struct strlist *out, struct hallmark_error *err)
{
    char *dir = path_join(state_dir, directory_name);
    int dirfd = file_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
    bool ok;

    if (dirfd < 0)
        ok = errno == ENOENT || error_set_errno(err, "%s", dir);
    else
        ok = load_from(dirfd, dir, out, err);
    file_close(&dirfd);
    free(dir);
    return ok;
}

/* Adds what ALL lacks of ADDED; whether that was anything. */
static bool merge(struct strlist *all, const struct strlist *added)
{
    size_t i, n = all->n_items;

    for (i = 0; i < added->n_items; i++)
        if (!strlist_has(all, added->items[i]))
            strlist_add(all, added->items[i]);
    return all->n_items > n;
}

static bool write_list(int dirfd, const char *dir, const struct strlist *all,
                       struct hallmark_error *err)
{
    struct bytes text = {0};
    size_t i;
    bool ok;

    if (all->n_items > LIMITS_REVOKED_KEYS)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s/%s: %zu revoked keys, at most %d are remembered", dir, file_name,
                         all->n_items, LIMITS_REVOKED_KEYS);
    bytes_printf(&text, "%s:\n", field_name);
    for (i = 0; i < all->n_items; i++)
        bytes_printf(&text, " %s\n", all->items[i]);
    ok = file_replace(dirfd, file_name, bytes_view(&text), PRIVATE_FILE, err);
    bytes_free(&text);
    return ok;
}

bool revocations_save(const char *state_dir, const struct strlist *revoked,
                      struct hallmark_error *err)
{
    char *dir = path_join(state_dir, directory_name);
    struct strlist all = {0};
    int dirfd = -1, lock = -1;
    bool ok;

    if (!revocations_load(state_dir, &all, err)) {
        ok = false;
    } else if (!merge(&all, revoked)) {
        ok = true;
    } else {
        strlist_free(&all);
        dirfd = file_make_directories(dir, PRIVATE_DIRECTORY, err);
        if (dirfd < 0)
            error_prefix(err, "cannot remember which keys are revoked (--state names another "
                              "directory, --no-state goes without)");
        else
            lock = lock_acquire(dirfd, lock_name, LOCK_WAIT_SECONDS, err);
        ok = lock >= 0 && load_from(dirfd, dir, &all, err) &&
             (!merge(&all, revoked) || write_list(dirfd, dir, &all, err));
    }
    strlist_free(&all);
    lock_release(&lock);
    file_close(&dirfd);
    free(dir);
    return ok;
}
