/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One file on its way into a directory. */
#include "repo/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/lock.h"
#include "base/path.h"

enum {
    PRIVATE_FILE = 0600,
    HASH_DIGITS = 16,
    SMALL = 64 * 1024, /* up to here, one whose process was killed is fetched from its start */
};

void parcel_init(struct parcel *p, const struct parcel_place *place, const struct content *content)
{
    *p = (struct parcel){.content = content,
                         .place = place,
                         .dirfd = place->dirfd,
                         .name = path_basename(content->package.path),
                         .fd = -1};
}

/* Names that no other file, and no other version of this one, has. */
static void name_files(struct parcel *p)
{
    const struct content *content = p->content;
    const char *hash =
        content->hashes & RELEASE_SHA256 ? content->sha256_text : content->sha512_text;
    int len = LIMITS_COMPONENT_BYTES - HASH_DIGITS - (int)sizeof "...part";

    if (p->part)
        return;
    p->part = alloc_printf(".%.*s.%.*s" PARCEL_PART, len, p->name, HASH_DIGITS, hash);
    p->record = alloc_printf(".%.*s.%.*s.etag", len, p->name, HASH_DIGITS, hash);
}

static bool set_in_the_way(const struct parcel *p, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_USAGE, "%s: is in the way, and not ours", p->part);
}

/* Whether the file of *ST, which is locked, has its name yet. */
static bool is_still_there(const struct parcel *p, const struct stat *st)
{
    struct stat now;

    return fstatat(p->dirfd, p->part, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st->st_ino &&
           now.st_dev == st->st_dev;
}

/* Opens the file with FLAGS besides; only one that nobody else can have a name for or write to. Its
 * size goes to *SIZE. */
static bool open_part(struct parcel *p, int flags, off_t *size, struct hallmark_error *err)
{
    struct stat st;
    bool is_ours;

    name_files(p);
    p->fd = file_open_at(p->dirfd, p->part, O_RDWR | O_NOFOLLOW | O_NONBLOCK | flags, PRIVATE_FILE);
    if (p->fd < 0)
        return errno == ELOOP || errno == ENXIO ? set_in_the_way(p, err)
                                                : error_set_errno(err, "%s", p->part);
    if (fstat(p->fd, &st) < 0)
        return error_set_errno(err, "%s", p->part);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
        st.st_mode & (S_IWGRP | S_IWOTH))
        return set_in_the_way(p, err);
    is_ours = lock_try(p->fd);
    if (!is_ours && errno != EWOULDBLOCK)
        return error_set_errno(err, "%s", p->part);
    *size = st.st_size;
    /* One that has just been renamed to its name is good, and no longer ours to write to. */
    return (is_ours && is_still_there(p, &st)) ||
           error_set(err, HALLMARK_ERR_BUSY, "%s: another process is fetching it", p->name);
}

static void close_all(struct parcel *p)
{
    file_close(&p->fd);
    digest_free(p->digest);
    p->digest = NULL;
    free(p->part);
    free(p->record);
    p->part = p->record = NULL;
    p->n_taken = 0;
    p->etag[0] = '\0';
    p->is_recorded = p->is_nameless = false;
}

/* ---- Going on ------------------------------------------------------------------------------- */

