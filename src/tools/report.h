/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports on standard output: JSON (RFC 8259), and the pieces of text that both tools print. */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <hallmark.h>

enum { REPORT_DATE_LEN = 64 };

/* JSON, written member by member. KEY NULL: an element of an array. */
struct report_json {
    bool needs_comma;
    unsigned depth;
};
void report_open(struct report_json *json, const char *key, char bracket);        /* '{' or '[' */
void report_close(struct report_json *json, char bracket);                        /* '}' or ']' */
void report_string(struct report_json *json, const char *key, const char *value); /* NULL: null */
void report_number(struct report_json *json, const char *key, uint64_t value);
void report_bool(struct report_json *json, const char *key, bool value);
void report_date(struct report_json *json, const char *key, int64_t when); /* 0: null */

/* "status", "exit" and "error" of a run that ended with ERR. */
void report_outcome(struct report_json *json, const struct hallmark_error *err);

/* "manifest": what it says and who signed it; null where MANIFEST is NULL. */
void report_manifest(struct report_json *json, const struct hallmark_manifest *manifest);

/* "Sun, 22 Nov 2026 10:00:00 UTC", and "2026-11-22T10:00:00Z". */
void report_date_text(int64_t when, char out[REPORT_DATE_LEN]);

/* The signatures of MANIFEST as lines, each after INDENT blanks. */
void report_signatures_text(const struct hallmark_manifest *manifest, int indent);

#endif
