/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A regular file that is being made out of an archive. Some archives hold a file twice; the second
 * one is compared with the first, and accepted where nothing differs.
 */
#ifndef SYSTEM_NEWFILE_H
#define SYSTEM_NEWFILE_H

#include <time.h>

#include "base/limits.h"
#include "system/dirstack.h"
#include "system/entry.h"
#include "system/nameset.h"

struct newfile {
    int fd;     /* -1: none */
    bool again; /* it is there already, and only compared */
    uint64_t size, end;
    struct timespec mtime;
    char path[LIMITS_PATH_BYTES + 1]; /* for messages */
};

#define NEWFILE_INIT                                                                               \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Creates the file that ENTRY (which entry_check() has seen) describes, and adds it to MADE; a file
 * in MADE is opened again. HALLMARK_ERR_UNSAFE where something else is there. */
bool newfile_begin(struct newfile *file, const struct entry *entry, struct dirstack *dirs,
                   struct nameset *made, struct hallmark_error *err);

/* Writes, or compares, DATA at OFFSET. HALLMARK_ERR_UNSAFE where they go back or beyond the size,
 * or differ. What is left out between is a hole. */
bool newfile_write(struct newfile *file, uint64_t offset, struct bytes_view data,
                   struct hallmark_error *err);

/* Gives the file its size and time, and closes it. Does nothing where none is open. */
bool newfile_end(struct newfile *file, struct hallmark_error *err);

/* Closes it as it is. */
void newfile_abort(struct newfile *file);

#endif
