/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_publisher_update(), _resign() and _prune(): what changes the published tree. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encoding.h"
#include "base/timestamp.h"
#include "repo/apt_contents.h"
#include "repo/apt_files.h"
#include "repo/signing_keys.h"
#include "repo/survey.h"
#include "system/publish.h"
#include "system/publish_stage.h"

static void wait_for_next_second(void)
{
    struct timespec now, pause = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    pause.tv_nsec = 999999999L - now.tv_nsec; /* nanosleep(2) never wakes early */
    nanosleep(&pause, NULL);
}

static bool refuse_date(const struct hallmark_publisher *p, int64_t date, int64_t last,
                        struct hallmark_error *err)
{
    char then[TIMESTAMP_TEXT_LEN], now[TIMESTAMP_TEXT_LEN];

    timestamp_write_rfc1123(last, then);
    timestamp_write_rfc1123(date, now);
    return error_set(
        err, HALLMARK_ERR_FUTURE,
        "the last manifest is dated %s, but %s says %s: clients would take the new one "
        "for an old one",
        then, p->options->source_date_epoch ? "SOURCE_DATE_EPOCH" : "the clock", now);
}

/* The Date of the next manifest: later than all before, or clients would call it an old one. */
static bool next_date(const struct hallmark_publisher *p, int64_t last, int64_t *out,
                      struct hallmark_error *err)
{
    int64_t fixed = p->options->source_date_epoch;

    *out = fixed ? fixed : timestamp_now();
    if (!fixed && *out == last) {
        wait_for_next_second();
        *out = timestamp_now();
    }
    return *out > last || refuse_date(p, *out, last, err);
}

/* A clock that is behind what it dated before is wrong, even if there is nothing to date now. */
static bool check_clock(const struct hallmark_publisher *p, int64_t last,
                        struct hallmark_error *err)
{
    int64_t now = timestamp_now();

    return p->options->source_date_epoch || now >= last || refuse_date(p, now, last, err);
}

/* Dates, signs and makes current CONTENT. */
static bool commit(struct hallmark_publisher *p, const struct publication *before,
                   const struct publication_content *content, struct signing_keys_end *end,
                   struct hallmark_error *err)
{
    struct publication_target target = {
        .rootfd = p->rootfd, .statefd = p->statefd, .signer = &p->signer, .now = timestamp_now()};
    bool ok = false;
    int64_t date;
    size_t i;

    target.signing = signing_keys_begin(p, err);
    if (!target.signing)
        return false;
    target.keys = signing_keys_open(p, target.now, err);
    if (!target.keys || !openpgp_prepare(target.keys, err) ||
        !signing_keys_check(p, target.keys, end, err) ||
        !next_date(p, before->last_date, &date, err))
        goto out;
    for (i = 0; i < content->suites->n_suites; i++) {
        content->suites->suites[i].release.date = date;
        content->suites->suites[i].release.valid_until = date + settings_valid_for(p->settings);
    }
    ok = publication_publish(&target, content, err);
out:
    publication_target_close(&target);
    return ok;
}

/* Losing them costs time only. */
static void keep_stamps(struct hallmark_publisher *p, struct index_stamps *stamps,
                        const struct publication_suites *suites)
{
    struct hallmark_error why = {0};

    if (stamps && !index_stamps_save(stamps, suites, &why))
        publisher_note(p, HALLMARK_NOTE_WARNING, "the stamps of indexes cannot be kept: %s",
                       why.text);
}

/* Publishes CONTENT, which has N_PACKAGES. */
static bool publish(struct hallmark_publisher *p, const struct publication *before,
                    const struct publication_content *content,
                    struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    const struct release *release = &content->suites->suites[0].release;
    struct signing_keys_end end;
    bool ok;

    if (!commit(p, before, content, &end, err))
        return false;
    signing_keys_warn(p, &end, release->valid_until);
    report->published = true;
    report->date = release->date;
    report->valid_until = release->valid_until;
    publisher_note(p, HALLMARK_NOTE_INFO, "published %zu packages", report->n_packages);
    /* What is published is published: a failure here is told, and mended by the next run. */
    ok = publish_prune(p->rootfd, settings_keep_generations(p->settings),
                       settings_keep_for(p->settings), timestamp_now(), &report->n_pruned, err);
    /* What pruning removes are other names of files that are published. */
    keep_stamps(p, before->stamps, content->suites);
    return ok;
}

