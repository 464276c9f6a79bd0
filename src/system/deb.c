/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ar archive around a Debian package. */
#include "system/deb.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char MAGIC[] = "!<arch>\n";

enum { MAGIC_LEN = sizeof MAGIC - 1, VERSION_LEN_MAX = 16 };

/* ar(5): all text, padded with blanks. */
struct header {
    char name[16], mtime[12], uid[6], gid[6], mode[8], size[10], end[2];
};

/* What is read next. */
struct cursor {
    const struct decompress_window *file;
    uint64_t position;
    struct hallmark_error *err;
};

static bool read_exactly(struct cursor *c, void *buf, size_t len)
{
    size_t done = 0;
    ssize_t n;

    if (len > c->file->len - c->position)
        return error_set(c->err, HALLMARK_ERR_MALFORMED, "the .deb is truncated");
    while (done < len) {
        n = pread(c->file->fd, (char *)buf + done, len - done,
                  (off_t)(c->file->offset + c->position + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(c->err, "cannot read");
        if (n == 0)
            return error_set(c->err, HALLMARK_ERR_IO, "became shorter while it was read");
        done += (size_t)n;
    }
    c->position += len;
    return true;
}

static struct bytes_view trim(const char *field, size_t len)
{
    while (len && field[len - 1] == ' ')
        len--;
    return bytes_view_of(field, len);
}

static bool parse_size(struct bytes_view text, uint64_t *out)
{
    size_t i;

    *out = 0;
    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.len > 0;
}

static bool header_is_sane(const struct header *h)
{
    const char *p = (const char *)h;
    size_t i;

    for (i = 0; i < offsetof(struct header, end); i++)
        if (p[i] < ' ' || p[i] > '~')
            return false;
    return memcmp(h->end, "`\n", 2) == 0;
}

/* Reads a header and leaves the cursor at the member's data, which lie within the file. */
static bool read_header(struct cursor *c, struct header *h, struct bytes_view *name,
                        struct decompress_window *window)
{
    uint64_t size;

    if (!read_exactly(c, h, sizeof *h))
        return false;
    if (!header_is_sane(h) || !parse_size(trim(h->size, sizeof h->size), &size))
        return error_set(c->err, HALLMARK_ERR_MALFORMED, "the .deb has a bad member header");
    *name = trim(h->name, sizeof h->name);
    if (name->len > 1 && name->data[name->len - 1] == '/')
        name->len--;
    if (size > c->file->len - c->position)
        return error_set(c->err, HALLMARK_ERR_MALFORMED, "the .deb is truncated inside of %.*s",
                         (int)name->len, name->data);
    *window = (struct decompress_window){
        .fd = c->file->fd, .offset = c->file->offset + c->position, .len = size};
    return true;
}

/* Leaves the cursor behind the member and the byte that makes its length even. */
static bool pass_over(struct cursor *c, const struct decompress_window *window)
{
    char padding;

    c->position += window->len;
    if (window->len % 2 == 0)
        return true;
    if (!read_exactly(c, &padding, 1))
        return false;
    return padding == '\n' || error_set(c->err, HALLMARK_ERR_MALFORMED, "the .deb has bad padding");
}

static bool set_unexpected(struct cursor *c, struct bytes_view name, const char *wanted)
{
    return error_set(c->err, HALLMARK_ERR_MALFORMED, "the .deb holds \"%.*s\" where %s must be",
                     (int)name.len, name.data, wanted);
}

/* The format's version: "2.0", or a later one that is compatible. */
static bool read_version(struct cursor *c)
{
    struct header header;
    struct decompress_window window;
    struct bytes_view name;
    char text[VERSION_LEN_MAX];
    size_t i;

    if (!read_header(c, &header, &name, &window))
        return false;
    if (!bytes_view_equals(name, "debian-binary"))
        return set_unexpected(c, name, "debian-binary");
    if (window.len < sizeof "2.0" || window.len > sizeof text)
        return error_set(c->err, HALLMARK_ERR_MALFORMED, "the .deb has a bad debian-binary");
    if (!read_exactly(c, text, (size_t)window.len))
        return false;
    c->position -= window.len;
    for (i = 2; i + 1 < window.len; i++)
        if (text[i] < '0' || text[i] > '9')
            break;
    if (memcmp(text, "2.", 2) != 0 || i + 1 != window.len || text[i] != '\n')
        return error_set(c->err, HALLMARK_ERR_MALFORMED,
                         "the .deb has another format than 2.0 (debian-binary)");
    return pass_over(c, &window);
}

/* The compression that what follows "control.tar" or "data.tar" in a member's name stands for. */
static bool parse_suffix(struct bytes_view suffix, enum package_compression *out)
{
    static const struct {
        const char *suffix;
        enum package_compression compression;
    } known[] = {{"", PACKAGE_PLAIN},    {".gz", PACKAGE_GZIP},   {".xz", PACKAGE_XZ},
                 {".zst", PACKAGE_ZSTD}, {".bz2", PACKAGE_BZIP2}, {".lzma", PACKAGE_LZMA}};
    size_t i;

    for (i = 0; i < sizeof known / sizeof *known; i++) {
        if (bytes_view_equals(suffix, known[i].suffix)) {
            *out = known[i].compression;
            return true;
        }
    }
    return false;
}

static bool read_member(struct cursor *c, const char *wanted, struct deb_member *out)
{
    struct header header;
    struct bytes_view name, suffix;
    size_t len = strlen(wanted);

    if (!read_header(c, &header, &name, &out->window))
        return false;
    if (name.len < len || memcmp(name.data, wanted, len) != 0)
        return set_unexpected(c, name, wanted);
    suffix = bytes_view_of(name.data + len, name.len - len);
    if (!parse_suffix(suffix, &out->compression))
        return set_unexpected(c, name, wanted);
    return pass_over(c, &out->window);
}

bool deb_read(struct deb *out, const struct decompress_window *window, struct hallmark_error *err)
{
    struct cursor c = {.file = window, .err = err};
    struct deb deb = {0};
    char magic[MAGIC_LEN];

    if (window->len < MAGIC_LEN)
        return error_set(err, HALLMARK_ERR_MALFORMED, "is not a .deb");
    if (!read_exactly(&c, magic, MAGIC_LEN))
        return false;
    if (memcmp(magic, MAGIC, MAGIC_LEN) != 0)
        return error_set(err, HALLMARK_ERR_MALFORMED, "is not a .deb");
    if (!read_version(&c) || !read_member(&c, "control.tar", &deb.control) ||
        !read_member(&c, "data.tar", &deb.data))
        return false;
    if (c.position != window->len)
        return error_set(err, HALLMARK_ERR_MALFORMED, "the .deb holds something behind data.tar");
    if (deb.control.compression == PACKAGE_BZIP2 || deb.control.compression == PACKAGE_LZMA)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "the .deb's control.tar is in a compression that deb(5) has not for it");
    *out = deb;
    return true;
}
