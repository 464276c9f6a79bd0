/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The writer process. Files are made as they come; symbolic links, through which nothing could be
 * written then, and the times of directories at the end.
 */
#include "system/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "system/dirstack.h"
#include "system/nameset.h"
#include "system/newfile.h"
#include "system/sandbox.h"
#include "system/stream.h"

enum {
    PROGRESS_BYTES = 1 << 20,
    PROGRESS_ENTRIES = 1024,
    CROSSINGS_MAX = 16, /* of one link; each costs system calls, and real links have one or two */
    COPY_LEN = 64 * 1024,
};

/* What is done at the end; the texts stand one behind another in struct writer's names. */
struct later {
    uint32_t kind; /* ENTRY_DIRECTORY or ENTRY_SYMLINK */
    uint32_t path_len, target_len;
    uint32_t mtime_nsec;
    int64_t mtime;
};

struct writer {
    int control;
    struct writer_request request;
    struct hallmark_error *err;
    struct stream_receiver *receiver;
    struct dirstack *dirs;
    struct newfile file;
    struct nameset made; /* all files */
    struct later *later;
    size_t n_later, later_cap;
    struct bytes names;
    uint64_t n_entries, n_bytes; /* n_bytes: of the sizes */
    uint64_t n_copied;           /* of these: bytes of hard links that became files */
    uint64_t n_written;
    uint64_t n_finished; /* steps of finish() */
    struct worker_message told;
};

static int shown(struct bytes_view text)
{
    enum { SHOWN = 256 };

    return text.len < SHOWN ? (int)text.len : SHOWN;
}

static bool set_io_error(struct writer *w, struct bytes_view path, const char *what)
{
    return error_set_errno(w->err, "%.*s: cannot %s", shown(path), path.data, what);
}

/* Keeps the parent informed that something moves. */
static void tell_progress(struct writer *w)
{
    struct worker_message *told = &w->told;

    if (w->n_written - told->n_bytes < PROGRESS_BYTES &&
        w->n_entries - told->n_entries < PROGRESS_ENTRIES &&
        w->n_finished - told->n_read < PROGRESS_ENTRIES)
        return;
    told->type = WORKER_PROGRESS;
    told->n_bytes = w->n_written;
    told->n_entries = w->n_entries;
    told->n_read = w->n_finished;
    worker_send(w->control, told);
}

static void name_of(char name[LIMITS_COMPONENT_BYTES + 1], struct bytes_view path)
{
    size_t start = entry_parent(path).len;

    start += start > 0;
    memcpy(name, path.data + start, path.len - start);
    name[path.len - start] = '\0';
}

/* Remembers a directory's time, or a symbolic link, for the end. */
static bool postpone(struct writer *w, const struct entry *entry)
{
    uint64_t len = entry->path.len + entry->target.len + sizeof *w->later;

    if (w->names.len + w->n_later * sizeof *w->later + len > LIMITS_ARCHIVE_NAMES)
        return error_set(w->err, HALLMARK_ERR_UNSAFE,
                         "the names of directories and links take more than %llu bytes",
                         LIMITS_ARCHIVE_NAMES);
    w->later = alloc_one_more(w->later, w->n_later, &w->later_cap, sizeof *w->later);
    w->later[w->n_later++] = (struct later){
        .kind = (uint32_t)entry->kind,
        .path_len = (uint32_t)entry->path.len,
        .target_len = (uint32_t)entry->target.len,
        .mtime = entry->mtime,
        .mtime_nsec = entry->mtime_nsec,
    };
    bytes_append(&w->names, entry->path.data, entry->path.len);
    bytes_append(&w->names, entry->target.data, entry->target.len);
    return true;
}

/* Copies into the file that was begun. */
static bool copy_file(struct writer *w, int from)
{
    char buf[COPY_LEN];
    uint64_t offset = 0;
    ssize_t n;

    while ((n = file_read_some(from, buf, sizeof buf)) > 0) {
        if (!newfile_write(&w->file, offset, bytes_view_of(buf, (size_t)n), w->err))
            return false;
        offset += (uint64_t)n;
        w->n_written += (uint64_t)n;
        tell_progress(w);
    }
    return n == 0 || error_set_errno(w->err, "%s: cannot copy", w->file.path);
}

