/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Release manifest: apt-secure(8), wiki.debian.org/DebianRepository/Format. Sorting finds
 * whatever is there twice, so that no choice of names makes it slow.
 */
#include "format/release.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "format/deb822.h"
#include "format/index_path.h"
#include "format/release_fields.h"

static const char what[] = "Release";

#define NO_ALL "No-Support-for-Architecture-all"

/* The longest path whose line, with a SHA512 and a size of 19 digits, is no longer than a line may
 * be. */
enum { WRITTEN_PATH_LEN = LIMITS_LINE_BYTES - 1 - 2 * RELEASE_SHA512_LEN - 1 - 19 - 1 };

/* The entries of one hash section while they are read. */
struct section {
    struct release_entry *entries;
    size_t n_entries;
    struct arena paths, sha512s;
    size_t line; /* of the current entry */
};

/* A hash section. */
struct hash {
    enum release_hashes flag;
    const char *name;
    size_t len;
};

static const struct hash hashes[] = {
    {RELEASE_SHA256, "SHA256", RELEASE_SHA256_LEN},
    {RELEASE_SHA512, "SHA512", RELEASE_SHA512_LEN},
};
enum { N_HASHES = sizeof hashes / sizeof *hashes };

static const unsigned char *hash_of(const struct release_entry *entry, const struct hash *hash)
{
    return hash->flag == RELEASE_SHA256 ? entry->sha256 : entry->sha512;
}

/* Room for a hash of ENTRY. */
static unsigned char *reserve_hash(struct release_entry *entry, const struct hash *hash,
                                   struct section *s)
{
    unsigned char *room;

    if (hash->flag == RELEASE_SHA256)
        return entry->sha256;
    room = (unsigned char *)arena_reserve(&s->sha512s, RELEASE_SHA512_LEN);
    entry->sha512 = room;
    return room;
}

static bool malformed(size_t line, const char *fault, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_MALFORMED, "%s: line %zu: %s", what, line, fault);
}

/* ---- One section ---------------------------------------------------------------------------- */

/* Takes what is before the next blank off *REST, and the blanks. False where there is none. */
static bool take_column(struct bytes_view *rest, struct bytes_view *out)
{
    const char *blank = memchr(rest->data, ' ', rest->len);

    if (!blank)
        return false;
    *out = bytes_view_of(rest->data, (size_t)(blank - rest->data));
    rest->data += out->len;
    rest->len -= out->len;
    while (rest->len && rest->data[0] == ' ') {
        rest->data++;
        rest->len--;
    }
    return true;
}

/* The publisher's own files, which stand at the root beside what they list; the first three are
 * the manifest. */
static const struct bytes_view ours[] = {
    {"Release", sizeof "Release" - 1},
    {"InRelease", sizeof "InRelease" - 1},
    {"Release.gpg", sizeof "Release.gpg" - 1},
    {".hallmark", sizeof ".hallmark" - 1},
};
enum { N_MANIFESTS = 3, N_OURS = sizeof ours / sizeof *ours };

/* Which of the first N of them NAME is; NULL for none. */
static const char *find_ours(struct bytes_view name, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (name.len == ours[i].len && memcmp(name.data, ours[i].data, name.len) == 0)
            return ours[i].data;
    return NULL;
}

/* A path that may be listed. */
static bool check_path(struct bytes_view path, const char *where, struct hallmark_error *err)
{
    const char *slash, *name;
    struct bytes_view first = path;

    if (!path_check(path, where, err))
        return false;
    if (path.len > WRITTEN_PATH_LEN)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: a name of %zu bytes, at most %d fit on a line", where, path.len,
                         WRITTEN_PATH_LEN);
    slash = memchr(path.data, '/', path.len);
    if (slash)
        first.len = (size_t)(slash - path.data);
    name = find_ours(first, N_OURS);
    if (name)
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: lists \"%s\", a name that the manifest itself needs", where, name);
    return true;
}

