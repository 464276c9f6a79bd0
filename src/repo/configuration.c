/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_settings_*(): the configured repositories, in files under repositories.d. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/strlist.h"
#include "format/settings.h"
#include "repo/location.h"

enum { CONFIG_DIRECTORY = 0755, CONFIG_FILE = 0644 };

static const char suffix[] = ".conf";

struct hallmark_settings *hallmark_settings_new(void)
{
    return alloc_array(1, sizeof(struct hallmark_settings));
}

void hallmark_settings_free(struct hallmark_settings *settings)
{
    if (!settings)
        return;
    settings_clear(settings);
    free(settings);
}

bool hallmark_settings_set(struct hallmark_settings *settings, const char *field, const char *value,
                           struct hallmark_error *err)
{
    enum settings_field which = settings_find_field(field);

    error_clear(err);
    if (which == SETTINGS_N_FIELDS)
        return error_set(err, HALLMARK_ERR_USAGE, "there is no field \"%s\"", field);
    return settings_set(settings, which, value, err);
}

const char *hallmark_settings_get(const struct hallmark_settings *settings, const char *field)
{
    enum settings_field which = settings_find_field(field);

    return which == SETTINGS_N_FIELDS ? NULL : settings->values[which];
}

/* CONF_DIR/repositories.d, by default the user's or the system's. */
static char *directory(const char *conf_dir, struct hallmark_error *err)
{
    char *base = conf_dir ? alloc_strdup(conf_dir) : location_config(err);
    char *dir = base ? path_join(base, "repositories.d") : NULL;

    free(base);
    return dir;
}

/* The names that have a file in DIR, sorted. A directory that is missing holds none. */
static bool list_names(const char *dir, struct strlist *out, struct hallmark_error *err)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;
    size_t len;
    bool ok = true;

    if (!stream)
        return errno == ENOENT || error_set_errno(err, "%s", dir);
    while ((errno = 0, entry = readdir(stream)) != NULL) {
        len = strlen(entry->d_name);
        if (entry->d_name[0] != '.' && len >= sizeof suffix &&
            strcmp(entry->d_name + len - strlen(suffix), suffix) == 0)
            strlist_add_view(out, bytes_view_of(entry->d_name, len - strlen(suffix)));
    }
    if (errno)
        ok = error_set_errno(err, "%s", dir);
    closedir(stream);
    strlist_sort(out);
    return ok;
}

/* The settings in DIR/NAME.conf. */
static struct hallmark_settings *load_file(const char *dir, const char *name,
                                           struct hallmark_error *err)
{
    char *path = alloc_printf("%s/%s%s", dir, name, suffix);
    struct hallmark_settings *settings = hallmark_settings_new();
    struct bytes text = {0};
    bool ok = file_read(AT_FDCWD, path, LIMITS_SETTINGS_BYTES, &text, NULL, err) &&
              settings_parse(settings, bytes_view(&text), path, err);

    if (ok && !settings->values[SETTINGS_NAME])
        ok = settings_set(settings, SETTINGS_NAME, name, err);
    if (ok && strcmp(settings->values[SETTINGS_NAME], name) != 0)
        ok = error_set(err, HALLMARK_ERR_USAGE, "%s: says Name: %s, its own name says %s", path,
                       settings->values[SETTINGS_NAME], name);
    if (ok && !settings->values[SETTINGS_ROOT])
        ok = error_set(err, HALLMARK_ERR_USAGE, "%s: has no Root", path);
    if (!ok) {
        hallmark_settings_free(settings);
        settings = NULL;
    }
    bytes_free(&text);
    free(path);
    return settings;
}

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_same_directory(const char *a, const char *b)
{
    char *real_a = realpath(a, NULL), *real_b = realpath(b, NULL);
    bool is_same = real_a && real_b && strcmp(real_a, real_b) == 0;

    free(real_a);
    free(real_b);
    return is_same;
}

/* Whether the name NAME, or the directory that it is, means SETTINGS. */
static bool is_meant(const struct hallmark_settings *settings, const char *name_or_root)
{
    return strcmp(settings->values[SETTINGS_NAME], name_or_root) == 0 ||
           is_same_directory(settings->values[SETTINGS_ROOT], name_or_root);
}

struct hallmark_settings *hallmark_settings_load(const char *conf_dir, const char *name_or_root,
                                                 struct hallmark_error *err)
{
    char *dir;
    struct strlist names = {0};
    struct hallmark_settings *found = NULL, *settings;
    size_t i;

    error_clear(err);
    dir = directory(conf_dir, err);
    if (!dir || !list_names(dir, &names, err))
        goto out;
    if (strlist_has(&names, name_or_root)) {
        found = load_file(dir, name_or_root, err);
        goto out;
    }
    /* What is no directory can be no root, and then the other files do not matter. */
    for (i = 0; is_directory(name_or_root) && i < names.n_items && !found; i++) {
        settings = load_file(dir, names.items[i], err);
        if (!settings)
            goto out;
        if (is_meant(settings, name_or_root))
            found = settings;
        else
            hallmark_settings_free(settings);
    }
out:
    strlist_free(&names);
    free(dir);
    return found;
}

/* The list in one piece of memory: the pointers, then the strings. */
static char **flatten(const struct strlist *names)
{
    size_t i, len = (names->n_items + 1) * sizeof(char *);
    char **list, *text;

    for (i = 0; i < names->n_items; i++)
        len += strlen(names->items[i]) + 1;
    list = alloc_array(len, 1);
    text = (char *)(list + names->n_items + 1);
    for (i = 0; i < names->n_items; i++) {
        list[i] = text;
        text = stpcpy(text, names->items[i]) + 1;
    }
    return list;
}

char **hallmark_settings_list(const char *conf_dir, struct hallmark_error *err)
{
    struct strlist names = {0};
    char **list = NULL, *dir;

    error_clear(err);
    dir = directory(conf_dir, err);
    if (dir && list_names(dir, &names, err))
        list = flatten(&names);
    strlist_free(&names);
    free(dir);
    return list;
}

static bool check_complete(const struct hallmark_settings *settings, struct hallmark_error *err)
{
    if (!settings->values[SETTINGS_NAME])
        return error_set(err, HALLMARK_ERR_USAGE, "the repository needs a name (--name)");
    if (!settings->values[SETTINGS_ROOT])
        return error_set(err, HALLMARK_ERR_USAGE, "the repository needs a root (--root)");
    return settings_check(settings, err);
}

bool hallmark_settings_save(const struct hallmark_settings *settings, const char *conf_dir,
                            char **path, struct hallmark_error *err)
{
    struct bytes text = {0};
    char *dir, *name = NULL;
    int dirfd = -1;
    bool ok = false;

    error_clear(err);
    if (!check_complete(settings, err))
        return false;
    dir = directory(conf_dir, err);
    if (!dir)
        return false;
    dirfd = file_make_directories(dir, CONFIG_DIRECTORY, err);
    if (dirfd < 0)
        goto out;
    name = alloc_printf("%s%s", settings->values[SETTINGS_NAME], suffix);
    if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        error_set(err, HALLMARK_ERR_USAGE, "%s/%s: exists already and is left as it is", dir, name);
        goto out;
    }
    settings_write(settings, &text);
    ok =
        file_create(dirfd, name, bytes_view(&text), CONFIG_FILE, err) && file_sync(dirfd, dir, err);
    if (ok && path)
        *path = path_join(dir, name);
out:
    file_close(&dirfd);
    bytes_free(&text);
    free(name);
    free(dir);
    return ok;
}
