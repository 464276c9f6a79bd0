/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Planning and writing what is below dists/. */
#include "repo/apt_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/path.h"
#include "crypto/digest.h"
#include "format/deb822.h"
#include "format/packages.h"
#include "repo/apt_contents.h"
#include "repo/apt_published.h"
#include "repo/apt_sizes.h"
#include "system/publish.h"

struct apt_tree {
    const struct hallmark_settings *settings;
    struct placement placement;
    const struct publication *before;
    struct apt_pool *pool;
    struct apt_sources *sources;
    struct contents_cache *contents; /* NULL: it is not wanted */
    struct block_cache *blocks;      /* lent; NULL: none */
    unsigned forms, hashes;
    struct strlist architectures;
    struct apt_item *items;
    size_t n_items, items_cap;
    struct apt_staged staged;
};

static unsigned wanted_forms(const struct hallmark_settings *settings)
{
    struct strlist words = {0};
    unsigned forms = 0;

    settings_words(settings, SETTINGS_COMPRESSION, &words);
    if (words.n_items == 0 || strlist_has(&words, "xz"))
        forms |= 1u << INDEX_XZ;
    if (words.n_items == 0 || strlist_has(&words, "gz"))
        forms |= 1u << INDEX_GZIP;
    if (strlist_has(&words, "zst"))
        forms |= 1u << INDEX_ZSTD;
    strlist_free(&words);
    return forms;
}

struct apt_tree *apt_tree_new(const struct hallmark_settings *settings, struct publication *before,
                              int rootfd, int spoolfd, struct hallmark_error *err)
{
    struct apt_tree *tree = alloc_array(1, sizeof *tree);

    tree->settings = settings;
    tree->before = before;
    tree->forms = wanted_forms(settings);
    tree->hashes = settings_hashes(settings);
    tree->pool = apt_pool_new(tree->hashes, spoolfd);
    tree->sources = apt_sources_new(tree->hashes);
    if (placement_init(&tree->placement, settings, err) &&
        apt_published_load(tree->pool, tree->sources, rootfd, before, err))
        return tree;
    apt_tree_free(tree);
    return NULL;
}

void apt_tree_free(struct apt_tree *tree)
{
    size_t i;

    if (!tree)
        return;
    for (i = 0; i < tree->n_items; i++) {
        free(tree->items[i].path);
        bytes_free(&tree->items[i].text);
    }
    free(tree->items);
    apt_files_free_staged(&tree->staged);
    strlist_free(&tree->architectures);
    placement_free(&tree->placement);
    apt_pool_free(tree->pool);
    apt_sources_free(tree->sources);
    contents_cache_free(tree->contents);
    free(tree);
}

struct apt_pool *apt_tree_pool(struct apt_tree *tree)
{
    return tree->pool;
}

struct apt_sources *apt_tree_sources(struct apt_tree *tree)
{
    return tree->sources;
}

void apt_tree_use_contents(struct apt_tree *tree, struct contents_cache *cache)
{
    tree->contents = cache;
}

struct contents_cache *apt_tree_contents(struct apt_tree *tree)
{
    return tree->contents;
}

void apt_tree_use_blocks(struct apt_tree *tree, struct block_cache *cache)
{
    tree->blocks = cache;
}

/* ---- The plan ------------------------------------------------------------------------------- */

static bool leave_out(struct apt_package *package, const struct apt_pool_broken *broken,
                      const struct hallmark_error *why, struct hallmark_error *err)
{
    if (!broken->leave_out(broken->ctx, package->path, why))
        return error_set(err, why->code, "%s", why->text);
    package->is_used = false;
    return true;
}

/* Where PACKAGE goes, and whether it may. */
static bool place(const struct apt_tree *tree, struct apt_package *package,
                  struct hallmark_error *err)
{
    struct placement_package what = {package->path, package->package, package->version,
                                     package->architecture};

