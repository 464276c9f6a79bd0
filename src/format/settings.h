/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The settings of a repository that repo-release publishes, hallmark.conf(5): one deb822 stanza
 * and, in the layout apt, one more for each suite that has settings of its own.
 */
#ifndef FORMAT_SETTINGS_H
#define FORMAT_SETTINGS_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"

/* The fields, in the order in which they are written. */
enum settings_field {
    SETTINGS_NAME,   /* [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 */
    SETTINGS_ROOT,   /* an absolute path */
    SETTINGS_LAYOUT, /* "plain" or "apt" */
    SETTINGS_ORIGIN,
    SETTINGS_LABEL,
    SETTINGS_SUITE, /* words; one word in the layout plain */
    SETTINGS_CODENAME,
    SETTINGS_VERSION,
    SETTINGS_DESCRIPTION,
    SETTINGS_ARCHITECTURES,          /* words */
    SETTINGS_COMPONENTS,             /* words */
    SETTINGS_NOT_AUTOMATIC,          /* "yes" or "no" */
    SETTINGS_BUT_AUTOMATIC_UPGRADES, /* likewise */
    SETTINGS_RULES,            /* lines of five words, with newlines between; format/placement.h */
    SETTINGS_COMPRESSION,      /* words out of xz, gz and zst */
    SETTINGS_CONTENTS,         /* "yes" or "no" */
    SETTINGS_HASHES,           /* words out of SHA256 (always, named or not) and SHA512 */
    SETTINGS_VALID_FOR,        /* a length of time, at least a minute */
    SETTINGS_REFRESH_BEFORE,   /* a length of time, less than Valid-For */
    SETTINGS_SIGN_WITH,        /* words: fingerprints of 40 or 64 hexadecimal digits; upper-cased */
    SETTINGS_GNUPG_HOME,       /* an absolute path */
    SETTINGS_EXCLUDE,          /* words: glob(7) patterns for paths below Root */
    SETTINGS_KEEP_GENERATIONS, /* a whole number from 1 to 1000 */
    SETTINGS_KEEP_FOR,         /* a length of time */
    SETTINGS_MAX_VANISHED,     /* a share from 0% to 100% */
    SETTINGS_STATE,            /* an absolute path */
    SETTINGS_N_FIELDS
};

struct hallmark_settings {
    char *values[SETTINGS_N_FIELDS];  /* checked; NULL where not set */
    struct hallmark_settings *suites; /* each with a Suite, which is one of those above, and what is
                                         said of that alone */
    size_t n_suites;
};

enum settings_layout { SETTINGS_PLAIN, SETTINGS_APT };

/* The spelling of a field's name. */
const char *settings_field_name(enum settings_field field);

/* The field that NAME spells (without case); SETTINGS_N_FIELDS for none. */
enum settings_field settings_find_field(const char *name);

/* Sets FIELD to VALUE (NULL: removes it) after checking it alone; HALLMARK_ERR_USAGE. */
bool settings_set(struct hallmark_settings *settings, enum settings_field field, const char *value,
                  struct hallmark_error *err);

/* Parses a settings file; an unknown field is an error that names it and its line. Words and rules
 * may go on in continuation lines. HALLMARK_ERR_USAGE. */
bool settings_parse(struct hallmark_settings *out, struct bytes_view text, const char *what,
                    struct hallmark_error *err);
void settings_write(const struct hallmark_settings *settings, struct bytes *out);

/* What no field shows alone: Refresh-Before is less than Valid-For; the layout plain has one suite
 * and no rules, the layout apt at least a suite, and none of its names stands for two things.
 * HALLMARK_ERR_USAGE. Part of settings_parse(); call it after the last settings_set(). */
bool settings_check(const struct hallmark_settings *settings, struct hallmark_error *err);

/* Releases the values, not SETTINGS itself. */
void settings_clear(struct hallmark_settings *settings);

enum settings_layout settings_layout(const struct hallmark_settings *settings);

/* What FIELD is for SUITE: its own value or, for what can be the same of several, that of all.
 * NULL. */
const char *settings_of_suite(const struct hallmark_settings *settings, const char *suite,
                              enum settings_field field);

/* The values with their defaults: Valid-For 7 days, Refresh-Before half of Valid-For,
 * Keep-Generations 3, Keep-For 1 day, Hashes SHA256. */
int64_t settings_valid_for(const struct hallmark_settings *settings);
int64_t settings_refresh_before(const struct hallmark_settings *settings);
int64_t settings_keep_for(const struct hallmark_settings *settings);
size_t settings_keep_generations(const struct hallmark_settings *settings);
unsigned settings_max_vanished(const struct hallmark_settings *settings); /* percent */
unsigned settings_hashes(const struct hallmark_settings *settings); /* of enum release_hashes */
/* Appends the words of a field. */
void settings_words(const struct hallmark_settings *settings, enum settings_field field,
                    struct strlist *out);

#endif
