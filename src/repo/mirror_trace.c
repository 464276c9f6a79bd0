/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trace files. */
#include "repo/mirror_trace.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "format/deb822.h"
#include "repo/mirror_cover.h"
#include "repo/mirror_tree.h"
#include "repo/mirror_upstream.h"

enum { TRACE_MODE = 0644 };

/* Below the root; free(3) releases it. */
static char *trace_path(const struct mirror *mirror)
{
    return path_join("project/trace", mirror->options->trace);
}

bool mirror_trace_check(const struct mirror *mirror, struct hallmark_error *err)
{
    const char *name = mirror->options->trace;
    char *path;
    size_t i;
    bool ok = true;

    if (!name)
        return true;
    if (strchr(name, '/') || name[0] == '.' || !path_check(bytes_view_str(name), "", NULL))
        return error_set(err, HALLMARK_ERR_USAGE,
                         "\"%s\" cannot be the name of a trace file; a host's name can", name);
    path = trace_path(mirror);
    for (i = 0; ok && i < mirror->files.n_files; i++)
        if (strcmp(mirror->files.files[i].path, path) == 0)
            ok = error_set(err, HALLMARK_ERR_USAGE,
                           "%s: the source has that file; choose another name for the trace", path);
    free(path);
    return ok;
}

static void write_words(struct bytes *out, const char *name, const struct strlist *words)
{
    char *line = words->n_items ? strlist_join(words) : NULL;

    deb822_write(out, name, line);
    free(line);
}

/* URL without what stands before a host's name. */
static char *without_credentials(const char *url)
{
    const char *host = strstr(url, "://");
    size_t len;

    if (!host)
        return alloc_strdup(url);
    host += strlen("://");
    len = strcspn(host, "/");
    return memrchr(host, '@', len) ? alloc_printf("%.*s%s", (int)(host - url), url,
                                                  (const char *)memrchr(host, '@', len) + 1)
                                   : alloc_strdup(url);
}

static void write_manifests(const struct mirror *mirror, struct bytes *out)
{
    char date[TIMESTAMP_TEXT_LEN];
    size_t i;

    bytes_append_str(out, "Manifests:\n");
    for (i = 0; i < mirror->n_suites; i++) {
        const struct verified_release *verified = mirror->suites[i].upstream->verified;

        timestamp_write_rfc3339(verified->release.date, date);
        bytes_printf(out, " %s %s %s%s%s\n", verified->sha256, date,
                     mirror_upstream_name(&mirror->suites[i]), verified->release.version ? " " : "",
                     verified->release.version ? verified->release.version : "");
    }
}

void mirror_trace_text(const struct mirror *mirror, const char *url, int64_t now, struct bytes *out)
{
    char text[64], *shown = without_credentials(url);
    struct tm tm = {.tm_mday = 1};
    time_t when = (time_t)now;

    gmtime_r(&when, &tm);
    strftime(text, sizeof text, "%a %b %e %H:%M:%S UTC %Y", &tm);
    bytes_printf(out, "%s\n", text);
    timestamp_write_rfc1123(now, text);
    deb822_write(out, "Date", text);
    bytes_printf(out, "Creator: repo-mirror (hallmark) %s\n", hallmark_version());
    deb822_write(out, "Running on host", mirror->options->trace);
    write_words(out, "Components", &mirror->components);
    write_words(out, "Architectures", &mirror->architectures);
    write_words(out, "Packages", &mirror->packages);
    deb822_write(out, "Upstream-mirror", shown);
    write_manifests(mirror, out);
    free(shown);
}

bool mirror_trace_write(const struct mirror *mirror, struct hallmark_error *err)
{
    struct bytes text = {0};
    char *path;
    int parent;
    bool ok;

    if (!mirror->options->trace)
        return true;
    path = trace_path(mirror);
    mirror_trace_text(mirror, fetch_url(mirror->suites[0].upstream->place.fetch), mirror->now,
                      &text);
    parent = mirror_tree_open_parent(mirror->rootfd, path, err);
    ok = parent >= 0 &&
         file_replace(parent, mirror->options->trace, bytes_view(&text), TRACE_MODE, err);
    file_close(&parent);
    bytes_free(&text);
    free(path);
    return ok;
}
