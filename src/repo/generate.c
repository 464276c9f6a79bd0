/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hashing a tree into a Release. */
#include "repo/generate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "repo/apt_contents.h"
#include "repo/hash_ahead.h"
#include "repo/package_format.h"
#include "system/package.h"
#include "system/tree.h"

enum {
    READ_STEP = 256 * 1024,
    TRIES = 3,
    SETTLED_NS = 50 * 1000 * 1000, /* five ticks of the slowest clock that stamps files */
};

/* Names that we write, now or in the layouts to come, in the tree's root. */
static const char *const reserved[] = {
    "Release",        "Release.gpg",       "InRelease",    "Packages", "Packages.gz",
    "Packages.xz",    "Packages.bz2",      "Packages.zst", "Sources",  "Sources.gz",
    "Sources.xz",     "Sources.bz2",       "Sources.zst",  "by-hash",  "dists",
    "Unpacked-Sizes", "Unpacked-Sizes.xz", NULL,
};
static const char *const written[] = {
    "Release", "Release.gpg", "InRelease",      "Packages",          "Packages.gz", "Packages.xz",
    "by-hash", ".hallmark",   "Unpacked-Sizes", "Unpacked-Sizes.xz", NULL};
/* Those of them that are written only where there are .deb files, and only where there are
 * archives. */
static const char *const written_for_apt[] = {"Packages", "Packages.gz", "Packages.xz", NULL};
static const char *const written_for_archives[] = {"Unpacked-Sizes", "Unpacked-Sizes.xz", "by-hash",
                                                   NULL};

/* One run. */
struct generate {
    int rootfd;
    const struct generate_options *options;
    unsigned algorithms;
    struct tree tree;
    struct digest_cache *old;
    struct package_reader *reader;
    struct flat_index_builder *flat; /* in the layout plain */
    struct release *release;         /* likewise: the only one */
    struct digest *digest;
    struct hash_ahead *ahead; /* files by their index in the tree */
    const struct hash_ahead_file
        *now_ahead; /* what it says of the file that is read now, or NULL */
    unsigned char *buf;
    uint64_t n_to_hash;                      /* bytes */
    struct digest_cache_record *dsc_records; /* of the .dsc files, in their order; those without */
    size_t n_dsc_records, dsc_records_cap;   /* algorithms are broken */
    struct generated out;
};

static int64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The entry of PATH, which borrows it and what RECORD holds. */
static struct release_entry entry_from(const char *path, const struct digest_cache_record *record)
{
    struct release_entry entry = {.path = path, .size = record->stamp.size};

    memcpy(entry.sha256, record->digest.sha256, sizeof entry.sha256);
    if (record->algorithms & DIGEST_SHA512)
        entry.sha512 = record->digest.sha512;
    return entry;
}

/* In the layout apt, what is no package for itself is a part of a source package. */
static bool is_of_source(const struct generate *g, const char *path)
{
    return g->out.apt && !apt_pool_wants(path);
}

/* What the cache knows and is enough for this run. */
static bool find_cached(struct generate *g, const struct tree_file *file,
                        struct digest_cache_record *out)
{
    struct package_format format;
    struct release_entry entry;

    if (!digest_cache_find(g->old, file->path, &file->stamp, out) ||
        (out->algorithms & g->algorithms) != g->algorithms)
        return false;
    entry = entry_from(file->path, out);
    if (is_of_source(g, file->path))
        return !apt_sources_wants(file->path) ||
               apt_sources_knows(apt_tree_sources(g->out.apt), &entry);
    if (!out->is_checked && package_format_from_path(file->path, &format))
        return false;
    if (g->out.apt)
        return apt_pool_knows(apt_tree_pool(g->out.apt), &entry) &&
               apt_contents_knows(g->out.apt, &entry);
    return !flat_index_wants(file->path) || flat_index_knows(g->flat, &entry);
}

/* In the layout apt, what belongs to no package is not our business. */
static bool is_wanted(const struct generate *g, const struct tree_file *file)
{
    return !g->out.apt || apt_pool_wants(file->path) || apt_sources_wants(file->path) ||
           apt_sources_lists(apt_tree_sources(g->out.apt), file->path);
}

/* In any thread. */
static int open_ahead(void *ctx, size_t i)
{
    struct generate *g = ctx;

    return file_open_beneath(g->rootfd, g->tree.files[i].path, NULL);
}

