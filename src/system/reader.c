/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader process, and how it is asked. */
#include "system/reader.h"

#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>

#include "base/file.h"
#include "base/limits.h"
#include "system/deb.h"
#include "system/libarchive.h"
#include "system/sandbox.h"
#include "system/stream.h"
#include "system/tarball.h"

enum { PROGRESS_IN = 512 * 1024, PROGRESS_OUT = 64 * 1024 * 1024, FILES_STEP = 64 * 1024 };

/* One request at work. */
struct job {
    int control_socket;
    struct stream_sender *stream; /* NULL: nobody wants the entries */
    uint64_t base;                /* where in the package the part starts that is read now */
    struct worker_message progress;
    uint64_t told_in, told_out;
    bool has_control;     /* of a .deb: its control file came */
    bool in_control;      /* what comes now is in it */
    struct bytes control; /* that file */
    bool list_files;      /* somebody wants the files of a .deb */
    struct bytes files;   /* those that have not been told yet */
    size_t n_told;        /* bytes of all of them */
};

static void tell_progress(void *ctx, uint64_t n_in, uint64_t n_out)
{
    struct job *job = ctx;

    n_in += job->base;
    if (n_in - job->told_in < PROGRESS_IN && n_out - job->told_out < PROGRESS_OUT)
        return;
    job->told_in = n_in;
    job->told_out = n_out;
    job->progress =
        (struct worker_message){.type = WORKER_PROGRESS, .n_read = n_in, .n_bytes = n_out};
    worker_send(job->control_socket, &job->progress);
}

static bool send_entry(void *ctx, const struct entry *entry, struct hallmark_error *err)
{
    struct job *job = ctx;

    (void)err;
    return stream_send_entry(job->stream, entry);
}

static bool send_data(void *ctx, uint64_t offset, struct bytes_view data,
                      struct hallmark_error *err)
{
    struct job *job = ctx;

    (void)err;
    return stream_send_data(job->stream, offset, data);
}

/* There is one file control, whatever way of writing paths a reader of control.tar follows. */
static bool find_control(void *ctx, const struct entry *found, struct hallmark_error *err)
{
    struct job *job = ctx;
    struct entry entry = *found;

    job->in_control = false;
    if (!entry_check(&entry, HALLMARK_LINKS_INSIDE, err)) {
        err->code = HALLMARK_ERR_MALFORMED;
        return false;
    }
    if (!bytes_view_equals(entry.path, "control"))
        return true;
    if (job->has_control || entry.kind != ENTRY_FILE)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         job->has_control ? "control: is there twice"
                                          : "no file control, but something else of that name");
    if (entry.size > LIMITS_CONTROL_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "control: has more than %d bytes",
                         LIMITS_CONTROL_BYTES);
    job->has_control = job->in_control = true;
    return true;
}

/* tarball_read() has compared the data with the size of the entry. */
static bool take_control(void *ctx, uint64_t offset, struct bytes_view data,
                         struct hallmark_error *err)
{
    struct job *job = ctx;

    if (!job->in_control)
        return true;
    if (offset != job->control.len || memchr(data.data, '\0', data.len))
        return error_set(err, HALLMARK_ERR_MALFORMED, "control: holds a hole or a NUL");
    bytes_append(&job->control, data.data, data.len);
    return true;
}

/* Hands over TEXT, in parts that fit into messages of TYPE. */
static void send_text(const struct job *job, enum worker_message_type type,
                      const struct bytes *text)
{
    struct worker_message message = {.type = type};
    struct bytes_view rest = bytes_view(text);
    size_t len;

    while (rest.len) {
        len = rest.len < sizeof message.text ? rest.len : sizeof message.text - 1;
        memcpy(message.text, rest.data, len);
        message.text[len] = '\0';
        worker_send(job->control_socket, &message);
        rest = bytes_view_of(rest.data + len, rest.len - len);
    }
}

static void tell_files(struct job *job)
{
    send_text(job, WORKER_FILES, &job->files);
    job->files.len = 0;
}

/* An entry of data.tar whose name is to be told. Some are collected for each message. */
static bool take_file(void *ctx, const struct entry *entry, struct hallmark_error *err)
{
    struct job *job = ctx;

    if (entry->kind == ENTRY_DIRECTORY || entry->path.len == 0 ||
        memchr(entry->path.data, '\n', entry->path.len))
        return true;
    if (entry->path.len >= LIMITS_CONTENTS_BYTES - job->n_told)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "the names of its files have more than %d bytes", LIMITS_CONTENTS_BYTES);
    job->n_told += entry->path.len + 1;
    bytes_append(&job->files, entry->path.data, entry->path.len);
    bytes_append(&job->files, "\n", 1);
    if (job->files.len >= FILES_STEP)
        tell_files(job);
    return true;
}

static bool read_tar(struct job *job, const struct decompress_window *window,
                     enum package_compression compression, struct package_totals *totals,
                     struct hallmark_error *err)
{
    struct tarball_sink sink = {.progress = tell_progress, .ctx = job};

    job->base = window->offset;
    job->told_out = 0;
    if (job->stream) {
        sink.entry = send_entry;
        sink.data = send_data;
    } else if (job->list_files) {
        sink.entry = take_file;
    }
    if (!tarball_read(window, compression, &sink, totals, err))
        return false;
    tell_files(job);
    return true;
}

