/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spooling. */
#include "repo/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

enum { IN_MEMORY = 1024 * 1024, READ_AHEAD = 256 * 1024, FILE_MODE = 0600 };

static const char name[] = "spool";

struct spool {
    int dirfd, fd;
    struct bytes tail;  /* what is not in the file yet */
    uint64_t n_filed;   /* bytes in the file */
    struct bytes ahead; /* what was read ahead, from AHEAD_OFFSET on */
    uint64_t ahead_offset;
};

struct spool *spool_new(int dirfd)
{
    struct spool *spool = alloc_array(1, sizeof *spool);

    spool->dirfd = dirfd;
    spool->fd = -1;
    return spool;
}

void spool_free(struct spool *spool)
{
    if (!spool)
        return;
    file_close(&spool->fd);
    bytes_free(&spool->tail);
    bytes_free(&spool->ahead);
    free(spool);
}

static bool open_file(struct spool *spool, struct hallmark_error *err)
{
    spool->fd = file_open_at(spool->dirfd, ".", O_TMPFILE | O_RDWR, FILE_MODE);
    if (spool->fd < 0 &&
        (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL)) {
        unlinkat(spool->dirfd, name, 0); /* of a run that was killed */
        spool->fd =
            file_open_at(spool->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
        if (spool->fd >= 0 && unlinkat(spool->dirfd, name, 0) < 0)
            file_close(&spool->fd);
    }
    return spool->fd >= 0 || error_set_errno(err, "%s: cannot create", name);
}

bool spool_add(struct spool *spool, struct bytes_view text, uint64_t *offset,
               struct hallmark_error *err)
{
    *offset = spool->n_filed + spool->tail.len;
    bytes_append(&spool->tail, text.data, text.len);
    if (spool->tail.len < IN_MEMORY)
        return true;
    if (spool->fd < 0 && !open_file(spool, err))
        return false;
    if (!file_write_all(spool->fd, spool->tail.data, spool->tail.len))
        return error_set_errno(err, "%s: cannot write", name);
    spool->n_filed += spool->tail.len;
    spool->tail.len = 0;
    return true;
}

bool spool_read(struct spool *spool, uint64_t offset, char *to, size_t len,
                struct hallmark_error *err)
{
    ssize_t n;
    size_t part;

    while (len && offset < spool->n_filed) {
        part = len < spool->n_filed - offset ? len : (size_t)(spool->n_filed - offset);
        n = pread(spool->fd, to, part, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set_errno(err, "%s: cannot read", name);
        to += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    if (len && (offset - spool->n_filed > spool->tail.len ||
                len > spool->tail.len - (offset - spool->n_filed)))
        return error_set(err, HALLMARK_ERR_IO, "%s: is shorter than what was put into it", name);
    if (len)
        memcpy(to, spool->tail.data + (offset - spool->n_filed), len);
    return true;
}

const char *spool_lend(struct spool *spool, uint64_t offset, size_t len, struct hallmark_error *err)
{
    struct bytes *ahead = &spool->ahead;
    uint64_t end = spool->n_filed + spool->tail.len;
    size_t n = READ_AHEAD;

    if (offset >= spool->ahead_offset && offset - spool->ahead_offset <= ahead->len &&
        len <= ahead->len - (size_t)(offset - spool->ahead_offset))
        return ahead->data + (size_t)(offset - spool->ahead_offset);
    if (offset > end || end - offset < n)
        n = len; /* near the end; spool_read() judges */
    if (n < len)
        n = len;
    ahead->len = 0;
    if (!spool_read(spool, offset, bytes_reserve(ahead, n + 1), n, err))
        return NULL;
    ahead->len = n;
    spool->ahead_offset = offset;
    return ahead->data;
}
