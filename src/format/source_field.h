/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fields of hallmark.sources(5) are called, and what their values may be. For source_list.c. */
#ifndef FORMAT_SOURCE_FIELD_H
#define FORMAT_SOURCE_FIELD_H

#include "format/deb822.h"
#include "format/source_list.h"

/* Takes what FIELD says into OUT; HALLMARK_ERR_USAGE, without the line. */
bool source_field_take(struct source_list_stanza *out, const struct deb822_field *field,
                       struct hallmark_error *err);

#endif
