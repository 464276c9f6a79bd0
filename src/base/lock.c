/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One run at a time. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { POLLS_PER_SECOND = 10 };

bool lock_try(int fd)
{
    int result;

    do
        result = flock(fd, LOCK_EX | LOCK_NB);
    while (result < 0 && errno == EINTR);
    return result == 0;
}

/* Whether WAIT seconds have passed since START. */
static bool is_over(const struct timespec *start, int64_t wait)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec - start->tv_sec > wait ||
           (now.tv_sec - start->tv_sec == wait && now.tv_nsec >= start->tv_nsec);
}

static bool wait_for(int fd, int64_t wait)
{
    struct timespec pause = {.tv_nsec = 1000000000L / POLLS_PER_SECOND};
    struct timespec start;

    clock_gettime(CLOCK_MONOTONIC, &start);
    while (!lock_try(fd)) {
        if (errno != EWOULDBLOCK)
            return false;
        if (is_over(&start, wait)) {
            errno = EWOULDBLOCK;
            return false;
        }
        nanosleep(&pause, NULL);
    }
    return true;
}

static int open_lock(int dirfd, const char *name)
{
    int fd;

    do
        fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int lock_acquire(int dirfd, const char *name, int64_t wait, struct hallmark_error *err)
{
    int fd = open_lock(dirfd, name);

    if (fd < 0) {
        error_set_errno(err, "%s: cannot open the lock", name);
        return -1;
    }
    if (wait_for(fd, wait))
        return fd;
    if (errno == EWOULDBLOCK)
        error_set(err, HALLMARK_ERR_BUSY, "another run holds the lock; --lock-wait waits for it");
    else
        error_set_errno(err, "%s: cannot lock", name);
    file_close(&fd);
    return -1;
}

void lock_release(int *fd)
{
    file_close(fd);
}
