/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judging a ping. */
#include "repo/mirror_ping.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "crypto/digest.h"
#include "crypto/openpgp.h"
#include "format/clearsign.h"

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Whether both are manifests of one suite of one source. */
static bool is_same_suite(const struct release *a, const struct release *b)
{
    return is_same_text(a->suite, b->suite) && is_same_text(a->codename, b->codename) &&
           is_same_text(a->origin, b->origin) && is_same_text(a->label, b->label);
}

static bool verify(struct mirror *mirror, struct hallmark_error *err)
{
    const struct hallmark_mirror_options *options = mirror->options;
    struct release_document document = {.name = "the ping",
                                        .text = bytes_view_of(options->ping, options->ping_len)};
    struct hallmark_policy wanted = *options->policy;
    struct release_floor floor = {0};
    struct policy policy = {0};
    struct openpgp *keys;

    if (options->ping_len > LIMITS_MANIFEST_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "the ping has more than %d bytes",
                         LIMITS_MANIFEST_BYTES);
    wanted.suite = NULL;
    if (!policy_from(&policy, &wanted, err))
        return false;
    keys = openpgp_open(bytes_view(&mirror->keyring), wanted.now + wanted.clock_skew, err);
    if (keys)
        mirror->ping = release_trust_verify(&document, keys, &policy, &floor, err);
    openpgp_close(keys);
    policy_free(&policy);
    return mirror->ping != NULL;
}

/* ---- What is served ------------------------------------------------------------------------- */

/* Parses the manifest TEXT; that which is inline where IS_INLINE. */
static bool parse(struct bytes_view text, size_t kind, struct release *out, char *sha256)
{
    struct clearsign split = {0};
    struct digest_value digest;
    bool ok = true;

    if (kind == MIRROR_INRELEASE) {
        ok = clearsign_split(&split, text, mirror_documents[kind], NULL);
        text = split.text;
    }
    ok = ok && release_parse(out, text, NULL) && digest_bytes(DIGEST_SHA256, text, &digest, NULL);
    if (ok)
        encoding_hex(sha256, digest.sha256, sizeof digest.sha256);
    clearsign_free(&split);
    return ok;
}

static bool compare(const struct mirror *mirror, const struct release *served, const char *sha256,
                    enum mirror_ping *out, struct hallmark_error *err)
{
    const struct verified_release *ping = mirror->ping;
    char ours[TIMESTAMP_TEXT_LEN], theirs[TIMESTAMP_TEXT_LEN];

    if (!is_same_suite(served, &ping->release) || served->date < ping->release.date)
        return true;
    if (strcmp(sha256, ping->sha256) == 0) {
        *out = MIRROR_PING_KNOWN;
        return true;
    }
    timestamp_write_rfc1123(served->date, ours);
    timestamp_write_rfc1123(ping->release.date, theirs);
    if (served->date > ping->release.date)
        return error_set(
            err, HALLMARK_ERR_ROLLBACK,
            "the ping: is dated %s, but %s serves a manifest dated %s: this is an old one", theirs,
            mirror->root, ours);
    return error_set(
        err, HALLMARK_ERR_ROLLBACK,
        "the ping: is dated %s and has SHA256 %s, but %s serves a manifest of the same "
        "date with SHA256 %s",
        theirs, ping->sha256, mirror->root, sha256);
}

/* Compares the ping with the document KIND of the directory NAME that is served. */
static bool compare_served(const struct mirror *mirror, const char *name, size_t kind,
                           enum mirror_ping *out, struct hallmark_error *err)
{
    char *path = path_join(strcmp(name, ".") == 0 ? "" : name, mirror_documents[kind]);
    char sha256[2 * RELEASE_SHA256_LEN + 1];
    struct release release = {0};
    struct bytes data = {0};
    bool exists = false;
    bool ok = file_read(mirror->rootfd, path, LIMITS_MANIFEST_BYTES, &data, &exists, err);

    if (ok && exists && parse(bytes_view(&data), kind, &release, sha256))
        ok = compare(mirror, &release, sha256, out, err);
    release_free(&release);
    bytes_free(&data);
    free(path);
    return ok;
}

bool mirror_ping_open(struct mirror *mirror, enum mirror_ping *out, struct hallmark_error *err)
{
    const struct mirror_record *record = &mirror->record;
    bool ok = true;
    size_t i, kind;

    *out = MIRROR_PING_NEWS;
    if (!mirror->options->ping)
        return true;
    if (!verify(mirror, err))
        return false;
    for (i = 0; ok && i < record->n_suites; i++)
        for (kind = MIRROR_INRELEASE; ok && kind <= MIRROR_RELEASE; kind++)
            ok = compare_served(mirror, record->suites[i].directory, kind, out, err);
    return ok;
}

/* ---- What is upstream ----------------------------------------------------------------------- */

bool mirror_ping_check(const struct mirror *mirror, struct hallmark_error *err)
{
    char ours[TIMESTAMP_TEXT_LEN], theirs[TIMESTAMP_TEXT_LEN];
    const struct release *ping, *found;
    size_t i;

    if (!mirror->ping)
        return true;
    ping = &mirror->ping->release;
    for (i = 0; i < mirror->n_suites; i++) {
        found = &mirror->suites[i].upstream->verified->release;
        if (!is_same_suite(found, ping))
            continue;
        if (found->date >= ping->date)
            return true;
        timestamp_write_rfc1123(found->date, ours);
        timestamp_write_rfc1123(ping->date, theirs);
        return error_set(err, HALLMARK_ERR_IO,
                         "%s: is dated %s yet, and the ping tells of one dated %s",
                         mirror->suites[i].upstream->place.url, ours, theirs);
    }
    return error_set(err, HALLMARK_ERR_USAGE,
                     "the ping: is of the suite \"%s\", which is none of those that are mirrored",
                     ping->suite ? ping->suite : "");
}