static bool parse_path(struct bytes_view path, size_t line, struct hallmark_error *err)
{
    char where[sizeof what + 32];

    if (check_path(path, "", NULL))
        return true; /* without the cost of a message for every line */
    snprintf(where, sizeof where, "%s: line %zu", what, line);
    return check_path(path, where, err);
}

/* " HASH SIZE PATH" */
static bool parse_entry(struct release_entry *entry, struct bytes_view line,
                        const struct hash *hash, struct section *s, struct hallmark_error *err)
{
    struct bytes_view rest = {line.data + 1, line.len - 1}, digits, size;
    char *path;

    if (!take_column(&rest, &digits) || !take_column(&rest, &size))
        return malformed(s->line, "is not \" HASH SIZE PATH\"", err);
    if (!encoding_unhex(reserve_hash(entry, hash, s), hash->len, digits))
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: line %zu: the hash is not %zu lower-case hexadecimal digits behind "
                         "one blank",
                         what, s->line, 2 * hash->len);
    if (!encoding_parse_size(size, &entry->size))
        return error_set(err, HALLMARK_ERR_MALFORMED,
                         "%s: line %zu: the size \"%.*s\" is not a number below 2^63 without sign "
                         "and leading zeros",
                         what, s->line, size.len < 32 ? (int)size.len : 32, size.data);
    /* apt-ftparchive lists the Release that it overwrites: nothing that anybody could verify. */
    if (find_ours(rest, N_MANIFESTS)) {
        s->n_entries--;
        return true;
    }
    if (!parse_path(rest, s->line, err))
        return false;
    path = arena_reserve(&s->paths, rest.len + 1);
    memcpy(path, rest.data, rest.len);
    path[rest.len] = '\0';
    entry->path = path;
    return true;
}

static size_t count_lines(struct bytes_view value)
{
    struct bytes_view line;
    size_t n = 0;

    while (bytes_view_next_line(&value, &line))
        n++;
    return n;
}

static bool parse_section(struct section *s, const struct deb822_field *field,
                          const struct hash *hash, struct hallmark_error *err)
{
    struct bytes_view rest = field->value, line;
    size_t n_lines;

    if (rest.len && rest.data[0] != '\n')
        return malformed(field->line, "an entry beside the name of its section", err);
    if (rest.len)
        bytes_view_next_line(&rest, &line); /* the empty one behind the colon */
    n_lines = count_lines(rest);
    if (n_lines > LIMITS_ENTRIES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: line %zu: %zu entries, at most %d", what,
                         field->line, n_lines, LIMITS_ENTRIES);
    s->entries = alloc_array(n_lines, sizeof *s->entries);
    s->line = field->line;
    while (bytes_view_next_line(&rest, &line)) {
        s->line++;
        if (!parse_entry(&s->entries[s->n_entries++], line, hash, s, err))
            return false;
    }
    return true;
}

/* ---- All paths together --------------------------------------------------------------------- */

static int compare_bytes(const void *a, const void *b)
{
    const struct release_entry *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* The order in which a directory's files follow directly behind a file of its name, and names that
 * differ only in case behind one another. */
static int path_rank(char c)
{
    if (c == '\0')
        return 0;
    return c == '/' ? 1 : (unsigned char)bytes_lower(c) + 1;
}

/* How many characters of X have the rank of those of Y. */
static size_t count_common(const char *x, const char *y)
{
    size_t i = 0;

    while (x[i] && (x[i] == y[i] || path_rank(x[i]) == path_rank(y[i])))
        i++;
    return i;
}

static int compare_paths(const char *x, const char *y)
{
    size_t i = count_common(x, y);

    return path_rank(x[i]) - path_rank(y[i]);
}

static int compare_folded(const void *a, const void *b)
{
    const struct release_entry *const *x = a, *const *y = b;

    return compare_paths((*x)->path, (*y)->path);
}

/* Whether FILE and OTHER, which is behind it in that order, cannot both be files everywhere; I is
 * their count_common(). */
static bool is_clash(const char *file, const char *other, size_t i)
{
    return !file[i] && (!other[i] || other[i] == '/');
}

/* Refuses two such files. */
static bool check_pair(const char *file, const char *other, struct hallmark_error *err)
{
    size_t i = count_common(file, other);

    if (!is_clash(file, other, i))
        return true;
    if (strcmp(file, other) == 0)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: \"%.256s\" is listed twice", what, file);
    return error_set(err, HALLMARK_ERR_MALFORMED, "%s: \"%.256s\" and \"%.256s\" %s", what, file,
                     other,
                     other[i] ? "would be file and directory at once" : "differ only in case");
}

