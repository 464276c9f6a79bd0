/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The archives of tests/e2e/make_archives.py, and how much of a sandbox this machine has for them:
 * HALLMARK_TEST_SANDBOX may say "best-effort" or "off" (valgrind needs that). Include cmocka.h
 * before.
 */
#ifndef TESTS_UNIT_ARCHIVES_H
#define TESTS_UNIT_ARCHIVES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/path.h"
#include "base/strlist.h"
#include "system/package.h"
#include "temporary.h"

/* What the list says of one archive. */
struct archives_case {
    const char *name, *reason;
    int unpack, check; /* exit status */
};

struct archives {
    char *dir;
    struct strlist words; /* four for each archive */
    size_t n;
};

static inline enum hallmark_sandbox archives_sandbox(void)
{
    const char *level = getenv("HALLMARK_TEST_SANDBOX");

    if (level && strcmp(level, "off") == 0)
        return HALLMARK_SANDBOX_OFF;
    if (level && strcmp(level, "best-effort") == 0)
        return HALLMARK_SANDBOX_BEST_EFFORT;
    return HALLMARK_SANDBOX_REQUIRED;
}

/* Takes the next field, up to SEPARATOR, off *REST. */
static inline void archives_add_field(struct archives *a, struct bytes_view *line, char separator)
{
    const char *end = memchr(line->data, separator, line->len);
    struct bytes_view field = {.data = line->data,
                               .len = end ? (size_t)(end - line->data) : line->len};

    strlist_add_view(&a->words, field);
    line->data += field.len + (end != NULL);
    line->len -= field.len + (end != NULL);
}

/* Makes them; *OUT is released by archives_free(). */
static inline void archives_make(struct archives *out)
{
    const char *srcdir = getenv("srcdir");
    char *dir = temporary_new(), *list = path_join(dir, "list");
    char *command = alloc_printf("python3 '%s/tests/e2e/make_archives.py' '%s' > /dev/null",
                                 srcdir ? srcdir : ".", dir);
    struct hallmark_error err = {0};
    struct bytes text = {0};
    struct bytes_view rest, line;
    int i;

    *out = (struct archives){.dir = dir};
    if (system(command) != 0)
        fail_msg("%s: failed", command);
    if (!file_read(AT_FDCWD, list, 1 << 20, &text, NULL, &err))
        fail_msg("%s", err.text);
    rest = bytes_view(&text);
    while (bytes_view_next_line(&rest, &line)) {
        for (i = 0; i < 4; i++)
            archives_add_field(out, &line, '\t');
        out->n++;
    }
    assert_true(out->n > 100);
    bytes_free(&text);
    free(list);
    free(command);
}

static inline void archives_free(struct archives *a)
{
    temporary_remove(a->dir);
    strlist_free(&a->words);
}

static inline struct archives_case archives_get(const struct archives *a, size_t i)
{
    char **fields = a->words.items + 4 * i;

    return (struct archives_case){.name = fields[0],
                                  .unpack = atoi(fields[1]),
                                  .check = atoi(fields[2]),
                                  .reason = strcmp(fields[3], "-") == 0 ? "" : fields[3]};
}

static inline bool archives_ends_with(const char *name, const char *end)
{
    return strlen(name) >= strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

static inline struct package_format archives_format(const char *name)
{
    static const struct {
        const char *end;
        struct package_format format;
    } known[] = {
        {".deb", {PACKAGE_DEB, PACKAGE_PLAIN}},     {".tar.gz", {PACKAGE_TAR, PACKAGE_GZIP}},
        {".tar.bz2", {PACKAGE_TAR, PACKAGE_BZIP2}}, {".tar.xz", {PACKAGE_TAR, PACKAGE_XZ}},
        {".tar.lzma", {PACKAGE_TAR, PACKAGE_LZMA}}, {".tar", {PACKAGE_TAR, PACKAGE_PLAIN}}};
    size_t i;

    for (i = 0; i < sizeof known / sizeof *known; i++)
        if (archives_ends_with(name, known[i].end))
            return known[i].format;
    fail_msg("%s: no format", name);
    return known[0].format;
}

static inline int archives_open(const struct archives *a, const char *name)
{
    char *path = path_join(a->dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        fail_msg("%s: cannot open", path);
    free(path);
    return fd;
}

#endif
