/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tar archives. libarchive parses the tar format only, and from a stream of bytes that is
 * decompressed apart from it, so that all of the bytes pass through here and the end can be judged.
 */
#include "system/tarball.h"

#include <errno.h>
#include <string.h>

#include "system/libarchive.h"

enum {
    BLOCK_LEN = 512,
    END_LEN = 2 * BLOCK_LEN, /* of the zeros that end an archive, at least */
    SHOWN = 256,             /* bytes of a name in a message */
};

struct tarball {
    struct decompress *decompress;
    const struct tarball_sink *sink;
    struct archive *tar;
    struct hallmark_error *err;
    uint64_t n_fed;   /* bytes of the tar */
    uint64_t n_zeros; /* of these, the zeros at the end */
};

static void count_zeros(struct tarball *t, struct bytes_view part)
{
    size_t n = part.len;

    while (n && part.data[n - 1] == '\0')
        n--;
    t->n_zeros = part.len - n + (n ? 0 : t->n_zeros);
    t->n_fed += part.len;
}

static bool next_part(struct tarball *t, struct bytes_view *out)
{
    if (!decompress_next(t->decompress, out))
        return false;
    count_zeros(t, *out);
    if (t->sink->progress)
        t->sink->progress(t->sink->ctx, decompress_n_in(t->decompress),
                          decompress_n_out(t->decompress));
    return true;
}

static la_ssize_t feed(struct archive *a, void *ctx, const void **out)
{
    struct tarball *t = ctx;
    struct bytes_view part;

    if (!next_part(t, &part)) {
        archive_set_error(a, EIO, "%s", "cannot read");
        return -1;
    }
    *out = part.data;
    return (la_ssize_t)part.len;
}

static bool set_bad(struct tarball *t, const char *where)
{
    const char *why = archive_error_string(t->tar);

    return error_set(t->err, HALLMARK_ERR_MALFORMED, "%.*s: %s", SHOWN, where,
                     why ? why : "the tar archive is damaged");
}

static enum entry_kind kind_of(struct archive_entry *e)
{
    if (archive_entry_hardlink(e))
        return ENTRY_HARDLINK;
    switch (archive_entry_filetype(e)) {
    case AE_IFREG:
        return ENTRY_FILE;
    case AE_IFDIR:
        return ENTRY_DIRECTORY;
    case AE_IFLNK:
        return ENTRY_SYMLINK;
    case AE_IFCHR:
    case AE_IFBLK:
        return ENTRY_DEVICE;
    case AE_IFIFO:
        return ENTRY_FIFO;
    case AE_IFSOCK:
        return ENTRY_SOCKET;
    default:
        return ENTRY_OTHER;
    }
}

static bool convert_entry(struct tarball *t, struct archive_entry *e, struct entry *out)
{
    const char *path = archive_entry_pathname(e), *target = NULL;

    if (!path)
        return error_set(t->err, HALLMARK_ERR_MALFORMED,
                         "an entry has a name that is not UTF-8, or none");
    *out = (struct entry){
        .kind = kind_of(e),
        .mode = (unsigned)archive_entry_perm(e),
        .mtime = archive_entry_mtime(e),
        .mtime_nsec = (uint32_t)archive_entry_mtime_nsec(e),
        .path = bytes_view_str(path),
    };
    if (archive_entry_size(e) < 0)
        return error_set(t->err, HALLMARK_ERR_MALFORMED, "%.*s: has a negative size", SHOWN, path);
    out->size = (uint64_t)archive_entry_size(e);
    if (out->kind == ENTRY_HARDLINK)
        target = archive_entry_hardlink(e);
    else if (out->kind == ENTRY_SYMLINK)
        target = archive_entry_symlink(e);
    out->target = bytes_view_str(target ? target : "");
    return true;
}

static bool read_data(struct tarball *t, const struct entry *entry)
{
    const void *data;
    size_t len;
    la_int64_t offset;
    uint64_t end = 0;
    int result;

    while ((result = archive_read_data_block(t->tar, &data, &len, &offset)) == ARCHIVE_OK) {
        if (len == 0)
            continue;
        if (offset < 0 || (uint64_t)offset < end ||
            __builtin_add_overflow((uint64_t)offset, len, &end) || end > entry->size)
            return error_set(t->err, HALLMARK_ERR_MALFORMED,
                             "%.*s: holds other data than its size says", SHOWN, entry->path.data);
        if (t->sink->data &&
            !t->sink->data(t->sink->ctx, (uint64_t)offset, bytes_view_of(data, len), t->err))
            return false;
    }
    return result == ARCHIVE_EOF || set_bad(t, entry->path.data);
}

static bool read_entry(struct tarball *t, struct archive_entry *e, struct package_totals *totals)
{
    struct entry entry;

    if (!convert_entry(t, e, &entry))
        return false;
    totals->n_entries++;
    if (__builtin_add_overflow(totals->n_bytes, entry.size, &totals->n_bytes))
        return error_set(t->err, HALLMARK_ERR_MALFORMED, "%.*s: is too large", SHOWN,
                         entry.path.data);
    if (t->sink->entry && !t->sink->entry(t->sink->ctx, &entry, t->err))
        return false;
    return read_data(t, &entry);
}

/* From where libarchive found no more header, there may be zeros only, and at least two blocks. */
static bool check_end(struct tarball *t)
{
    uint64_t end = (uint64_t)archive_read_header_position(t->tar);
    struct bytes_view part;

    do {
        if (!next_part(t, &part))
            return false;
    } while (part.len);
    if (t->n_fed - end < END_LEN)
        return error_set(t->err, HALLMARK_ERR_MALFORMED,
                         "the tar archive is truncated: two blocks of zeros do not end it");
    if (t->n_zeros < t->n_fed - end)
        return error_set(t->err, HALLMARK_ERR_MALFORMED, "something follows the tar archive's end");
    return true;
}

static bool read_all(struct tarball *t, struct package_totals *totals)
{
    struct archive_entry *entry;
    int result;

    if (archive_read_support_format_tar(t->tar) != ARCHIVE_OK)
        return set_bad(t, "libarchive");
    if (archive_read_open(t->tar, t, NULL, feed, NULL) != ARCHIVE_OK)
        return error_set(t->err, HALLMARK_ERR_MALFORMED, "is not a tar archive");
    while ((result = archive_read_next_header(t->tar, &entry)) == ARCHIVE_OK)
        if (!read_entry(t, entry, totals))
            return false;
    if (result != ARCHIVE_EOF)
        return set_bad(t, "a header of the archive");
    return check_end(t);
}

bool tarball_read(const struct decompress_window *window, enum package_compression compression,
                  const struct tarball_sink *sink, struct package_totals *totals,
                  struct hallmark_error *err)
{
    struct tarball t = {.sink = sink, .err = err};
    bool ok = false;

    t.decompress = decompress_open(window, compression, err);
    if (!t.decompress)
        return false;
    if (libarchive_load(err) && (t.tar = archive_read_new()) == NULL)
        error_set(err, HALLMARK_ERR_IO, "libarchive cannot be started");
    if (t.tar) {
        ok = read_all(&t, totals);
        archive_read_free(t.tar);
    }
    decompress_close(t.decompress);
    return ok;
}
