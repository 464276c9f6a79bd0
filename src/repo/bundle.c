/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Laying a bundle out: bytes into regular files below a fresh directory, and nothing else. */
#include "repo/bundle.h"

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
#include "base/url.h"
#include "format/ustar.h"
#include "system/staging_guard.h"

enum { PRIVATE_DIRECTORY = 0700, PRIVATE_FILE = 0600, STEP = 256 * 1024 };

static const char zeros[USTAR_BLOCK];

/* Reads LEN bytes; false with HALLMARK_ERR_MALFORMED where there are fewer. */
static bool read_all(int fd, char *out, size_t len, struct hallmark_error *err)
{
    size_t done = 0;
    ssize_t n = 1;

    while (done < len && n > 0) {
        n = file_read_some(fd, out + done, len - done);
        if (n < 0)
            return error_set_errno(err, "cannot read");
        done += (size_t)n;
    }
    return done == len || error_set(err, HALLMARK_ERR_MALFORMED, "ends in the middle");
}

bool bundle_is(const char *path)
{
    int fd = file_open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    char block[USTAR_BLOCK];
    struct stat st;
    bool is = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
              read_all(fd, block, sizeof block, NULL) &&
              ustar_is_header(bytes_view_of(block, sizeof block));

    file_close(&fd);
    return is;
}

/* Makes the file PATH below DIRFD, and the directories above it: nobody else can be in there. */
static int create(int dirfd, const char *dir, const char *path, struct hallmark_error *err)
{
    const char *base = path_basename(path);
    char *above = alloc_printf("%s/%.*s", dir, (int)(base - path), path);
    int parent = base > path ? file_make_directories(above, PRIVATE_DIRECTORY, NULL)
                             : fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
    int fd = -1;

    if (parent >= 0)
        fd = file_open_at(parent, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE_FILE);
    if (fd < 0 && (errno == EEXIST || errno == ENOTDIR))
        error_set(err, HALLMARK_ERR_MALFORMED, "%s: is there twice, or below a file", path);
    else if (fd < 0)
        error_set_errno(err, "%s", path);
    file_close(&parent);
    free(above);
    return fd;
}

static bool copy(int from, int to, uint64_t size, struct hallmark_error *err)
{
    char *buf = alloc_array(STEP, 1), padding[USTAR_BLOCK];
    uint64_t left = size;
    size_t len;
    bool ok = true;

    for (; ok && left; left -= len) {
        len = left < STEP ? (size_t)left : STEP;
        ok = read_all(from, buf, len, err) &&
             (file_write_all(to, buf, len) || error_set_errno(err, "cannot lay it out"));
    }
    free(buf);
    len = ustar_padding(size);
    return ok && read_all(from, padding, len, err) &&
           (memcmp(padding, zeros, len) == 0 ||
            error_set(err, HALLMARK_ERR_MALFORMED, "holds something between its members"));
}

static bool take_member(struct bundle *bundle, int fd, int dirfd, const char *block,
                        struct hallmark_error *err)
{
    struct ustar_file file;
    int to;
    bool ok;

    if (!ustar_parse(&file, bytes_view_of(block, USTAR_BLOCK), err))
        return false;
    if (bundle->paths.n_items == LIMITS_BUNDLE_FILES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "holds more than %d files",
                         LIMITS_BUNDLE_FILES);
    to = create(dirfd, bundle->dir, file.path, err);
    ok = to >= 0 && copy(fd, to, file.size, err);
    file_close(&to);
    if (ok && strcmp(file.path, BUNDLE_RECEIPT) != 0)
        strlist_add(&bundle->paths, file.path);
    return ok;
}

/* All members, and the two empty blocks behind them, which end the file. */
static bool take_all(struct bundle *bundle, int fd, int dirfd, struct hallmark_error *err)
{
    char block[USTAR_BLOCK];

    for (;;) {
        if (!read_all(fd, block, sizeof block, err))
            return false;
        if (memcmp(block, zeros, sizeof block) == 0)
            break;
        if (!take_member(bundle, fd, dirfd, block, err))
            return false;
    }
    if (!read_all(fd, block, sizeof block, err))
        return false;
    return (memcmp(block, zeros, sizeof block) == 0 && file_read_some(fd, block, 1) == 0) ||
           error_set(err, HALLMARK_ERR_MALFORMED, "does not end behind its last member");
}

static bool remove_one(int dirfd, const char *name)
{
    struct hallmark_error ignored = {0};

    return file_remove_tree(dirfd, name, &ignored);
}

/* Makes the private directory; a descriptor of it, or -1. */
static int make_directory(struct bundle *bundle, struct hallmark_error *err)
{
    const char *tmp = file_temporary_directory("/var/tmp", err);
    int parent = tmp ? file_open_directory(tmp, err) : -1, dirfd = -1;
    char *path = tmp ? path_join(tmp, "hallmark-bundle.XXXXXX") : NULL;

    if (parent >= 0 && !mkdtemp(path)) {
        error_set_errno(err, "%s", path);
    } else if (parent >= 0) {
        bundle->dir = path;
        path = NULL;
        bundle->guard = staging_guard_start(parent, path_basename(bundle->dir), remove_one, err);
        if (bundle->guard >= 0)
            dirfd = file_open_directory(bundle->dir, err);
    }
    file_close(&parent);
    free(path);
    return dirfd;
}

struct bundle *bundle_open(const char *path, struct hallmark_error *err)
{
    struct bundle *bundle = alloc_array(1, sizeof *bundle);
    char *resolved = path_resolve(path, err);
    struct bytes url = {0};
    int fd = -1, dirfd = -1;
    bool ok = false;

    bundle->guard = -1;
    if (!resolved)
        goto out;
    bytes_append_str(&url, "file://");
    url_append_path(&url, resolved);
    bundle->url = url.data;
    fd = file_open_at(AT_FDCWD, resolved, O_RDONLY | O_NOCTTY, 0);
    if (fd < 0) {
        error_set_errno(err, "%s", path);
        goto out;
    }
    dirfd = make_directory(bundle, err);
    ok = dirfd >= 0 && (take_all(bundle, fd, dirfd, err) || error_prefix(err, "%s", path));
out:
    file_close(&fd);
    file_close(&dirfd);
    free(resolved);
    if (ok)
        return bundle;
    bundle_free(bundle);
    return NULL;
}

void bundle_free(struct bundle *bundle)
{
    if (!bundle)
        return;
    if (bundle->dir)
        file_remove_tree(AT_FDCWD, bundle->dir, NULL);
    staging_guard_end(&bundle->guard);
    strlist_free(&bundle->paths);
    free(bundle->dir);
    free(bundle->url);
    free(bundle);
}
