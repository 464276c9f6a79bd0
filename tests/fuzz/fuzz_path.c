/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* path: an accepted name stays below the directory that it is relative to, and is plain text. */
#include <stdint.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/path.h"
#include "invariant.h"

static void check_name(const char *name, size_t len)
{
    char *copy = alloc_strndup(name, len), *rest = copy, *component, *joined;
    size_t i;

    INVARIANT(strlen(copy) == len && len > 0 && len <= LIMITS_PATH_BYTES);
    INVARIANT(copy[0] != '/' && copy[len - 1] != '/');
    for (i = 0; i < len; i++)
        INVARIANT(copy[i] > ' ' && copy[i] < 0x7f && copy[i] != '\\');
    joined = path_join("root", copy);
    INVARIANT(strlen(joined) == len + 5 && strcmp(joined + 5, copy) == 0);
    free(joined);
    INVARIANT(strchr(path_basename(copy), '/') == NULL);
    while ((component = strsep(&rest, "/"))) {
        INVARIANT(*component && *component != '-' && strlen(component) <= LIMITS_COMPONENT_BYTES);
        INVARIANT(strcmp(component, ".") != 0 && strcmp(component, "..") != 0);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A corpus file is a line. */
    size_t len = size && data[size - 1] == '\n' ? size - 1 : size;
    struct hallmark_error err = {0};
    bool ok = path_check(bytes_view_of(data, len), "fuzz", &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (ok)
        check_name((const char *)data, len);
    return 0;
}
