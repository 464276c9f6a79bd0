/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of xz by liblzma, as in the .xz file format 1.1, sections 2 to 4. Members and frames of
 * the others are whole files for themselves. */
#include "system/compress_block.h"

#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"
#include "system/libarchive.h"

enum {
    PRESET = 6,
    MATCH_LEN = 273,                  /* the longest: gains 1.5%, for a third of the time */
    BLOCKS_MEMORY = 64 * 1024 * 1024, /* that liblzma may take for the list of blocks */
};

static const lzma_check check = LZMA_CHECK_CRC64;

#define REVISION "1" /* of what is chosen here */

struct compress_block_frame {
    enum compress_method method;
    lzma_index *index; /* of xz */
};

const char *compress_block_maker(void)
{
    static const char made_with[] =
        REVISION " zlib " ZLIB_VERSION " liblzma " LZMA_VERSION_STRING " " ARCHIVE_VERSION_STRING;

    return made_with;
}

static bool set_fault(lzma_ret result, struct hallmark_error *err)
{
    return result == LZMA_OK ||
           error_set(err, HALLMARK_ERR_IO, "liblzma cannot compress (%d)", (int)result);
}

/* For text, which has no alignment. */
static bool set_options(lzma_options_lzma *options)
{
    if (lzma_lzma_preset(options, PRESET))
        return false;
    options->dict_size = COMPRESS_BLOCK_MAX;
    options->nice_len = MATCH_LEN;
    options->lc = LZMA_LCLP_MAX;
    options->lp = 0;
    options->pb = 0;
    return true;
}

static bool add_xz(struct bytes_view text, struct bytes *out, struct hallmark_error *err)
{
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_block block = {.check = check, .filters = filters};
    size_t room = lzma_block_buffer_bound(text.len), n = 0;
    uint8_t *to = (uint8_t *)bytes_reserve(out, room);

    if (!set_options(&options))
        return set_fault(LZMA_OPTIONS_ERROR, err);
    if (!set_fault(lzma_block_buffer_encode(&block, NULL, (const uint8_t *)text.data, text.len, to,
                                            &n, room),
                   err))
        return false;
    out->len += n;
    return true;
}

bool compress_block(enum compress_method method, struct bytes_view text, struct bytes *out,
                    struct hallmark_error *err)
{
    /* A frame of nothing, which libarchive does not write. */
    static const unsigned char nothing[] = {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x00, 0x01,
                                            0x00, 0x00, 0x99, 0xe9, 0xd8, 0x51};

    if (method == COMPRESS_ZSTD && text.len == 0) {
        bytes_append(out, nothing, sizeof nothing);
        return true;
    }
    return method == COMPRESS_XZ ? add_xz(text, out, err) : compress_whole(method, text, out, err);
}

static bool add_flags(const struct compress_block_frame *frame, struct bytes *out,
                      struct hallmark_error *err)
{
    lzma_stream_flags flags = {.check = check, .backward_size = LZMA_VLI_UNKNOWN};
    uint8_t *to = (uint8_t *)bytes_reserve(out, LZMA_STREAM_HEADER_SIZE);
    lzma_ret result;

    if (frame->index) {
        flags.backward_size = lzma_index_size(frame->index);
        result = lzma_stream_footer_encode(&flags, to);
    } else {
        result = lzma_stream_header_encode(&flags, to);
    }
    out->len += result == LZMA_OK ? LZMA_STREAM_HEADER_SIZE : 0;
    return set_fault(result, err);
}

struct compress_block_frame *compress_block_start(enum compress_method method, struct bytes *out,
                                                  struct hallmark_error *err)
{
    struct compress_block_frame *frame = alloc_array(1, sizeof *frame);

    frame->method = method;
    if (method != COMPRESS_XZ)
        return frame;
    if (add_flags(frame, out, err)) {
        frame->index = lzma_index_init(NULL);
        if (frame->index)
            return frame;
        set_fault(LZMA_MEM_ERROR, err);
    }
    compress_block_free(frame);
    return NULL;
}

/* What the header of the block in DATA says of its sizes. */
static lzma_ret read_sizes(struct bytes_view data, uint64_t *unpadded, uint64_t *uncompressed)
{
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    lzma_block block = {.version = 1, .check = check, .filters = filters};
    const uint8_t *header = (const uint8_t *)data.data;
    lzma_ret result;
    size_t i;

    if (data.len == 0 || header[0] == 0)
        return LZMA_DATA_ERROR;
    block.header_size = lzma_block_header_size_decode(header[0]);
    if (block.header_size > data.len)
        return LZMA_DATA_ERROR;
    result = lzma_block_header_decode(&block, NULL, header);
    for (i = 0; result == LZMA_OK && filters[i].id != LZMA_VLI_UNKNOWN; i++)
        free(filters[i].options);
    if (result == LZMA_OK && lzma_block_total_size(&block) != data.len)
        result = LZMA_DATA_ERROR;
    *unpadded = lzma_block_unpadded_size(&block);
    *uncompressed = block.uncompressed_size;
    return result;
}

bool compress_block_add(struct compress_block_frame *frame, struct bytes_view data,
                        struct hallmark_error *err)
{
    uint64_t unpadded, uncompressed;
    lzma_ret result;

    if (frame->method != COMPRESS_XZ)
        return true;
    result = read_sizes(data, &unpadded, &uncompressed);
    if (result == LZMA_MEM_ERROR)
        return set_fault(result, err);
    if (result != LZMA_OK)
        return error_set(err, HALLMARK_ERR_MALFORMED, "not a block of xz (%d)", (int)result);
    if (lzma_index_memusage(1, lzma_index_block_count(frame->index) + 1) > BLOCKS_MEMORY)
        return error_set(err, HALLMARK_ERR_MALFORMED, "too many blocks of xz");
    return set_fault(lzma_index_append(frame->index, NULL, unpadded, uncompressed), err);
}

bool compress_block_end(struct compress_block_frame *frame, struct bytes *out,
                        struct hallmark_error *err)
{
    size_t room, n = 0;
    uint8_t *to;

    if (frame->method != COMPRESS_XZ)
        return true;
    room = (size_t)lzma_index_size(frame->index);
    to = (uint8_t *)bytes_reserve(out, room);
    if (!set_fault(lzma_index_buffer_encode(frame->index, to, &n, room), err))
        return false;
    out->len += n;
    return add_flags(frame, out, err);
}

void compress_block_free(struct compress_block_frame *frame)
{
    if (!frame)
        return;
    lzma_index_end(frame->index, NULL);
    free(frame);
}