static bool read_deb(struct job *job, const struct decompress_window *window,
                     struct package_totals *totals, struct hallmark_error *err)
{
    struct tarball_sink sink = {
        .entry = find_control, .data = take_control, .progress = tell_progress, .ctx = job};
    struct package_totals ignored = {0};
    struct deb deb;

    if (!deb_read(&deb, window, err))
        return false;
    job->base = deb.control.window.offset;
    if (!tarball_read(&deb.control.window, deb.control.compression, &sink, &ignored, err))
        return error_prefix(err, "control.tar");
    if (!job->has_control)
        return error_set(err, HALLMARK_ERR_MALFORMED, "the .deb's control.tar has no file control");
    if (!job->stream)
        send_text(job, WORKER_CONTROL, &job->control);
    if (read_tar(job, &deb.data.window, deb.data.compression, totals, err))
        return true;
    return error_prefix(err, "data.tar");
}

/* No archive: what comes out of the decompressor goes into the pipe as it is. */
static bool read_data(const struct decompress_window *window, enum package_compression compression,
                      int out, struct hallmark_error *err)
{
    struct decompress *d = decompress_open(window, compression, err);
    struct bytes_view data = {NULL, 1};
    bool ok = d != NULL;

    while (ok && data.len)
        ok = decompress_next(d, &data) &&
             (data.len == 0 || file_write_all(out, data.data, data.len));
    decompress_close(d);
    return ok;
}

static void serve(int control, const struct reader_request *request, const int *fds)
{
    struct job job = {.control_socket = control,
                      .list_files = request->kind == PACKAGE_DEB && request->list_files};
    struct decompress_window window = {.fd = fds[0], .len = request->size};
    struct worker_message done = {.type = WORKER_DONE, .n_read = request->size};
    struct package_totals totals = {0};
    struct hallmark_error err = {0};
    bool ok;

    if (request->unpack && request->kind != PACKAGE_DATA)
        job.stream = stream_sender_new(fds[1]);
    if (request->kind == PACKAGE_DATA)
        ok = read_data(&window, (enum package_compression)request->compression, fds[1], &err);
    else if (request->kind == PACKAGE_DEB)
        ok = read_deb(&job, &window, &totals, &err);
    else
        ok = read_tar(&job, &window, (enum package_compression)request->compression, &totals, &err);
    if (ok && job.stream)
        ok = stream_send_end(job.stream);
    done.n_entries = totals.n_entries;
    done.n_bytes = totals.n_bytes;
    if (!ok)
        done.type = WORKER_STOPPED;
    stream_sender_free(job.stream);
    bytes_free(&job.control);
    bytes_free(&job.files);
    if (err.code)
        worker_send_error(control, &err);
    else
        worker_send(control, &done);
}

/* Names in pax headers are UTF-8, and libarchive converts them to what the locale says. The C
 * library opens what it needs for that at the first character, which must not be in the sandbox. */
static void set_locale(void)
{
    static const char *const names[] = {"C.UTF-8", "C.utf8", "en_US.UTF-8"};
    wchar_t wide;
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_CTYPE, names[i]))
            break;
    if (mbrtowc(&wide, "\xc3\xa9", 2, NULL) != 2)
        setlocale(LC_CTYPE, "C"); /* names of other than ASCII in pax headers will be refused */
}

static void reader_run(int control)
{
    struct sandbox_spec spec = {.role = SANDBOX_READER};
    struct worker_message ready = {.type = WORKER_READY};
    struct reader_request request;
    struct hallmark_error err = {0};
    int fds[2] = {-1, -1};
    uint32_t level;

    if (!worker_take(control, &level, sizeof level, NULL, 0))
        return;
    spec.level = (enum hallmark_sandbox)level;
    set_locale();
    if (!libarchive_load(&err) || !sandbox_enter(&spec, &ready.layers, &err)) {
        worker_send_error(control, &err);
        return;
    }
    worker_send(control, &ready);
    while (worker_take(control, &request, sizeof request, fds, 2)) {
        serve(control, &request, fds);
        file_close(&fds[0]);
        file_close(&fds[1]);
    }
}

static bool start(struct package_reader *reader, struct hallmark_error *err)
{
    uint32_t level = (uint32_t)reader->sandbox;

    if (reader->worker.pid > 0)
        return true;
    return worker_start(&reader->worker, "the archive reader", reader_run, err) &&
           worker_request(&reader->worker, &level, sizeof level, NULL, 0, err);
}

void reader_begin(struct package_reader *reader)
{
    struct hallmark_error ignored = {0};

    if (!start(reader, &ignored))
        worker_stop(&reader->worker); /* the next request starts it again */
}

bool reader_request(struct package_reader *reader, const struct package_format *format, int fd,
                    int stream, struct hallmark_error *err)
{
    struct reader_request request = {.kind = (uint32_t)format->kind,
                                     .compression = (uint32_t)format->compression,
                                     .unpack = stream >= 0,
                                     .list_files = reader->list_files};
    int fds[2] = {fd, stream >= 0 ? stream : fd};
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set_errno(err, "cannot stat");
    if (!S_ISREG(st.st_mode))
        return error_set(err, HALLMARK_ERR_MALFORMED, "is not a regular file");
    request.size = (uint64_t)st.st_size;
    return start(reader, err) &&
           worker_request(&reader->worker, &request, sizeof request, fds, 2, err);
}