    if (!placement_find(&tree->placement, &what, &package->placed, err))
        return false;
    if (!tree->settings->values[SETTINGS_ARCHITECTURES] ||
        strcmp(package->architecture, "all") == 0 ||
        strlist_has(&tree->architectures, package->architecture))
        return true;
    return error_set(err, HALLMARK_ERR_USAGE, "%s: is for %s, which Architectures does not name",
                     package->path, package->architecture);
}

static bool place_all(struct apt_tree *tree, const struct apt_pool_broken *broken,
                      struct hallmark_error *err)
{
    bool is_named = tree->settings->values[SETTINGS_ARCHITECTURES] != NULL;
    struct apt_package *package;
    struct hallmark_error why;
    size_t i;

    settings_words(tree->settings, SETTINGS_ARCHITECTURES, &tree->architectures);
    for (i = 0; (package = apt_pool_package(tree->pool, i)) != NULL; i++) {
        why = (struct hallmark_error){0};
        if (!package->is_used)
            continue;
        if (!place(tree, package, &why) && !leave_out(package, broken, &why, err))
            return false;
        if (package->placed.suites == 0)
            package->is_used = false;
        if (!is_named && package->is_used && strcmp(package->architecture, "all") != 0 &&
            !strlist_has(&tree->architectures, package->architecture))
            strlist_add(&tree->architectures, package->architecture);
    }
    strlist_sort(&tree->architectures);
    return i == 0 || tree->architectures.n_items ||
           error_set(err, HALLMARK_ERR_USAGE,
                     "all packages are for all architectures, so it cannot be known which ones "
                     "clients have; Architectures says it (--architecture)");
}

struct apt_item *apt_tree_add_item(struct apt_tree *tree, size_t suite, char *path)
{
    tree->items = alloc_one_more(tree->items, tree->n_items, &tree->items_cap, sizeof *tree->items);
    tree->items[tree->n_items] = (struct apt_item){.suite = suite, .path = path};
    return &tree->items[tree->n_items++];
}

bool apt_tree_belongs(const struct apt_package *package, const struct apt_item *item)
{
    return package->is_used && package->kind == item->kind &&
           package->placed.component == item->component &&
           (package->placed.suites >> item->suite & 1) &&
           (strcmp(package->architecture, item->architecture) == 0 ||
            strcmp(package->architecture, "all") == 0);
}

static bool write_packages(struct apt_tree *tree, const struct apt_item *item,
                           const struct index_sink *sink, struct hallmark_error *err)
{
    const struct apt_package *package;
    size_t i;

    for (i = 0; (package = apt_pool_package(tree->pool, i)) != NULL; i++)
        if (apt_tree_belongs(package, item) && !apt_pool_write(tree->pool, package, sink, err))
            return false;
    return true;
}

/* Whether a package of ITEM is new: then its index is. */
static bool has_new(const struct apt_tree *tree, const struct apt_item *item)
{
    const struct apt_package *package;
    size_t i;

    for (i = 0; (package = apt_pool_package(tree->pool, i)) != NULL; i++)
        if (apt_pool_is_new(package) && apt_tree_belongs(package, item))
            return true;
    return false;
}

/* The file Release beside an index: what it is, for those who find it alone. */
static void add_description(struct apt_tree *tree, size_t suite, const char *directory,
                            const struct apt_item *what)
{
    const char *name = tree->placement.suites.items[suite];
    struct apt_item *item = apt_tree_add_item(tree, suite, alloc_printf("%s/Release", directory));

    deb822_write(&item->text, "Archive", name);
    deb822_write(&item->text, "Origin", settings_of_suite(tree->settings, name, SETTINGS_ORIGIN));
    deb822_write(&item->text, "Label", settings_of_suite(tree->settings, name, SETTINGS_LABEL));
    deb822_write(&item->text, "Version", settings_of_suite(tree->settings, name, SETTINGS_VERSION));
    deb822_write(&item->text, "Component", tree->placement.components.items[what->component]);
    deb822_write(&item->text, "Architecture", what->architecture);
}

/* Adds the file PATH, which changes when item INDEX does. */
static void add_follower(struct apt_tree *tree, size_t index, char *path, apt_item_write_fn *write)
{
    struct apt_item *item = apt_tree_add_item(tree, tree->items[index].suite, path);

    *item = tree->items[index];
    item->path = path;
    item->write = write;
    item->follows = index + 1;
}

