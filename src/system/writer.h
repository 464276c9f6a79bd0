/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process that makes the files of an archive, below one directory and nowhere else. It believes
 * the reader nothing: every rule of hallmark-repository(5), "Unpacking", is applied here.
 */
#ifndef SYSTEM_WRITER_H
#define SYSTEM_WRITER_H

#include <stdint.h>

#include "system/package.h"
#include "system/worker.h"

/* What it is asked once, with two descriptors: the tree's directory, and the pipe from the reader.
 */
struct writer_request {
    uint32_t sandbox; /* enum hallmark_sandbox */
    uint32_t links;   /* enum hallmark_links */
    uint32_t is_exact; /* EXACT is known */
    uint32_t unused;
    uint64_t max_entries, max_bytes;
    struct package_totals exact; /* what the archive must hold */
};

/* The process. Says WORKER_DONE with what was made, or WORKER_STOPPED where the reader ended early.
 */
void writer_run(int control);

#endif
