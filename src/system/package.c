/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checking packages by means of the reader process. */
#include "system/package.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "system/reader.h"

struct package_reader *package_reader_new(enum hallmark_sandbox sandbox)
{
    struct package_reader *reader = alloc_array(1, sizeof *reader);

    reader->sandbox = sandbox;
    reader->worker = (struct worker)WORKER_INIT;
    return reader;
}

void package_reader_free(struct package_reader *reader)
{
    if (reader)
        worker_stop(&reader->worker);
    free(reader);
}

void package_reader_begin(struct package_reader *reader)
{
    reader_begin(reader);
}

void package_reader_list_files(struct package_reader *reader)
{
    reader->list_files = 1;
}

/* The reader keeps to the limit, unless somebody else speaks through it. */
static bool add_text(struct bytes *out, size_t max_len, const struct worker_message *message,
                     struct hallmark_error *err)
{
    size_t len = strlen(message->text);

    if (len == 0 || len > max_len - out->len)
        return error_set(err, HALLMARK_ERR_UNSAFE,
                         "the archive reader said something that makes no sense");
    bytes_append(out, message->text, len);
    return true;
}

/* What the reader has found; other messages are passed over. */
static bool take(struct package_content *out, const struct worker_message *message,
                 struct hallmark_error *err)
{
    if (message->type == WORKER_CONTROL)
        return add_text(&out->control, LIMITS_CONTROL_BYTES, message, err);
    if (message->type == WORKER_FILES)
        return add_text(&out->files, LIMITS_CONTENTS_BYTES, message, err);
    return true;
}

static bool is_last(const struct worker_message *message)
{
    return message->type != WORKER_PROGRESS && message->type != WORKER_CONTROL &&
           message->type != WORKER_FILES;
}

/* Waits for what became of the request. */
static bool collect(struct package_reader *reader, struct package_content *out,
                    struct hallmark_error *err)
{
    struct worker_watch watch = {.workers = {&reader->worker}, .idle_limit = WORKER_IDLE_SECONDS};
    struct worker_message message;
    size_t which;

    do {
        if (!worker_next(&watch, &which, &message, err) || !take(out, &message, err))
            return false;
    } while (!is_last(&message));
    if (message.type == WORKER_FAILED)
        return error_set(err, (enum hallmark_errcode)message.code, "%s", message.text);
    if (message.type != WORKER_DONE)
        return error_set(err, HALLMARK_ERR_IO, "the archive reader gave up");
    out->totals.n_entries = message.n_entries;
    out->totals.n_bytes = message.n_bytes;
    return true;
}

bool package_check(struct package_reader *reader, int fd, const char *name,
                   const struct package_format *format, struct package_content *out,
                   struct hallmark_error *err)
{
    struct package_content content = {.totals = {0}};
    struct hallmark_error why = {0};

    if (reader_request(reader, format, fd, -1, &why) && collect(reader, &content, &why)) {
        *out = content;
        return true;
    }
    package_content_free(&content);
    if (why.code != HALLMARK_ERR_MALFORMED)
        worker_stop(&reader->worker);
    /* A reader that died did so over this package. */
    if (why.code == HALLMARK_ERR_UNSAFE)
        why.code = HALLMARK_ERR_MALFORMED;
    return error_set(err, why.code, "%s: %s", name, why.text);
}

void package_content_free(struct package_content *content)
{
    bytes_free(&content->control);
    bytes_free(&content->files);
    *content = (struct package_content){.totals = {0}};
}

/* ---- Decompression -------------------------------------------------------------------------- */

/* Waits until FD has something to read, which a working reader provides again and again. */
static bool wait_readable(int fd, struct hallmark_error *err)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    int n;

    do
        n = poll(&wanted, 1, WORKER_IDLE_SECONDS * 1000);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_set_errno(err, "cannot wait for the archive reader");
    return n > 0 ||
           error_set(err, HALLMARK_ERR_IO, "made no progress for %d seconds", WORKER_IDLE_SECONDS);
}

static bool drain(int fd, const struct package_sink *sink, struct hallmark_error *err)
{
    enum { STEP = 256 * 1024 };
    char *buf = alloc_array(STEP, 1);
    ssize_t n = 1;
    bool ok = true;

    while (ok && n > 0) {
        ok = wait_readable(fd, err);
        n = ok ? file_read_some(fd, buf, STEP) : 0;
        if (n < 0)
            ok = error_set_errno(err, "cannot hear the archive reader");
        else if (n > 0)
            ok = sink->take(sink->ctx, bytes_view_of(buf, (size_t)n), err);
    }
    free(buf);
    return ok;
}

bool package_expand(struct package_reader *reader, int fd, enum package_compression compression,
                    const struct package_sink *sink, struct hallmark_error *err)
{
    struct package_format format = {.kind = PACKAGE_DATA, .compression = compression};
    struct package_content content = {.control = {0}};
    int pipefd[2];
    bool ok;

    if (pipe2(pipefd, O_CLOEXEC) < 0)
        return error_set_errno(err, "cannot make a pipe");
    ok = reader_request(reader, &format, fd, pipefd[1], err);
    file_close(&pipefd[1]);
    ok = ok && drain(pipefd[0], sink, err) && collect(reader, &content, err);
    file_close(&pipefd[0]);
    package_content_free(&content);
    if (!ok)
        worker_stop(&reader->worker);
    if (!ok && err && err->code == HALLMARK_ERR_UNSAFE)
        err->code = HALLMARK_ERR_MALFORMED;
    return ok;
}
