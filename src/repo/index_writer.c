/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing indexes. */
#include "repo/index_writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "system/compress.h"

enum { STEP = 256 * 1024, FILE_MODE = 0644 };

const char *const index_suffixes[INDEX_FORMS] = {
    [INDEX_PLAIN] = "", [INDEX_XZ] = ".xz", [INDEX_GZIP] = ".gz", [INDEX_ZSTD] = ".zst"};

/* One form. */
struct form {
    int fd;
    struct digest *digest;
    struct compress *compress; /* NULL for INDEX_PLAIN */
    struct index_written written;
};

struct index_writer {
    struct index_writer_options options;
    struct form forms[INDEX_FORMS];
    struct bytes buffer;
};

/* Takes the bytes of a form's file. */
static bool put(void *ctx, struct bytes_view data, struct hallmark_error *err)
{
    struct form *form = ctx;

    form->written.size += data.len;
    if (!digest_update(form->digest, data.data, data.len, err))
        return false;
    return file_write_all(form->fd, data.data, data.len) ||
           error_set_errno(err, "%s: cannot write", form->written.name);
}

static bool open_form(struct index_writer *w, enum index_form which, struct hallmark_error *err)
{
    static const enum compress_method methods[INDEX_FORMS] = {
        [INDEX_XZ] = COMPRESS_XZ, [INDEX_GZIP] = COMPRESS_GZIP, [INDEX_ZSTD] = COMPRESS_ZSTD};
    struct form *form = &w->forms[which];
    struct compress_sink sink = {.take = put, .ctx = form};

    snprintf(form->written.name, sizeof form->written.name, "%08u%s", w->options.number,
             index_suffixes[which]);
    form->fd = file_open_at(w->options.stagefd, form->written.name,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    if (form->fd < 0 || fchmod(form->fd, FILE_MODE) < 0)
        return error_set_errno(err, "%s: cannot create", form->written.name);
    form->digest = digest_new(w->options.hashes, err);
    if (!form->digest)
        return false;
    if (which != INDEX_PLAIN)
        form->compress = compress_start(methods[which], &sink, err);
    return which == INDEX_PLAIN || form->compress;
}

static bool is_wanted(const struct index_writer *w, unsigned form)
{
    return form == INDEX_PLAIN || w->options.forms & (1u << form);
}

struct index_writer *index_writer_open(const struct index_writer_options *options,
                                       struct hallmark_error *err)
{
    struct index_writer *w = alloc_array(1, sizeof *w);
    unsigned i;

    w->options = *options;
    for (i = 0; i < INDEX_FORMS; i++)
        w->forms[i].fd = -1;
    for (i = 0; i < INDEX_FORMS; i++) {
        if (is_wanted(w, i) && !open_form(w, (enum index_form)i, err)) {
            index_writer_close(w);
            return NULL;
        }
    }
    return w;
}

static bool flush(struct index_writer *w, struct hallmark_error *err)
{
    struct bytes_view data = bytes_view(&w->buffer);
    unsigned i;

    for (i = 0; i < INDEX_FORMS; i++)
        if (is_wanted(w, i) && !(i == INDEX_PLAIN ? put(&w->forms[i], data, err)
                                                  : compress_add(w->forms[i].compress, data, err)))
            return false;
    w->buffer.len = 0;
    return true;
}

bool index_writer_add(struct index_writer *w, struct bytes_view text, struct hallmark_error *err)
{
    bytes_append(&w->buffer, text.data, text.len);
    return w->buffer.len < STEP || flush(w, err);
}

static bool take(void *ctx, struct bytes_view text, struct hallmark_error *err)
{
    return index_writer_add(ctx, text, err);
}

struct index_sink index_writer_sink(struct index_writer *writer)
{
    return (struct index_sink){.take = take, .ctx = writer};
}

static bool finish_form(struct form *form, struct hallmark_error *err)
{
    if (form->compress && !compress_end(form->compress, err))
        return false;
    if (!digest_final(form->digest, &form->written.digest, err) ||
        !file_sync(form->fd, form->written.name, err))
        return false;
    file_close(&form->fd);
    return true;
}

bool index_writer_finish(struct index_writer *w, struct index_written out[INDEX_FORMS],
                         struct hallmark_error *err)
{
    unsigned i;

    if (!flush(w, err))
        return false;
    for (i = 0; i < INDEX_FORMS; i++) {
        if (is_wanted(w, i) && !finish_form(&w->forms[i], err))
            return false;
        out[i] = w->forms[i].written;
    }
    return true;
}

void index_writer_close(struct index_writer *w)
{
    unsigned i;

    if (!w)
        return;
    for (i = 0; i < INDEX_FORMS; i++) {
        compress_free(w->forms[i].compress);
        digest_free(w->forms[i].digest);
        file_close(&w->forms[i].fd);
    }
    bytes_free(&w->buffer);
    free(w);
}
