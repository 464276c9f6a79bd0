/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to a helper process: a byte through its socket, with a descriptor where there is more.
 */
#include "crypto/openpgp_request.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "crypto/openpgp_process.h"

/* What a file begins with; the parts follow. */
struct lengths {
    uint64_t parts[OPENPGP_REQUEST_PARTS];
};

/* Room for one descriptor. */
union control_data {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(int))];
};

/* ---- In the caller ---- */

static bool write_file(int fd, const struct bytes_view *parts)
{
    struct lengths lengths;
    bool ok;
    size_t i;

    for (i = 0; i < OPENPGP_REQUEST_PARTS; i++)
        lengths.parts[i] = parts[i].len;
    ok = file_write_all(fd, &lengths, sizeof lengths);
    for (i = 0; ok && i < OPENPGP_REQUEST_PARTS; i++)
        ok = file_write_all(fd, parts[i].data, parts[i].len);
    return ok;
}

/* Sends KIND, and FD where it is none of -1. */
static bool send_kind(int socket, enum openpgp_request_kind kind, int fd)
{
    char byte = (char)kind;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    union control_data control = {0};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    if (fd >= 0) {
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
        msg.msg_control = control.room;
        msg.msg_controllen = sizeof control.room;
    }
    do
        n = sendmsg(socket, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == 1 || errno == EPIPE || errno == ECONNRESET;
}

bool openpgp_request_send(int socket, enum openpgp_request_kind kind,
                          const struct bytes_view *parts, struct hallmark_error *err)
{
    int fd = parts ? memfd_create("hallmark", MFD_CLOEXEC) : -1;
    bool ok = (!parts || (fd >= 0 && write_file(fd, parts))) && send_kind(socket, kind, fd);

    if (!ok)
        error_set_errno(err, "cannot hand over what gpg is asked for");
    file_close(&fd);
    return ok;
}

/* ---- In the helper ---- */

/* Receives a kind, and a descriptor or -1. */
static enum openpgp_request_kind receive_kind(int *fd)
{
    char byte = OPENPGP_REQUEST_NONE;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    union control_data control = {0};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.room,
                         .msg_controllen = sizeof control.room};
    struct cmsghdr *cmsg;
    ssize_t n;

    do
        n = recvmsg(OPENPGP_PROCESS_FD, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    *fd = -1;
    if (n != 1)
        return OPENPGP_REQUEST_NONE;
    cmsg = CMSG_FIRSTHDR(&msg);
    if (cmsg && cmsg->cmsg_type == SCM_RIGHTS && cmsg->cmsg_len == CMSG_LEN(sizeof *fd))
        memcpy(fd, CMSG_DATA(cmsg), sizeof *fd);
    return (enum openpgp_request_kind)byte;
}

/* Finds the parts in the file. */
static bool find_parts(struct openpgp_request *request)
{
    struct lengths lengths;
    const char *at = request->file;
    size_t left = request->file_len, i;

    if (!at || left < sizeof lengths)
        return false;
    memcpy(&lengths, at, sizeof lengths);
    at += sizeof lengths;
    left -= sizeof lengths;
    for (i = 0; i < OPENPGP_REQUEST_PARTS && lengths.parts[i] <= left; i++) {
        request->parts[i] = bytes_view_of(at, lengths.parts[i]);
        at += lengths.parts[i];
        left -= lengths.parts[i];
    }
    return i == OPENPGP_REQUEST_PARTS && left == 0;
}

bool openpgp_request_take(struct openpgp_request *out, struct hallmark_error *err)
{
    struct stat st = {0};
    int fd;

    *out = (struct openpgp_request){.kind = receive_kind(&fd)};
    if (fd < 0)
        return true;
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        out->file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (out->file == MAP_FAILED)
            out->file = NULL;
        else
            out->file_len = (size_t)st.st_size;
    }
    file_close(&fd);
    if (find_parts(out))
        return true;
    openpgp_request_free(out);
    return error_set(err, HALLMARK_ERR_IO, "cannot read what it is asked for");
}

void openpgp_request_free(struct openpgp_request *request)
{
    if (request->file)
        munmap(request->file, request->file_len);
    *request = (struct openpgp_request){.kind = OPENPGP_REQUEST_NONE};
}