static bool read_record(struct parcel *p, struct hallmark_error *err)
{
    struct bytes text = {0};
    bool exists = false;
    int fd;

    fd = file_open_beneath(p->dirfd, p->record, NULL);
    if (fd >= 0)
        exists = file_read_fd(fd, p->record, sizeof p->etag - 1, &text, err);
    file_close(&fd);
    /* RFC 9110 section 8.8.3: a strong one is something printable between quotation marks. */
    if (exists && text.len > 2 && text.data[0] == '"' && text.data[text.len - 1] == '"' &&
        strspn(text.data, "\"!#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                          "abcdefghijklmnopqrstuvwxyz{|}~") == text.len)
        memcpy(p->etag, text.data, text.len + 1);
    bytes_free(&text);
    return p->etag[0] != '\0';
}

/* Hashes what is there already. */
static bool read_part(struct parcel *p, struct hallmark_error *err)
{
    enum { STEP = 256 * 1024 };
    unsigned char *buf = alloc_array(STEP, 1);
    ssize_t n = 1;
    bool ok = true;

    while (ok && n > 0) {
        n = file_read_some(p->fd, buf, STEP);
        ok = n >= 0 ? digest_update(p->digest, buf, (size_t)n, err)
                    : error_set_errno(err, "%s", p->part);
        p->n_taken += n > 0 ? (uint64_t)n : 0;
    }
    free(buf);
    return ok;
}

bool parcel_resume(struct parcel *p, struct hallmark_error *err)
{
    struct stat st;
    off_t size;
    bool ok;

    name_files(p);
    if (fstatat(p->dirfd, p->part, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        close_all(p);
        return true;
    }
    ok = open_part(p, 0, &size, err);
    p->is_recorded = true;
    if (ok && read_record(p, NULL) && (uint64_t)size < p->content->package.size) {
        p->digest = digest_new(p->content->hashes, err);
        ok = p->digest && read_part(p, err);
    }
    if (!ok)
        close_all(p);
    else if (p->n_taken == 0 || p->n_taken >= p->content->package.size)
        parcel_discard(p);
    return ok;
}

/* ---- What comes ----------------------------------------------------------------------------- */

static bool begin(struct parcel *p, struct hallmark_error *err)
{
    off_t size = 0;

    if (p->digest)
        return true;
    if (p->place->has_nameless && p->content->package.size <= SMALL)
        p->fd = file_open_nameless(p->dirfd, PRIVATE_FILE);
    p->is_nameless = p->fd >= 0;
    if (!p->is_nameless && !open_part(p, O_CREAT, &size, err))
        goto fail;
    if (size && ftruncate(p->fd, 0) < 0) {
        error_set_errno(err, "%s", p->part);
        goto fail;
    }
    /* What another time has left is not about what comes now. */
    p->is_recorded = p->is_recorded || size || p->content->package.size > SMALL;
    p->digest = digest_new(p->content->hashes, err);
    if (p->digest)
        return true;
fail:
    close_all(p);
    return false;
}

/* Need not survive a crash: without it, the file is fetched from its start. */
static bool write_record(struct parcel *p, struct hallmark_error *err)
{
    bool ok;
    int fd;

    unlinkat(p->dirfd, p->record, 0);
    p->is_recorded = true;
    fd = file_open_at(p->dirfd, p->record, O_WRONLY | O_CREAT | O_EXCL, PRIVATE_FILE);
    ok = fd >= 0 && file_write_all(fd, p->etag, strlen(p->etag));

    if (!ok)
        error_set_errno(err, "%s", p->record);
    file_close(&fd);
    return ok;
}

static void remove_record(struct parcel *p)
{
    if (p->is_recorded)
        unlinkat(p->dirfd, p->record, 0);
    p->is_recorded = false;
}

bool parcel_set_etag(struct parcel *p, const char *etag, struct hallmark_error *err)
{
    if (!begin(p, err))
        return false;
    if (strcmp(etag, p->etag) == 0)
        return true;
    snprintf(p->etag, sizeof p->etag, "%s", etag);
    if (p->content->package.size > SMALL && *etag)
        return write_record(p, err);
    remove_record(p);
    return true;
}

bool parcel_take(struct parcel *p, const void *data, size_t len, struct hallmark_error *err)
{
    if (!begin(p, err) || !digest_update(p->digest, data, len, err))
        return false;
    p->n_taken += len;
    return file_write_all(p->fd, data, len) ||
           error_set_errno(err, "%s: cannot be written", p->name);
}

bool parcel_check(struct parcel *p, mode_t mode, struct hallmark_error *err)
{
    struct digest_value found;

    return begin(p, err) && digest_final(p->digest, &found, err) &&
           content_compare(p->content, &found, err) &&
           (fchmod(p->fd, mode) == 0 || error_set_errno(err, "%s", p->name));
}

static bool name_part(struct parcel *p)
{
    name_files(p);
    if (p->is_nameless && !file_give_name(p->fd, p->dirfd, p->part))
        return false;
    p->is_nameless = false;
    return true;
}

/* Over another file only where that was asked for. */
static bool give_name(struct parcel *p, enum parcel_other other)
{
    if (other == PARCEL_REPLACE_OTHER)
        return name_part(p) && renameat(p->dirfd, p->part, p->dirfd, p->name) == 0;
    if (p->is_nameless)
        return file_give_name(p->fd, p->dirfd, p->name);
    if (renameat2(p->dirfd, p->part, p->dirfd, p->name, RENAME_NOREPLACE) == 0)
        return true;
    return errno == EINVAL && /* not on every file system */
           linkat(p->dirfd, p->part, p->dirfd, p->name, 0) == 0 &&
           unlinkat(p->dirfd, p->part, 0) == 0;
}

bool parcel_put(struct parcel *p, enum parcel_other other, struct hallmark_error *err)
{
    remove_record(p);
    if (!give_name(p, other))
        return error_set_errno(err, "%s", p->name);
    close_all(p);
    return true;
}

void parcel_discard(struct parcel *p)
{
    if (p->fd >= 0) {
        remove_record(p);
        if (!p->is_nameless)
            unlinkat(p->dirfd, p->part, 0);
    }
    close_all(p);
}

void parcel_leave(struct parcel *p)
{
    if (p->n_taken && p->etag[0] && name_part(p) && (p->is_recorded || write_record(p, NULL)))
        close_all(p);
    else
        parcel_discard(p);
}