static void show_ahead(void *ctx, uint64_t n_bytes)
{
    struct generate *g = ctx;

    if (g->options->progress)
        g->options->progress(g->options->ctx, g->out.n_hashed_bytes + n_bytes, g->n_to_hash);
}

/* Whether it can no longer change without its stamp telling; see settle(). */
static bool is_settled(const struct tree_file *file)
{
    int64_t age = clock_ns() - file->stamp.ctime;

    return age < 0 || age >= SETTLED_NS;
}

static bool plan_hashing(struct generate *g, struct hallmark_error *err)
{
    struct hash_ahead_options options = {.open = open_ahead, .progress = show_ahead, .ctx = g};
    const struct tree_file *file;
    struct digest_cache_record record;
    size_t i;

    if (!digest_batch_find(g->options->hash_backend, &options.kind, err))
        return false;
    g->ahead = hash_ahead_new(&options);
    g->n_to_hash = g->out.n_hashed_bytes;
    for (i = 0; i < g->tree.n_files; i++) {
        file = &g->tree.files[i];
        if (!is_wanted(g, file) || find_cached(g, file, &record))
            continue;
        g->n_to_hash += file->stamp.size;
        if (g->algorithms == DIGEST_SHA256 && is_settled(file) &&
            !(g->out.apt && apt_sources_wants(file->path)))
            hash_ahead_add(g->ahead, i, file->stamp.size);
    }
    return true;
}

/* What reading a file gives. */
struct reading {
    struct digest_cache_record record;
    struct bytes control; /* of a .deb */
    struct bytes files;   /* likewise, where they are wanted */
    bool has_archive;     /* an archive was read, so that both are known */
    struct bytes text;    /* of a .dsc in the layout apt, cut at what is too long for one */
};

static void take_text(struct reading *reading, const void *data, size_t len)
{
    size_t room = LIMITS_DSC_BYTES + 1 - reading->text.len;

    bytes_append(&reading->text, data, len < room ? len : room);
}

static bool hash_fd(struct generate *g, int fd, const char *path, struct reading *out,
                    struct hallmark_error *err)
{
    bool is_dsc = g->out.apt && apt_sources_wants(path);
    ssize_t n;

    while ((n = file_read_some(fd, g->buf, READ_STEP)) > 0) {
        if (!digest_update(g->digest, g->buf, (size_t)n, err))
            return false;
        if (is_dsc)
            take_text(out, g->buf, (size_t)n);
        g->out.n_hashed_bytes += (uint64_t)n;
        if (g->options->progress)
            g->options->progress(g->options->ctx, g->out.n_hashed_bytes, g->n_to_hash);
    }
    if (n < 0)
        return error_set_errno(err, "%s", path);
    return digest_final(g->digest, &out->record.digest, err);
}

/* Takes what was hashed ahead, if that was this very state of the file, and it was at rest already:
 * see settle(). */
static bool take_ahead(struct generate *g, struct reading *out)
{
    const struct hash_ahead_file *ahead = g->now_ahead;

    if (!ahead || ahead->hashed_at - ahead->stamp.ctime < SETTLED_NS ||
        !tree_stamp_is_equal(&ahead->stamp, &out->record.stamp))
        return false;
    memcpy(out->record.digest.sha256, ahead->sha256, sizeof ahead->sha256);
    out->record.hashed_at = ahead->hashed_at;
    g->out.n_hashed_bytes += ahead->size;
    return true;
}

static bool take_stamp(int fd, const char *path, struct tree_stamp *out, struct hallmark_error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_set_errno(err, "%s", path);
    tree_stamp_from(out, &st);
    return true;
}

/* A file that was changed just now could change once more without its stamp telling: a write(2)
 * sets the times when it begins, and most kernels count them in ticks. So it is given the time to
 * come to rest; *IS_STEADY tells whether it did. */
static bool settle(int fd, const char *path, struct tree_stamp *stamp, bool *is_steady,
                   struct hallmark_error *err)
{
    int64_t changed = stamp->ctime, age = clock_ns() - changed;
    struct timespec pause = {.tv_nsec = SETTLED_NS - age};

    if (age < 0 || age >= SETTLED_NS)
        return true;
    nanosleep(&pause, NULL);
    if (!take_stamp(fd, path, stamp, err))
        return false;
    *is_steady = stamp->ctime == changed;
    return true;
}

