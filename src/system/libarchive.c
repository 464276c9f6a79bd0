/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading libarchive. */
#include "system/libarchive.h"

#include <dlfcn.h>
#include <pthread.h>

struct libarchive libarchive; /* written once, before anybody reads it */

static struct hallmark_error failure; /* of the only attempt */

/* POSIX has dlsym(3) give functions as pointers to objects, ISO C cannot convert them. */
static bool find(void *library, const char *name, void *out)
{
    void **place = out;

    *place = dlsym(library, name);
    return *place || error_set(&failure, HALLMARK_ERR_IO, "%s lacks %s()", LIBARCHIVE_SONAME, name);
}

static void load(void)
{
    void *library = dlopen(LIBARCHIVE_SONAME, RTLD_NOW | RTLD_LOCAL);

    if (!library) {
        error_set(&failure, HALLMARK_ERR_IO, "%s cannot be loaded: %s", LIBARCHIVE_SONAME,
                  dlerror());
        return;
    }
#define FIND(name)                                                                                 \
    if (!find(library, "archive_" #name, &libarchive.name))                                        \
        return;
    LIBARCHIVE_FUNCTIONS(FIND)
#undef FIND
}

bool libarchive_load(struct hallmark_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, load);
    return !failure.code || error_set(err, failure.code, "%s", failure.text);
}
