/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of the test's own. Include cmocka.h before. */
#ifndef TESTS_UNIT_TEMPORARY_H
#define TESTS_UNIT_TEMPORARY_H

#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"

/* Makes it, under $TMPDIR; temporary_remove() releases the name. */
static inline char *temporary_new(void)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = alloc_printf("%s/hallmark-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");

    assert_non_null(mkdtemp(dir));
    return dir;
}

static inline void temporary_remove(char *dir)
{
    struct hallmark_error err = {0};

    assert_true(file_remove_tree(AT_FDCWD, dir, &err));
    free(dir);
}

#endif
