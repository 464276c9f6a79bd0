/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unpacking: a reader and a writer process with a pipe between them, watched until both are done.
 */
#include "system/unpack.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "system/reader.h"
#include "system/sandbox.h"
#include "system/staging.h"
#include "system/writer.h"

struct unpack {
    struct staging staging;
};

enum { READER, WRITER, N_WORKERS };

/* One run. */
struct run {
    const struct unpack_options *options;
    struct package_reader *reader;
    struct worker writer;
    struct worker_watch watch;
    struct worker_message done[N_WORKERS];
    struct hallmark_error why[N_WORKERS];
    uint64_t size; /* of the package */
};

struct unpack *unpack_open(const char *into, struct hallmark_error *err)
{
    struct unpack *unpack = alloc_array(1, sizeof *unpack);

    if (staging_open(&unpack->staging, into, err))
        return unpack;
    unpack_close(unpack);
    return NULL;
}

void unpack_close(struct unpack *unpack)
{
    if (unpack)
        staging_close(&unpack->staging);
    free(unpack);
}

int unpack_private_file(struct unpack *unpack, struct hallmark_error *err)
{
    return staging_make_file(&unpack->staging, err);
}

static bool start_writer(struct run *run, int treefd, int pipefd, struct hallmark_error *err)
{
    const struct unpack_options *o = run->options;
    struct writer_request request = {
        .sandbox = (uint32_t)o->sandbox,
        .links = (uint32_t)o->links,
        .max_entries = o->max_entries ? o->max_entries : LIMITS_ARCHIVE_ENTRIES,
        .max_bytes = o->max_bytes ? o->max_bytes : LIMITS_ARCHIVE_BYTES,
        .is_exact = o->exact != NULL,
    };
    int fds[] = {treefd, pipefd};

    if (o->exact)
        request.exact = *o->exact;
    return worker_start(&run->writer, "the archive writer", writer_run, err) &&
           worker_request(&run->writer, &request, sizeof request, fds, 2, err);
}

static bool start(struct run *run, int treefd, int fd, const struct package_format *format,
                  struct hallmark_error *err)
{
    enum { PIPE_LEN = 1 << 20 }; /* the most that an ordinary user may have, pipe(7) */
    int pipefd[2];
    bool ok;

    if (pipe2(pipefd, O_CLOEXEC) < 0)
        return error_set_errno(err, "cannot make a pipe");
    fcntl(pipefd[1], F_SETPIPE_SZ, PIPE_LEN); /* slower without */
    ok = start_writer(run, treefd, pipefd[0], err) &&
         reader_request(run->reader, format, fd, pipefd[1], err);
    file_close(&pipefd[0]);
    file_close(&pipefd[1]);
    run->watch.workers[READER] = &run->reader->worker;
    run->watch.workers[WRITER] = &run->writer;
    run->watch.idle_limit = WORKER_IDLE_SECONDS;
    return ok;
}

static void tell_progress(const struct run *run, uint64_t n_read)
{
    if (run->options->progress)
        run->options->progress(run->options->ctx, n_read < run->size ? n_read : run->size,
                               run->size);
}

static void take_message(struct run *run, size_t which, const struct worker_message *message)
{
    if (message->type == WORKER_PROGRESS) {
        if (which == READER)
            tell_progress(run, message->n_read);
        return;
    }
    run->watch.workers[which] = NULL;
    run->done[which] = *message;
    if (message->type == WORKER_FAILED)
        error_set(&run->why[which], (enum hallmark_errcode)message->code, "%s", message->text);
}

/* Waits for both, even where the reader has failed: the writer tells then whether an entry before
 * that was bad, so that one archive always gives one error. */
static bool watch_both(struct run *run, struct hallmark_error *err)
{
    const struct hallmark_error *why = run->why;
    struct worker_message message;
    size_t which;

    while ((run->watch.workers[READER] || run->watch.workers[WRITER]) && !why[WRITER].code) {
        if (!worker_next(&run->watch, &which, &message, err))
            return false;
        take_message(run, which, &message);
    }
    for (which = N_WORKERS; which-- > 0;)
        if (why[which].code)
            return error_set(err, why[which].code, "%s", why[which].text);
    if (run->done[READER].type != WORKER_DONE || run->done[WRITER].type != WORKER_DONE)
        return error_set(err, HALLMARK_ERR_IO, "the archive's reader or writer gave up");
    if (run->done[READER].n_entries != run->done[WRITER].n_entries)
        return error_set(err, HALLMARK_ERR_UNSAFE, "reader and writer disagree about the entries");
    return true;
}

static void fill_report(const struct run *run, struct hallmark_unpack_report *report)
{
    *report = (struct hallmark_unpack_report){.n_entries = run->done[WRITER].n_entries,
                                              .n_bytes = run->done[WRITER].n_bytes,
                                              .is_signed = run->options->exact != NULL};
    sandbox_describe(run->reader->worker.layers & run->writer.layers, report->sandbox,
                     sizeof report->sandbox);
}

bool unpack_run(struct unpack *unpack, int fd, const char *name,
                const struct package_format *format, const struct unpack_options *options,
                struct hallmark_unpack_report *report, struct hallmark_error *err)
{
    struct run run = {
        .options = options, .reader = package_reader_new(options->sandbox), .writer = WORKER_INIT};
    struct hallmark_error why = {0};
    struct stat st = {0};
    bool ok = false;

    if (fstat(fd, &st) < 0) {
        error_set_errno(&why, "cannot stat");
        goto out;
    }
    run.size = (uint64_t)st.st_size;
    if (!start(&run, unpack->staging.treefd, fd, format, &why) || !watch_both(&run, &why))
        goto out;
    worker_stop(&run.writer);
    tell_progress(&run, run.size);
    ok = staging_commit(&unpack->staging, &why);
    if (ok)
        fill_report(&run, report);
out:
    worker_stop(&run.writer);
    package_reader_free(run.reader);
    if (ok)
        return true;
    /* Whatever cannot be read to its end is not safe to have. */
    if (why.code == HALLMARK_ERR_MALFORMED)
        why.code = HALLMARK_ERR_UNSAFE;
    return error_set(err, why.code, "%s: %s", name, why.text);
}