static bool count_bytes(struct writer *w, uint64_t size)
{
    if (size > w->request.max_bytes || w->n_bytes > w->request.max_bytes - size)
        return error_set(w->err, HALLMARK_ERR_UNSAFE, "the archive unpacks to more than %llu bytes",
                         (unsigned long long)w->request.max_bytes);
    w->n_bytes += size;
    return true;
}

/* Where it is known what the archive holds, nothing more is made. */
static bool check_not_more(const struct writer *w)
{
    const struct package_totals *exact = &w->request.exact;

    if (!w->request.is_exact ||
        (w->n_entries <= exact->n_entries && w->n_bytes - w->n_copied <= exact->n_bytes))
        return true;
    return error_set(w->err, HALLMARK_ERR_UNSAFE,
                     "holds more than the %" PRIu64 " entries and %" PRIu64
                     " bytes that are signed for it",
                     exact->n_entries, exact->n_bytes);
}

static bool check_exact(const struct writer *w)
{
    const struct package_totals *exact = &w->request.exact;
    uint64_t n_bytes = w->n_bytes - w->n_copied;

    return !w->request.is_exact ||
           (w->n_entries == exact->n_entries && n_bytes == exact->n_bytes) ||
           error_set(w->err, HALLMARK_ERR_UNSAFE,
                     "holds %" PRIu64 " entries and %" PRIu64 " bytes, but %" PRIu64 " and %" PRIu64
                     " are signed for it",
                     w->n_entries, n_bytes, exact->n_entries, exact->n_bytes);
}

/* Where hard links cannot be had, the second name gets a file of its own. */
static bool copy_instead(struct writer *w, const struct entry *entry, int dirfd, const char *name,
                         const struct stat *st)
{
    struct entry copy = {.kind = ENTRY_FILE,
                         .mode = st->st_mode & 0755,
                         .mtime = st->st_mtim.tv_sec,
                         .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
                         .size = (uint64_t)st->st_size,
                         .path = entry->path};
    int from = file_open_at(dirfd, name, O_RDONLY | O_NOFOLLOW, 0);
    bool ok;

    if (from < 0)
        return set_io_error(w, entry->target, "open");
    ok = count_bytes(w, copy.size) && newfile_begin(&w->file, &copy, w->dirs, &w->made, w->err) &&
         copy_file(w, from) && newfile_end(&w->file, w->err);
    w->n_copied += copy.size;
    file_close(&from);
    return ok;
}

