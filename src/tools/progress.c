/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The progress line. */
#include "tools/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { BAR_LEN = 24 };

static const double first_after = 1.0, next_after = 0.1; /* seconds */

static double seconds_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

void progress_start(struct progress *progress, const char *what, bool is_on)
{
    *progress = (struct progress){.what = what, .is_on = is_on && isatty(STDERR_FILENO)};
    clock_gettime(CLOCK_MONOTONIC, &progress->start);
}

void progress_size(uint64_t bytes, char out[32])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(out, 32, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
        return;
    }
    value /= 1024;
    while (value >= 1024) {
        value /= 1024;
        unit++;
    }
    snprintf(out, 32, "%.1f %s", value, units[unit]);
}

/* Where the total is not known. */
static void show_amount(const struct progress *p, uint64_t done, double elapsed)
{
    char done_text[32], rate_text[32];

    progress_size(done, done_text);
    progress_size((uint64_t)((double)done / elapsed), rate_text);
    fprintf(stderr, "\r\033[K%s %s, %s/s", p->what, done_text, rate_text);
}

void progress_show(void *ctx, uint64_t done, uint64_t total)
{
    struct progress *p = ctx;
    struct timespec now;
    char done_text[32], total_text[32], rate_text[32], bar[BAR_LEN + 1];
    double elapsed, share;
    int i;

    if (!p->is_on)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    elapsed = seconds_between(&p->start, &now);
    if (elapsed < first_after || (p->is_shown && seconds_between(&p->last, &now) < next_after))
        return;
    p->is_shown = true;
    p->last = now;
    if (total == 0) {
        show_amount(p, done, elapsed);
        return;
    }
    share = done >= total ? 1 : (double)done / (double)total;
    for (i = 0; i < BAR_LEN; i++)
        bar[i] = i < (int)(share * BAR_LEN) ? '#' : '.';
    bar[BAR_LEN] = '\0';
    progress_size(done, done_text);
    progress_size(total, total_text);
    progress_size((uint64_t)((double)done / elapsed), rate_text);
    fprintf(stderr, "\r\033[K%s [%s] %3d%%  %s of %s, %s/s", p->what, bar, (int)(share * 100),
            done_text, total_text, rate_text);
    if (share > 0 && share < 1)
        fprintf(stderr, ", %.0f s left", elapsed / share - elapsed);
}

void progress_stop(struct progress *progress)
{
    if (progress->is_shown)
        fprintf(stderr, "\r\033[K");
    progress->is_shown = false;
}