/* Adds the index of WHAT, whose members but path are filled in, and what goes with it. */
static void add_packages(struct apt_tree *tree, const struct apt_item *what)
{
    const char *component = tree->placement.components.items[what->component];
    const char *installer = what->kind == APT_UDEB ? "debian-installer/" : "";
    char *directory = alloc_printf("%s/%sbinary-%s", component, installer, what->architecture);
    char *path = alloc_printf("%s/Packages", directory);
    size_t index = tree->n_items;
    struct apt_item *item = apt_tree_add_item(tree, what->suite, path);

    *item = *what;
    item->path = path;
    item->write = write_packages;
    item->is_pending = has_new(tree, item);
    add_follower(tree, index, alloc_printf("%s/Unpacked-Sizes", directory), apt_sizes_write);
    add_description(tree, what->suite, directory, what);
    if (tree->contents && what->kind == APT_DEB)
        add_follower(tree, index, alloc_printf("%s/Contents-%s", component, what->architecture),
                     apt_contents_write);
    free(directory);
}

static bool has_udebs(const struct apt_tree *tree, size_t suite, size_t component)
{
    const struct apt_package *package;
    size_t i;

    for (i = 0; (package = apt_pool_package(tree->pool, i)) != NULL; i++)
        if (package->is_used && package->kind == APT_UDEB &&
            package->placed.component == component && (package->placed.suites >> suite & 1))
            return true;
    return false;
}

static bool write_sources(struct apt_tree *tree, const struct apt_item *item,
                          const struct index_sink *sink, struct hallmark_error *err)
{
    return apt_sources_write(tree->sources, item->suite, item->component, sink, err);
}

/* Where there is a source package anywhere, every component has an index of them: apt complains of
 * one that has not. */
static void add_sources(struct apt_tree *tree, const struct apt_item *what)
{
    struct apt_item of_sources = *what, *item;
    char *directory = alloc_printf("%s/source", tree->placement.components.items[what->component]);

    item = apt_tree_add_item(tree, what->suite, alloc_printf("%s/Sources", directory));
    item->component = what->component;
    item->write = write_sources;
    of_sources.architecture = "source";
    add_description(tree, what->suite, directory, &of_sources);
    free(directory);
}

static void add_component(struct apt_tree *tree, size_t suite, size_t component)
{
    struct apt_item what = {.suite = suite, .component = component};
    bool with_udebs = has_udebs(tree, suite, component);
    size_t i;

    if (apt_sources_has_any(tree->sources))
        add_sources(tree, &what);
    for (i = 0; i < tree->architectures.n_items; i++) {
        what.architecture = tree->architectures.items[i];
        what.kind = APT_DEB;
        add_packages(tree, &what);
        what.kind = APT_UDEB;
        if (with_udebs)
            add_packages(tree, &what);
    }
}

static char *copy_or_null(const char *text)
{
    return text ? alloc_strdup(text) : NULL;
}

static bool is_yes(const char *value)
{
    return value && strcmp(value, "yes") == 0;
}

static void set_fields(const struct apt_tree *tree, const char *name, struct release *release)
{
    const struct hallmark_settings *settings = tree->settings;
    size_t i;

    release->origin = copy_or_null(settings_of_suite(settings, name, SETTINGS_ORIGIN));
    release->label = copy_or_null(settings_of_suite(settings, name, SETTINGS_LABEL));
    release->suite = alloc_strdup(name);
    release->codename = copy_or_null(settings_of_suite(settings, name, SETTINGS_CODENAME));
    release->version = copy_or_null(settings_of_suite(settings, name, SETTINGS_VERSION));
    release->description = copy_or_null(settings_of_suite(settings, name, SETTINGS_DESCRIPTION));
    release->not_automatic = is_yes(settings_of_suite(settings, name, SETTINGS_NOT_AUTOMATIC));
    release->but_automatic_upgrades =
        is_yes(settings_of_suite(settings, name, SETTINGS_BUT_AUTOMATIC_UPGRADES));
    for (i = 0; i < tree->architectures.n_items; i++)
        strlist_add(&release->architectures, tree->architectures.items[i]);
    for (i = 0; i < tree->placement.components.n_items; i++)
        strlist_add(&release->components, tree->placement.components.items[i]);
    release->hashes = tree->hashes;
    release->acquire_by_hash = true;
    release->repeats_all = true;
}