/* In the layout plain. */
static bool publish_flat(struct hallmark_publisher *p, const struct publication *before,
                         struct publication_suites *suites, const struct flat_index *index,
                         struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct flat_index_published files;
    struct publication_content content = {.suites = suites, .n_packages = report->n_packages};
    bool ok;

    flat_index_list(index, &suites->suites[0].release, &files);
    content.files = files.files;
    content.n_files = files.n_files;
    ok = publish(p, before, &content, report, err);
    flat_index_published_free(&files);
    return ok;
}

/* Losing them costs time only. */
static void keep_blocks(struct hallmark_publisher *p, struct block_cache *blocks)
{
    struct hallmark_error why = {0};

    if (!block_cache_save(blocks, &why))
        publisher_note(p, HALLMARK_NOTE_WARNING, "the list of blocks cannot be kept: %s", why.text);
}

/* In the layout apt. What is pending in TREE (NULL: nothing) is written first. */
static bool publish_apt(struct hallmark_publisher *p, const struct publication *before,
                        struct publication_suites *suites, struct apt_tree *tree,
                        struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct publication_content content = {.suites = suites, .n_packages = report->n_packages};
    struct apt_files files = {.n_files = 0};
    struct block_cache *blocks = block_cache_load(p->statefd, p->rootfd);
    struct publish_stage stage;
    bool ok;

    if (tree)
        apt_tree_use_blocks(tree, blocks);
    ok = publish_stage_open(&stage, p->rootfd, PUBLISH_DROP_LEFTOVERS, err) &&
         (!tree || apt_tree_write(tree, stage.fd, suites, err));

    if (ok) {
        apt_files_list(tree ? apt_tree_staged(tree) : NULL, suites, &files);
        content.files = files.files;
        content.n_files = files.n_files;
        ok = publish(p, before, &content, report, err);
        apt_files_free(&files);
    }
    publish_stage_close(&stage);
    if (ok)
        keep_blocks(p, blocks);
    block_cache_free(blocks);
    return ok;
}

static bool is_signed_as_configured(const struct hallmark_publisher *p,
                                    const struct publication *before)
{
    char *wanted = strlist_join(&p->fingerprints);
    bool is_same = before->signed_by && strcmp(before->signed_by, wanted) == 0;

    free(wanted);
    return is_same;
}

static bool is_young(const struct hallmark_publisher *p, const struct publication *before)
{
    const struct release *release = publication_release(before);
    int64_t now = p->options->source_date_epoch ? p->options->source_date_epoch : timestamp_now();

    return release->valid_until - release->date == settings_valid_for(p->settings) &&
           release->valid_until - now > settings_refresh_before(p->settings);
}

/* Why a new manifest is needed; NULL where it is not. */
static const char *reason_to_publish(const struct hallmark_publisher *p,
                                     const struct publication *before,
                                     const struct generated *generated)
{
    if (!before->has_release)
        return "nothing is published yet";
    if ((generated->apt && apt_tree_count_pending(generated->apt) && before->is_intact) ||
        ((!generated->apt || before->is_intact) &&
         !publication_is_same_content(&before->suites, &generated->suites)))
        return "the content has changed";
    if (!before->is_intact)
        return "what is published is not what was published last";
    if (!is_signed_as_configured(p, before))
        return "the signing keys have changed";
    if (!is_young(p, before))
        return "the manifest is no longer young";
    return NULL;
}

/* The cache is worth a write of its own only when something changed: a run that finds nothing to do
 * writes nothing at all. */
static void save_cache(struct hallmark_publisher *p, const struct digest_cache *old,
                       struct digest_cache *new, const char *reason)
{
    struct hallmark_error why = {0};
    enum digest_cache_difference difference = digest_cache_compare(old, new);

