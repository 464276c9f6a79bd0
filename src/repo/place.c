/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what a person writes to the directory of a manifest. */
#include "repo/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/path.h"
#include "base/strlist.h"

static const char dists[] = "dists";
enum { DISTS_LEN = sizeof dists - 1 };

char *place_path(const struct place *place, const char *name)
{
    return path_join(place->directory, name);
}

void place_free(struct place *place)
{
    fetch_close(place->fetch);
    free(place->directory);
    free(place->url);
    free(place->file);
    *place = (struct place){0};
}

static bool has_manifest(struct fetch *fetch, const char *directory)
{
    static const char *const names[] = {"InRelease", "Release"};
    bool found = false;
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names && !found; i++) {
        char *path = path_join(directory, names[i]);

        found = fetch_has(fetch, path);
        free(path);
    }
    return found;
}

/* The last component "dists" of TEXT that something follows; NULL where there is none. */
static const char *find_dists(const char *text)
{
    const char *p, *found = NULL;

    for (p = text; (p = strstr(p, dists)) != NULL; p += DISTS_LEN)
        if ((p == text || p[-1] == '/') && p[DISTS_LEN] == '/' &&
            p[DISTS_LEN + strspn(p + DISTS_LEN, "/")])
            found = p;
    return found;
}

/* Makes DIRECTORY below the root of FETCH, which becomes PLACE's, that of the manifest. */
static void enter(struct place *place, struct fetch *fetch, const char *directory)
{
    if (place->fetch != fetch)
        fetch_close(place->fetch);
    place->fetch = fetch;
    free(place->directory);
    place->directory = alloc_strdup(directory);
    free(place->url);
    place->url =
        *directory ? path_join(fetch_url(fetch), directory) : alloc_strdup(fetch_url(fetch));
}

/* TEXT is ROOT/dists/SUITE: enters that directory without following its links, which may lead into
 * a generation. False where TEXT is something else. */
static bool split(struct place *place, const char *text, const struct fetch_options *options)
{
    struct hallmark_error ignored = {0};
    const char *at = find_dists(text);
    char *root, *directory;
    struct fetch *fetch = NULL;
    size_t len;

    if (!at)
        return false;
    root = alloc_strndup(text, (size_t)(at - text));
    directory = alloc_strdup(at);
    for (len = strlen(directory); len && directory[len - 1] == '/'; len--)
        directory[len - 1] = '\0';
    /* With an escape, it would have to be taken for another name than it says. */
    if (!strchr(directory, '%') && path_check(bytes_view_str(directory), "", NULL))
        fetch = fetch_open(*root ? root : ".", options, &ignored);
    if (fetch)
        enter(place, fetch, directory);
    free(root);
    free(directory);
    return fetch != NULL;
}

/* LOCATION without the name of the manifest at its end. */
static char *without_file(const char *location, const char *file)
{
    size_t len = strlen(location);

    if (file && len >= strlen(file))
        len -= strlen(file);
    return alloc_strndup(location, len);
}

/* ---- The suites of an archive --------------------------------------------------------------- */

/* Whether dists/NAME is another name of a directory beside it, as stable is of bookworm. */
static bool is_alias(struct fetch *fetch, const char *name)
{
    struct hallmark_error ignored = {0};
    char *beside = alloc_printf("%s/%s/", fetch_url(fetch), dists);
    char *url = alloc_printf("%s%s", beside, name);
    struct fetch *suite = fetch_open(url, NULL, &ignored);
    const char *real = suite ? fetch_url(suite) : url;
    size_t len = strlen(beside);
    bool is = strcmp(real, url) != 0 && strncmp(real, beside, len) == 0 && !strchr(real + len, '/');

    fetch_close(suite);
    free(beside);
    free(url);
    return is;
}

/* The suites with a manifest, and how many of them are no other names of one; *ONLY is one of
 * these. */