/* Reads the archive in FD to its end. */
static bool check_archive(struct generate *g, int fd, const char *path, struct reading *out,
                          struct hallmark_error *err)
{
    struct package_content content;
    struct package_format format;

    if (is_of_source(g, path) || !package_format_from_path(path, &format))
        return true; /* for files of a source package its .dsc vouches */
    if (!package_check(g->reader, fd, path, &format, &content, err))
        return false;
    out->record.is_checked = true;
    out->record.totals = content.totals;
    out->control = content.control;
    out->files = content.files;
    out->has_archive = true;
    return true;
}

/* One attempt at a file. *IS_STEADY tells whether it stayed the same meanwhile, so that the record
 * is of one state of it; an error about a file that did not says nothing. */
static bool hash_once(struct generate *g, const char *path, struct reading *reading,
                      bool *is_steady, struct hallmark_error *err)
{
    struct digest_cache_record *out = &reading->record;
    struct tree_stamp after;
    int fd = file_open_beneath(g->rootfd, path, err);
    bool ok = false;

    *is_steady = true;
    if (fd < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            error_set(err, HALLMARK_ERR_IO, "%s: vanished while the tree was read; try again",
                      path);
        return false;
    }
    out->hashed_at = clock_ns();
    if (!take_stamp(fd, path, &out->stamp, err) || !settle(fd, path, &out->stamp, is_steady, err) ||
        !*is_steady)
        goto out;
    ok = (take_ahead(g, reading) || hash_fd(g, fd, path, reading, err)) &&
         check_archive(g, fd, path, reading, err);
    out->algorithms = g->algorithms;
    if (take_stamp(fd, path, &after, err))
        *is_steady = tree_stamp_is_equal(&out->stamp, &after);
    else
        ok = false;
out:
    file_close(&fd);
    return ok;
}

static bool hash_file(struct generate *g, const char *path, struct reading *out,
                      struct hallmark_error *err)
{
    struct hallmark_error fault;
    bool is_steady = true, ok;
    int try;

    for (try = 0; try < TRIES; try++) {
        error_clear(&fault);
        bytes_free(&out->control);
        bytes_free(&out->files);
        bytes_free(&out->text);
        *out = (struct reading){.has_archive = false};
        ok = hash_once(g, path, out, &is_steady, &fault);
        if (is_steady)
            break;
    }
    g->out.n_hashed++;
    if (!is_steady)
        return error_set(err, HALLMARK_ERR_IO,
                         "%s: changes while it is read; nothing is published before it is at rest",
                         path);
    if (!ok)
        return error_set(err, fault.code, "%s", fault.text);
    return digest_cache_check(g->old, path, &out->record, err);
}

/* Adds a file that is listed in the manifest itself. */
static bool add_listed(struct generate *g, const struct release_entry *entry,
                       const struct reading *reading, struct hallmark_error *err)
{
    /* First, so that nothing of a package that is broken is left. */
    if (flat_index_wants(entry->path) &&
        !flat_index_add(g->flat, entry, bytes_view(&reading->control), err))
        return false;
    if (reading->record.is_checked)
        flat_index_add_sizes(g->flat, entry->path, &reading->record.totals);
    release_add(g->release, entry);
    return true;
}

/* Adds a file of a source package, or a package, which could be both. */
static bool add_to_apt(struct generate *g, const struct release_entry *entry,
                       const struct reading *reading, struct hallmark_error *err)
{
    apt_sources_add_file(apt_tree_sources(g->out.apt), entry);
    if (!apt_pool_wants(entry->path))
        return true;
    return (!reading->has_archive ||
            apt_contents_add(g->out.apt, entry, bytes_view(&reading->files), err)) &&
           apt_pool_add(apt_tree_pool(g->out.apt), entry, bytes_view(&reading->control),
                        &reading->record.totals, err);
}

static bool add_file(struct generate *g, struct tree_file *file, struct hallmark_error *err)
{
    struct reading reading = {.control = {0}};
    struct release_entry entry;
    bool ok = find_cached(g, file, &reading.record);

    if (!ok) {
        g->now_ahead = hash_ahead_find(g->ahead, (size_t)(file - g->tree.files));
        ok = hash_file(g, file->path, &reading, err);
        g->now_ahead = NULL;
    }
    if (ok) {
        entry = entry_from(file->path, &reading.record);
        ok = g->out.apt ? add_to_apt(g, &entry, &reading, err)
                        : add_listed(g, &entry, &reading, err);
    }
    if (ok)
        digest_cache_put(g->out.cache, file->path, &reading.record);
    bytes_free(&reading.control);
    bytes_free(&reading.files);
    return ok;
}