/* Likewise, of entries that are in no such order. */
static bool check_unsorted(const struct release_entry *entries, size_t n,
                           struct hallmark_error *err)
{
    const struct release_entry **index = alloc_array(n, sizeof *index);
    bool ok = true;
    size_t i;

    for (i = 0; i < n; i++)
        index[i] = &entries[i];
    qsort(index, n, sizeof *index, compare_folded);
    for (i = 1; ok && i < n; i++)
        ok = check_pair(index[i - 1]->path, index[i]->path, err);
    free(index);
    return ok;
}

/* Each pair is looked at once. Whether names clash is only said where they are in order, so that
 * the words do not depend on which was found first. */
static bool check_twins(const struct release_entry *entries, size_t n, struct hallmark_error *err)
{
    size_t i, common, twin = 0;

    for (i = 1; i < n; i++) {
        const char *file = entries[i - 1].path, *other = entries[i].path;

        common = count_common(file, other);
        if (path_rank(file[common]) > path_rank(other[common]))
            return check_unsorted(entries, n, err);
        if (!twin && is_clash(file, other, common))
            twin = i;
    }
    return !twin || check_pair(entries[twin - 1].path, entries[twin].path, err);
}

static bool sort_entries(struct release_entry *entries, size_t n, struct hallmark_error *err)
{
    size_t i;

    for (i = 1; i < n && strcmp(entries[i - 1].path, entries[i].path) < 0; i++)
        ;
    if (i < n) /* publishers write them sorted, mostly */
        qsort(entries, n, sizeof *entries, compare_bytes);
    return check_twins(entries, n, err);
}

/* ---- Parsing -------------------------------------------------------------------------------- */

static bool disagree(const char *path, const char *fault, struct hallmark_error *err)
{
    return error_set(err, HALLMARK_ERR_CONTENT, "%s: SHA256 and SHA512 disagree: \"%.256s\" %s",
                     what, path, fault);
}

/* Takes the SHA512 of S over into the entries that R has already; both are sorted. */
static bool merge_section(struct release *r, const struct section *s, struct hallmark_error *err)
{
    size_t i;
    int order;

    for (i = 0; i < r->n_entries || i < s->n_entries; i++) {
        order = i == r->n_entries   ? 1
                : i == s->n_entries ? -1
                                    : strcmp(r->entries[i].path, s->entries[i].path);
        if (order != 0)
            return disagree(order < 0 ? r->entries[i].path : s->entries[i].path,
                            "stands in one of them only", err);
        if (r->entries[i].size != s->entries[i].size)
            return disagree(r->entries[i].path, "has two sizes", err);
        r->entries[i].sha512 = s->entries[i].sha512;
    }
    return true;
}

static bool add_section(struct release *r, const struct deb822_field *field,
                        const struct hash *hash, struct hallmark_error *err)
{
    struct section s = {0};
    bool ok = parse_section(&s, field, hash, err) && sort_entries(s.entries, s.n_entries, err);

    if (ok && r->hashes) {
        ok = merge_section(r, &s, err);
    } else if (ok) {
        r->entries = s.entries;
        r->n_entries = r->entries_cap = s.n_entries;
        r->paths = s.paths;
        s.entries = NULL;
        s.paths = (struct arena){NULL};
    }
    if (ok && hash->flag == RELEASE_SHA512) {
        r->sha512s = s.sha512s;
        s.sha512s = (struct arena){NULL};
    }
    r->hashes |= ok ? hash->flag : 0u;
    free(s.entries);
    arena_free(&s.paths);
    arena_free(&s.sha512s);
    return ok;
}

