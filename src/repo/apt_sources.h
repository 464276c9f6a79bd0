/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The source packages below pool/ of an apt repository: each .dsc, and the files that it lists, which
 * lie beside it. The stanzas of those that have not changed are taken out of the published indexes.
 */
#ifndef REPO_APT_SOURCES_H
#define REPO_APT_SOURCES_H

#include "base/bytes.h"
#include "base/error.h"
#include "format/placement.h"
#include "format/release.h"
#include "repo/apt_pool.h"
#include "repo/index_writer.h"

struct apt_sources;

/* The stanzas have HASHES (enum release_hashes). */
struct apt_sources *apt_sources_new(unsigned hashes);
void apt_sources_free(struct apt_sources *sources);

/* Reads the published index Sources at PATH, as apt_pool_load() reads Packages. */
bool apt_sources_load(struct apt_sources *sources, int rootfd, const char *path,
                      const struct release_entry *entry, bool *is_intact,
                      struct hallmark_error *err);
void apt_sources_distrust(struct apt_sources *sources);

/* Whether PATH is a .dsc. */
bool apt_sources_wants(const char *path);

/* Whether what is published has the stanza of ENTRY, a .dsc, with these very bytes. */
bool apt_sources_knows(const struct apt_sources *sources, const struct release_entry *entry);

/* Adds the .dsc ENTRY, with the published stanza or, where TEXT is not empty, with one to be made of
 * that. HALLMARK_ERR_MALFORMED: what dsc_parse() refuses. */
bool apt_sources_add(struct apt_sources *sources, const struct release_entry *entry,
                     struct bytes_view text, struct hallmark_error *err);

/* Whether a .dsc that was added lists the file at PATH. */
bool apt_sources_lists(struct apt_sources *sources, const char *path);

/* Adds a file that is listed. */
void apt_sources_add_file(struct apt_sources *sources, const struct release_entry *entry);

/* Places all source packages. HALLMARK_ERR_CONTENT where a file that a .dsc lists is not there, or
 * has another size or hash; HALLMARK_ERR_MALFORMED where two .dsc files are the same version of a
 * package and not the same bytes; what placement_find() refuses. Going on leaves them out. */
bool apt_sources_plan(struct apt_sources *sources, const struct placement *placement,
                      const struct apt_pool_broken *broken, struct hallmark_error *err);

/* After planning: whether there is any source package. */
bool apt_sources_has_any(const struct apt_sources *sources);

/* Gives the index of SUITE and COMPONENT to SINK. */
bool apt_sources_write(const struct apt_sources *sources, size_t suite, size_t component,
                       const struct index_sink *sink, struct hallmark_error *err);

/* Adds the source packages to OUT. */
void apt_sources_count(const struct apt_sources *sources, struct apt_pool_counts *out);

#endif
