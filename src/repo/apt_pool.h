/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The packages below pool/ of an apt repository, with their stanzas. Those of packages that have
 * not changed are taken out of the indexes that are published; they stay in files, not in memory.
 */
#ifndef REPO_APT_POOL_H
#define REPO_APT_POOL_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "format/placement.h"
#include "format/release.h"
#include "repo/index_writer.h"
#include "system/package.h"

enum apt_kind { APT_DEB, APT_UDEB };

struct apt_package {
    char *path; /* Filename; the pool holds the texts */
    const char *package, *version, *architecture;
    uint64_t size;
    unsigned char sha256[RELEASE_SHA256_LEN];
    const unsigned char *sha512; /* NULL where the stanza has none */
    uint64_t offset;             /* of the stanza in its source */
    uint32_t len, source;
    enum apt_kind kind;
    bool is_published; /* in the indexes that are published */
    bool is_used;      /* in the tree now */
    bool is_changed;   /* it is published with other bytes */
    struct placed placed;
    struct package_totals totals; /* of one that is used */
};

struct apt_pool;

/* The stanzas have HASHES (enum release_hashes). Texts of new ones go to an unnamed file in SPOOLFD
 * once they are many; -1: they are not kept. */
struct apt_pool *apt_pool_new(unsigned hashes, int spoolfd);
void apt_pool_free(struct apt_pool *pool);

/* A published index at PATH below ROOTFD, which the manifest lists as ENTRY. Where it is known to be
 * that, it is not hashed: damage may then be found by apt_pool_secure() only. */
struct apt_pool_index {
    int rootfd;
    const char *path;
    const struct release_entry *entry;
    bool is_known;
};

/* Reads INDEX. *IS_INTACT becomes false where it is not what is listed: then nothing of what is
 * published is believed, but counted. */
bool apt_pool_load(struct apt_pool *pool, const struct apt_pool_index *index, bool *is_intact,
                   struct hallmark_error *err);
void apt_pool_distrust(struct apt_pool *pool);

/* Whether PATH is a package: .deb, .ddeb, .udeb. */
bool apt_pool_wants(const char *path);

/* Whether what is published has the stanza of ENTRY, with these very bytes. */
bool apt_pool_knows(struct apt_pool *pool, const struct release_entry *entry);

/* Adds ENTRY, in which TOTALS are, with the published stanza, or where CONTROL is not empty with
 * one made of that. */
bool apt_pool_add(struct apt_pool *pool, const struct release_entry *entry,
                  struct bytes_view control, const struct package_totals *totals,
                  struct hallmark_error *err);

/* Told why a package is left out: true to go on without it. */
struct apt_pool_broken {
    bool (*leave_out)(void *ctx, const char *path, const struct hallmark_error *why);
    void *ctx;
};

/* Sorts the packages by Package, Version, Architecture and Filename. HALLMARK_ERR_MALFORMED where
 * two files are the same version of a package and not the same bytes; going on leaves out both. */
bool apt_pool_sort(struct apt_pool *pool, const struct apt_pool_broken *broken,
                   struct hallmark_error *err);

/* After sorting: package INDEX, NULL behind the last. */
struct apt_package *apt_pool_package(struct apt_pool *pool, size_t index);

/* Whether the stanza of PACKAGE is new. */
bool apt_pool_is_new(const struct apt_package *package);

/* Whether the stanza of PACKAGE stands right behind that of BEFORE in a published index; NULL: at
 * its start. */
bool apt_pool_follows(const struct apt_package *before, const struct apt_package *package);

/* Whether the stanza of LAST ends a published index that was read as ENTRY, with its hash. */
bool apt_pool_is_whole(const struct apt_pool *pool, const struct apt_package *last,
                       const struct release_entry *entry);

/* Copies the published indexes to where nobody else writes, comparing them with their hashes again:
 * so what is taken out of them is what was verified. */
bool apt_pool_secure(struct apt_pool *pool, struct hallmark_error *err);

/* Gives the stanza of PACKAGE, with the empty line behind it, to SINK. */
bool apt_pool_write(struct apt_pool *pool, const struct apt_package *package,
                    const struct index_sink *sink, struct hallmark_error *err);

struct apt_pool_counts {
    size_t n_packages, n_before, n_added, n_changed, n_removed;
};
void apt_pool_count(const struct apt_pool *pool, struct apt_pool_counts *out);

#endif
