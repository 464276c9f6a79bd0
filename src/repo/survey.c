/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at a publisher's tree. */
#include "repo/survey.h"

#include <string.h>

#include "format/packages.h"

static void count_changes(const struct release *before, const struct release *after,
                          struct hallmark_publisher_report *report)
{
    size_t i = 0, j = 0;
    int order;

    while (i < before->n_entries || j < after->n_entries) {
        if (i == before->n_entries)
            order = 1;
        else if (j == after->n_entries)
            order = -1;
        else
            order = strcmp(before->entries[i].path, after->entries[j].path);
        if (packages_is_index(order > 0 ? after->entries[j].path : before->entries[i].path))
            ; /* follows the packages */
        else if (order < 0)
            report->n_removed++;
        else if (order > 0)
            report->n_added++;
        else if (memcmp(before->entries[i].sha256, after->entries[j].sha256, RELEASE_SHA256_LEN) != 0)
            report->n_changed++;
        i += order <= 0;
        j += order >= 0;
    }
}

static void report_skipped(const struct hallmark_publisher *p, const struct generated *generated)
{
    size_t i;

    for (i = 0; i < generated->skipped.n_items; i++)
        publisher_note(p, HALLMARK_NOTE_INFO, "left out: %s", generated->skipped.items[i]);
}

bool survey_run(struct survey *out, struct hallmark_publisher *p,
                struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct survey survey = {0};
    struct generate_options how = {.settings = p->settings,
                                   .published = &survey.before.index,
                                   .sandbox = p->options->sandbox,
                                   .progress = p->options->progress,
                                   .ctx = p->options->ctx};
    struct hallmark_error why = {0};

    if (!publication_load(p->rootfd, p->statefd, &survey.before, err))
        return error_prefix(err, "%s", p->state_dir);
    if (p->statefd >= 0)
        survey.cache = digest_cache_load(p->statefd, &why);
    if (why.code != HALLMARK_OK)
        publisher_note(p, HALLMARK_NOTE_INFO, "every file is hashed again: %s", why.text);
    if (!generate_release(&survey.generated, p->rootfd, survey.cache, &how, err)) {
        survey_free(&survey);
        return false;
    }
    report->n_packages = release_count_packages(&survey.generated.release);
    report->n_skipped = survey.generated.n_skipped;
    report->n_hashed = survey.generated.n_hashed;
    report->n_hashed_bytes = survey.generated.n_hashed_bytes;
    report->date = survey.before.release.date;
    report->valid_until = survey.before.release.valid_until;
    count_changes(&survey.before.release, &survey.generated.release, report);
    report_skipped(p, &survey.generated);
    *out = survey;
    return true;
}

void survey_free(struct survey *survey)
{
    publication_free(&survey->before);
    generate_free(&survey->generated);
    digest_cache_free(survey->cache);
    *survey = (struct survey){0};
}
