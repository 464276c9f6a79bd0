/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trace files: no password in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "corpus.h"
#include "repo/mirror_trace.h"

static void assert_source(const char *url, const char *shown)
{
    struct hallmark_mirror_options options = {.trace = "host"};
    struct mirror mirror = {.options = &options};
    struct bytes text = {0};
    char *line = alloc_printf("\nUpstream-mirror: %s\n", shown);

    mirror_trace_text(&mirror, url, 1700000000, &text);
    if (!strstr(text.data, line))
        fail_msg("no \"%s\" in \"%s\"", line, text.data);
    assert_int_equal(strncmp(text.data, "Tue Nov 14 22:13:20 UTC 2023\n", 29), 0);
    assert_non_null(strstr(text.data, "\nDate: Tue, 14 Nov 2023 22:13:20 UTC\n"));
    assert_non_null(strstr(text.data, "\nRunning on host: host\n"));
    free(line);
    bytes_free(&text);
}

static void mirror_trace_accepts_sources(void **state)
{
    (void)state;
    assert_source("file:///srv/a@b", "file:///srv/a@b");
    assert_source("https://example.org/a", "https://example.org/a");
    assert_source("https://me:secret@example.org/a@b", "https://example.org/a@b");
    assert_source("https://me:sec@ret@example.org", "https://example.org");
    assert_source("nothing", "nothing");
}

static void mirror_trace_rejects_names(void **state)
{
    static const char *const names[] = {"", ".", "..", "a/b", ".a", "a b", "-a", "a\nb"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        struct hallmark_mirror_options options = {.trace = names[i]};
        struct mirror mirror = {.options = &options};
        struct hallmark_error err = {0};

        assert_false(mirror_trace_check(&mirror, &err));
        assert_int_equal(err.code, HALLMARK_ERR_USAGE);
        assert_non_null(strstr(err.text, "cannot be the name of a trace file"));
    }
}

static void mirror_trace_rejects_a_file_of_the_source(void **state)
{
    char path[] = "project/trace/host";
    struct mirror_file file = {.path = path};
    struct hallmark_mirror_options options = {.trace = "host"};
    struct mirror mirror = {.options = &options, .files = {.files = &file, .n_files = 1}};
    struct hallmark_error err = {0};

    (void)state;
    assert_false(mirror_trace_check(&mirror, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "project/trace/host: the source has that file");
    options.trace = "other";
    err = (struct hallmark_error){0};
    assert_true(mirror_trace_check(&mirror, &err));
    options.trace = NULL;
    assert_true(mirror_trace_check(&mirror, &err));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirror_trace_accepts_sources),
        cmocka_unit_test(mirror_trace_rejects_names),
        cmocka_unit_test(mirror_trace_rejects_a_file_of_the_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
