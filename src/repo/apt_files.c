/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listing the files of a generation, and comparing them. */
#include "repo/apt_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/path.h"
#include "crypto/digest.h"

void apt_files_add_staged(struct apt_staged *staged, const char *path, const char *name)
{
    strlist_add(&staged->paths, path);
    strlist_add(&staged->names, name);
}

void apt_files_free_staged(struct apt_staged *staged)
{
    strlist_free(&staged->paths);
    strlist_free(&staged->names);
}

static const char *find_staged(const struct apt_staged *staged, const char *path)
{
    size_t i;

    for (i = 0; staged && i < staged->paths.n_items; i++)
        if (strcmp(staged->paths.items[i], path) == 0)
            return staged->names.items[i];
    return NULL;
}

static void add_file(struct apt_files *out, const char *name, const char *staged)
{
    strlist_add(&out->names, name);
    out->files = alloc_one_more(out->files, out->n_files, &out->cap, sizeof *out->files);
    out->files[out->n_files++] = (struct publish_file){
        .name = out->names.items[out->names.n_items - 1],
        .staged = staged,
        .is_carried = !staged,
    };
}

/* Adds the file at PATH under one of its hashes. */
static void add_by_hash(struct apt_files *out, const char *path, const char *algorithm,
                        struct bytes_view hash, const char *staged)
{
    char hex[2 * RELEASE_SHA512_LEN + 1], *name;
    size_t len = (size_t)(path_basename(path) - path);

    encoding_hex(hex, hash.data, hash.len);
    name = alloc_printf("%.*sby-hash/%s/%s", (int)len, path, algorithm, hex);
    /* Two empty indexes of a directory are the same file. */
    if (!strlist_has(&out->names, name))
        add_file(out, name, staged);
    free(name);
}

static void list_entry(const struct apt_staged *written, const struct publication_suite *suite,
                       const struct release_entry *entry, struct apt_files *out)
{
    char *path = path_join(suite->directory, entry->path);
    const char *staged = find_staged(written, path);

    add_file(out, path, staged);
    if (suite->release.hashes & RELEASE_SHA256)
        add_by_hash(out, path, "SHA256", bytes_view_of(entry->sha256, sizeof entry->sha256),
                    staged);
    if (suite->release.hashes & RELEASE_SHA512)
        add_by_hash(out, path, "SHA512", bytes_view_of(entry->sha512, RELEASE_SHA512_LEN), staged);
    free(path);
}

void apt_files_list(const struct apt_staged *written, const struct publication_suites *suites,
                    struct apt_files *out)
{
    size_t i, k;

    for (i = 0; i < suites->n_suites; i++)
        for (k = 0; k < suites->suites[i].release.n_entries; k++)
            list_entry(written, &suites->suites[i], &suites->suites[i].release.entries[k], out);
}

void apt_files_free(struct apt_files *files)
{
    free(files->files);
    strlist_free(&files->names);
    *files = (struct apt_files){.n_files = 0};
}

/* Compares the file at PATH with ENTRY: *IS_RIGHT becomes false where it differs or is not there.
 */
static bool check(int rootfd, const char *path, const struct release_entry *entry, bool *is_right,
                  struct hallmark_error *err)
{
    enum { STEP = 256 * 1024 };
    struct digest *digest = digest_new(DIGEST_SHA256, err);
    struct digest_value value;
    int fd = file_open_served(rootfd, path, err);
    char *buf = alloc_array(STEP, 1);
    ssize_t n = -1;
    bool ok = digest != NULL && fd >= 0;

    if (digest && fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        *is_right = false;
        ok = true;
    }
    while (ok && fd >= 0 && (n = file_read_some(fd, buf, STEP)) > 0)
        ok = digest_update(digest, buf, (size_t)n, err);
    if (ok && fd >= 0) {
        ok = n == 0 ? digest_final(digest, &value, err) : error_set_errno(err, "%s", path);
        if (ok && memcmp(value.sha256, entry->sha256, sizeof value.sha256) != 0)
            *is_right = false;
    }
    file_close(&fd);
    digest_free(digest);
    free(buf);
    return ok;
}

bool apt_files_check(int rootfd, const char *path, const struct release_entry *entry,
                     struct publication *before, struct hallmark_error *err)
{
    struct index_stamps_look look;
    bool is_known = index_stamps_knows(before->stamps, path, entry, &look), is_right = true;

    if (!is_known && !check(rootfd, path, entry, &is_right, err))
        return false;
    if (is_right)
        index_stamps_note(before->stamps, path, entry, &look);
    else
        before->is_intact = false;
    return true;
}

void apt_files_note_known(struct publication *before)
{
    const struct publication_suite *suite;
    struct index_stamps_look look;
    char *path;
    size_t i, k;

    for (i = 0; i < before->suites.n_suites; i++) {
        suite = &before->suites.suites[i];
        for (k = 0; k < suite->release.n_entries; k++) {
            path = path_join(suite->directory, suite->release.entries[k].path);
            if (index_stamps_knows(before->stamps, path, &suite->release.entries[k], &look))
                index_stamps_note(before->stamps, path, &suite->release.entries[k], &look);
            free(path);
        }
    }
}

bool apt_files_check_places(int rootfd, struct publication *before, struct hallmark_error *err)
{
    struct apt_files files = {.n_files = 0};
    struct strlist names = {0};
    bool ok;
    size_t i;

    if (!before->is_intact)
        return true;
    apt_files_list(NULL, &before->suites, &files);
    for (i = 0; i < files.n_files; i++)
        strlist_add(&names, files.files[i].name);
    ok = publish_check(rootfd, (const char *const *)names.items, names.n_items, &before->is_intact,
                       err);
    apt_files_free(&files);
    strlist_free(&names);
    return ok;
}

bool apt_files_check_all(int rootfd, struct publication *before, struct hallmark_error *err)
{
    const struct publication_suite *suite;
    bool ok = true;
    size_t i, k;

    for (i = 0; ok && i < before->suites.n_suites; i++) {
        suite = &before->suites.suites[i];
        for (k = 0; ok && k < suite->release.n_entries; k++) {
            char *path = path_join(suite->directory, suite->release.entries[k].path);

            ok = apt_files_check(rootfd, path, &suite->release.entries[k], before, err);
            free(path);
        }
    }
    return ok && apt_files_check_places(rootfd, before, err);
}