static bool says(const struct deb822 *stanza, const char *name, const char *value)
{
    const struct deb822_field *field = deb822_find(stanza, name);

    return field && bytes_view_equals_nocase(field->value, bytes_view_str(value));
}

static bool parse(struct release *r, const struct deb822 *stanza, struct hallmark_error *err)
{
    const struct deb822_field *field;
    size_t i;

    if (!release_fields_get(r, stanza, err))
        return false;
    r->acquire_by_hash = says(stanza, "Acquire-By-Hash", "yes");
    r->repeats_all = says(stanza, NO_ALL, "Packages");
    r->not_automatic = says(stanza, "NotAutomatic", "yes");
    r->but_automatic_upgrades = says(stanza, "ButAutomaticUpgrades", "yes");
    for (i = 0; i < N_HASHES; i++) {
        field = deb822_find(stanza, hashes[i].name);
        if (field && !add_section(r, field, &hashes[i], err))
            return false;
    }
    if (!r->hashes)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: neither SHA256 nor SHA512", what);
    return true;
}

bool release_parse(struct release *out, struct bytes_view text, struct hallmark_error *err)
{
    struct release release = {0};
    struct deb822 stanza = {0};
    bool ok = false;

    if (text.len > LIMITS_MANIFEST_BYTES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: has %zu bytes, at most %d are wanted",
                         what, text.len, LIMITS_MANIFEST_BYTES);
    if (!deb822_parse(&stanza, text, DEB822_STRICT, what, err) || !parse(&release, &stanza, err))
        goto out;
    *out = release;
    release = (struct release){0};
    ok = true;
out:
    release_free(&release);
    deb822_free(&stanza);
    return ok;
}

void release_free(struct release *release)
{
    if (!release)
        return;
    free(release->origin);
    free(release->label);
    free(release->suite);
    free(release->codename);
    free(release->version);
    free(release->description);
    strlist_free(&release->architectures);
    strlist_free(&release->components);
    free(release->entries);
    arena_free(&release->paths);
    arena_free(&release->sha512s);
    *release = (struct release){0};
}

size_t release_count_packages(const struct release *release)
{
    size_t i, n = 0;

    for (i = 0; i < release->n_entries; i++)
        n += !index_path_is_at_root(release->entries[i].path);
    return n;
}

static int compare_path(const void *path, const void *entry)
{
    return strcmp(path, ((const struct release_entry *)entry)->path);
}

const struct release_entry *release_find(const struct release *release, const char *path)
{
    if (release->n_entries == 0)
        return NULL;
    return bsearch(path, release->entries, release->n_entries, sizeof *release->entries,
                   compare_path);
}

/* ---- Building and writing ------------------------------------------------------------------- */

void release_add(struct release *release, const struct release_entry *entry)
{
    struct release_entry *added;

    release->entries = alloc_one_more(release->entries, release->n_entries, &release->entries_cap,
                                      sizeof *release->entries);
    added = &release->entries[release->n_entries++];
    *added = *entry;
    added->path = arena_strdup(&release->paths, entry->path);
    if (entry->sha512)
        added->sha512 = memcpy(arena_reserve(&release->sha512s, RELEASE_SHA512_LEN), entry->sha512,
                               RELEASE_SHA512_LEN);
}

