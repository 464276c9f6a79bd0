/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a generation is made of. */
#include "system/publish_content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"

void publish_content_free(struct publish_content *content)
{
    size_t i;

    for (i = 0; i < content->n_data; i++)
        bytes_free(&content->data[i]);
    strlist_free(&content->names);
    free(content->files);
    free(content->data);
}

void publish_content_add(struct publish_content *content, struct generation_file file)
{
    content->files = alloc_one_more(content->files, content->n_files, &content->files_cap,
                                    sizeof *content->files);
    content->files[content->n_files++] = file;
}

void publish_content_link(struct publish_content *content, const char *name, unsigned long from)
{
    strlist_add(&content->names, name);
    name = content->names.items[content->names.n_items - 1];
    publish_content_add(content, (struct generation_file){.name = name, .from = from});
}

bool publish_content_read(struct publish_content *content, int dirfd, const char *name,
                          struct hallmark_error *err)
{
    struct bytes data = {0};
    int fd = file_open_beneath(dirfd, name, err);
    bool ok;

    if (fd < 0)
        return errno == ENOENT || error_set_errno(err, "%s", name);
    ok = file_read_fd(fd, name, LIMITS_ADOPTED_BYTES, &data, err);
    file_close(&fd);
    if (!ok) {
        bytes_free(&data);
        return false;
    }
    content->data =
        alloc_one_more(content->data, content->n_data, &content->data_cap, sizeof *content->data);
    content->data[content->n_data++] = data;
    publish_content_add(content, (struct generation_file){.name = name, .data = bytes_view(&data)});
    return true;
}

bool publish_content_is_by_hash(const char *name)
{
    const char *found = strstr(name, PUBLISH_CONTENT_BY_HASH "/");

    return found && (found == name || found[-1] == '/');
}

/* Whether the file NAME of the generation FD is another name of one of TOPS. */
static bool is_own(int fd, const char *name, const struct stat *tops, size_t n_tops)
{
    struct stat st;
    size_t i;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    for (i = 0; i < n_tops; i++)
        if (tops[i].st_ino == st.st_ino && tops[i].st_dev == st.st_dev)
            return true;
    return false;
}

bool publish_content_carry(struct publish_content *content, const struct generation_store *store,
                           unsigned long number, struct hallmark_error *err)
{
    struct strlist names = {0};
    int fd = generation_open_directory(store, number, err);
    bool ok = fd >= 0 && generation_list_files(fd, &names, err);
    struct stat *tops = alloc_array(names.n_items, sizeof *tops);
    size_t i, n_tops = 0;

    for (i = 0; ok && i < names.n_items; i++)
        if (!publish_content_is_by_hash(names.items[i]) &&
            fstatat(fd, names.items[i], &tops[n_tops], AT_SYMLINK_NOFOLLOW) == 0)
            n_tops++;
    for (i = 0; ok && i < names.n_items; i++)
        if (publish_content_is_by_hash(names.items[i]) && is_own(fd, names.items[i], tops, n_tops))
            publish_content_link(content, names.items[i], number);
    free(tops);
    strlist_free(&names);
    file_close(&fd);
    return ok;
}
