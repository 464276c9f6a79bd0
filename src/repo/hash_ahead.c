/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each thread has a batch, whose inputs are the next files that no thread has taken. */
#include "repo/hash_ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "system/crew.h"

enum {
    TURN = 4096,            /* files */
    THREADS_MAX = 16,       /* each has a MiB of buffers */
    STEP = 64 * 1024,       /* bytes of a buffer: what a lane reads at once */
    SHARE = 4 * 1024 * 1024 /* bytes that make one more thread worth while */
};

struct planned {
    size_t index;
    uint64_t size;
};

struct hash_ahead {
    struct hash_ahead_options options;
    struct planned *planned;
    size_t n_planned, planned_cap, n_begun;
    struct hash_ahead_file *files; /* of this turn */
    size_t n_files, next;          /* NEXT: the one that is asked for next */
    /* What threads share. */
    pthread_mutex_t mutex;
    struct hash_ahead_file **order;
    size_t n_taken;
    uint64_t n_bytes;
};

/* A file that is being read. */
struct slot {
    struct hash_ahead_file *file; /* NULL: none */
    int fd;
    uint64_t left;
    char *buf; /* STEP bytes */
};

struct worker {
    struct crew_job job; /* first */
    struct hash_ahead *ahead;
    bool is_caller;
    struct slot slots[SHA256_LANES_MAX];
};

struct hash_ahead *hash_ahead_new(const struct hash_ahead_options *options)
{
    struct hash_ahead *ahead = alloc_array(1, sizeof *ahead);

    ahead->options = *options;
    pthread_mutex_init(&ahead->mutex, NULL);
    return ahead;
}

void hash_ahead_free(struct hash_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead->planned);
    free(ahead->files);
    free(ahead->order);
    free(ahead);
}

void hash_ahead_add(struct hash_ahead *ahead, size_t index, uint64_t size)
{
    ahead->planned = alloc_one_more(ahead->planned, ahead->n_planned, &ahead->planned_cap,
                                    sizeof *ahead->planned);
    ahead->planned[ahead->n_planned++] = (struct planned){.index = index, .size = size};
}

/* ---- One thread ----------------------------------------------------------------------------- */

static struct hash_ahead_file *take_file(struct hash_ahead *ahead)
{
    struct hash_ahead_file *file = NULL;

    pthread_mutex_lock(&ahead->mutex);
    if (ahead->n_taken < ahead->n_files)
        file = ahead->order[ahead->n_taken++];
    pthread_mutex_unlock(&ahead->mutex);
    return file;
}

static int64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Opens FILE into SLOT. */
static bool open_file(const struct hash_ahead *ahead, struct hash_ahead_file *file,
                      struct slot *slot)
{
    struct stat st;