/* ---- What of it is published already -------------------------------------------------------- */

static bool digest_text(void *ctx, struct bytes_view text, struct hallmark_error *err)
{
    return digest_update(ctx, text.data, text.len, err);
}

/* Which forms ITEM has. */
static unsigned forms_of(const struct apt_tree *tree, const struct apt_item *item)
{
    return item->write ? tree->forms | 1u << INDEX_PLAIN : 1u << INDEX_PLAIN;
}

static const struct release_entry *find_published(const struct apt_tree *tree,
                                                  const struct apt_item *item, unsigned form)
{
    const struct publication_suite *suite =
        publication_find_suite(&tree->before->suites, tree->placement.suites.items[item->suite]);
    const struct release_entry *entry;
    char *path;

    if (!suite || !suite->has_release || !tree->before->is_intact ||
        suite->release.hashes != tree->hashes)
        return NULL;
    path = alloc_printf("%s%s", item->path, index_suffixes[form]);
    entry = release_find(&suite->release, path);
    free(path);
    return entry;
}

static bool has_all_forms(const struct apt_tree *tree, const struct apt_item *item)
{
    unsigned form;

    for (form = 0; form < INDEX_FORMS; form++)
        if ((forms_of(tree, item) >> form & 1) && !find_published(tree, item, form))
            return false;
    return true;
}

/* Whether the packages of ITEM are the published index ENTRY from its first byte to its last, which
 * was hashed when it was read: then it need not be put together to see that. */
static bool is_published_whole(const struct apt_tree *tree, const struct apt_item *item,
                               const struct release_entry *entry)
{
    const struct apt_package *package, *before = NULL;
    size_t i;

    for (i = 0; (package = apt_pool_package(tree->pool, i)) != NULL; i++) {
        if (!apt_tree_belongs(package, item))
            continue;
        if (!apt_pool_follows(before, package))
            return false;
        before = package;
    }
    return before && apt_pool_is_whole(tree->pool, before, entry);
}

/* Finds out whether ITEM has to be written. */
static bool compare_item(struct apt_tree *tree, struct apt_item *item, struct digest *digest,
                         struct hallmark_error *err)
{
    struct index_sink sink = {.take = digest_text, .ctx = digest};
    const struct release_entry *entry;
    struct digest_value value;

    if (item->follows)
        item->is_pending = tree->items[item->follows - 1].is_pending;
    if (!item->is_pending && !has_all_forms(tree, item))
        item->is_pending = true;
    if (item->is_pending || item->follows)
        return true;
    entry = find_published(tree, item, INDEX_PLAIN);
    if (!entry)
        return error_set(err, HALLMARK_ERR_IO, "an index that is published cannot be found");
    if (item->write == write_packages && is_published_whole(tree, item, entry))
        return true;
    if (!(item->write ? item->write(tree, item, &sink, err)
                      : digest_update(digest, item->text.data, item->text.len, err)) ||
        !digest_final(digest, &value, err))
        return false;
    item->is_pending = memcmp(value.sha256, entry->sha256, sizeof value.sha256) != 0;
    return true;
}

static void add_published(const struct apt_tree *tree, const struct apt_item *item,
                          struct release *release)
{
    const struct release_entry *entry;
    unsigned form;

    for (form = 0; form < INDEX_FORMS; form++) {
        entry = find_published(tree, item, form);
        if (entry && forms_of(tree, item) >> form & 1)
            release_add(release, entry);
    }
}

static bool compare_items(struct apt_tree *tree, struct publication_suites *suites,
                          struct hallmark_error *err)
{
    struct digest *digest = digest_new(DIGEST_SHA256, err);
    bool ok = digest != NULL;
    size_t i;

