/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a worker process narrows itself before it touches what came from outside. There is no way
 * back.
 */
#ifndef SYSTEM_SANDBOX_H
#define SYSTEM_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Whether a sanitizer is at work, which needs more memory and system calls than the program. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

enum sandbox_layer {
    SANDBOX_SECCOMP = 1,      /* only the system calls that the role needs */
    SANDBOX_LANDLOCK = 2,     /* no file system, or only the directory of the role; no network */
    SANDBOX_RLIMITS = 4,      /* memory, file size, processes, core dumps */
    SANDBOX_NO_NEW_PRIVS = 8, /* and no capabilities */
    SANDBOX_USER = 16,        /* another user than root */
};

enum { SANDBOX_FILES_MAX = 16 };

enum sandbox_role {
    SANDBOX_READER, /* descriptors only */
    SANDBOX_WRITER, /* makes files, directories and links below one directory */
    SANDBOX_NETWORK, /* talks to servers, and reads a few files */
};

struct sandbox_spec {
    enum hallmark_sandbox level;
    enum sandbox_role role;
    int dirfd;          /* the writer's directory */
    uint64_t max_bytes; /* of a file that the writer makes */
    const int *files;   /* the only ones that the network role may open, for reading */
    size_t n_files;     /* at most SANDBOX_FILES_MAX */
};

/* Narrows this process; *LAYERS (of enum sandbox_layer) is what worked. At
 * HALLMARK_SANDBOX_REQUIRED a reader needs seccomp, limits and no-new-privileges, the others
 * Landlock too: HALLMARK_ERR_IO where one cannot be had. HALLMARK_SANDBOX_OFF does nothing. */
bool sandbox_enter(const struct sandbox_spec *spec, unsigned *layers, struct hallmark_error *err);

/* "seccomp landlock rlimits no-new-privs user", or "none". */
void sandbox_describe(unsigned layers, char *out, size_t out_len);

#endif
