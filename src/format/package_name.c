/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a package file's name says, and the order of versions: deb-version(7), dpkg's verrevcmp().
 */
#include "format/package_name.h"

#include <stdbool.h>
#include <string.h>

#include "base/path.h"

struct suffix {
    const char *text;
    enum package_name_kind kind;
    enum package_name_compression compression;
};

static const struct suffix suffixes[] = {
    {".tar", PACKAGE_NAME_TAR, PACKAGE_NAME_PLAIN},
    {".tar.gz", PACKAGE_NAME_TAR, PACKAGE_NAME_GZIP},
    {".tgz", PACKAGE_NAME_TAR, PACKAGE_NAME_GZIP},
    {".tar.bz2", PACKAGE_NAME_TAR, PACKAGE_NAME_BZIP2},
    {".tbz2", PACKAGE_NAME_TAR, PACKAGE_NAME_BZIP2},
    {".tar.xz", PACKAGE_NAME_TAR, PACKAGE_NAME_XZ},
    {".txz", PACKAGE_NAME_TAR, PACKAGE_NAME_XZ},
    {".tar.lzma", PACKAGE_NAME_TAR, PACKAGE_NAME_LZMA},
    {".tlz", PACKAGE_NAME_TAR, PACKAGE_NAME_LZMA},
    {".tar.zst", PACKAGE_NAME_TAR, PACKAGE_NAME_ZSTD},
    {".tzst", PACKAGE_NAME_TAR, PACKAGE_NAME_ZSTD},
    {".deb", PACKAGE_NAME_DEB, PACKAGE_NAME_PLAIN},
    {".udeb", PACKAGE_NAME_DEB, PACKAGE_NAME_PLAIN},
    {".ddeb", PACKAGE_NAME_DEB, PACKAGE_NAME_PLAIN},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool ends_with(struct bytes_view text, const char *end)
{
    size_t len = strlen(end);

    return text.len > len && memcmp(text.data + text.len - len, end, len) == 0;
}

static const struct suffix *find_suffix(struct bytes_view file)
{
    size_t i;

    for (i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (ends_with(file, suffixes[i].text))
            return &suffixes[i];
    return NULL;
}

static struct bytes_view tail(struct bytes_view text, size_t start)
{
    return bytes_view_of(text.data + start, text.len - start);
}

/* STEM without ".orig", ".orig-NAME" (dpkg-source(1)) or ".debian" at its end. */
static struct bytes_view without_part(struct bytes_view stem)
{
    static const char orig[] = ".orig-";
    size_t i = stem.len;

    if (ends_with(stem, ".debian"))
        stem.len -= strlen(".debian");
    else if (ends_with(stem, ".orig"))
        stem.len -= strlen(".orig");
    if (i != stem.len)
        return stem;
    while (i &&
           (is_digit(stem.data[i - 1]) || is_letter(stem.data[i - 1]) || stem.data[i - 1] == '-'))
        i--; /* now behind the last dot */
    if (i > 1 && stem.data[i - 1] == '.' && stem.len - i >= sizeof orig - 1 &&
        memcmp(stem.data + i - 1, orig, sizeof orig - 1) == 0)
        stem.len = i - 1;
    return stem;
}

/* hello_2.10-3_amd64 */
static void split_deb(struct package_name *out, struct bytes_view stem)
{
    const char *first = memchr(stem.data, '_', stem.len);
    const char *last = memrchr(stem.data, '_', stem.len);
    const char *end = stem.data + stem.len;

    if (!first || first == stem.data || first + 1 == (last == first ? end : last))
        return;
    out->name.len = (size_t)(first - stem.data);
    if (last == first)
        last = end;
    else
        out->arch = bytes_view_of(last + 1, (size_t)(end - last - 1));
    out->version = bytes_view_of(first + 1, (size_t)(last - first - 1));
}

/* Whether a version of a name that is not Debian's starts at the start of TEXT. */
static bool starts_version(struct bytes_view text)
{
    return (text.len && is_digit(text.data[0])) ||
           (text.len > 1 && text.data[0] == 'v' && is_digit(text.data[1]));
}

/* hello-2.10, hello_2.10.orig */
static void split_tar(struct package_name *out, struct bytes_view stem)
{
    const char *underscore;
    size_t i;

    stem = without_part(stem);
    underscore = memchr(stem.data, '_', stem.len);
    i = underscore ? (size_t)(underscore - stem.data) : 0;
    /* A Debian version starts with a digit; my_tool-1.0 is no Debian name. */
    if (i == 0 || i + 1 == stem.len || !is_digit(stem.data[i + 1]))
        for (i = 1; i < stem.len; i++)
            if (stem.data[i] == '-' && starts_version(tail(stem, i + 1)))
                break;
    if (i >= stem.len)
        return;
    out->name.len = i;
    out->version = tail(stem, i + 1);
    if (out->version.data[0] == 'v')
        out->version = tail(out->version, 1);
}

void package_name_parse(struct package_name *out, const char *path)
{
    struct bytes_view file = bytes_view_str(path_basename(path)), stem = file;
    const struct suffix *suffix = find_suffix(file);

    *out = (struct package_name){.name = file, .version = {"", 0}, .arch = {"", 0}};
    if (!suffix)
        return;
    out->kind = suffix->kind;
    out->compression = suffix->compression;
    stem.len -= strlen(suffix->text);
    if (suffix->kind == PACKAGE_NAME_DEB)
        split_deb(out, stem);
    else
        split_tar(out, stem);
}

/* Takes the longest run of digits, or of anything else, off *TEXT. */
static struct bytes_view take_run(struct bytes_view *text, bool digits)
{
    struct bytes_view run = *text;
    size_t i = 0;

    while (i < text->len && is_digit(text->data[i]) == digits)
        i++;
    run.len = i;
    *text = tail(*text, i);
    return run;
}

/* "~" before the end, the end before letters, letters before everything else. */
static int rank(struct bytes_view run, size_t i)
{
    if (i >= run.len)
        return 0;
    if (run.data[i] == '~')
        return -1;
    return is_letter(run.data[i]) ? run.data[i] : (unsigned char)run.data[i] + 256;
}

static int compare_others(struct bytes_view a, struct bytes_view b)
{
    size_t i;

    for (i = 0; i < a.len || i < b.len; i++)
        if (rank(a, i) != rank(b, i))
            return rank(a, i) < rank(b, i) ? -1 : 1;
    return 0;
}

/* As text, since a number of any length may stand there. */
static int compare_numbers(struct bytes_view a, struct bytes_view b)
{
    while (a.len && a.data[0] == '0')
        a = tail(a, 1);
    while (b.len && b.data[0] == '0')
        b = tail(b, 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.data, b.data, a.len) : 0;
}

static int compare_parts(struct bytes_view a, struct bytes_view b)
{
    int order = 0;

    while (order == 0 && (a.len || b.len)) {
        order = compare_others(take_run(&a, false), take_run(&b, false));
        if (order == 0)
            order = compare_numbers(take_run(&a, true), take_run(&b, true));
    }
    return order;
}

/* Takes "EPOCH:" off *VERSION. */
static struct bytes_view take_epoch(struct bytes_view *version)
{
    struct bytes_view rest = *version, epoch = take_run(&rest, true);

    if (epoch.len == 0 || rest.len == 0 || rest.data[0] != ':')
        return bytes_view_of(version->data, 0);
    *version = tail(rest, 1);
    return epoch;
}

/* Takes "-REVISION" off *VERSION. */
static struct bytes_view take_revision(struct bytes_view *version)
{
    const char *hyphen = version->len ? memrchr(version->data, '-', version->len) : NULL;
    struct bytes_view revision;
    size_t len;

    if (!hyphen)
        return bytes_view_of(version->data, 0);
    len = (size_t)(hyphen - version->data);
    revision = tail(*version, len + 1);
    version->len = len;
    return revision;
}

int package_name_compare_versions(struct bytes_view a, struct bytes_view b)
{
    int order = compare_parts(take_epoch(&a), take_epoch(&b));
    struct bytes_view a_revision = take_revision(&a), b_revision = take_revision(&b);

    if (order == 0)
        order = compare_parts(a, b);
    if (order == 0)
        order = compare_parts(a_revision, b_revision);
    return order;
}