static bool list_suites(struct fetch *fetch, struct strlist *out, const char **only, size_t *n_real,
                        struct hallmark_error *err)
{
    struct strlist all = {0};
    bool ok = fetch_list(fetch, dists, &all, err);
    size_t i;

    *n_real = 0;
    strlist_sort(&all);
    for (i = 0; ok && i < all.n_items; i++) {
        char *directory = path_join(dists, all.items[i]);

        if (!strchr(directory, '%') && path_check(bytes_view_str(directory), "", NULL) &&
            has_manifest(fetch, directory)) {
            strlist_add(out, all.items[i]);
            if (!is_alias(fetch, all.items[i])) {
                *only = out->items[out->n_items - 1];
                (*n_real)++;
            }
        }
        free(directory);
    }
    strlist_free(&all);
    return ok;
}

/* Enters the one suite that there is, or says which ones there are. */
static bool choose_suite(struct place *place, const char *suite, struct hallmark_error *err)
{
    struct strlist suites = {0};
    const char *only = NULL;
    char *names = NULL, *directory;
    size_t n_real;
    bool ok = list_suites(place->fetch, &suites, &only, &n_real, err);

    if (ok && suites.n_items && (suite || n_real != 1)) {
        names = strlist_join(&suites);
        ok = error_set(err, HALLMARK_ERR_USAGE, "%s: %s%s%s; --suite chooses one of: %s",
                       fetch_url(place->fetch), suite ? "has no suite \"" : "holds several suites",
                       suite ? suite : "", suite ? "\"" : "", names);
    } else if (ok && suites.n_items) {
        directory = path_join(dists, only);
        enter(place, place->fetch, directory);
        free(directory);
    }
    free(names);
    strlist_free(&suites);
    return ok;
}

/* What is at an archive's root: SUITE, or, where none is asked for, the only one. */
static bool enter_suite(struct place *place, const char *suite, struct hallmark_error *err)
{
    char *directory = suite ? path_join(dists, suite) : NULL;
    bool found = directory && path_check(bytes_view_str(directory), "", NULL) &&
                 has_manifest(place->fetch, directory);

    if (found)
        enter(place, place->fetch, directory);
    free(directory);
    /* A server cannot be asked which suites it has: whoever reads the manifest will see. */
    return found || fetch_is_remote(place->fetch) || has_manifest(place->fetch, "") ||
           choose_suite(place, suite, err);
}

bool place_find(struct place *out, const char *location, const char *suite,
                const struct fetch_options *options, struct hallmark_error *err)
{
    struct place place = {.fetch = fetch_open(location, options, err)};
    char *text;
    bool ok = true;

    if (!place.fetch)
        return false;
    if (fetch_file(place.fetch))
        place.file = alloc_strdup(fetch_file(place.fetch));
    enter(&place, place.fetch, "");
    text = without_file(location, place.file);
    if (!split(&place, text, options) && !split(&place, fetch_url(place.fetch), options) &&
        !place.file)
        ok = enter_suite(&place, suite, err);
    free(text);
    if (ok)
        *out = place;
    else
        place_free(&place);
    return ok;
}

char *place_url(const char *location, const char *suite)
{
    struct place place = {.fetch = fetch_open(location, NULL, NULL)};
    char *url, *text, *below;

    if (!place.fetch)
        return NULL;
    text = without_file(location, fetch_file(place.fetch));
    enter(&place, place.fetch, "");
    if (!split(&place, text, NULL) && !split(&place, fetch_url(place.fetch), NULL) && suite) {
        below = path_join(dists, suite);
        if (path_check(bytes_view_str(below), "", NULL))
            enter(&place, place.fetch, below);
        free(below);
    }
    free(text);
    url = alloc_strdup(place.url);
    place_free(&place);
    return url;
}

bool place_is_flat(struct place *place, struct hallmark_error *err)
{
    if (!*place->directory)
        return true;
    if (!fetch_enter(place->fetch, place->directory, err))
        return false;
    place->directory[0] = '\0';
    return true;
}
