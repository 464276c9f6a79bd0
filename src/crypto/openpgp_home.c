/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making, filling and removing a private GnuPG home. */
#include "crypto/openpgp_home.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"

static const char *temporary_directory(void)
{
    const char *dir = secure_getenv("TMPDIR");

    return dir && *dir ? dir : "/tmp";
}

char *openpgp_home_new(struct hallmark_error *err)
{
    const char *dir = temporary_directory();
    struct stat st;
    char *home;

    if (*dir != '/') {
        error_set(err, HALLMARK_ERR_USAGE, "TMPDIR: \"%s\" is not an absolute path", dir);
        return NULL;
    }
    if (stat(dir, &st) < 0) {
        error_set_errno(err, "%s", dir);
        return NULL;
    }
    if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX)) {
        error_set(
            err, HALLMARK_ERR_USAGE,
            "%s: everybody may rename what is in it (no sticky bit); set TMPDIR to a safe one",
            dir);
        return NULL;
    }
    home = path_join(dir, "hallmark-XXXXXX");
    if (mkdtemp(home))
        return home;
    error_set_errno(err, "%s: cannot create a directory in it", dir);
    free(home);
    return NULL;
}

bool openpgp_home_add(const char *home, const char *name, struct bytes_view data,
                      struct hallmark_error *err)
{
    char *path = path_join(home, name);
    /* Not file_create(): what never outlives the process needs no sync. */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
    bool ok = fd >= 0 && file_write_all(fd, data.data, data.len);

    if (!ok)
        error_set_errno(err, "%s: cannot write", path);
    file_close(&fd);
    free(path);
    return ok;
}

void openpgp_home_free(char *home)
{
    struct hallmark_error ignored = {0};
    char *slash;
    int parent;

    if (!home)
        return;
    slash = strrchr(home, '/');
    *slash = '\0';
    parent = file_open_directory(slash == home ? "/" : home, &ignored);
    if (parent >= 0)
        file_remove_tree(parent, slash + 1, &ignored);
    file_close(&parent);
    free(home);
}
