/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading keyring files. */
#include "repo/keyring_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/strlist.h"
#include "repo/location.h"
#include "trust/keyring.h"

bool keyring_files_check_owner(int fd, const char *path, struct hallmark_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set_errno(err, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, HALLMARK_ERR_USAGE, "%s: is not a regular file", path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, HALLMARK_ERR_USAGE,
                         "%s: can be written by others than its owner (mode %04o), so it is not "
                         "trusted; chmod go-w mends it",
                         path, (unsigned)st.st_mode & 07777);
    return true;
}

static bool load_one(const char *path, struct bytes *keyring, struct hallmark_error *err)
{
    int fd = file_open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    struct bytes text = {0};
    bool ok;

    if (fd < 0)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: cannot open the keyring: %s", path,
                         strerror(errno));
    ok = keyring_files_check_owner(fd, path, err) &&
         file_read_fd(fd, path, LIMITS_KEYRING_BYTES, &text, err) &&
         keyring_add(keyring, bytes_view(&text), path, err);
    if (!ok && err && err->code == HALLMARK_ERR_MALFORMED)
        err->code = HALLMARK_ERR_USAGE; /* too large: a keyring is configuration */
    file_close(&fd);
    bytes_free(&text);
    return ok;
}

static bool is_keyring_name(const char *name)
{
    static const char *const suffixes[] = {".gpg", ".pgp", ".asc"};
    size_t i, len = strlen(name);

    for (i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (name[0] != '.' && len > strlen(suffixes[i]) &&
            strcmp(name + len - strlen(suffixes[i]), suffixes[i]) == 0)
            return true;
    return false;
}

static bool list_directory(const char *dir, struct strlist *out, struct hallmark_error *err)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;
    char *path;

    if (!stream && errno != ENOENT)
        return error_set(err, HALLMARK_ERR_USAGE, "%s: %s", dir, strerror(errno));
    while (stream && (entry = readdir(stream)) != NULL)
        if (is_keyring_name(entry->d_name)) {
            path = path_join(dir, entry->d_name);
            strlist_add(out, path);
            free(path);
        }
    if (stream)
        closedir(stream);
    strlist_sort(out);
    if (out->n_items == 0)
        return error_set(err, HALLMARK_ERR_USAGE,
                         "no keyring: %s holds no *.gpg, *.pgp or *.asc; --keyring names a file",
                         dir);
    return true;
}

bool keyring_files_load(const struct hallmark_policy *policy, struct bytes *keyring,
                        struct hallmark_error *err)
{
    struct strlist found = {0};
    const char *const *all = policy->keyrings, *const *keys = policy->keys;
    bool ok = true;
    size_t i;

    if (!all && !keys) {
        ok = list_directory(location_keyrings(), &found, err);
        all = (const char *const *)found.items;
    } else if (all && !all[0]) {
        ok = error_set(err, HALLMARK_ERR_USAGE, "no keyring was given");
    }
    for (i = 0; ok && all && all[i]; i++)
        ok = load_one(all[i], keyring, err);
    for (i = 0; ok && keys && keys[i]; i++)
        ok = keyring_add(keyring, bytes_view_str(keys[i]), "the key in Signed-By", err);
    strlist_free(&found);
    return ok;
}
