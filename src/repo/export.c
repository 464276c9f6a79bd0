/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hallmark_publisher_export(): what those need who are to trust a repository. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "format/armor.h"
#include "repo/publication.h"
#include "repo/signing_keys.h"

static const char key_block[] = "PUBLIC KEY BLOCK";

/* Characters that a shell, apt and sources.list(5) take as they are. */
static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (!strchr("-._~:/%+@,=", *text) && !(isascii(*text) && isalnum((unsigned char)*text)))
            return false;
    return true;
}

/* ---- The stanza of sources.list(5) ------------------------------------------------------------
 */

/* "file://" and ROOT, with %XX for what cannot stand in a URI. */
static char *uri_of_root(const char *root)
{
    struct bytes uri = {0};
    char one[2] = "";

    bytes_append_str(&uri, "file://");
    for (; *root; root++) {
        one[0] = *root;
        if (*root != '%' && is_plain(one))
            bytes_append(&uri, root, 1);
        else
            bytes_printf(&uri, "%%%02x", (unsigned char)*root);
    }
    return uri.data;
}

static bool check_options(const struct hallmark_export *what, struct hallmark_error *err)
{
    if (what->uri && (!is_plain(what->uri) || !strstr(what->uri, ":/") || what->uri[0] == ':'))
        return error_set(err, HALLMARK_ERR_USAGE,
                         "\"%s\" is no URI, such as https://example.org/apt", what->uri);
    if (what->keyring && (what->keyring[0] != '/' || !is_plain(what->keyring)))
        return error_set(err, HALLMARK_ERR_USAGE,
                         "\"%s\" is no absolute path without blanks, which apt needs for a keyring",
                         what->keyring);
    return true;
}

/* What the stanza says. */
struct described {
    struct strlist types, suites, components, architectures;
};

static void describe_suite(const struct publication_suite *suite, struct described *out)
{
    const struct release *release = &suite->release;
    const char *name;
    size_t i;

    for (i = 0; i < release->n_entries; i++) {
        name = path_basename(release->entries[i].path);
        if (strcmp(name, "Packages") == 0 && !strlist_has(&out->types, "deb"))
            strlist_add(&out->types, "deb");
        if (strcmp(name, "Sources") == 0 && !strlist_has(&out->types, "deb-src"))
            strlist_add(&out->types, "deb-src");
    }
    strlist_add(&out->suites, *suite->name ? suite->name : "./");
    for (i = 0; *suite->name && i < release->components.n_items; i++)
        if (!strlist_has(&out->components, release->components.items[i]))
            strlist_add(&out->components, release->components.items[i]);
    for (i = 0; i < release->architectures.n_items; i++)
        if (!strlist_has(&out->architectures, release->architectures.items[i]))
            strlist_add(&out->architectures, release->architectures.items[i]);
}

static void free_described(struct described *described)
{
    strlist_free(&described->types);
    strlist_free(&described->suites);
    strlist_free(&described->components);
    strlist_free(&described->architectures);
}

static void write_words(struct bytes *out, const char *name, struct strlist *words)
{
    char *text;

    strlist_sort(words);
    text = strlist_join(words);
    if (*text)
        bytes_printf(out, "%s: %s\n", name, text);
    free(text);
}

/* KEYRING inside of a field: an empty line is " .". */
static void write_inline(struct bytes *out, struct bytes_view keyring)
{
    struct bytes armored = {0};
    struct bytes_view rest, line;

    armor_encode(keyring, key_block, &armored);
    bytes_append_str(out, "Signed-By:\n");
    for (rest = bytes_view(&armored); bytes_view_next_line(&rest, &line);)
        bytes_printf(out, " %.*s\n", line.len ? (int)line.len : 1, line.len ? line.data : ".");
    bytes_free(&armored);
}

static void write_stanza(const struct hallmark_publisher *p, const struct hallmark_export *what,
                         struct described *described, struct bytes *out)
{
    const char *name = p->settings->values[SETTINGS_NAME];
    char *uri = what->uri ? alloc_strdup(what->uri) : uri_of_root(p->root);

    if (!name)
        name = is_plain(path_basename(p->root)) ? path_basename(p->root) : "repository";
    if (described->types.n_items)
        bytes_printf(out, "# For apt: /etc/apt/sources.list.d/%s.sources\n", name);
    bytes_printf(out, "# For repo-verify: " HALLMARK_CONFIG_DIR "/sources.d/%s.sources\n", name);
    write_words(out, "Types", &described->types);
    bytes_printf(out, "URIs: %s\n", uri);
    write_words(out, "Suites", &described->suites);
    write_words(out, "Components", &described->components);
    write_words(out, "Architectures", &described->architectures);
    if (what->keyring)
        bytes_printf(out, "Signed-By: %s\n", what->keyring);
    else
        write_inline(out, bytes_view(&p->keyring));
    free(uri);
}

static bool export_sources(struct hallmark_publisher *p, const struct hallmark_export *what,
                           struct bytes *out, struct hallmark_error *err)
{
    struct publication before = {.has_release = false};
    struct described described = {.types = {0}};
    size_t i;
    bool ok = check_options(what, err) && publisher_open_state(p, PUBLISHER_READ, err) &&
              publication_load(p->rootfd, p->statefd, p->settings, &before, err);

    if (!ok)
        return false;
    for (i = 0; before.has_release && i < before.suites.n_suites; i++)
        describe_suite(&before.suites.suites[i], &described);
    if (!before.has_release)
        ok = error_set(err, HALLMARK_ERR_USAGE, "%s: nothing is published yet; update does that",
                       p->root);
    else
        write_stanza(p, what, &described, out);
    free_described(&described);
    publication_free(&before);
    return ok;
}

bool hallmark_publisher_export(struct hallmark_publisher *p, const struct hallmark_export *what,
                               char **out, size_t *out_len, struct hallmark_error *err)
{
    struct bytes result = {0};
    bool ok;

    error_clear(err);
    ok = signing_keys_load(p, err);
    if (ok && what->form == HALLMARK_EXPORT_SOURCES)
        ok = export_sources(p, what, &result, err);
    else if (ok && what->form == HALLMARK_EXPORT_ARMORED)
        armor_encode(bytes_view(&p->keyring), key_block, &result);
    else if (ok)
        bytes_append(&result, p->keyring.data, p->keyring.len);
    if (!ok)
        return false;
    *out = result.data;
    *out_len = result.len;
    return true;
}
