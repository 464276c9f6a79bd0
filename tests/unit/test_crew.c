/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* crew: every job is done once, whoever does it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "system/crew.h"

enum { N = 1000 };

struct sum {
    struct crew_job job;
    unsigned up_to, result;
};

static void add_up(struct crew_job *job)
{
    struct sum *sum = (struct sum *)job;
    unsigned i;

    for (i = 0; i <= sum->up_to; i++)
        sum->result += i;
}

static void assert_all_done(unsigned n_max)
{
    struct sum *sums = alloc_array(N, sizeof *sums);
    struct crew *crew = crew_new(n_max);
    unsigned i;

    assert_true(crew_size(crew) >= 1 && (crew_size(crew) <= n_max || n_max == 0));
    for (i = 0; i < N; i++) {
        sums[i].job.run = add_up;
        sums[i].up_to = i;
        crew_start(crew, &sums[i].job);
    }
    for (i = N; i-- > 0;) {
        crew_wait(crew, &sums[i].job);
        assert_int_equal(sums[i].result, i * (i + 1) / 2);
    }
    /* A job that is done can be done again. */
    sums[7].result = 0;
    crew_start(crew, &sums[7].job);
    crew_free(crew);
    assert_int_equal(sums[7].result, 28);
    free(sums);
}

static void crew_accepts_many_jobs(void **state)
{
    (void)state;
    assert_all_done(8);
    assert_all_done(1);
    assert_all_done(0);
}

static void crew_accepts_no_job(void **state)
{
    (void)state;
    crew_free(crew_new(4));
    crew_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crew_accepts_many_jobs),
        cmocka_unit_test(crew_accepts_no_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