    if (difference == DIGEST_CACHE_CHANGED || (difference == DIGEST_CACHE_FRESHER && reason))
        if (!digest_cache_save(new, p->statefd, &why))
            publisher_note(p, HALLMARK_NOTE_WARNING, "the digest cache cannot be kept: %s",
                           why.text);
}

/* An empty or decimated tree is a disk that is not mounted more often than a decision. */
static bool check_loss(const struct hallmark_publisher *p, const struct survey *survey,
                       const struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    enum { WHOLE = 100 }; /* percent */
    size_t n_before = survey->n_before;

    if (p->options->accept_loss)
        return true;
    if (survey->generated.apt ? report->n_packages == 0
                              : survey->generated.suites.suites[0].release.n_entries == 0)
        return error_set(err, HALLMARK_ERR_CONTENT,
                         "%s: holds no packages (is a disk not mounted?); --accept-loss publishes "
                         "it like that",
                         p->root);
    if (report->n_removed * WHOLE <= n_before * settings_max_vanished(p->settings))
        return true;
    return error_set(err, HALLMARK_ERR_CONTENT,
                     "%s: %zu of %zu published packages have vanished, more than %u%%; "
                     "--accept-loss publishes what is left, Max-Vanished sets the share",
                     p->root, report->n_removed, n_before, settings_max_vanished(p->settings));
}

/* Clients have refused the repository since the last manifest expired, or will refuse the new one
 * before a run that takes as long to come as this one. */
static void warn_of_gap(const struct hallmark_publisher *p, const struct publication *before)
{
    const struct release *release = publication_release(before);
    int64_t until = release->valid_until, age = timestamp_now() - release->date;
    char when[TIMESTAMP_TEXT_LEN], ago[TIMESTAMP_TEXT_LEN];

    if (!before->has_release || !until || p->options->source_date_epoch)
        return;
    if (until < timestamp_now()) {
        timestamp_write_rfc1123(until, when);
        timestamp_write_duration(timestamp_now() - until, ago);
        publisher_note(p, HALLMARK_NOTE_WARNING,
                       "the last manifest expired on %s, %s ago, and clients refused it since: "
                       "update more often, or set a longer Valid-For",
                       when, ago);
    } else if (age > settings_valid_for(p->settings)) {
        timestamp_write_duration(age, ago);
        timestamp_write_duration(settings_valid_for(p->settings), when);
        publisher_note(p, HALLMARK_NOTE_WARNING,
                       "the last manifest is from %s ago, and the new one is valid for %s only: "
                       "update more often, or set a longer Valid-For",
                       ago, when);
    }
}

/* What a run left undone that was killed; there is nothing to do after others. */
static bool tidy(const struct hallmark_publisher *p, const struct publication *before,
                 struct hallmark_error *err)
{
    return (before->is_settled || publication_settle(p->rootfd, p->statefd, before, err)) &&
           publish_clean(p->rootfd, err);
}

/* Publishes what the survey found. */
static bool publish_survey(struct hallmark_publisher *p, struct survey *survey,
                           struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct generated *generated = &survey->generated;

    return generated->apt
               ? publish_apt(p, &survey->before, &generated->suites, generated->apt, report, err)
               : publish_flat(p, &survey->before, &generated->suites, &generated->index, report,
                              err);
}

static bool tell_broken(const struct hallmark_publisher *p,
                        const struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    return report->n_broken == 0 ||
           error_set(err, HALLMARK_ERR_MALFORMED,
                     "%s: %zu package%s left out, for the reasons above; the rest is published",
                     p->root, report->n_broken, report->n_broken == 1 ? " was" : "s were");
}

