/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One run of a mirror, step by step: what is upstream (mirror_upstream.h), what it lists, staged
 * and verified (mirror_stage.h), the files that are missing (mirror_fetch.h), and the switch to it
 * (mirror_commit.h); from one location after another (mirror_attempt.h).
 */
#ifndef REPO_MIRROR_H
#define REPO_MIRROR_H

#include "base/error.h"
#include "repo/mirror_files.h"
#include "repo/mirror_record.h"
#include "repo/repository.h"
#include "system/publish_stage.h"

enum { MIRROR_INRELEASE, MIRROR_RELEASE, MIRROR_SIGNATURE, MIRROR_DOCUMENTS };

/* "InRelease", "Release", "Release.gpg". */
extern const char *const mirror_documents[MIRROR_DOCUMENTS];

struct mirror_document {
    bool exists;
    struct bytes data;
};

/* One manifest upstream. */
struct mirror_suite {
    struct hallmark_repository *upstream;
    const char *directory; /* of the manifest, below the root; "" for the root itself; lent */
    struct mirror_document documents[MIRROR_DOCUMENTS]; /* as upstream serves them */
    bool is_served;                                     /* the mirror serves the same ones */
};

/* A file of the new generation, waiting in the stage. */
struct mirror_staged {
    char *name;   /* in the generation; of one that has several, one item for each */
    char *staged; /* in the stage */
    int64_t mtime;
};

/* Whose failure it is that ends an attempt: only where it is that of the location can another one
 * help. */
enum mirror_blame { MIRROR_BLAME_LOCATION, MIRROR_BLAME_HERE };

struct mirror {
    const struct hallmark_mirror_options *options;
    const char *source;           /* the location of this attempt */
    const char *const *locations; /* all of them; NULL: there is only that */
    int64_t now;                  /* by which this attempt judges dates */
    enum mirror_blame blame;
    struct bytes keyring;
    struct repository_keys keys; /* with which manifests are verified until files are fetched */
    struct strlist components, architectures, packages; /* wanted, sorted, each once */
    char *root;       /* DEST without links; NULL: there is none yet, in a dry run */
    char *state_base; /* the policy's state directory; in it, this mirror's own is open as: */
    int rootfd, statefd, lock;   /* -1 while not open */
    struct mirror_record record; /* of the last complete run */
    struct mirror_retired_list retired;
    struct digest_cache *cache; /* likewise; NULL: none */
    struct mirror_suite *suites;
    size_t n_suites;
    struct verified_release *ping; /* NULL: none */
    struct publish_stage stage;
    bool is_left_taken; /* what an earlier attempt has left in its stage has been looked at */
    struct mirror_staged *staged;
    size_t n_staged, staged_cap;
    struct mirror_files files;
    uint64_t n_done, n_total; /* bytes, for the progress function */
    struct hallmark_mirror_report report;
};

/* Tells one line, escaped, to whom the options name. */
void mirror_note(const struct mirror *mirror, enum hallmark_note kind, const char *fmt, ...)
    ERROR_PRINTF(3, 4);

/* Whether a package of that name is wanted. */
bool mirror_wants(const struct mirror *mirror, const char *name);

/* A sink that counts bytes for the progress function; its context is the struct mirror. */
bool mirror_count(void *ctx, const void *data, size_t len, struct hallmark_error *err);

/* Notes that a failure is none of the location. Gives OK. */
bool mirror_here(struct mirror *mirror, bool ok);

/* The policy of the options, as of now, without other locations, for the suite NAME (NULL: whatever
 * it is), with STATE_DIR, and with what the mirror wants of components and architectures, which
 * LISTS (freed by the caller) holds for it. */
struct mirror_policy {
    struct hallmark_policy policy;
    const char **components, **architectures;
};
void mirror_policy_make(struct mirror_policy *out, const struct mirror *mirror, const char *suite,
                        const char *state_dir);
void mirror_policy_free(struct mirror_policy *policy);

/* Opens DEST and what is remembered of it; unless this is a dry run, makes both and takes the lock.
 */
bool mirror_open(struct mirror *mirror, const char *dest, struct hallmark_error *err);
void mirror_end_keys(struct mirror *mirror);

/* Forgets what an attempt has found, for another one. */
void mirror_reset(struct mirror *mirror);
void mirror_close(struct mirror *mirror);

#endif