bool release_sort(struct release *release, struct hallmark_error *err)
{
    size_t i;

    if (release->n_entries > LIMITS_ENTRIES)
        return error_set(err, HALLMARK_ERR_MALFORMED, "%s: %zu entries, at most %d", what,
                         release->n_entries, LIMITS_ENTRIES);
    for (i = 0; i < release->n_entries; i++)
        if (!check_path(bytes_view_str(release->entries[i].path), what, err))
            return false;
    return sort_entries(release->entries, release->n_entries, err);
}

static void write_words(struct bytes *out, const char *name, const struct strlist *words)
{
    char *text = strlist_join(words);

    deb822_write(out, name, text);
    free(text);
}

static void write_date(struct bytes *out, const char *name, int64_t when)
{
    char text[TIMESTAMP_TEXT_LEN];

    if (when == 0)
        return;
    timestamp_write_rfc1123(when, text);
    deb822_write(out, name, text);
}

static void write_section(const struct release *r, const struct hash *hash, struct bytes *out)
{
    char hex[2 * RELEASE_SHA512_LEN + 1];
    size_t i;

    bytes_printf(out, "%s:\n", hash->name);
    for (i = 0; i < r->n_entries; i++) {
        encoding_hex(hex, hash_of(&r->entries[i], hash), hash->len);
        bytes_printf(out, " %s %8" PRIu64 " %s\n", hex, r->entries[i].size, r->entries[i].path);
    }
}

void release_write(const struct release *release, struct bytes *out)
{
    size_t i;

    deb822_write(out, "Origin", release->origin);
    deb822_write(out, "Label", release->label);
    deb822_write(out, "Suite", release->suite);
    deb822_write(out, "Codename", release->codename);
    deb822_write(out, "Version", release->version);
    write_date(out, "Date", release->date);
    write_date(out, "Valid-Until", release->valid_until);
    deb822_write(out, "NotAutomatic", release->not_automatic ? "yes" : NULL);
    deb822_write(out, "ButAutomaticUpgrades", release->but_automatic_upgrades ? "yes" : NULL);
    deb822_write(out, "Acquire-By-Hash", release->acquire_by_hash ? "yes" : NULL);
    deb822_write(out, NO_ALL, release->repeats_all ? "Packages" : NULL);
    write_words(out, "Architectures", &release->architectures);
    write_words(out, "Components", &release->components);
    deb822_write(out, "Description", release->description);
    for (i = 0; i < N_HASHES; i++)
        if (release->hashes & hashes[i].flag)
            write_section(release, &hashes[i], out);
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_same_list(const struct strlist *a, const struct strlist *b)
{
    size_t i;

    if (a->n_items != b->n_items)
        return false;
    for (i = 0; i < a->n_items; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

static bool is_same_entries(const struct release *a, const struct release *b)
{
    size_t i, k;

    if (a->n_entries != b->n_entries || a->hashes != b->hashes)
        return false;
    for (i = 0; i < a->n_entries; i++) {
        if (a->entries[i].size != b->entries[i].size ||
            strcmp(a->entries[i].path, b->entries[i].path) != 0)
            return false;
        for (k = 0; k < N_HASHES; k++)
            if ((a->hashes & hashes[k].flag) &&
                memcmp(hash_of(&a->entries[i], &hashes[k]), hash_of(&b->entries[i], &hashes[k]),
                       hashes[k].len) != 0)
                return false;
    }
    return true;
}

bool release_is_same_content(const struct release *a, const struct release *b)
{
    return is_same_text(a->origin, b->origin) && is_same_text(a->label, b->label) &&
           is_same_text(a->suite, b->suite) && is_same_text(a->codename, b->codename) &&
           is_same_text(a->version, b->version) && is_same_text(a->description, b->description) &&
           a->acquire_by_hash == b->acquire_by_hash && a->repeats_all == b->repeats_all &&
           a->not_automatic == b->not_automatic &&
           a->but_automatic_upgrades == b->but_automatic_upgrades &&
           is_same_list(&a->architectures, &b->architectures) &&
           is_same_list(&a->components, &b->components) && is_same_entries(a, b);
}