    file->hashed_at = clock_ns();
    slot->fd = ahead->options.open(ahead->options.ctx, file->index);
    if (slot->fd < 0)
        return false;
    if (fstat(slot->fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != file->size) {
        file_close(&slot->fd);
        return false;
    }
    tree_stamp_from(&file->stamp, &st);
    slot->file = file;
    slot->left = file->size;
    if (!slot->buf)
        slot->buf = alloc_array(STEP, 1);
    return true;
}

static void *next_file(void *ctx)
{
    struct worker *worker = ctx;
    struct hash_ahead_file *file;
    size_t i = 0;

    while (worker->slots[i].file)
        i++;
    while ((file = take_file(worker->ahead)) != NULL)
        if (open_file(worker->ahead, file, &worker->slots[i]))
            return &worker->slots[i];
    return NULL;
}

static bool read_file(void *ctx, void *input, struct bytes_view *out)
{
    struct slot *slot = input;
    ssize_t n = 0;

    (void)ctx;
    if (slot->left) {
        n = file_read_some(slot->fd, slot->buf, slot->left < STEP ? (size_t)slot->left : STEP);
        if (n <= 0)
            return false;
    }
    slot->left -= (uint64_t)n;
    *out = bytes_view_of(slot->buf, (size_t)n);
    return true;
}

static void end_file(void *ctx, void *input, const unsigned char *sha256)
{
    struct worker *worker = ctx;
    struct hash_ahead *ahead = worker->ahead;
    struct slot *slot = input;
    uint64_t n_bytes;

    if (sha256) {
        memcpy(slot->file->sha256, sha256, sizeof slot->file->sha256);
        slot->file->is_hashed = true;
    }
    pthread_mutex_lock(&ahead->mutex);
    ahead->n_bytes += slot->file->size - slot->left;
    n_bytes = ahead->n_bytes;
    pthread_mutex_unlock(&ahead->mutex);
    if (worker->is_caller && ahead->options.progress)
        ahead->options.progress(ahead->options.ctx, n_bytes);
    file_close(&slot->fd);
    slot->file = NULL;
}

static void work(struct crew_job *job)
{
    struct worker *worker = (struct worker *)job;
    struct digest_batch_source source = {
        .next = next_file, .read = read_file, .done = end_file, .ctx = worker};
    size_t i;

    digest_batch_run(worker->ahead->options.kind, &source);
    for (i = 0; i < SHA256_LANES_MAX; i++)
        free(worker->slots[i].buf);
}

/* ---- A turn --------------------------------------------------------------------------------- */

static int compare_sizes(const void *a, const void *b)
{
    const struct hash_ahead_file *x = *(struct hash_ahead_file *const *)a;
    const struct hash_ahead_file *y = *(struct hash_ahead_file *const *)b;

    return (x->size < y->size) - (x->size > y->size);
}

static void run(struct hash_ahead *ahead, uint64_t n_bytes)
{
    unsigned n_wanted = n_bytes / SHARE < THREADS_MAX ? (unsigned)(n_bytes / SHARE) : THREADS_MAX;
    struct crew *crew = crew_new(n_wanted);
    unsigned i, n = crew_size(crew); /* this thread is one of them */
    struct worker *workers = alloc_array(n, sizeof *workers);

    for (i = 0; i < n; i++) {
        workers[i].ahead = ahead;
        workers[i].is_caller = i == 0;
        workers[i].job.run = work;
        if (i)
            crew_start(crew, &workers[i].job);
    }
    work(&workers[0].job);
    crew_free(crew);
    free(workers);
}

/* Hashes the next files from what was planned on. */
static void take_turn(struct hash_ahead *ahead)
{
    size_t i, n = ahead->n_planned - ahead->n_begun;
    uint64_t n_bytes = 0;

    ahead->n_files = n < TURN ? n : TURN;
    if (!ahead->files) {
        ahead->files = alloc_array(ahead->n_files, sizeof *ahead->files);
        ahead->order = alloc_array(ahead->n_files, sizeof *ahead->order);
    }
    for (i = 0; i < ahead->n_files; i++) {
        ahead->files[i] = (struct hash_ahead_file){.index = ahead->planned[ahead->n_begun].index,
                                                   .size = ahead->planned[ahead->n_begun].size};
        ahead->order[i] = &ahead->files[i];
        n_bytes += ahead->files[i].size;
        ahead->n_begun++;
    }
    qsort(ahead->order, ahead->n_files, sizeof *ahead->order, compare_sizes);
    ahead->next = ahead->n_taken = 0;
    ahead->n_bytes = 0;
    run(ahead, n_bytes);
}

const struct hash_ahead_file *hash_ahead_find(struct hash_ahead *ahead, size_t index)
{
    const struct hash_ahead_file *file;

    for (;;) {
        for (; ahead->next < ahead->n_files; ahead->next++) {
            file = &ahead->files[ahead->next];
            if (file->index >= index)
                return file->index == index && file->is_hashed ? file : NULL;
        }
        while (ahead->n_begun < ahead->n_planned && ahead->planned[ahead->n_begun].index < index)
            ahead->n_begun++;
        if (ahead->n_begun == ahead->n_planned || ahead->planned[ahead->n_begun].index > index)
            return NULL;
        take_turn(ahead);
    }
}
