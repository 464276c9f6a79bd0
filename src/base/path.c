/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of files. */
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

static const char *component_fault(struct bytes_view c)
{
    size_t i;

    if (c.len == 0)
        return "has an empty component";
    if (c.data[0] == '.' && (c.len == 1 || (c.len == 2 && c.data[1] == '.')))
        return "has a component \".\" or \"..\"";
    if (c.len > LIMITS_COMPONENT_BYTES)
        return "has a component of more than 255 bytes";
    if (c.data[0] == '-')
        return "has a component that starts with \"-\"";
    for (i = 0; i < c.len; i++) {
        if (c.data[i] == '\\')
            return "holds a backslash";
        if (c.data[i] <= ' ' || c.data[i] > '~')
            return "holds a blank, a control character, or one that is not ASCII";
    }
    return NULL;
}

static const char *path_fault(struct bytes_view path)
{
    const char *fault, *slash;
    struct bytes_view component;
    size_t depth = 0;

    if (path.len == 0)
        return "is empty";
    if (path.data[0] == '/')
        return "is absolute";
    if (path.len > LIMITS_PATH_BYTES)
        return "is longer than 4095 bytes";
    do {
        slash = memchr(path.data, '/', path.len);
        component = path;
        component.len = slash ? (size_t)(slash - path.data) : path.len;
        fault = component_fault(component);
        if (fault)
            return fault;
        if (++depth > LIMITS_DEPTH)
            return "is more than 64 directories deep";
        path.data += component.len + (slash != NULL);
        path.len -= component.len + (slash != NULL);
    } while (slash);
    return NULL;
}

bool path_check(struct bytes_view path, const char *what, struct hallmark_error *err)
{
    const char *fault = path_fault(path);

    if (!fault)
        return true;
    return error_set(err, HALLMARK_ERR_MALFORMED, "%s: the name \"%.*s\" %s", what,
                     path.len < 256 ? (int)path.len : 256, path.data, fault);
}

char *path_join(const char *dir, const char *name)
{
    size_t len = strlen(dir);

    if (len == 0)
        return alloc_strdup(name);
    return alloc_printf(dir[len - 1] == '/' ? "%s%s" : "%s/%s", dir, name);
}

const char *path_basename(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *path_resolve(const char *path, struct hallmark_error *err)
{
    char *resolved = realpath(path, NULL);

    if (!resolved)
        error_set_errno(err, "%s", path);
    return resolved;
}
