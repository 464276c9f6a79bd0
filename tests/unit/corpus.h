/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Test data under $srcdir/tests/data: every file of a directory is parsed, and each that is bad
 * must be refused for its own reason. Include cmocka.h before.
 */
#ifndef TESTS_UNIT_CORPUS_H
#define TESTS_UNIT_CORPUS_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/path.h"

/* A file in a "bad" directory, and a part of the reason for which it is refused. */
struct corpus_case {
    const char *file;
    const char *reason;
};

/* Parses DATA and frees what it made; the file's name may select how. */
typedef bool corpus_parse_fn(struct bytes_view data, const char *file, struct hallmark_error *err);

static inline void corpus_assert_error(const struct hallmark_error *err, enum hallmark_errcode code,
                                       const char *reason)
{
    if (err->code != code || !strstr(err->text, reason) || strchr(err->text, '\n'))
        fail_msg("found %d \"%s\", wanted %d and \"%s\"", (int)err->code, err->text, (int)code,
                 reason);
}

/* $srcdir/tests/data/DIR; free(3) releases it. */
static inline char *corpus_path(const char *dir)
{
    const char *srcdir = getenv("srcdir");

    return alloc_printf("%s/tests/data/%s", srcdir ? srcdir : ".", dir);
}

/* Has PARSE parse DIR/FILE, in memory of exactly its size, so that a read behind its end is seen.
 */
static inline bool corpus_parse(const char *dir, const char *file, corpus_parse_fn *parse,
                                struct hallmark_error *err)
{
    char *base = corpus_path(dir), *path = path_join(base, file), *copy;
    struct bytes data = {0};
    bool ok;

    if (!file_read(AT_FDCWD, path, 1 << 20, &data, NULL, err))
        fail_msg("%s", err->text);
    copy = alloc_strndup(data.data, data.len);
    copy = alloc_regrow(copy, data.len, 1);
    ok = parse(bytes_view_of(copy, data.len), file, err);
    free(copy);
    bytes_free(&data);
    free(path);
    free(base);
    return ok;
}

static inline int corpus_is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The files of DIR, sorted; each of them and the array are released with free(3). */
static inline size_t corpus_list(const char *dir, struct dirent ***out)
{
    char *path = corpus_path(dir);
    int n = scandir(path, out, corpus_is_visible, alphasort);

    if (n <= 0)
        fail_msg("%s: no test data", path);
    free(path);
    return (size_t)n;
}

/* PARSE accepts every file of DIR. */
static inline void corpus_assert_accepts(const char *dir, corpus_parse_fn *parse)
{
    struct hallmark_error err = {0};
    struct dirent **files;
    size_t n = corpus_list(dir, &files), i;

    for (i = 0; i < n; i++) {
        if (!corpus_parse(dir, files[i]->d_name, parse, &err))
            fail_msg("%s/%s: %s", dir, files[i]->d_name, err.text);
        assert_int_equal(err.code, HALLMARK_OK);
        free(files[i]);
    }
    free(files);
}

/* PARSE refuses every file of DIR, with CODE and the reason that CASES, which names them all,
 * gives. */
static inline void corpus_assert_rejects(const char *dir, corpus_parse_fn *parse,
                                         enum hallmark_errcode code,
                                         const struct corpus_case *cases, size_t n_cases)
{
    struct dirent **files;
    size_t n = corpus_list(dir, &files), i;

    for (i = 0; i < n_cases; i++) {
        struct hallmark_error err = {0};

        if (corpus_parse(dir, cases[i].file, parse, &err))
            fail_msg("%s/%s: accepted; wanted: %s", dir, cases[i].file, cases[i].reason);
        corpus_assert_error(&err, code, cases[i].reason);
    }
    for (i = 0; i < n; i++)
        free(files[i]);
    free(files);
    assert_int_equal(n, n_cases);
}

#endif
