/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing indexes. */
#include "repo/index_writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "repo/index_blocks.h"

enum { FILE_MODE = 0644 };

const char *const index_suffixes[INDEX_FORMS] = {
    [INDEX_PLAIN] = "", [INDEX_XZ] = ".xz", [INDEX_GZIP] = ".gz", [INDEX_ZSTD] = ".zst"};

/* One form. */
struct form {
    int fd;
    struct digest *digest;
    struct compress_block_frame *frame; /* NULL for INDEX_PLAIN */
    struct index_written written;
    struct bytes edge; /* bytes before the blocks, or behind them */
    unsigned file;     /* its number in the cache of blocks */
};

struct index_writer {
    struct index_writer_options options;
    struct form forms[INDEX_FORMS];
    struct index_blocks *blocks;
};

static const enum compress_method methods[INDEX_FORMS] = {
    [INDEX_XZ] = COMPRESS_XZ, [INDEX_GZIP] = COMPRESS_GZIP, [INDEX_ZSTD] = COMPRESS_ZSTD};

/* Takes the bytes of a form's file. */
static bool put(struct form *form, struct bytes_view data, struct hallmark_error *err)
{
    form->written.size += data.len;
    if (!digest_update(form->digest, data.data, data.len, err))
        return false;
    return file_write_all(form->fd, data.data, data.len) ||
           error_set_errno(err, "%s: cannot write", form->written.name);
}

static bool put_edge(struct form *form, struct hallmark_error *err)
{
    bool ok = put(form, bytes_view(&form->edge), err);

    form->edge.len = 0;
    return ok;
}

static void start_record(struct index_writer *w, enum index_form which)
{
    char *path;

    if (!w->options.cache)
        return;
    path = alloc_printf("%s%s", w->options.path, index_suffixes[which]);
    w->forms[which].file = block_cache_start(w->options.cache, path);
    free(path);
}

static bool open_form(struct index_writer *w, enum index_form which, struct hallmark_error *err)
{
    struct form *form = &w->forms[which];

    snprintf(form->written.name, sizeof form->written.name, "%08u%s", w->options.number,
             index_suffixes[which]);
    form->fd = file_open_at(w->options.stagefd, form->written.name,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, FILE_MODE);
    if (form->fd < 0 || fchmod(form->fd, FILE_MODE) < 0)
        return error_set_errno(err, "%s: cannot create", form->written.name);
    form->digest = digest_new(w->options.hashes, err);
    if (!form->digest || which == INDEX_PLAIN)
        return form->digest != NULL;
    start_record(w, which);
    form->frame = compress_block_start(methods[which], &form->edge, err);
    return form->frame && put_edge(form, err);
}

static bool is_wanted(const struct index_writer *w, unsigned form)
{
    return form == INDEX_PLAIN || w->options.forms & (1u << form);
}

static bool take_text(void *ctx, struct bytes_view text, struct hallmark_error *err)
{
    struct index_writer *w = ctx;

    return put(&w->forms[INDEX_PLAIN], text, err);
}

static bool take_block(void *ctx, unsigned which, const unsigned char key[DIGEST_SHA256_LEN],
                       struct bytes_view block, struct hallmark_error *err)
{
    struct index_writer *w = ctx;
    struct form *form = &w->forms[which];
    struct block_cache_place place = {
        .file = form->file, .form = which, .offset = form->written.size};

    if (w->options.cache && !block_cache_add(w->options.cache, &place, key, block, err))
        return false;
    return compress_block_add(form->frame, block, err) && put(form, block, err);
}

static bool open_blocks(struct index_writer *w, struct hallmark_error *err)
{
    struct index_blocks_options options = {
        .forms = w->options.forms & ~(1u << INDEX_PLAIN) & ((1u << INDEX_FORMS) - 1),
        .separator = w->options.separator,
        .cache = w->options.cache,
        .sink = {.take_text = take_text, .take_block = take_block, .ctx = w}};

    memcpy(options.methods, methods, sizeof methods);
    w->blocks = index_blocks_open(&options, err);
    return w->blocks != NULL;
}

struct index_writer *index_writer_open(const struct index_writer_options *options,
                                       struct hallmark_error *err)
{
    struct index_writer *w = alloc_array(1, sizeof *w);
    bool ok = true;
    unsigned i;

    w->options = *options;
    for (i = 0; i < INDEX_FORMS; i++)
        w->forms[i].fd = -1;
    for (i = 0; ok && i < INDEX_FORMS; i++)
        ok = !is_wanted(w, i) || open_form(w, (enum index_form)i, err);
    if (ok && open_blocks(w, err))
        return w;
    index_writer_close(w);
    return NULL;
}

bool index_writer_add(struct index_writer *w, struct bytes_view text, struct hallmark_error *err)
{
    return index_blocks_add(w->blocks, text, err);
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
    struct stat st;

    if (form->frame && (!compress_block_end(form->frame, &form->edge, err) || !put_edge(form, err)))
        return false;
    if (!digest_final(form->digest, &form->written.digest, err) ||
        !file_sync(form->fd, form->written.name, err))
        return false;
    if (fstat(form->fd, &st) < 0)
        return error_set_errno(err, "%s", form->written.name);
    tree_stamp_from(&form->written.stamp, &st);
    file_close(&form->fd);
    return true;
}

bool index_writer_finish(struct index_writer *w, struct index_written out[INDEX_FORMS],
                         struct hallmark_error *err)
{
    unsigned i;

    if (!index_blocks_finish(w->blocks, err))
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
    index_blocks_close(w->blocks);
    for (i = 0; i < INDEX_FORMS; i++) {
        compress_block_free(w->forms[i].frame);
        digest_free(w->forms[i].digest);
        file_close(&w->forms[i].fd);
        bytes_free(&w->forms[i].edge);
    }
    free(w);
}
