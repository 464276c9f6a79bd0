/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lack of memory, by --wrap of what allocates: the process ends at once with a message, at whatever
 * allocation it is, and what was published or staged is as whole as after any other death.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>

#include "base/alloc.h"
#include "publish_root.h"
#include "system/staging.h"

/* ---- The functions that are wrapped ---- */

void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
int __real_vasprintf(char **out, const char *fmt, va_list ap);
int __real___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
int __wrap_vasprintf(char **out, const char *fmt, va_list ap);
int __wrap___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap);

static int n_left = -1; /* allocations until the one that fails; -1: none does */
static pid_t doomed;    /* where it does; not in what is forked from there */

static bool is_refused(void)
{
    if (n_left < 0 || getpid() != doomed || n_left-- > 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
    return is_refused() ? NULL : __real_reallocarray(p, n, size);
}

int __wrap_vasprintf(char **out, const char *fmt, va_list ap)
{
    return is_refused() ? -1 : __real_vasprintf(out, fmt, ap);
}

/* With -D_FORTIFY_SOURCE. */
int __wrap___vasprintf_chk(char **out, int flag, const char *fmt, va_list ap)
{
    return is_refused() ? -1 : __real___vasprintf_chk(out, flag, fmt, ap);
}

/* ---- What is tried ---- */

/* Calls WORK in a child, whose allocation number K fails. Its status; what it says goes to SAID. */
static int without_memory(int (*work)(void *ctx), void *ctx, int k, char said[64])
{
    int fds[2], status;
    ssize_t len;
    pid_t child;

    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        n_left = k;
        doomed = getpid();
        _exit(work(ctx));
    }
    close(fds[1]);
    len = read(fds[0], said, 63);
    said[len > 0 ? len : 0] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int allocate_array(void *ctx)
{
    char *volatile p = alloc_array(1, 1);

    (void)ctx;
    return p ? 0 : 20;
}

static int allocate_regrow(void *ctx)
{
    (void)ctx;
    return alloc_regrow(NULL, 1, 1) ? 0 : 20;
}

static int allocate_one_more(void *ctx)
{
    size_t cap = 0;

    (void)ctx;
    return alloc_one_more(NULL, 0, &cap, 1) ? 0 : 20;
}

static int allocate_too_many(void *ctx)
{
    size_t cap = SIZE_MAX / 2 + 1;

    (void)ctx;
    n_left = -1;
    return alloc_one_more(NULL, cap, &cap, 1) ? 0 : 20;
}

/* The product is beyond what a size can say. */
static int allocate_product(void *ctx)
{
    volatile size_t many = SIZE_MAX / 2;

    (void)ctx;
#ifndef __SANITIZE_ADDRESS__ /* which ends that in a way of its own */
    n_left = -1;
#endif
    return alloc_regrow(NULL, many, 4) ? 0 : 20;
}

static int allocate_text(void *ctx)
{
    (void)ctx;
    return alloc_strdup("text") ? 0 : 20;
}

static int allocate_printf(void *ctx)
{
    (void)ctx;
    return alloc_printf("%d", 1) ? 0 : 20;
}

static void alloc_rejects_lack_of_memory(void **state)
{
    static int (*const works[])(void *ctx) = {
        allocate_array,   allocate_regrow, allocate_one_more, allocate_too_many,
        allocate_product, allocate_text,   allocate_printf};
    char said[64];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof works / sizeof *works; i++) {
        assert_int_equal(without_memory(works[i], NULL, 0, said), HALLMARK_ERR_IO);
        assert_string_equal(said, "hallmark: out of memory\n");
    }
}

/* ---- What it leaves ---- */

static int publish_new(void *ctx)
{
    const struct run *run = ctx;

    return commit(run->fd, "new", NULL) ? 0 : 10;
}

static void publish_accepts_death_at_every_allocation(void **state)
{
    char said[64];
    struct run run;
    int k, status = 1, n_new = 0;

    (void)state;
    for (k = 0; status != 0; k++) {
        run_start(&run, prepare_generation);
        status = without_memory(publish_new, &run, k, said);
        check_view(&run, "allocation", k);
        if (status == 0) {
            assert_true(run.is_new);
        } else {
            assert_int_equal(status, HALLMARK_ERR_IO);
            assert_string_equal(said, "hallmark: out of memory\n");
        }
        n_new += run.is_new;
        check_next_commit(&run);
        run_end(&run);
    }
    assert_true(k > 20);
    assert_true(n_new >= 1);
}

static int stage(void *ctx)
{
    struct staging staging;
    bool ok = staging_open(&staging, ctx, NULL) &&
              file_create(staging.treefd, "file", bytes_view_str("whole"), 0644, NULL) &&
              staging_commit(&staging, NULL);

    staging_close(&staging);
    return ok ? 0 : 10;
}

static size_t count_names(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2; /* . and .. */
}

/* Either the whole directory is there or nothing of that name, and the next run removes the rest.
 */
static void staging_accepts_death_at_every_allocation(void **state)
{
    struct bytes data;
    char said[64], *into, *file;
    struct run run;
    size_t n_names, i;
    int k, status = 1;

    (void)state;
    for (k = 0; status != 0; k++) {
        run_start(&run, NULL);
        into = path_join(run.path, "into");
        file = path_join(into, "file");
        status = without_memory(stage, into, k, said);
        if (status != 0)
            assert_string_equal(said, "hallmark: out of memory\n");
        if (access(into, F_OK) == 0) {
            data = (struct bytes){0};
            assert_true(file_read(AT_FDCWD, file, 64, &data, NULL, NULL));
            assert_true(bytes_view_equals(bytes_view(&data), "whole"));
            bytes_free(&data);
        }
        n_names = access(into, F_OK) == 0 ? 1 : 0;
        for (i = 0; i < 1000 && count_names(run.path) > n_names; i++)
            usleep(10000);
        assert_int_equal(count_names(run.path), n_names);
        free(into);
        free(file);
        run_end(&run);
    }
    assert_true(k > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_rejects_lack_of_memory),
        cmocka_unit_test(publish_accepts_death_at_every_allocation),
        cmocka_unit_test(staging_accepts_death_at_every_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
