/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading libcurl. */
#include "system/libcurl.h"

#include <dlfcn.h>

struct libcurl libcurl; /* of a worker process: the library itself never loads it */

/* POSIX has dlsym(3) give functions as pointers to objects, ISO C cannot convert them. */
static bool find(void *library, const char *name, void *out, struct hallmark_error *err)
{
    void **place = out;

    *place = dlsym(library, name);
    return *place || error_set(err, HALLMARK_ERR_IO, "%s lacks %s()", LIBCURL_SONAME, name);
}

bool libcurl_load(struct hallmark_error *err)
{
    void *library = dlopen(LIBCURL_SONAME, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return error_set(err, HALLMARK_ERR_IO, "%s cannot be loaded: %s", LIBCURL_SONAME,
                         dlerror());
#define FIND(name)                                                                                 \
    if (!find(library, "curl_" #name, &libcurl.name, err))                                         \
        return false;
    LIBCURL_FUNCTIONS(FIND)
#undef FIND
    return true;
}