/* Whether to go on without PATH, which is as WHY says. */
static bool leave_out(void *ctx, const char *path, const struct hallmark_error *why)
{
    enum { LISTED_MAX = 1000 };
    struct generate *g = ctx;
    char *line;

    if (g->options->broken != GENERATE_LEAVE_OUT ||
        (why->code != HALLMARK_ERR_MALFORMED && why->code != HALLMARK_ERR_USAGE &&
         why->code != HALLMARK_ERR_CONTENT))
        return false;
    if (g->out.n_broken++ < LISTED_MAX) {
        /* The path stands in most reasons already, at the start. */
        line = strncmp(why->text, path, strlen(path)) == 0
                   ? alloc_strdup(why->text)
                   : alloc_printf("%s: %s", path, why->text);
        strlist_add(&g->out.broken, line);
        free(line);
    }
    return true;
}

static bool add_dsc(struct generate *g, struct tree_file *file, struct digest_cache_record *out,
                    struct hallmark_error *err)
{
    struct reading reading = {.control = {0}};
    struct release_entry entry;
    bool ok = find_cached(g, file, &reading.record) || hash_file(g, file->path, &reading, err);

    if (ok) {
        entry = entry_from(file->path, &reading.record);
        ok = apt_sources_add(apt_tree_sources(g->out.apt), &entry, bytes_view(&reading.text), err);
    }
    if (ok)
        *out = reading.record;
    bytes_free(&reading.text);
    return ok;
}

/* The .dsc files come first, since they tell which other files are wanted. */
static bool add_dscs(struct generate *g, struct hallmark_error *err)
{
    struct hallmark_error why;
    struct digest_cache_record record;
    size_t i;

    for (i = 0; g->out.apt && i < g->tree.n_files; i++) {
        if (!apt_sources_wants(g->tree.files[i].path))
            continue;
        why = (struct hallmark_error){0};
        record = (struct digest_cache_record){.algorithms = 0};
        if (!add_dsc(g, &g->tree.files[i], &record, &why) &&
            !leave_out(g, g->tree.files[i].path, &why))
            return error_set(err, why.code, "%s", why.text);
        g->dsc_records = alloc_one_more(g->dsc_records, g->n_dsc_records, &g->dsc_records_cap,
                                        sizeof *g->dsc_records);
        g->dsc_records[g->n_dsc_records++] = record;
    }
    return true;
}

static bool add_files(struct generate *g, struct hallmark_error *err)
{
    const struct digest_cache_record *dsc = g->dsc_records;
    struct hallmark_error why;
    size_t i;

    for (i = 0; i < g->tree.n_files; i++) {
        why = (struct hallmark_error){0};
        if (g->out.apt && apt_sources_wants(g->tree.files[i].path)) {
            if (dsc->algorithms)
                digest_cache_put(g->out.cache, g->tree.files[i].path, dsc);
            dsc++;
        } else if (is_wanted(g, &g->tree.files[i]) && !add_file(g, &g->tree.files[i], &why) &&
                   !leave_out(g, g->tree.files[i].path, &why))
            return error_set(err, why.code, "%s", why.text);
    }
    return true;
}

/* Names of indexes that are not written are somebody else's files, which nobody would find again.
 */
static bool check_unwritten(const struct generate *g, const char *const *names,
                            struct hallmark_error *err)
{
    struct stat st;

    for (; *names; names++)
        if (fstatat(g->rootfd, *names, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode))
            return error_set(err, HALLMARK_ERR_MALFORMED,
                             "%s: the name is reserved for what the repository itself writes",
                             *names);
    return true;
}

/* Whether all files that are in the way of indexes will be written. */
static bool check_names(const struct generate *g, struct hallmark_error *err)
{
    struct package_format ignored;
    bool has_archives = false, has_debs = false;
    size_t i;

    for (i = 0; i < g->tree.n_files; i++) {
        has_archives |= package_format_from_path(g->tree.files[i].path, &ignored);
        has_debs |= flat_index_wants(g->tree.files[i].path);
    }
    return (has_archives || check_unwritten(g, written_for_archives, err)) &&
           (has_debs || check_unwritten(g, written_for_apt, err));
}

