/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fields of hallmark.conf(5) are called, and what their values may be. For settings.c.
 */
#ifndef FORMAT_SETTINGS_VALUE_H
#define FORMAT_SETTINGS_VALUE_H

#include "format/settings.h"

enum settings_shape { LINE, WORDS, LINES };

const char *settings_value_name(enum settings_field field);
enum settings_shape settings_value_shape(enum settings_field field);

/* VALUE, checked and in its one spelling, allocated; NULL with HALLMARK_ERR_USAGE. */
char *settings_value_normalise(enum settings_field field, const char *value,
                               struct hallmark_error *err);

/* Says that VALUE of FIELD has a FAULT. */
bool settings_value_fail(enum settings_field field, const char *value, const char *fault,
                         struct hallmark_error *err);

/* A whole number up to MAX in its one spelling, at the start of *VALUE, which moves behind it; -1 for
 * anything else. */
int settings_value_number(const char **value, int max);

#endif
