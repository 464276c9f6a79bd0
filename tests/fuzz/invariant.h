/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every fuzz target demands: conditions that stop it, and errors as DESIGN.md wants them. */
#ifndef TESTS_FUZZ_INVARIANT_H
#define TESTS_FUZZ_INVARIANT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/error.h"

#define INVARIANT(condition)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: violated: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A failure has a category out of CODE and OTHER and one printable line; a success has none. */
static inline void invariant_error(bool ok, const struct hallmark_error *err,
                                   enum hallmark_errcode code, enum hallmark_errcode other)
{
    INVARIANT(ok == (err->code == HALLMARK_OK));
    if (ok)
        return;
    INVARIANT(err->code == code || err->code == other);
    INVARIANT(err->text[0] != '\0');
    INVARIANT(encoding_is_printable_text(bytes_view_str(err->text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
