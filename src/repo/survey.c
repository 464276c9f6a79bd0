/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at a publisher's tree. */
#include "repo/survey.h"

#include <string.h>

#include "base/encoding.h"
#include "format/index_path.h"

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
        if (index_path_is_at_root(order > 0 ? after->entries[j].path : before->entries[i].path))
            ; /* follows the packages */
        else if (order < 0)
            report->n_removed++;
        else if (order > 0)
            report->n_added++;
        else if (memcmp(before->entries[i].sha256, after->entries[j].sha256, RELEASE_SHA256_LEN) !=
                 0)
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
    for (i = 0; i < generated->broken.n_items; i++)
        publisher_note(p, HALLMARK_NOTE_WARNING, "left out: %s", generated->broken.items[i]);
}

/* Counts the packages, and what has become of those that are published. */
static void count(const struct publication *before, const struct generated *generated,
                  struct survey *out, struct hallmark_publisher_report *report)
{
    struct apt_pool_counts counts;

    if (generated->apt) {
        apt_pool_count(apt_tree_pool(generated->apt), &counts);
        apt_sources_count(apt_tree_sources(generated->apt), &counts);
        out->n_before = counts.n_before;
        report->n_packages = counts.n_packages;
        report->n_added = counts.n_added;
        report->n_changed = counts.n_changed;
        report->n_removed = counts.n_removed;
        return;
    }
    out->n_before = release_count_packages(publication_release(before));
    report->n_packages = release_count_packages(&generated->suites.suites[0].release);
    count_changes(publication_release(before), &generated->suites.suites[0].release, report);
}

/* Hides the share of CACHE (NULL: there is none) that TEXT says. */
static bool scrub(struct digest_cache *cache, const char *text, struct hallmark_error *err)
{
    enum { WHOLE = 100 };
    size_t len = strlen(text);
    uint64_t percent;

    if (len < 2 || text[len - 1] != '%' ||
        !encoding_parse_size(bytes_view_of(text, len - 1), &percent) || percent == 0 ||
        percent > WHOLE)
        return error_set(err, HALLMARK_ERR_USAGE,
                         "scrub: \"%s\" is no share of the files, 1%% to 100%%", text);
    if (cache)
        digest_cache_scrub(cache, (unsigned)percent);
    return true;
}

bool survey_run(struct survey *out, struct hallmark_publisher *p, enum publisher_access access,
                struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct generate_options how = {.settings = p->settings,
                                   .before = &out->before,
                                   .spoolfd = access == PUBLISHER_WRITE ? p->statefd : -1,
                                   .statefd = p->statefd,
                                   .broken = p->options->keep_going ? GENERATE_LEAVE_OUT
                                                                    : GENERATE_REFUSE,
                                   .sandbox = p->options->sandbox,
                                   .hash_backend = p->options->hash_backend,
                                   .progress = p->options->progress,
                                   .ctx = p->options->ctx};
    struct hallmark_error why = {0};

    /* In its place: what is generated refers to what is published. */
    *out = (struct survey){0};
    if (!publication_load(p->rootfd, p->statefd, p->settings, &out->before, err))
        return error_prefix(err, "%s", p->state_dir);
    if (p->options->scrub)
        index_stamps_forget(out->before.stamps);
    if (p->statefd >= 0)
        out->cache = digest_cache_load(p->statefd, &why);
    if (why.code != HALLMARK_OK)
        publisher_note(p, HALLMARK_NOTE_INFO, "every file is hashed again: %s", why.text);
    if ((p->options->scrub && !scrub(out->cache, p->options->scrub, err)) ||
        !generate_release(&out->generated, p->rootfd, out->cache, &how, err)) {
        survey_free(out);
        return false;
    }
    count(&out->before, &out->generated, out, report);
    report->n_broken = out->generated.n_broken;
    report->n_skipped = out->generated.n_skipped;
    report->n_hashed = out->generated.n_hashed;
    report->n_hashed_bytes = out->generated.n_hashed_bytes;
    report->date = publication_release(&out->before)->date;
    report->valid_until = publication_release(&out->before)->valid_until;
    report_skipped(p, &out->generated);
    return true;
}

void survey_forget_files(struct survey *survey)
{
    digest_cache_free(survey->generated.cache);
    digest_cache_free(survey->cache);
    survey->cache = survey->generated.cache = NULL;
}

void survey_free(struct survey *survey)
{
    publication_free(&survey->before);
    generate_free(&survey->generated);
    digest_cache_free(survey->cache);
    *survey = (struct survey){0};
}