bool hallmark_publisher_update(struct hallmark_publisher *p,
                               struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct hallmark_publisher_report done = {0};
    struct survey survey = {0};
    const char *reason;
    bool ok = false;

    error_clear(err);
    if (!publisher_open_state(p, PUBLISHER_WRITE, err) ||
        !survey_run(&survey, p, PUBLISHER_WRITE, &done, err))
        goto out;
    reason = reason_to_publish(p, &survey.before, &survey.generated);
    save_cache(p, survey.cache, survey.generated.cache, reason);
    survey_forget_files(&survey);
    if (survey.generated.apt && !apt_contents_save(survey.generated.apt, err))
        goto out;
    publisher_note(p, HALLMARK_NOTE_INFO, "%s", reason ? reason : "nothing has changed");
    if (!check_loss(p, &survey, &done, err) || !check_clock(p, survey.before.last_date, err))
        goto out;
    warn_of_gap(p, &survey.before);
    ok = (reason ? publish_survey(p, &survey, &done, err) : tidy(p, &survey.before, err)) &&
         tell_broken(p, &done, err);
out:
    if (!ok && !done.published && p->lock >= 0)
        index_stamps_remove(p->statefd);
    survey_free(&survey);
    if (report)
        *report = done;
    return ok;
}

/* In the layout apt: finds out whether what is published is intact, and how many packages it has;
 * where that was not recorded, from the indexes. */
static bool check_apt(struct hallmark_publisher *p, struct publication *before, size_t *n_packages,
                      struct hallmark_error *err)
{
    struct apt_pool_counts counts = {.n_packages = 0};
    struct apt_tree *tree;
    uint64_t n;

    if (before->packages && encoding_parse_size(bytes_view_str(before->packages), &n)) {
        *n_packages = (size_t)n;
        return apt_files_check_all(p->rootfd, before, err);
    }
    tree = apt_tree_new(p->settings, before, p->rootfd, -1, err);
    if (!tree)
        return false;
    apt_pool_count(apt_tree_pool(tree), &counts);
    apt_tree_free(tree);
    *n_packages = counts.n_before;
    return true;
}

/* Publishes what is published, which is intact, again; in the layout apt that is found out here. */
static bool publish_again(struct hallmark_publisher *p, struct publication *before,
                          struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    bool is_apt = settings_layout(p->settings) == SETTINGS_APT;

    if (is_apt && !check_apt(p, before, &report->n_packages, err))
        return false;
    if (!is_apt)
        report->n_packages = release_count_packages(publication_release(before));
    if (!before->is_intact)
        return error_set(err, HALLMARK_ERR_CONTENT,
                         "%s: what is published is not what was published last, so it is not "
                         "signed again; update publishes what the packages say",
                         p->root);
    return is_apt ? publish_apt(p, before, &before->suites, NULL, report, err)
                  : publish_flat(p, before, &before->suites, &before->index, report, err);
}

bool hallmark_publisher_resign(struct hallmark_publisher *p,
                               struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct hallmark_publisher_report done = {0};
    struct publication before = {0};
    bool ok = false;

    error_clear(err);
    if (!publisher_open_state(p, PUBLISHER_WRITE, err) ||
        !publication_load(p->rootfd, p->statefd, p->settings, &before, err))
        goto out;
    if (p->options->scrub)
        index_stamps_forget(before.stamps);
    if (!before.has_release)
        error_set(err, HALLMARK_ERR_USAGE, "%s: nothing is published yet; update does that",
                  p->root);
    else
        ok = publish_again(p, &before, &done, err);
out:
    publication_free(&before);
    if (report)
        *report = done;
    return ok;
}

bool hallmark_publisher_prune(struct hallmark_publisher *p,
                              struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct hallmark_publisher_report done = {0};
    struct publication before = {0};
    bool ok;

    error_clear(err);
    ok = publisher_open_state(p, PUBLISHER_WRITE, err);
    if (ok && settings_layout(p->settings) == SETTINGS_APT &&
        publication_load(p->rootfd, p->statefd, p->settings, &before, NULL))
        apt_files_note_known(&before);
    ok = ok && publish_prune(p->rootfd, settings_keep_generations(p->settings),
                             settings_keep_for(p->settings), timestamp_now(), &done.n_pruned, err);
    if (done.n_pruned)
        keep_stamps(p, before.stamps, &before.suites);
    publication_free(&before);
    if (report)
        *report = done;
    return ok;
}
