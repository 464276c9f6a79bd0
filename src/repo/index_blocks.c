/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks under way are in a ring: the oldest is waited for when there is no room for one more. */
#include "repo/index_blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "system/crew.h"

enum {
    /* Debian's index grows by 3% by these; by 6% with blocks of half the size. */
    BLOCK_MIN = COMPRESS_BLOCK_MAX / 8 * 5,
    N_THREADS = 1, /* each takes 24 MiB for xz */
    N_BLOCKS = 3,
};

/* One form of a block. */
struct part {
    struct crew_job job; /* first */
    enum compress_method method;
    struct bytes_view text;
    struct bytes out;
    struct hallmark_error err;
    bool is_started;
};

struct block {
    struct bytes text;
    unsigned char key[DIGEST_SHA256_LEN];
    struct part parts[INDEX_BLOCKS_FORMS];
};

struct index_blocks {
    struct index_blocks_options options;
    struct block ring[N_BLOCKS];
    size_t first, n_waiting; /* of those that are cut */
    size_t scanned;          /* of the text of the current one, which is behind those */
    size_t place;            /* where it will be cut; 0: not known yet */
    uint32_t weight;         /* of that place */
    size_t n_cut;            /* all of them */
    struct crew *crew;
    struct digest *digest;
};

struct index_blocks *index_blocks_open(const struct index_blocks_options *options,
                                       struct hallmark_error *err)
{
    struct index_blocks *blocks = alloc_array(1, sizeof *blocks);

    blocks->options = *options;
    blocks->crew = crew_new(N_THREADS);
    blocks->digest = digest_new(DIGEST_SHA256, err);
    if (blocks->digest)
        return blocks;
    index_blocks_close(blocks);
    return NULL;
}

void index_blocks_close(struct index_blocks *blocks)
{
    size_t i, k;

    if (!blocks)
        return;
    crew_free(blocks->crew);
    for (i = 0; i < N_BLOCKS; i++) {
        bytes_free(&blocks->ring[i].text);
        for (k = 0; k < INDEX_BLOCKS_FORMS; k++)
            bytes_free(&blocks->ring[i].parts[k].out);
    }
    digest_free(blocks->digest);
    free(blocks);
}

static struct block *current(struct index_blocks *blocks)
{
    return &blocks->ring[(blocks->first + blocks->n_waiting) % N_BLOCKS];
}

/* ---- Blocks that are cut -------------------------------------------------------------------- */

static void compress_part(struct crew_job *job)
{
    struct part *part = (struct part *)job;

    if (!compress_block(part->method, part->text, &part->out, &part->err))
        part->out.len = 0;
}

/* Gives the oldest block away. */
static bool drain(struct index_blocks *blocks, struct hallmark_error *err)
{
    const struct index_blocks_sink *sink = &blocks->options.sink;
    struct block *block = &blocks->ring[blocks->first];
    struct part *part;
    unsigned form;
    bool ok = sink->take_text(sink->ctx, bytes_view(&block->text), err);

    for (form = 0; form < INDEX_BLOCKS_FORMS; form++) {
        part = &block->parts[form];
        if (part->is_started)
            crew_wait(blocks->crew, &part->job);
        if (ok && part->err.code != HALLMARK_OK)
            ok = error_set(err, part->err.code, "%s", part->err.text);
        if (ok && blocks->options.forms >> form & 1)
            ok = sink->take_block(sink->ctx, form, block->key, bytes_view(&part->out), err);
        part->is_started = false;
        part->out.len = 0;
    }
    block->text.len = 0;
    blocks->first = (blocks->first + 1) % N_BLOCKS;
    blocks->n_waiting--;
    return ok;
}

/* Finds, or begins to make, all forms of BLOCK. */
static void begin(struct index_blocks *blocks, struct block *block)
{
    struct block_cache *cache = blocks->options.cache;
    struct part *part;
    unsigned form;

    for (form = 0; form < INDEX_BLOCKS_FORMS; form++) {
        part = &block->parts[form];
        if (!(blocks->options.forms >> form & 1) ||
            (cache && block_cache_find(cache, form, block->key, &part->out)))
            continue;
        part->out.len = 0;
        part->job.run = compress_part;
        part->method = blocks->options.methods[form];
        part->text = bytes_view(&block->text);
        part->err = (struct hallmark_error){.code = HALLMARK_OK};
        part->is_started = true;
        crew_start(blocks->crew, &part->job);
    }
}

