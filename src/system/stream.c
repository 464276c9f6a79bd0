/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records: a struct head, and as many bytes as its length says. */
#include "system/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/alloc.h"
#include "base/file.h"

enum {
    BUFFER_LEN = 256 * 1024,   /* what is gathered before it is sent */
    DATA_LEN_MAX = 256 * 1024, /* of one record */
    DIRECT_LEN = 16 * 1024,    /* data of this length are sent from where they are */
    TEXT_LEN_MAX =
        1024 * 1024, /* libarchive's limit for a name, which entry_check() then refuses */
    RECEIVED_LEN = 2 * TEXT_LEN_MAX + 64 * 1024, /* room for every record */
};

struct head {
    uint32_t type;
    uint32_t len; /* of what follows */
    union {
        struct {
            uint32_t kind, mode;
            int64_t mtime;
            uint64_t size;
            uint32_t mtime_nsec;
            uint32_t path_len; /* the rest is the target */
        } entry;
        uint64_t offset;
    } u;
};

struct stream_sender {
    int fd;
    size_t len;
    char buffer[BUFFER_LEN];
};

struct stream_receiver {
    int fd;
    size_t start, end; /* of what was received and not yet handed out */
    char buffer[RECEIVED_LEN];
};

struct stream_sender *stream_sender_new(int fd)
{
    struct stream_sender *sender = alloc_array(1, sizeof *sender);

    sender->fd = fd;
    return sender;
}

void stream_sender_free(struct stream_sender *sender)
{
    free(sender);
}

static bool write_vector(int fd, struct iovec *iov, int n)
{
    ssize_t done;

    while (n) {
        done = writev(fd, iov, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        while (n && (size_t)done >= iov->iov_len) {
            done -= (ssize_t)iov->iov_len;
            iov++;
            n--;
        }
        if (n) {
            iov->iov_base = (char *)iov->iov_base + done;
            iov->iov_len -= (size_t)done;
        }
    }
    return true;
}

/* Sends what is gathered, and DATA behind it. */
static bool flush(struct stream_sender *s, struct bytes_view data)
{
    struct iovec iov[] = {{.iov_base = s->buffer, .iov_len = s->len},
                          {.iov_base = (void *)(uintptr_t)data.data, .iov_len = data.len}};

    s->len = 0;
    return write_vector(s->fd, iov, data.len ? 2 : 1);
}

static void gather(struct stream_sender *s, const void *data, size_t len)
{
    if (len)
        memcpy(s->buffer + s->len, data, len);
    s->len += len;
}

/* Sends a record of HEAD and the two texts, of which one may be empty. */
static bool send_record(struct stream_sender *s, const struct head *head, struct bytes_view first,
                        struct bytes_view second)
{
    size_t len = sizeof *head + first.len + second.len;

    if (len > sizeof s->buffer - s->len && !flush(s, bytes_view_of(NULL, 0)))
        return false;
    gather(s, head, sizeof *head);
    if (first.len >= DIRECT_LEN && second.len == 0)
        return flush(s, first);
    if (len > sizeof s->buffer)
        return flush(s, first) && flush(s, second);
    gather(s, first.data, first.len);
    gather(s, second.data, second.len);
    return true;
}

bool stream_send_entry(struct stream_sender *sender, const struct entry *entry)
{
    struct head head = {
        .type = STREAM_ENTRY,
        .len = (uint32_t)(entry->path.len + entry->target.len),
        .u.entry = {.kind = (uint32_t)entry->kind,
                    .mode = entry->mode,
                    .mtime = entry->mtime,
                    .size = entry->size,
                    .mtime_nsec = entry->mtime_nsec,
                    .path_len = (uint32_t)entry->path.len},
    };

    return send_record(sender, &head, entry->path, entry->target);
}

bool stream_send_data(struct stream_sender *sender, uint64_t offset, struct bytes_view data)
{
    struct head head = {.type = STREAM_DATA};
    struct bytes_view part;

    while (data.len) {
        part = bytes_view_of(data.data, data.len < DATA_LEN_MAX ? data.len : DATA_LEN_MAX);
        head.len = (uint32_t)part.len;
        head.u.offset = offset;
        if (!send_record(sender, &head, part, bytes_view_of(NULL, 0)))
            return false;
        offset += part.len;
        data.data += part.len;
        data.len -= part.len;
    }
    return true;
}

bool stream_send_end(struct stream_sender *sender)
{
    struct head head = {.type = STREAM_END};

    return send_record(sender, &head, bytes_view_of(NULL, 0), bytes_view_of(NULL, 0)) &&
           flush(sender, bytes_view_of(NULL, 0));
}

struct stream_receiver *stream_receiver_new(int fd)
{
    struct stream_receiver *receiver = alloc_array(1, sizeof *receiver);

    receiver->fd = fd;
    return receiver;
}

void stream_receiver_free(struct stream_receiver *receiver)
{
    free(receiver);
}

/* Receives until LEN bytes are there. */
static enum stream_result need(struct stream_receiver *r, size_t len, struct hallmark_error *err)
{
    ssize_t n;

    if (len > sizeof r->buffer - r->start) {
        memmove(r->buffer, r->buffer + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
    }
    while (r->end - r->start < len) {
        n = file_read_some(r->fd, r->buffer + r->end, sizeof r->buffer - r->end);
        if (n < 0) {
            error_set_errno(err, "cannot receive from the archive reader");
            return STREAM_BAD;
        }
        if (n == 0)
            return STREAM_CUT;
        r->end += (size_t)n;
    }
    return STREAM_OK;
}

static bool head_is_sane(const struct head *head)
{
    switch (head->type) {
    case STREAM_ENTRY:
        return head->len <= 2 * TEXT_LEN_MAX && head->u.entry.path_len <= head->len;
    case STREAM_DATA:
        return head->len > 0 && head->len <= DATA_LEN_MAX;
    case STREAM_END:
        return head->len == 0;
    default:
        return false;
    }
}

static void convert(const struct head *head, struct bytes_view body, struct stream_record *out)
{
    *out = (struct stream_record){.type = (enum stream_type)head->type};
    if (head->type == STREAM_DATA) {
        out->offset = head->u.offset;
        out->data = body;
    } else if (head->type == STREAM_ENTRY) {
        size_t path_len = head->u.entry.path_len;

        out->entry = (struct entry){
            .kind = (enum entry_kind)head->u.entry.kind,
            .mode = head->u.entry.mode,
            .mtime = head->u.entry.mtime,
            .mtime_nsec = head->u.entry.mtime_nsec,
            .size = head->u.entry.size,
            .path = bytes_view_of(body.data, path_len),
            .target = bytes_view_of(body.data + path_len, body.len - path_len),
        };
    }
}

enum stream_result stream_receive(struct stream_receiver *r, struct stream_record *out,
                                  struct hallmark_error *err)
{
    struct head head;
    enum stream_result result = need(r, sizeof head, err);

    if (result != STREAM_OK)
        return result;
    memcpy(&head, r->buffer + r->start, sizeof head);
    if (!head_is_sane(&head)) {
        error_set(err, HALLMARK_ERR_UNSAFE, "the archive reader sent what makes no sense");
        return STREAM_BAD;
    }
    result = need(r, sizeof head + head.len, err);
    if (result != STREAM_OK)
        return result;
    convert(&head, bytes_view_of(r->buffer + r->start + sizeof head, head.len), out);
    r->start += sizeof head + head.len;
    return STREAM_OK;
}
