/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports. */
#include "tools/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* What stands before a value: comma, line, indentation, key. */
static void lead(struct report_json *json, const char *key)
{
    if (json->needs_comma)
        putchar(',');
    if (json->depth)
        printf("\n%*s", 2 * (int)json->depth, "");
    if (key)
        printf("\"%s\": ", key);
    json->needs_comma = true;
}

void report_open(struct report_json *json, const char *key, char bracket)
{
    lead(json, key);
    putchar(bracket);
    json->depth++;
    json->needs_comma = false;
}

void report_close(struct report_json *json, char bracket)
{
    json->depth--;
    printf("\n%*s%c", 2 * (int)json->depth, "", bracket);
    json->needs_comma = true;
    if (json->depth == 0)
        putchar('\n');
}

void report_string(struct report_json *json, const char *key, const char *value)
{
    lead(json, key);
    if (!value) {
        printf("null");
        return;
    }
    putchar('"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            printf("\\%c", *value);
        else if ((unsigned char)*value < ' ' || *value == 127)
            printf("\\u%04x", (unsigned char)*value);
        else
            putchar(*value);
    }
    putchar('"');
}

void report_number(struct report_json *json, const char *key, uint64_t value)
{
    lead(json, key);
    printf("%" PRIu64, value);
}

void report_bool(struct report_json *json, const char *key, bool value)
{
    lead(json, key);
    printf(value ? "true" : "false");
}

/* The calendar of WHEN; 1970 for what no calendar has. */
static struct tm calendar(int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm = {.tm_year = 70, .tm_mday = 1};

    gmtime_r(&t, &tm);
    return tm;
}

void report_date_text(int64_t when, char out[REPORT_DATE_LEN])
{
    struct tm tm = calendar(when);

    strftime(out, REPORT_DATE_LEN, "%a, %d %b %Y %H:%M:%S UTC", &tm);
}

void report_date(struct report_json *json, const char *key, int64_t when)
{
    struct tm tm = calendar(when);
    char text[REPORT_DATE_LEN];

    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    report_string(json, key, when ? text : NULL);
}

void report_outcome(struct report_json *json, const struct hallmark_error *err)
{
    const char *status = "bad";

    if (err->code == HALLMARK_OK)
        status = "good";
    else if (err->code == HALLMARK_ERR_IO || err->code == HALLMARK_ERR_USAGE ||
             err->code == HALLMARK_ERR_BUSY)
        status = "error";
    else if (err->code == HALLMARK_ATTENTION)
        status = "attention";
    report_string(json, "status", status);
    report_number(json, "exit", err->code);
    report_string(json, "error", err->code == HALLMARK_OK ? NULL : err->text);
}

static void report_signature(struct report_json *json, const struct hallmark_signature *s)
{
    report_open(json, NULL, '{');
    report_string(json, "fingerprint", s->fingerprint);
    report_string(json, "primary", s->primary);
    report_string(json, "user_id", s->user_id);
    report_string(json, "digest", s->digest);
    report_date(json, "created", s->created);
    report_bool(json, "counted", s->counted);
    report_string(json, "verdict", s->verdict);
    report_close(json, '}');
}

void report_manifest(struct report_json *json, const struct hallmark_manifest *manifest)
{
    size_t i;

    if (!manifest) {
        report_string(json, "manifest", NULL);
        return;
    }
    report_open(json, "manifest", '{');
    report_string(json, "location", manifest->location);
    report_string(json, "document", manifest->document);
    report_string(json, "origin", manifest->origin);
    report_string(json, "label", manifest->label);
    report_string(json, "suite", manifest->suite);
    report_string(json, "codename", manifest->codename);
    report_string(json, "version", manifest->version);
    report_string(json, "description", manifest->description);
    report_date(json, "date", manifest->date);
    report_date(json, "valid_until", manifest->valid_until);
    report_date(json, "expires", manifest->expires);
    report_number(json, "n_packages", manifest->n_packages);
    report_number(json, "n_indexes", manifest->n_indexes);
    report_open(json, "signatures", '[');
    for (i = 0; i < manifest->n_signatures; i++)
        report_signature(json, &manifest->signatures[i]);
    report_close(json, ']');
    report_close(json, '}');
}

void report_signatures_text(const struct hallmark_manifest *manifest, int indent)
{
    char date[REPORT_DATE_LEN];
    size_t i;

    for (i = 0; i < manifest->n_signatures; i++) {
        const struct hallmark_signature *s = &manifest->signatures[i];

        printf("%*s%s", indent, "", s->primary ? s->primary : s->fingerprint);
        if (s->user_id)
            printf(" %s", s->user_id);
        if (s->created) {
            report_date_text(s->created, date);
            printf(", %s", date);
        }
        printf(": %s\n", s->verdict);
    }
}
