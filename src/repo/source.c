/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_source_*(): a repository that is configured, in a file of hallmark.sources(5). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/path.h"
#include "format/source_list.h"
#include "repo/keyring_files.h"
#include "repo/location.h"

/* What the public part points into. */
struct source {
    struct hallmark_source shown;
    struct strlist locations, roots, suites, keyrings, signed_by, components, architectures;
    char *key, *suite, *origin, *codename;
    const char *keys[2];
};

/* A stanza, and one of its suites. */
struct choice {
    const struct source_list_stanza *stanza;
    const char *suite;
};

/* ---- The file ------------------------------------------------------------------------------- */

/* Reads PATH; *EXISTS becomes false where there is no such file. */
static bool read_file(const char *path, struct bytes *out, bool *exists, struct hallmark_error *err)
{
    int fd = file_open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    bool ok;

    *exists = fd >= 0 || (errno != ENOENT && errno != ENOTDIR);
    if (fd < 0)
        return !*exists ||
               error_set(err, HALLMARK_ERR_USAGE, "%s: cannot open it: %s", path, strerror(errno));
    ok = keyring_files_check_owner(fd, path, err) &&
         file_read_fd(fd, path, LIMITS_SOURCE_BYTES, out, err);
    if (!ok && err && err->code == HALLMARK_ERR_MALFORMED)
        err->code = HALLMARK_ERR_USAGE; /* too large: it is configuration */
    file_close(&fd);
    return ok;
}

/* DIR/sources.d/NAME.sources. */
static bool read_from(const char *dir, const char *name, char **path, struct bytes *out,
                      bool *exists, struct hallmark_error *err)
{
    *path = alloc_printf("%s/sources.d/%s.sources", dir, name);
    if (read_file(*path, out, exists, err) && *exists)
        return true;
    free(*path);
    *path = NULL;
    return !*exists;
}

/* The file that NAME means. What the system's administrator has configured comes first: nobody's
 * environment says what such a name stands for. */
static bool find_file(const char *conf_dir, const char *name, char **path, struct bytes *out,
                      bool *exists, struct hallmark_error *err)
{
    char *dir = NULL;
    bool ok;

    if (strchr(name, '/')) {
        *path = alloc_strdup(name);
        return read_file(name, out, exists, err);
    }
    *exists = false;
    if (!source_list_is_name(name))
        return true;
    ok = read_from(conf_dir ? conf_dir : HALLMARK_CONFIG_DIR, name, path, out, exists, err);
    if (!ok || *exists || conf_dir || geteuid() == 0)
        return ok;
    dir = location_config(NULL); /* somebody without a home has none of their own */
    ok = !dir || read_from(dir, name, path, out, exists, err);
    free(dir);
    return ok;
}

/* ---- One of its sources --------------------------------------------------------------------- */

static bool fail_choice(const struct strlist *suites, const char *suite, const char *path,
                        struct hallmark_error *err)
{
    char *names = strlist_join(suites);

    if (suites->n_items == 0)
        error_set(err, HALLMARK_ERR_USAGE, "%s: everything in it is disabled", path);
    else if (suite)
        error_set(err, HALLMARK_ERR_USAGE, "%s: has no suite \"%s\"; --suite chooses one of: %s",
                  path, suite, names);
    else
        error_set(err, HALLMARK_ERR_USAGE, "%s: holds several suites; --suite chooses one of: %s",
                  path, names);
    free(names);
    return false;
}

/* Whether the stanza of CHOICE is the only one, and its suites may be taken together: below one
 * URI. */
static bool has_one_archive(const struct source_list *list, const struct choice *choice)
{
    size_t i;

    for (i = 0; list->n_stanzas == 1 && i < choice->stanza->suites.n_items; i++)
        if (source_list_is_flat(choice->stanza->suites.items[i]))
            return false;
    return list->n_stanzas == 1;
}

/* The source for SUITE, or the only one; where SUITE is "", the first of those that belong
 * together. */
static bool choose(const struct source_list *list, const char *suite, const char *path,
                   struct choice *out, struct hallmark_error *err)
{
    struct strlist suites = {0};
    size_t i, k;
    bool ok = true, is_any = !suite || !*suite;

    *out = (struct choice){0};
    for (i = 0; i < list->n_stanzas; i++)
        for (k = 0; ok && k < list->stanzas[i].suites.n_items; k++) {
            const char *one = list->stanzas[i].suites.items[k];

            if (strlist_has(&suites, one))
                ok = error_set(err, HALLMARK_ERR_USAGE,
                               "%s: line %zu: another stanza has the suite \"%s\", too; one of "
                               "them must go into a file of its own",
                               path, list->stanzas[i].line, one);
            strlist_add(&suites, one);
            if (is_any ? !out->stanza : strcmp(one, suite) == 0)
                *out = (struct choice){&list->stanzas[i], one};
        }
    if (ok &&
        (!out->stanza || (is_any && suites.n_items > 1 && !(suite && has_one_archive(list, out)))))
        ok = fail_choice(&suites, is_any ? NULL : suite, path, err);
    strlist_free(&suites);
    return ok;
}

