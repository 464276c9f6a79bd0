/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* package_name: the parts lie inside the name, and the order of versions is one. */
#include <stdint.h>

#include "base/alloc.h"
#include "base/path.h"
#include "format/package_name.h"
#include "invariant.h"

static bool is_inside(struct bytes_view part, const char *path)
{
    return part.len == 0 || (part.data >= path && part.data + part.len <= path + strlen(path));
}

static void check_name(const char *path)
{
    struct package_name name;

    package_name_parse(&name, path);
    INVARIANT(is_inside(name.name, path) && is_inside(name.version, path));
    INVARIANT(is_inside(name.arch, path));
    INVARIANT((name.name.len == 0) == (*path_basename(path) == '\0'));
    INVARIANT(name.name.data == path_basename(path));
    INVARIANT(name.version.len || bytes_view_equals(name.name, path_basename(path)));
    INVARIANT(!name.arch.len || name.kind == PACKAGE_NAME_DEB);
    INVARIANT(!memchr(name.version.data, '/', name.version.len));
}

static int compare(struct bytes_view a, struct bytes_view b)
{
    int order = package_name_compare_versions(a, b);

    return (order > 0) - (order < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_view rest = bytes_view_of(data, size), lines[3] = {{"", 0}, {"", 0}, {"", 0}};
    size_t i, k;

    for (i = 0; i < 3 && bytes_view_next_line(&rest, &lines[i]); i++) {
        char *path = alloc_strndup(lines[i].data, lines[i].len);

        check_name(path);
        free(path);
    }
    for (i = 0; i < 3; i++)
        for (k = 0; k < 3; k++)
            INVARIANT(compare(lines[i], lines[k]) == -compare(lines[k], lines[i]));
    if (compare(lines[0], lines[1]) <= 0 && compare(lines[1], lines[2]) <= 0)
        INVARIANT(compare(lines[0], lines[2]) <= 0);
    if (compare(lines[0], lines[1]) == 0)
        INVARIANT(compare(lines[0], lines[2]) == compare(lines[1], lines[2]));
    return 0;
}