    for (i = 0; ok && i < tree->n_items; i++) {
        ok = compare_item(tree, &tree->items[i], digest, err);
        if (ok && !tree->items[i].is_pending)
            add_published(tree, &tree->items[i], &suites->suites[tree->items[i].suite].release);
    }
    for (i = 0; ok && i < suites->n_suites; i++)
        ok = release_sort(&suites->suites[i].release, err);
    digest_free(digest);
    return ok;
}

bool apt_tree_plan(struct apt_tree *tree, const struct apt_pool_broken *broken,
                   struct publication_suites *out, struct hallmark_error *err)
{
    size_t i, k;

    if (!apt_pool_sort(tree->pool, broken, err) || !place_all(tree, broken, err) ||
        !apt_sources_plan(tree->sources, &tree->placement, broken, err))
        return false;
    for (i = 0; i < tree->placement.suites.n_items; i++) {
        set_fields(tree, tree->placement.suites.items[i],
                   &publication_add_suite(out, tree->placement.suites.items[i])->release);
        for (k = 0; k < tree->placement.components.n_items; k++)
            add_component(tree, i, k);
    }
    return compare_items(tree, out, err);
}

const struct apt_staged *apt_tree_staged(const struct apt_tree *tree)
{
    return &tree->staged;
}

size_t apt_tree_count_pending(const struct apt_tree *tree)
{
    size_t i, n = 0;

    for (i = 0; i < tree->n_items; i++)
        n += tree->items[i].is_pending;
    return n;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static void add_written(struct apt_tree *tree, const struct apt_item *item, unsigned form,
                        const struct index_written *written, struct publication_suite *suite)
{
    char *path = alloc_printf("%s%s", item->path, index_suffixes[form]);
    char *full = path_join(suite->directory, path);
    struct release_entry entry = {
        .path = path, .size = written->size, .sha512 = written->digest.sha512};

    memcpy(entry.sha256, written->digest.sha256, sizeof entry.sha256);
    release_add(&suite->release, &entry);
    apt_files_add_staged(&tree->staged, full, written->name);
    index_stamps_note_written(tree->before->stamps, full, &entry, &written->stamp);
    free(full);
    free(path);
}

static bool write_item(struct apt_tree *tree, const struct apt_item *item, int stagefd,
                       struct publication_suite *suite, struct hallmark_error *err)
{
    char *path = path_join(suite->directory, item->path);
    struct index_writer_options options = {.stagefd = stagefd,
                                           .forms = forms_of(tree, item),
                                           .hashes = tree->hashes,
                                           .number = (unsigned)(item - tree->items),
                                           .path = path,
                                           .separator = item->follows ? "\n" : "\n\n",
                                           .cache = tree->blocks};
    struct index_written written[INDEX_FORMS];
    struct index_writer *writer = index_writer_open(&options, err);
    struct index_sink sink = index_writer_sink(writer);
    unsigned form;
    bool ok = writer != NULL &&
              (item->write ? item->write(tree, item, &sink, err)
                           : index_writer_add(writer, bytes_view(&item->text), err)) &&
              index_writer_finish(writer, written, err);

    index_writer_close(writer);
    free(path);
    for (form = 0; ok && form < INDEX_FORMS; form++)
        if (*written[form].name)
            add_written(tree, item, form, &written[form], suite);
    return ok;
}

bool apt_tree_write(struct apt_tree *tree, int stagefd, struct publication_suites *suites,
                    struct hallmark_error *err)
{
    bool ok = apt_pool_secure(tree->pool, err);
    size_t i;

    for (i = 0; ok && i < tree->n_items; i++)
        if (tree->items[i].is_pending)
            ok = write_item(tree, &tree->items[i], stagefd, &suites->suites[tree->items[i].suite],
                            err) ||
                 error_prefix(err, "%s", tree->items[i].path);
    for (i = 0; ok && i < suites->n_suites; i++)
        ok = release_sort(&suites->suites[i].release, err);
    return ok;
}