static bool link_file(struct writer *w, const struct entry *entry, int fromfd, const char *from)
{
    char name[LIMITS_COMPONENT_BYTES + 1];
    struct stat st = {0};
    int dirfd = dirstack_enter(w->dirs, entry_parent(entry->path), DIRSTACK_MAKE, w->err);

    if (dirfd < 0)
        return false;
    name_of(name, entry->path);
    if (fstatat(fromfd, from, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
        return set_io_error(w, entry->target, "look at");
    if (!S_ISREG(st.st_mode))
        return error_set(w->err, HALLMARK_ERR_UNSAFE,
                         "the entry \"%.*s\" is a hard link to \"%.*s\", which is no file that "
                         "stands before it in the archive",
                         shown(entry->path), entry->path.data, shown(entry->target),
                         entry->target.data);
    if (linkat(fromfd, from, dirfd, name, 0) == 0)
        return true;
    if (errno == EEXIST)
        return error_set(w->err, HALLMARK_ERR_UNSAFE, "the entry \"%.*s\" is in the archive twice",
                         shown(entry->path), entry->path.data);
    if (errno == EXDEV || errno == EPERM || errno == EMLINK || errno == EOPNOTSUPP)
        return copy_instead(w, entry, fromfd, from, &st);
    return set_io_error(w, entry->path, "link");
}

static bool make_hardlink(struct writer *w, const struct entry *entry)
{
    char from[LIMITS_COMPONENT_BYTES + 1];
    int dirfd, fromfd;
    bool ok;

    dirfd = dirstack_enter(w->dirs, entry_parent(entry->target), DIRSTACK_FAIL, w->err);
    if (dirfd < 0)
        return false;
    /* The stack moves on to the directory of the new name. */
    fromfd = file_open_at(dirfd, ".", O_PATH | O_DIRECTORY, 0);
    if (fromfd < 0)
        return set_io_error(w, entry->target, "open the directory of");
    name_of(from, entry->target);
    ok = link_file(w, entry, fromfd, from);
    file_close(&fromfd);
    return ok;
}

static bool make_entry(struct writer *w, struct entry *entry)
{
    if (!newfile_end(&w->file, w->err))
        return false;
    if (++w->n_entries > w->request.max_entries)
        return error_set(w->err, HALLMARK_ERR_UNSAFE, "the archive has more than %llu entries",
                         (unsigned long long)w->request.max_entries);
    if (!entry_check(entry, (enum hallmark_links)w->request.links, w->err) ||
        !count_bytes(w, entry->size) || !check_not_more(w))
        return false;
    switch (entry->kind) {
    case ENTRY_FILE:
        return newfile_begin(&w->file, entry, w->dirs, &w->made, w->err);
    case ENTRY_HARDLINK:
        return make_hardlink(w, entry);
    case ENTRY_DIRECTORY:
        return entry->path.len == 0 ||
               (dirstack_make(w->dirs, entry->path, entry->mode, w->err) && postpone(w, entry));
    default:
        return postpone(w, entry);
    }
}

static struct entry later_entry(const struct writer *w, size_t i, size_t *position)
{
    const struct later *later = &w->later[i];
    const char *text = w->names.data + *position;

    *position += later->path_len + later->target_len;
    return (struct entry){.kind = (enum entry_kind)later->kind,
                          .mtime = later->mtime,
                          .mtime_nsec = later->mtime_nsec,
                          .path = bytes_view_of(text, later->path_len),
                          .target = bytes_view_of(text + later->path_len, later->target_len)};
}

/* Before any link is made: what a target passes through on its way up again is a directory. */
static bool check_crossings(struct writer *w, const struct entry *entry)
{
    struct entry_walk walk;
    struct hallmark_error why = {0};
    unsigned n = 0;
    bool ok = true;

    if (entry->kind != ENTRY_SYMLINK || w->request.links == HALLMARK_LINKS_ANY)
        return true;
    entry_walk_start(&walk, entry);
    while (ok && entry_walk_next(&walk))
        ok = ++n <= CROSSINGS_MAX && walk.path.len <= LIMITS_PATH_BYTES &&
             dirstack_enter(w->dirs, bytes_view(&walk.path), DIRSTACK_FAIL, &why) >= 0;
    entry_walk_end(&walk);
    return ok || error_set(w->err, HALLMARK_ERR_UNSAFE,
                           "the entry \"%.*s\" is a link whose target \"%.*s\" goes up again from "
                           "what is not a directory (--links=any lets it)",
                           shown(entry->path), entry->path.data, shown(entry->target),
                           entry->target.data);
}

static bool set_time(struct writer *w, const struct entry *entry, int dirfd, const char *name)
{
    const struct timespec times[] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = (time_t)entry->mtime, .tv_nsec = (long)entry->mtime_nsec}};

    return utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) == 0 ||
           set_io_error(w, entry->path, "set the time of");
}