/* Cuts the current block off after LEN bytes; what follows becomes the next one. */
static bool cut(struct index_blocks *blocks, size_t len, struct hallmark_error *err)
{
    struct block *block = current(blocks), *next;
    struct digest_value value;
    struct bytes_view rest = {block->text.data + len, block->text.len - len};

    if (!digest_update(blocks->digest, block->text.data, len, err) ||
        !digest_final(blocks->digest, &value, err))
        return false;
    memcpy(block->key, value.sha256, sizeof block->key);
    block->text.len = len;
    blocks->n_cut++;
    blocks->n_waiting++;
    blocks->scanned = blocks->place = 0;
    begin(blocks, block);
    /* The text that follows stands behind that of the block, whose memory stays as it is. */
    if (blocks->n_waiting == N_BLOCKS && !drain(blocks, err))
        return false;
    next = current(blocks);
    bytes_append(&next->text, rest.data, rest.len);
    return true;
}

/* ---- Places to cut -------------------------------------------------------------------------- */

/* FNV-1a, mixed once more: whoever chooses names chooses how large blocks are, no more. */
static uint32_t hash(struct bytes_view text)
{
    uint64_t h = UINT64_C(14695981039346656037);
    size_t i;

    for (i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.data[i]) * UINT64_C(1099511628211);
    h = (h ^ (h >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(h >> 32);
}

/* Remembers the place behind UNIT, if that is the best one yet: that with the least hash of the
 * unit's first line, which names it, so that its next version changes nothing. */
static void weigh_place(struct index_blocks *blocks, struct bytes_view unit)
{
    const char *end = memchr(unit.data, '\n', unit.len);
    uint32_t weight = hash(bytes_view_of(unit.data, end ? (size_t)(end - unit.data) : unit.len));

    if (blocks->scanned < BLOCK_MIN || (blocks->place && weight >= blocks->weight))
        return;
    blocks->place = blocks->scanned;
    blocks->weight = weight;
}

/* The first SEPARATOR in TEXT, or NULL. By lines: memmem(3) goes byte by byte. */
static const char *find_separator(const char *text, size_t left, const char *separator)
{
    const char *end = text + left, *line = text;
    size_t len = strlen(separator);

    while (line < end && (line = memchr(line, separator[0], (size_t)(end - line))) != NULL) {
        if ((size_t)(end - line) < len)
            return NULL;
        if (memcmp(line, separator, len) == 0)
            return line;
        line++;
    }
    return NULL;
}

/* The next whole unit of the current text that was not looked at. */
static bool next_unit(struct index_blocks *blocks, struct bytes_view *out)
{
    const struct bytes *text = &current(blocks)->text;
    const char *separator = blocks->options.separator, *end;
    size_t len = strlen(separator), left = text->len - blocks->scanned;

    end = left ? find_separator(text->data + blocks->scanned, left, separator) : NULL;
    if (!end)
        return false;
    *out = bytes_view_of(text->data + blocks->scanned,
                         (size_t)(end + len - (text->data + blocks->scanned)));
    return true;
}

/* Cuts off what can be, which does not depend on how the text comes. A unit that fits into no block
 * is cut anywhere. */
static bool cut_all(struct index_blocks *blocks, struct hallmark_error *err)
{
    struct bytes_view unit;
    bool has_unit, ok = true;
    size_t place;

    while (ok) {
        has_unit = next_unit(blocks, &unit);
        if (has_unit && blocks->scanned + unit.len <= COMPRESS_BLOCK_MAX) {
            blocks->scanned += unit.len;
            weigh_place(blocks, unit);
        } else if (has_unit || current(blocks)->text.len > COMPRESS_BLOCK_MAX) {
            place = blocks->place ? blocks->place : blocks->scanned;
            ok = cut(blocks, place ? place : COMPRESS_BLOCK_MAX, err);
        } else {
            return true;
        }
    }
    return false;
}

bool index_blocks_add(struct index_blocks *blocks, struct bytes_view text,
                      struct hallmark_error *err)
{
    bytes_append(&current(blocks)->text, text.data, text.len);
    return cut_all(blocks, err);
}

bool index_blocks_finish(struct index_blocks *blocks, struct hallmark_error *err)
{
    if ((current(blocks)->text.len || blocks->n_cut == 0) &&
        !cut(blocks, current(blocks)->text.len, err))
        return false;
    while (blocks->n_waiting)
        if (!drain(blocks, err))
            return false;
    return true;
}
