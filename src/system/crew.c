/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that wait for jobs; signals are left to the others. */
#include "system/crew.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"

struct crew {
    pthread_mutex_t mutex;
    pthread_cond_t started, done;
    struct crew_job *first, *last; /* not yet begun */
    pthread_t *threads;
    unsigned n_threads, n_idle, n_max;
    bool is_over;
};

static unsigned count_processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

struct crew *crew_new(unsigned n_max)
{
    struct crew *crew = alloc_array(1, sizeof *crew);
    unsigned n = count_processors();

    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->started, NULL);
    pthread_cond_init(&crew->done, NULL);
    crew->n_max = n < n_max ? n : n_max;
    if (crew->n_max == 0)
        crew->n_max = 1;
    crew->threads = alloc_array(crew->n_max, sizeof *crew->threads);
    return crew;
}

unsigned crew_size(const struct crew *crew)
{
    return crew->n_max;
}

static void *work(void *arg)
{
    struct crew *crew = arg;
    struct crew_job *job;

    pthread_mutex_lock(&crew->mutex);
    for (;;) {
        while (!crew->first && !crew->is_over) {
            crew->n_idle++;
            pthread_cond_wait(&crew->started, &crew->mutex);
            crew->n_idle--;
        }
        job = crew->first;
        if (!job)
            break;
        crew->first = job->next;
        pthread_mutex_unlock(&crew->mutex);
        job->run(job);
        pthread_mutex_lock(&crew->mutex);
        job->is_done = true;
        pthread_cond_broadcast(&crew->done);
    }
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

/* One more thread, which takes no signal. */
static bool add_thread(struct crew *crew)
{
    sigset_t all, before;
    bool ok;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ok = pthread_create(&crew->threads[crew->n_threads], NULL, work, crew) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    crew->n_threads += ok;
    return ok;
}

void crew_start(struct crew *crew, struct crew_job *job)
{
    job->next = NULL;
    job->is_done = false;
    pthread_mutex_lock(&crew->mutex);
    if (crew->n_idle == 0 && crew->n_threads < crew->n_max && !add_thread(crew) &&
        crew->n_threads == 0) {
        pthread_mutex_unlock(&crew->mutex);
        job->run(job);
        job->is_done = true;
        return;
    }
    if (crew->first)
        crew->last->next = job;
    else
        crew->first = job;
    crew->last = job;
    pthread_cond_signal(&crew->started);
    pthread_mutex_unlock(&crew->mutex);
}

void crew_wait(struct crew *crew, struct crew_job *job)
{
    pthread_mutex_lock(&crew->mutex);
    while (!job->is_done)
        pthread_cond_wait(&crew->done, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
}

void crew_free(struct crew *crew)
{
    unsigned i;

    if (!crew)
        return;
    pthread_mutex_lock(&crew->mutex);
    crew->is_over = true;
    pthread_cond_broadcast(&crew->started);
    pthread_mutex_unlock(&crew->mutex);
    for (i = 0; i < crew->n_threads; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_cond_destroy(&crew->done);
    pthread_cond_destroy(&crew->started);
    pthread_mutex_destroy(&crew->mutex);
    free(crew->threads);
    free(crew);
}
