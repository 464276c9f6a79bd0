/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A crew of threads that do jobs, which belong to the caller. A process that forks has none: a crew
 * is freed before.
 */
#ifndef SYSTEM_CREW_H
#define SYSTEM_CREW_H

#include <stdbool.h>

/* The first member of a caller's struct. It stays where it is until it was waited for. */
struct crew_job {
    void (*run)(struct crew_job *job); /* touches nothing that another thread has */
    struct crew_job *next;
    bool is_done;
};

struct crew;

/* Threads for the processors that this process may use, at most N_MAX; none is started before there
 * is a job. */
struct crew *crew_new(unsigned n_max);

/* Waits for all jobs that were started. Accepts NULL. */
void crew_free(struct crew *crew);

/* How many jobs can be under way at once, at least 1. */
unsigned crew_size(const struct crew *crew);

/* Jobs are begun in the order in which they were started. Where the system gives no thread, JOB is
 * done here and now. */
void crew_start(struct crew *crew, struct crew_job *job);
void crew_wait(struct crew *crew, struct crew_job *job);

#endif
