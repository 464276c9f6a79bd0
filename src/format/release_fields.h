/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Origin to Components, and the dates, of a Release: for release_parse(), whose contract says what is
 * refused. */
#ifndef FORMAT_RELEASE_FIELDS_H
#define FORMAT_RELEASE_FIELDS_H

#include "base/error.h"
#include "format/deb822.h"
#include "format/release.h"

/* Fills in these members of R. */
bool release_fields_get(struct release *r, const struct deb822 *stanza, struct hallmark_error *err);

#endif
