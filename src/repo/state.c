/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The consumer's memory of manifests. */
#include "repo/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "crypto/digest.h"
#include "format/deb822.h"

enum { PRIVATE_DIRECTORY = 0700, PRIVATE_FILE = 0600, LOCK_WAIT_SECONDS = 10 };

/* The file's name: the URL may be longer than a name can be, and hold any character. */
static bool file_name(const char *url, char out[2 * DIGEST_SHA256_LEN + 1],
                      struct hallmark_error *err)
{
    struct digest_value digest;

    if (!digest_bytes(DIGEST_SHA256, bytes_view_str(url), &digest, err))
        return false;
    encoding_hex(out, digest.sha256, sizeof digest.sha256);
    return true;
}

void state_free(struct release_floor *floor)
{
    free((char *)(uintptr_t)floor->origin);
    free((char *)(uintptr_t)floor->label);
    free((char *)(uintptr_t)floor->codename);
    *floor = (struct release_floor){0};
}

/* A text of the manifest between quotation marks, since it may be empty; NULL where an older
 * version remembered none. */
static bool get_text(const struct deb822 *stanza, const char *name, const char **out,
                     struct hallmark_error *err)
{
    char *text = NULL;
    size_t len;

    if (!deb822_get_line(stanza, name, &text, err))
        return false;
    len = text ? strlen(text) : 0;
    if (text && (len < 2 || text[0] != '"' || text[len - 1] != '"')) {
        free(text);
        return error_set(err, HALLMARK_ERR_MALFORMED, "the field \"%s\" has no quotation marks",
                         name);
    }
    if (text)
        *out = alloc_strndup(text + 1, len - 2);
    free(text);
    return true;
}

static void put_text(struct bytes *out, const char *name, const char *text)
{
    bytes_printf(out, "%s: \"%s\"\n", name, text ? text : "");
}

static bool floor_parse(struct release_floor *out, struct bytes_view text, const char *url,
                        struct hallmark_error *err)
{
    struct deb822 stanza = {0};
    char *repository = NULL, *date = NULL, *sha256 = NULL;
    unsigned char digest[DIGEST_SHA256_LEN];
    bool ok = false;

    if (!deb822_parse(&stanza, text, DEB822_STRICT, "state", err) ||
        !deb822_get_line(&stanza, "Repository", &repository, err) ||
        !deb822_get_line(&stanza, "Date", &date, err) ||
        !deb822_get_line(&stanza, "SHA256", &sha256, err) ||
        !get_text(&stanza, "Origin", &out->origin, err) ||
        !get_text(&stanza, "Label", &out->label, err) ||
        !get_text(&stanza, "Codename", &out->codename, err))
        goto out;
    if (!repository || strcmp(repository, url) != 0 || !date || !sha256 ||
        !timestamp_parse_rfc1123(bytes_view_str(date), &out->date) ||
        !encoding_unhex(digest, sizeof digest, bytes_view_str(sha256))) {
        error_set(err, HALLMARK_ERR_MALFORMED, "is not what was remembered of %s", url);
        goto out;
    }
    snprintf(out->sha256, sizeof out->sha256, "%s", sha256);
    ok = true;
out:
    deb822_free(&stanza);
    free(repository);
    free(date);
    free(sha256);
    return ok;
}

/* Loads from the opened directory of states; DIR is for messages. */
static bool load_from(int dirfd, const char *dir, const char *url, struct release_floor *out,
                      struct hallmark_error *err)
{
    char name[2 * DIGEST_SHA256_LEN + 1];
    struct release_floor floor = {0};
    struct bytes text = {0};
    bool exists, ok;

    if (!file_name(url, name, err))
        return false;
    ok = file_read(dirfd, name, LIMITS_SETTINGS_BYTES, &text, &exists, err) &&
         (!exists || floor_parse(&floor, bytes_view(&text), url, err));
    bytes_free(&text);
    if (!ok) {
        state_free(&floor);
        /* A floor that cannot be read must not count as none: somebody may have wanted that. */
        return error_prefix(err, "%s/%s", dir, name);
    }
    *out = floor;
    return true;
}

bool state_load(const char *state_dir, const char *url, struct release_floor *out,
                struct hallmark_error *err)
{
    char *dir = path_join(state_dir, "verified");
    int dirfd = file_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
    bool ok;

    if (dirfd < 0 && errno == ENOENT) {
        *out = (struct release_floor){0};
        ok = true;
    } else if (dirfd < 0) {
        ok = error_set_errno(err, "%s", dir);
    } else {
        ok = load_from(dirfd, dir, url, out, err);
    }
    file_close(&dirfd);
    free(dir);
    return ok;
}

static bool save_to(int dirfd, const char *url, const struct release_floor *floor,
                    struct hallmark_error *err)
{
    char name[2 * DIGEST_SHA256_LEN + 1], date[TIMESTAMP_TEXT_LEN];
    struct bytes text = {0};
    bool ok;

    if (!file_name(url, name, err))
        return false;
    timestamp_write_rfc1123(floor->date, date);
    deb822_write(&text, "Repository", url);
    deb822_write(&text, "Date", date);
    deb822_write(&text, "SHA256", floor->sha256);
    put_text(&text, "Origin", floor->origin);
    put_text(&text, "Label", floor->label);
    put_text(&text, "Codename", floor->codename);
    ok = file_replace(dirfd, name, bytes_view(&text), PRIVATE_FILE, err);
    bytes_free(&text);
    return ok;
}

bool state_save(const char *state_dir, const char *url, const struct release_floor *floor,
                struct hallmark_error *err)
{
    char *dir = path_join(state_dir, "verified");
    struct release_floor now = {0};
    int dirfd = -1, lock = -1;
    bool ok = false;

    if (!state_load(state_dir, url, &now, err))
        goto out;
    if (now.date >= floor->date) {
        ok = true;
        goto out;
    }
    dirfd = file_make_directories(dir, PRIVATE_DIRECTORY, err);
    if (dirfd < 0) {
        error_prefix(err, "cannot remember what was seen (--state names another directory, "
                          "--no-state goes without)");
        goto out;
    }
    lock = lock_acquire(dirfd, "lock", LOCK_WAIT_SECONDS, err);
    state_free(&now);
    if (lock < 0 || !load_from(dirfd, dir, url, &now, err))
        goto out;
    ok = now.date >= floor->date || save_to(dirfd, url, floor, err);
out:
    state_free(&now);
    lock_release(&lock);
    file_close(&dirfd);
    free(dir);
    return ok;
}