static void copy_list(struct strlist *out, const struct strlist *in)
{
    size_t i;

    for (i = 0; i < in->n_items; i++)
        strlist_add(out, in->items[i]);
}

/* As apt: packages for this machine, unless something is said; "source" is what deb-src means. */
static void set_architectures(struct source *source, const struct source_list_stanza *stanza)
{
    struct strlist *out = &source->architectures;

    if (stanza->types.n_items == 0 || strlist_has(&stanza->types, "deb"))
        copy_list(out, &stanza->architectures);
    if (strlist_has(&stanza->types, "deb") && out->n_items == 0 && *location_architecture())
        strlist_add(out, location_architecture());
    if (strlist_has(&stanza->types, "deb-src"))
        strlist_add(out, "source");
}

static const char *const *list_or_null(const struct strlist *list)
{
    return list->n_items ? (const char *const *)list->items : NULL;
}

static char *copy_or_null(const char *text)
{
    return text ? alloc_strdup(text) : NULL;
}

/* Lets the policy point at what SOURCE holds. */
static void set_policy(struct source *source, const struct source_list_stanza *stanza)
{
    struct hallmark_policy *policy = &source->shown.policy;

    hallmark_policy_init(policy);
    policy->keyrings = list_or_null(&source->keyrings);
    policy->keys = source->key ? source->keys : NULL;
    policy->signed_by = list_or_null(&source->signed_by);
    policy->components = list_or_null(&source->components);
    policy->architectures = list_or_null(&source->architectures);
    policy->suite = source->suite;
    policy->codename = source->codename;
    policy->origin = source->origin;
    policy->expiry = stanza->expiry;
    if (stanza->threshold)
        policy->threshold = stanza->threshold;
    if (stanza->max_age != SOURCE_LIST_NOT_SAID)
        policy->max_age = stanza->max_age;
    if (stanza->clock_skew != SOURCE_LIST_NOT_SAID)
        policy->clock_skew = stanza->clock_skew;
    source->shown.location = source->locations.items[0];
    source->shown.roots = list_or_null(&source->roots);
    source->shown.suites = list_or_null(&source->suites);
    if (source->locations.n_items > 1)
        policy->mirrors = (const char *const *)source->locations.items + 1;
}

static struct hallmark_source *make(const struct choice *choice)
{
    struct source *source = alloc_array(1, sizeof *source);
    const struct source_list_stanza *stanza = choice->stanza;
    size_t i;

    for (i = 0; i < stanza->uris.n_items; i++) {
        char *location = source_list_location(stanza->uris.items[i], choice->suite);

        strlist_add(&source->locations, location);
        free(location);
    }
    copy_list(&source->keyrings, &stanza->keyrings);
    copy_list(&source->signed_by, &stanza->signed_by);
    copy_list(&source->components, &stanza->components);
    set_architectures(source, stanza);
    source->key = copy_or_null(stanza->key);
    source->keys[0] = source->key;
    source->origin = copy_or_null(stanza->origin);
    source->codename = copy_or_null(stanza->codename);
    if (!source_list_is_flat(choice->suite))
        source->suite = alloc_strdup(choice->suite);
    if (source->suite)
        copy_list(&source->roots, &stanza->uris);
    for (i = 0; i < stanza->suites.n_items; i++)
        if (source->suite && !source_list_is_flat(stanza->suites.items[i]))
            strlist_add(&source->suites, stanza->suites.items[i]);
    set_policy(source, stanza);
    return &source->shown;
}

struct hallmark_source *hallmark_source_load(const char *conf_dir, const char *name,
                                             const char *suite, struct hallmark_error *err)
{
    struct hallmark_source *source = NULL;
    struct source_list list = {0};
    struct bytes text = {0};
    struct choice choice;
    char *path = NULL;
    bool exists;

    error_clear(err);
    if (find_file(conf_dir, name, &path, &text, &exists, err) && exists &&
        source_list_parse(&list, bytes_view(&text), path, err) &&
        choose(&list, suite, path, &choice, err))
        source = make(&choice);
    source_list_free(&list);
    bytes_free(&text);
    free(path);
    return source;
}

void hallmark_source_free(struct hallmark_source *shown)
{
    struct source *source = (struct source *)shown; /* its first member */

    if (!source)
        return;
    strlist_free(&source->locations);
    strlist_free(&source->roots);
    strlist_free(&source->suites);
    strlist_free(&source->keyrings);
    strlist_free(&source->signed_by);
    strlist_free(&source->components);
    strlist_free(&source->architectures);
    free(source->key);
    free(source->suite);
    free(source->origin);
    free(source->codename);
    free(source);
}
