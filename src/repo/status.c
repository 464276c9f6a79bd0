/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_publisher_status(): what is published, and how long that will do. */
#include "base/timestamp.h"
#include "repo/signing_keys.h"
#include "repo/survey.h"

enum { ATTENTION_SHARE = 4 }; /* attention when less than 1/4 of Valid-For is left */

static bool check_keys(struct hallmark_publisher *p, int64_t now, struct signing_keys_end *end,
                       struct hallmark_error *err)
{
    struct openpgp *keys = signing_keys_open(p, now, err);
    bool ok = keys && signing_keys_check(p, keys, end, err);

    openpgp_close(keys);
    return ok;
}

static bool judge(struct hallmark_publisher *p, const struct publication *before,
                  struct hallmark_error *err)
{
    int64_t until = publication_release(before)->valid_until;
    int64_t now = timestamp_now(), left = until - now;
    char when[TIMESTAMP_TEXT_LEN], in[TIMESTAMP_TEXT_LEN];
    struct signing_keys_end end = {0};

    if (!before->has_release)
        return error_set(err, HALLMARK_ATTENTION, "%s: nothing is published yet", p->root);
    timestamp_write_rfc1123(until, when);
    if (until && left < 0)
        return error_set(err, HALLMARK_ERR_STALE, "%s: the manifest expired on %s", p->root, when);
    if (p->fingerprints.n_items && !check_keys(p, now, &end, err))
        return false;
    if (!before->is_intact)
        return error_set(err, HALLMARK_ATTENTION,
                         "%s: what is published is not what was published last", p->root);
    timestamp_write_duration(left, in);
    if (until && left < settings_valid_for(p->settings) / ATTENTION_SHARE)
        return error_set(err, HALLMARK_ATTENTION, "%s: the manifest expires on %s, in %s", p->root,
                         when, in);
    if (signing_keys_is_ending(&end, now)) {
        timestamp_write_rfc1123(end.when, when);
        return error_set(err, HALLMARK_ATTENTION, "%s: key %s expires on %s", p->root, end.who,
                         when);
    }
    return true;
}

bool hallmark_publisher_status(struct hallmark_publisher *p,
                               struct hallmark_publisher_report *report, struct hallmark_error *err)
{
    struct hallmark_publisher_report done = {0};
    struct survey survey = {0};
    bool ok = false;

    error_clear(err);
    if (publisher_open_state(p, PUBLISHER_READ, err) &&
        survey_run(&survey, p, PUBLISHER_READ, &done, err)) {
        if (survey.before.has_release)
            done.n_packages = survey.n_before;
        ok = judge(p, &survey.before, err);
    }
    survey_free(&survey);
    if (report)
        *report = done;
    return ok;
}
