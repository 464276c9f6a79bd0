/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of files: which ones a manifest may hold, and how they are put together. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/bytes.h"
#include "base/error.h"

/* Whether PATH may stand in a manifest: relative, of printable ASCII without blank and backslash,
 * its components not empty, ".", "..", longer than NAME_MAX or starting with "-", and within the
 * limits. WHAT and the reason go into the error, HALLMARK_ERR_MALFORMED. hallmark-repository(5),
 * "Paths". */
bool path_check(struct bytes_view path, const char *what, struct hallmark_error *err);

/* "DIR/NAME"; just NAME where DIR is "". free(3) releases it. */
char *path_join(const char *dir, const char *name);

/* The last component of PATH, inside it. */
const char *path_basename(const char *path);

/* The absolute form of PATH without links, ".", and ".."; NULL with an error where it does not
 * exist. free(3) releases it. */
char *path_resolve(const char *path, struct hallmark_error *err);

#endif
