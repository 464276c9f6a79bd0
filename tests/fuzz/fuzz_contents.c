/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contents: names of files are packed into a list that is read again; and a list from a file that
 * may be damaged is read to its end or refused. */
#include <stdint.h>

#include "format/contents.h"
#include "invariant.h"

/* The paths of LIST, each with a newline behind; whether all of it was read. */
static bool unpack(struct bytes_view list, struct bytes *out)
{
    struct contents_cursor cursor = {.rest = list};
    struct bytes last = {0};
    bool is_whole;

    while (contents_next(&cursor)) {
        INVARIANT(cursor.path.len > 0 && !memchr(cursor.path.data, '\n', cursor.path.len));
        INVARIANT(last.len == 0 || strcmp(last.data, cursor.path.data) < 0);
        last.len = 0;
        bytes_append(&last, cursor.path.data, cursor.path.len);
        bytes_append(out, cursor.path.data, cursor.path.len);
        bytes_append_str(out, "\n");
    }
    is_whole = cursor.rest.len == 0;
    bytes_free(&cursor.path);
    bytes_free(&last);
    return is_whole;
}

static bool count_lines(void *ctx, struct bytes_view part, struct hallmark_error *err)
{
    struct bytes_view line;

    (void)err;
    INVARIANT(part.len && part.data[part.len - 1] == '\n');
    while (bytes_view_next_line(&part, &line))
        ++*(size_t *)ctx;
    return true;
}

/* An index of two lists is made where both are whole. */
static void check_merge(struct bytes_view packed, struct bytes_view other, bool is_whole)
{
    struct contents *contents = contents_new();
    struct hallmark_error err = {0};
    size_t n = 0;
    bool ok;

    contents_add(contents, bytes_view_str("a"), packed);
    contents_add(contents, bytes_view_str("b"), other);
    ok = contents_write(contents, count_lines, &n, &err);
    invariant_error(ok, &err, HALLMARK_ERR_IO, HALLMARK_ERR_IO);
    INVARIANT(ok == is_whole);
    contents_free(contents);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_view input = bytes_view_of(data, size);
    struct bytes packed = {0}, paths = {0}, again = {0}, text = {0};
    struct hallmark_error err = {0};
    bool ok = contents_pack(input, "fuzz", &packed, &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    INVARIANT(!ok || unpack(bytes_view(&packed), &paths));
    check_merge(bytes_view(&packed), input, unpack(input, &text));
    if (ok) {
        INVARIANT(contents_pack(bytes_view(&paths), "fuzz", &again, NULL));
        INVARIANT(again.len == packed.len);
    }
    bytes_free(&packed);
    bytes_free(&paths);
    bytes_free(&again);
    bytes_free(&text);
    return 0;
}