static void set_text(char **out, const struct hallmark_settings *settings,
                     enum settings_field field)
{
    if (settings->values[field])
        *out = alloc_strdup(settings->values[field]);
}

static void set_fields(struct release *release, const struct hallmark_settings *settings)
{
    set_text(&release->origin, settings, SETTINGS_ORIGIN);
    set_text(&release->label, settings, SETTINGS_LABEL);
    set_text(&release->suite, settings, SETTINGS_SUITE);
    set_text(&release->codename, settings, SETTINGS_CODENAME);
    set_text(&release->version, settings, SETTINGS_VERSION);
    set_text(&release->description, settings, SETTINGS_DESCRIPTION);
    settings_words(settings, SETTINGS_ARCHITECTURES, &release->architectures);
    settings_words(settings, SETTINGS_COMPONENTS, &release->components);
    release->hashes = settings_hashes(settings);
}

static bool scan(struct generate *g, struct hallmark_error *err)
{
    struct strlist exclude = {0};
    struct tree_options options = {.exclude = &exclude, .reserved = reserved, .written = written};
    bool ok;

    options.below = g->out.apt ? PLACEMENT_POOL : NULL;
    options.max_files = g->out.apt ? LIMITS_TREE_FILES : LIMITS_ENTRIES;
    settings_words(g->options->settings, SETTINGS_EXCLUDE, &exclude);
    ok = tree_scan(&g->tree, g->rootfd, &options, err);
    strlist_free(&exclude);
    return ok;
}

static bool finish(struct generate *g, struct hallmark_error *err)
{
    struct apt_pool_broken broken = {.leave_out = leave_out, .ctx = g};

    if (g->out.apt)
        return apt_tree_plan(g->out.apt, &broken, &g->out.suites, err);
    return flat_index_finish(g->flat, g->release, &g->out.index, err) &&
           release_sort(g->release, err);
}

static bool run(struct generate *g, struct hallmark_error *err)
{
    if (!scan(g, err) || (g->flat && !check_names(g, err)))
        return false;
    g->digest = digest_new(g->algorithms, err);
    if (!g->digest || !add_dscs(g, err))
        return false;
    return plan_hashing(g, err) && add_files(g, err) && finish(g, err);
}

/* What the packages are listed in. */
static bool start(struct generate *g, struct hallmark_error *err)
{
    const struct generate_options *options = g->options;

    if (settings_layout(options->settings) == SETTINGS_APT) {
        g->out.apt =
            apt_tree_new(options->settings, options->before, g->rootfd, options->spoolfd, err);
        if (!g->out.apt)
            return false;
        if (apt_contents_open(g->out.apt, options->settings, options->statefd, options->spoolfd))
            package_reader_list_files(g->reader);
        return true;
    }
    g->flat = flat_index_start(&options->before->index, g->algorithms);
    g->release = &publication_add_suite(&g->out.suites, "")->release;
    set_fields(g->release, options->settings);
    return true;
}

bool generate_release(struct generated *out, int rootfd, struct digest_cache *old,
                      const struct generate_options *options, struct hallmark_error *err)
{
    struct generate g = {.rootfd = rootfd, .options = options, .old = old};
    bool ok;

    g.algorithms = settings_hashes(options->settings);
    g.reader = package_reader_new(options->sandbox);
    g.buf = alloc_array(READ_STEP, 1);
    g.out.cache = digest_cache_follow(old);
    ok = start(&g, err) && run(&g, err);
    g.out.skipped = g.tree.skipped;
    g.tree.skipped = (struct strlist){0};
    g.out.n_skipped = g.tree.n_skipped;
    tree_free(&g.tree);
    package_reader_free(g.reader);
    flat_index_stop(g.flat);
    digest_free(g.digest);
    hash_ahead_free(g.ahead);
    free(g.dsc_records);
    free(g.buf);
    if (ok)
        *out = g.out;
    else
        generate_free(&g.out);
    return ok;
}

void generate_free(struct generated *generated)
{
    publication_suites_free(&generated->suites);
    flat_index_free(&generated->index);
    apt_tree_free(generated->apt);
    strlist_free(&generated->broken);
    digest_cache_free(generated->cache);
    strlist_free(&generated->skipped);
    *generated = (struct generated){0};
}