static bool make_symlink(struct writer *w, const struct entry *entry)
{
    char name[LIMITS_COMPONENT_BYTES + 1], target[LIMITS_PATH_BYTES + 1];
    int dirfd;

    if (entry->kind != ENTRY_SYMLINK)
        return true;
    dirfd = dirstack_enter(w->dirs, entry_parent(entry->path), DIRSTACK_MAKE, w->err);
    if (dirfd < 0)
        return false;
    name_of(name, entry->path);
    memcpy(target, entry->target.data, entry->target.len);
    target[entry->target.len] = '\0';
    if (symlinkat(target, dirfd, name) == 0)
        return set_time(w, entry, dirfd, name);
    if (errno != EEXIST)
        return set_io_error(w, entry->path, "make the link");
    return error_set(w->err, HALLMARK_ERR_UNSAFE,
                     "the entry \"%.*s\" is a link where the archive has something else",
                     shown(entry->path), entry->path.data);
}

static bool set_directory_time(struct writer *w, const struct entry *entry)
{
    char name[LIMITS_COMPONENT_BYTES + 1];
    int dirfd;

    if (entry->kind != ENTRY_DIRECTORY)
        return true;
    dirfd = dirstack_enter(w->dirs, entry_parent(entry->path), DIRSTACK_FAIL, w->err);
    if (dirfd < 0)
        return false;
    name_of(name, entry->path);
    return set_time(w, entry, dirfd, name);
}

static bool finish(struct writer *w)
{
    static bool (*const passes[])(struct writer *, const struct entry *) = {
        check_crossings, make_symlink, set_directory_time};
    struct entry entry;
    size_t pass, i, position;

    for (pass = 0; pass < sizeof passes / sizeof *passes; pass++) {
        for (i = position = 0; i < w->n_later; i++) {
            entry = later_entry(w, i, &position);
            w->n_finished++;
            if (!passes[pass](w, &entry))
                return false;
            tell_progress(w);
        }
    }
    return true;
}

/* Makes what the stream says, to its end. */
static enum stream_result make_all(struct writer *w)
{
    struct stream_record record;
    enum stream_result result;

    while ((result = stream_receive(w->receiver, &record, w->err)) == STREAM_OK) {
        bool ok = false;

        switch (record.type) {
        case STREAM_ENTRY:
            ok = make_entry(w, &record.entry);
            break;
        case STREAM_DATA:
            ok = newfile_write(&w->file, record.offset, record.data, w->err);
            w->n_written += record.data.len;
            break;
        case STREAM_END:
            return newfile_end(&w->file, w->err) && check_exact(w) && finish(w) ? STREAM_OK
                                                                                : STREAM_BAD;
        }
        if (!ok)
            return STREAM_BAD;
        tell_progress(w);
    }
    return result;
}

static void work(int control, const struct writer_request *request, const int *fds)
{
    struct worker_message done = {.type = WORKER_DONE};
    struct hallmark_error err = {0};
    struct writer w = {.control = control, .request = *request, .err = &err, .file = NEWFILE_INIT};

    w.receiver = stream_receiver_new(fds[1]);
    w.dirs = dirstack_new(fds[0]);
    switch (make_all(&w)) {
    case STREAM_OK:
        done.n_entries = w.n_entries;
        done.n_bytes = w.n_bytes;
        worker_send(control, &done);
        break;
    case STREAM_CUT:
        done.type = WORKER_STOPPED;
        worker_send(control, &done);
        break;
    case STREAM_BAD:
        worker_send_error(control, &err);
        break;
    }
    newfile_abort(&w.file);
    nameset_free(&w.made);
    free(w.later);
    bytes_free(&w.names);
    dirstack_free(w.dirs);
    stream_receiver_free(w.receiver);
}

void writer_run(int control)
{
    struct sandbox_spec spec = {.role = SANDBOX_WRITER};
    struct worker_message ready = {.type = WORKER_READY};
    struct writer_request request;
    struct hallmark_error err = {0};
    int fds[2];

    if (!worker_take(control, &request, sizeof request, fds, 2))
        return;
    umask(0);
    spec.level = (enum hallmark_sandbox)request.sandbox;
    spec.dirfd = fds[0];
    spec.max_bytes = request.max_bytes;
    if (!sandbox_enter(&spec, &ready.layers, &err)) {
        worker_send_error(control, &err);
        return;
    }
    worker_send(control, &ready);
    work(control, &request, fds);
}
