/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths of indexes. */
#include "format/index_path.h"

#include <string.h>

static const struct {
    const char *suffix;
    enum package_name_compression compression;
    bool is_readable;
} suffixes[] = {
    {"", PACKAGE_NAME_PLAIN, true},     {".bz2", PACKAGE_NAME_BZIP2, true},
    {".gz", PACKAGE_NAME_GZIP, true},   {".lz4", PACKAGE_NAME_PLAIN, false},
    {".lzma", PACKAGE_NAME_LZMA, true}, {".xz", PACKAGE_NAME_XZ, true},
    {".zst", PACKAGE_NAME_ZSTD, true},
};

static bool take_prefix(struct bytes_view *text, const char *prefix)
{
    size_t len = strlen(prefix);

    if (text->len < len || memcmp(text->data, prefix, len) != 0)
        return false;
    *text = bytes_view_of(text->data + len, text->len - len);
    return true;
}

/* Cuts *TEXT at its last "/"; what stands behind that is the result, all of it where there is none.
 */
static struct bytes_view take_last(struct bytes_view *text)
{
    const char *slash = text->len ? memrchr(text->data, '/', text->len) : NULL;
    struct bytes_view last = *text;

    if (!slash) {
        text->len = 0;
        return last;
    }
    last = bytes_view_of(slash + 1, (size_t)(text->data + text->len - slash - 1));
    text->len = (size_t)(slash - text->data);
    return last;
}

/* The last component: the name of an index, and a compression. */
static bool parse_name(struct index_path *out, struct bytes_view name)
{
    size_t i;

    /* Of a manifest that lists packages itself, nearly nothing is an index. */
    if (!name.len || !strchr("PSU", *name.data))
        return false;
    if (take_prefix(&name, "Packages"))
        out->kind = INDEX_PATH_PACKAGES;
    else if (take_prefix(&name, "Sources"))
        out->kind = INDEX_PATH_SOURCES;
    else if (take_prefix(&name, "Unpacked-Sizes"))
        out->kind = INDEX_PATH_UNPACKED_SIZES;
    else
        return false;
    for (i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (bytes_view_equals(name, suffixes[i].suffix)) {
            out->compression = suffixes[i].compression;
            out->is_readable = suffixes[i].is_readable;
            out->plain.len -= name.len;
            return true;
        }
    return false;
}

/* COMPONENT/binary-ARCH, COMPONENT/source. */
static bool parse_directory(struct index_path *out, struct bytes_view directory)
{
    struct bytes_view last = take_last(&directory);

    if (out->kind == INDEX_PATH_SOURCES ? !bytes_view_equals(last, "source")
                                        : !take_prefix(&last, "binary-"))
        return false;
    out->architecture = last;
    out->component = directory;
    return last.len > 0 && directory.len > 0;
}

bool index_path_parse(struct index_path *out, const char *path)
{
    struct bytes_view directory = bytes_view_str(path), name;
    struct index_path index = {.plain = directory};

    name = take_last(&directory);
    if (!parse_name(&index, name) || (directory.len && !parse_directory(&index, directory)))
        return false;
    *out = index;
    return true;
}

bool index_path_is_at_root(const char *path)
{
    struct index_path index;

    return index_path_parse(&index, path) && !index.component.len;
}

static bool is_same(struct bytes_view a, struct bytes_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool index_path_has_component(const struct index_path *index, const char *name)
{
    struct bytes_view wanted = bytes_view_str(name), above = wanted, ours = index->component;
    struct bytes_view last_wanted = take_last(&above), last_ours;

    above = ours;
    last_ours = take_last(&above);
    return is_same(ours, wanted) || is_same(ours, last_wanted) || is_same(last_ours, wanted);
}

bool index_path_is_installer(const struct index_path *index)
{
    struct bytes_view above = index->component;

    return bytes_view_equals(take_last(&above), "debian-installer");
}

struct bytes_view index_path_directory(const char *path)
{
    const char *slash = strrchr(path, '/');

    return bytes_view_of(path, slash ? (size_t)(slash + 1 - path) : 0);
}
