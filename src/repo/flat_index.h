/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The indexes at the root of a repository in the layout plain. Packages, plain and compressed, is
 * that of a flat apt repository, made of the control files of the .deb files in the tree; what was
 * published says the same of packages that have not changed. Unpacked-Sizes is about all archives.
 */
#ifndef REPO_FLAT_INDEX_H
#define REPO_FLAT_INDEX_H

#include "base/bytes.h"
#include "base/error.h"
#include "format/release.h"
#include "system/package.h"
#include "system/publish.h"

enum { FLAT_INDEX_FILES = 5 };

/* "Packages", "Packages.gz", "Packages.xz", "Unpacked-Sizes", "Unpacked-Sizes.xz". */
extern const char *const flat_index_names[FLAT_INDEX_FILES];

/* The files; those of Packages are empty where the tree holds no .deb, and the others where it holds
 * no archive. */
struct flat_index {
    struct bytes files[FLAT_INDEX_FILES];
};

void flat_index_free(struct flat_index *index);

/* Whether PATH belongs into Packages. */
bool flat_index_wants(const char *path);

/* One that is being made. */
struct flat_index_builder;

/* PUBLISHED, which must outlive the builder, is believed: it is known to be what was published
 * last. */
struct flat_index_builder *flat_index_start(const struct flat_index *published, unsigned hashes);
void flat_index_stop(struct flat_index_builder *builder);

/* Whether what is published has the stanza of ENTRY, with these very bytes. */
bool flat_index_knows(const struct flat_index_builder *builder, const struct release_entry *entry);

/* Adds the stanza of ENTRY: the published one, or where CONTROL is not empty one made of that. */
bool flat_index_add(struct flat_index_builder *builder, const struct release_entry *entry,
                    struct bytes_view control, struct hallmark_error *err);

/* Adds the archive at PATH to Unpacked-Sizes. Paths are added in ascending order of their bytes. */
void flat_index_add_sizes(struct flat_index_builder *builder, const char *path,
                          const struct package_totals *totals);

/* Writes the indexes into *OUT and lists its files in RELEASE, which is not sorted after that; its
 * Architectures become those of the packages where it has none. Does nothing where nothing was
 * added. */
bool flat_index_finish(struct flat_index_builder *builder, struct release *release,
                       struct flat_index *out, struct hallmark_error *err);

/* Adds the names by their hashes of the file that ENTRY lists, one below by-hash for each hash that
 * there is: a reader takes the strongest (Acquire-By-Hash of secure apt). */
void flat_index_list_by_hash(const struct release_entry *entry, unsigned hashes,
                             struct strlist *out);

/* The files of an index, each by its name and by its hashes. */
enum { FLAT_INDEX_PUBLISHED = FLAT_INDEX_FILES * 3 };
struct flat_index_published {
    struct publish_file files[FLAT_INDEX_PUBLISHED];
    size_t n_files;
    struct strlist names;
};

/* Lists the files of INDEX, which RELEASE lists; freed by flat_index_published_free(). */
void flat_index_list(const struct flat_index *index, const struct release *release,
                     struct flat_index_published *out);
void flat_index_published_free(struct flat_index_published *published);

#endif
