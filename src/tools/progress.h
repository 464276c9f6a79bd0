/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A progress line on a terminal, for what takes longer than a second. */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
    const char *what; /* "checking" */
    bool is_on;
    bool is_shown; /* there is a line to clear */
    struct timespec start, last;
};

/* Shows nothing at all where standard error is no terminal, or IS_ON is false. */
void progress_start(struct progress *progress, const char *what, bool is_on);

/* A hallmark_progress_fn whose context is the struct progress. */
void progress_show(void *ctx, uint64_t done, uint64_t total);

/* Takes the line away. */
void progress_stop(struct progress *progress);

/* "34.5 MiB". */
void progress_size(uint64_t bytes, char out[32]);

#endif
