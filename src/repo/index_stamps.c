/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stamps of published files. */
#include "repo/index_stamps.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/path.h"
#include "crypto/checksum.h"
#include "repo/digest_cache.h"
#include "repo/publication.h"
#include "repo/publication_record.h"

enum {
    ONLY_OURS = 0600,
    NS = 1000000000,
    SETTLED_NS = 50 * 1000 * 1000, /* as in generate.c */
    SUM_DIGITS = 16,
};

static const char magic[] = "hallmark-stamps 1 ";

enum origin { ORIGIN_READ, ORIGIN_WRITTEN };

/* That a file held certain bytes. */
struct record {
    char *path;
    unsigned char sha256[RELEASE_SHA256_LEN];
    struct tree_stamp stamp;
    enum origin origin; /* of a note; the mtime of what was written is not final */
    int64_t noted_at;   /* likewise */
};

struct records {
    struct record *items;
    size_t n, cap;
};

struct index_stamps {
    int rootfd, statefd;
    struct records known; /* by path */
    struct records notes;
};

static struct index_stamps *new_stamps(void)
{
    struct index_stamps *stamps = alloc_array(1, sizeof *stamps);

    stamps->rootfd = stamps->statefd = -1;
    return stamps;
}

static void free_records(struct records *records)
{
    size_t i;

    for (i = 0; i < records->n; i++)
        free(records->items[i].path);
    free(records->items);
    *records = (struct records){.n = 0};
}

void index_stamps_free(struct index_stamps *stamps)
{
    if (!stamps)
        return;
    free_records(&stamps->known);
    free_records(&stamps->notes);
    free(stamps);
}

void index_stamps_forget(struct index_stamps *stamps)
{
    if (stamps)
        free_records(&stamps->known);
}

/* Adds a copy of RECORD, which has no path yet, of the file at PATH. */
static void add(struct records *records, const struct record *record, struct bytes_view path)
{
    records->items =
        alloc_one_more(records->items, records->n, &records->cap, sizeof *records->items);
    records->items[records->n] = *record;
    records->items[records->n++].path = alloc_strndup(path.data, path.len);
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct record *)a)->path, ((const struct record *)b)->path);
}

static void sort(struct records *records)
{
    if (records->n > 1)
        qsort(records->items, records->n, sizeof *records->items, compare);
}

static int compare_path(const void *path, const void *record)
{
    return strcmp(path, ((const struct record *)record)->path);
}

static const struct record *find(const struct records *records, const char *path)
{
    return records->n
               ? bsearch(path, records->items, records->n, sizeof *records->items, compare_path)
               : NULL;
}

/* ---- The file ------------------------------------------------------------------------------- */

static bool take_word(struct bytes_view *rest, struct bytes_view *word)
{
    const char *end = rest->len ? memchr(rest->data, ' ', rest->len) : NULL;

    if (!end)
        return false;
    *word = bytes_view_of(rest->data, (size_t)(end - rest->data));
    *rest = bytes_view_of(end + 1, rest->len - word->len - 1);
    return true;
}

static bool take_number(struct bytes_view *rest, uint64_t *out)
{
    struct bytes_view word;

    return take_word(rest, &word) && encoding_parse_size(word, out);
}

static bool take_time(struct bytes_view *rest, int64_t *out)
{
    uint64_t value;

    if (!take_number(rest, &value) || value > INT64_MAX)
        return false;
    *out = (int64_t)value;
    return true;
}

static bool parse_line(struct index_stamps *stamps, struct bytes_view line)
{
    struct record record = {.path = NULL};
    struct bytes_view hash;

    if (!take_word(&line, &hash) || !encoding_unhex(record.sha256, sizeof record.sha256, hash) ||
        !take_number(&line, &record.stamp.device) || !take_number(&line, &record.stamp.inode) ||
        !take_number(&line, &record.stamp.size) || !take_time(&line, &record.stamp.mtime) ||
        !take_time(&line, &record.stamp.ctime) || !path_check(line, INDEX_STAMPS_FILE, NULL))
        return false;
    add(&stamps->known, &record, line);
    return true;
}

static void write_sum(struct bytes_view body, char out[SUM_DIGITS + 1])
{
    uint64_t sum = checksum_xxh3(body);
    unsigned char bytes[sizeof sum];
    size_t i;

    for (i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(sum >> 8 * i);
    encoding_hex(out, bytes, sizeof bytes);
}

/* What is wrong with the first line of what has BODY behind it; NULL for nothing. */
static const char *head_fault(struct bytes_view head, const char *release, struct bytes_view body)
{
    struct bytes_view rest, digest;
    char sum[SUM_DIGITS + 1];
    size_t len = strlen(magic);

    if (head.len < len || memcmp(head.data, magic, len) != 0)
        return "is of another version";
    rest = bytes_view_of(head.data + len, head.len - len);
    write_sum(body, sum);
    if (!take_word(&rest, &digest) || !bytes_view_equals(rest, sum))
        return "is damaged: its checksum differs";
    return bytes_view_equals(digest, release) ? NULL : "is about another manifest";
}

static bool has_twins(const struct records *records)
{
    size_t i;

    for (i = 1; i < records->n; i++)
        if (compare(&records->items[i - 1], &records->items[i]) == 0)
            return true;
    return false;
}

struct index_stamps *index_stamps_parse(struct bytes_view text, const char *release,
                                        struct hallmark_error *err)
{
    struct index_stamps *stamps = new_stamps();
    struct bytes_view line;
    const char *fault = "is empty";

    if (bytes_view_next_line(&text, &line))
        fault = head_fault(line, release, text);
    while (!fault && bytes_view_next_line(&text, &line))
        if (!parse_line(stamps, line))
            fault = "has a line that does not describe a file";
    sort(&stamps->known);
    if (!fault && has_twins(&stamps->known))
        fault = "has two lines about one file";
    if (!fault)
        return stamps;
    error_set(err, HALLMARK_ERR_MALFORMED, "%s: %s", INDEX_STAMPS_FILE, fault);
    index_stamps_free(stamps);
    return NULL;
}

/* Reads the file, of which nobody but this user (or root) may have written a byte. */
static struct index_stamps *load(int statefd, const char *release)
{
    struct index_stamps *stamps = NULL;
    struct bytes text = {0};
    struct stat st;
    int fd = file_open_beneath(statefd, INDEX_STAMPS_FILE, NULL);

    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0) &&
        !(st.st_mode & (S_IWGRP | S_IWOTH)) &&
        file_read_fd(fd, INDEX_STAMPS_FILE, INDEX_STAMPS_MAX_BYTES, &text, NULL))
        stamps = index_stamps_parse(bytes_view(&text), release, NULL);
    file_close(&fd);
    bytes_free(&text);
    return stamps;
}

struct index_stamps *index_stamps_load(int rootfd, int statefd, const char *release)
{
    struct index_stamps *stamps = statefd >= 0 && release ? load(statefd, release) : NULL;

    if (!stamps)
        stamps = new_stamps();
    stamps->rootfd = rootfd;
    stamps->statefd = statefd;
    return stamps;
}

/* ---- Looking -------------------------------------------------------------------------------- */

static void look(const struct index_stamps *stamps, const char *path, struct index_stamps_look *out)
{
    struct stat st;

    *out = (struct index_stamps_look){.is_there = false};
    if (fstatat(stamps->rootfd, path, &st, 0) < 0 || !S_ISREG(st.st_mode))
        return;
    out->is_there = true;
    tree_stamp_from(&out->stamp, &st);
}

static bool is_of(const struct record *record, const struct release_entry *entry)
{
    return record->stamp.size == entry->size &&
           memcmp(record->sha256, entry->sha256, sizeof record->sha256) == 0;
}

bool index_stamps_knows(struct index_stamps *stamps, const char *path,
                        const struct release_entry *entry, struct index_stamps_look *out)
{
    const struct record *record = stamps ? find(&stamps->known, path) : NULL;

    *out = (struct index_stamps_look){.is_there = false};
    if (stamps)
        look(stamps, path, out);
    return record && out->is_there && is_of(record, entry) &&
           tree_stamp_is_equal(&record->stamp, &out->stamp);
}

static int64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS + now.tv_nsec;
}

static void note(struct index_stamps *stamps, const char *path, const struct release_entry *entry,
                 struct record *record)
{
    memcpy(record->sha256, entry->sha256, sizeof record->sha256);
    record->noted_at = clock_ns();
    add(&stamps->notes, record, bytes_view_str(path));
}

void index_stamps_note(struct index_stamps *stamps, const char *path,
                       const struct release_entry *entry, const struct index_stamps_look *before)
{
    struct record record = {.stamp = before->stamp, .origin = ORIGIN_READ};
    struct index_stamps_look after;

    if (!stamps || !before->is_there)
        return;
    look(stamps, path, &after);
    if (after.is_there && tree_stamp_is_equal(&before->stamp, &after.stamp))
        note(stamps, path, entry, &record);
}

void index_stamps_note_written(struct index_stamps *stamps, const char *path,
                               const struct release_entry *entry, const struct tree_stamp *stamp)
{
    struct record record = {.stamp = *stamp, .origin = ORIGIN_WRITTEN};

    if (stamps)
        note(stamps, path, entry, &record);
}

/* ---- Recording ------------------------------------------------------------------------------ */

/* Whether a write to the file with STAMP since NOTED_AT would show in its mtime: that is so old
 * that no clock could give it again; or it is a whole second, as we set it, on a file system whose
 * clock counts finer. */
static bool would_show(const struct tree_stamp *stamp, int64_t noted_at)
{
    int64_t settled;

    if (__builtin_sub_overflow(noted_at, DIGEST_CACHE_RACY_NS, &settled) || stamp->mtime < 0)
        return false;
    return stamp->mtime <= settled || (stamp->mtime % NS == 0 && stamp->ctime % NS != 0);
}

/* Whether the file that is published with STAMP now, on DATE, is the one of RECORD, of which only
 * the ctime has changed: by the names that it was given, and those that it has lost. */
static bool is_still(const struct record *record, const struct tree_stamp *stamp, int64_t date)
{
    int64_t mtime = record->stamp.mtime;

    if (record->origin == ORIGIN_WRITTEN && __builtin_mul_overflow(date, (int64_t)NS, &mtime))
        return false;
    return record->stamp.device == stamp->device && record->stamp.inode == stamp->inode &&
           record->stamp.size == stamp->size && mtime == stamp->mtime &&
           would_show(stamp, record->noted_at);
}

static bool is_noted(const struct index_stamps *stamps, const char *path,
                     const struct release_entry *entry, const struct index_stamps_look *now,
                     int64_t date)
{
    const struct record *found = find(&stamps->notes, path), *end, *record;

    if (!found)
        return false;
    end = stamps->notes.items + stamps->notes.n;
    while (found > stamps->notes.items && strcmp(found[-1].path, path) == 0)
        found--;
    for (record = found; record < end && strcmp(record->path, path) == 0; record++)
        if (is_of(record, entry) && is_still(record, &now->stamp, date))
            return true;
    return false;
}

/* Adds those files of SUITE of which it is known what they hold. */
static void collect(const struct index_stamps *stamps, const struct publication_suite *suite,
                    struct records *out)
{
    const struct release *release = &suite->release;
    struct index_stamps_look now;
    struct record record;
    char *path;
    size_t i;

    for (i = 0; i < release->n_entries; i++) {
        path = path_join(suite->directory, release->entries[i].path);
        look(stamps, path, &now);
        if (now.is_there && is_noted(stamps, path, &release->entries[i], &now, release->date)) {
            record = (struct record){.stamp = now.stamp};
            memcpy(record.sha256, release->entries[i].sha256, sizeof record.sha256);
            add(out, &record, bytes_view_str(path));
        }
        free(path);
    }
}

/* Waits until what is changed from then on gets another ctime than the files of RECORDS have. */
static void settle(const struct records *records)
{
    struct timespec pause = {0};
    int64_t newest = 0, age;
    size_t i;

    for (i = 0; i < records->n; i++)
        if (records->items[i].stamp.ctime > newest)
            newest = records->items[i].stamp.ctime;
    age = clock_ns() - newest;
    if (age < 0 || age >= SETTLED_NS)
        return;
    pause.tv_nsec = SETTLED_NS - age;
    nanosleep(&pause, NULL);
}

/* Writes those of RECORDS whose files are still the same, and older than the present. */
static void write_body(const struct index_stamps *stamps, const struct records *records,
                       struct bytes *out)
{
    char hash[2 * RELEASE_SHA256_LEN + 1];
    struct index_stamps_look now;
    const struct record *record;
    const struct tree_stamp *stamp;
    size_t i;

    for (i = 0; i < records->n; i++) {
        record = &records->items[i];
        stamp = &record->stamp;
        look(stamps, record->path, &now);
        if (!now.is_there || !tree_stamp_is_equal(stamp, &now.stamp) || stamp->ctime < 0 ||
            clock_ns() - stamp->ctime < SETTLED_NS)
            continue;
        encoding_hex(hash, record->sha256, sizeof record->sha256);
        bytes_printf(out, "%s %ju %ju %ju %jd %jd %s\n", hash, (uintmax_t)stamp->device,
                     (uintmax_t)stamp->inode, (uintmax_t)stamp->size, (intmax_t)stamp->mtime,
                     (intmax_t)stamp->ctime, record->path);
    }
}

static bool save(const struct index_stamps *stamps, const struct records *records,
                 const char *release, struct hallmark_error *err)
{
    struct bytes body = {0}, text = {0};
    char sum[SUM_DIGITS + 1];
    bool ok;

    write_body(stamps, records, &body);
    write_sum(bytes_view(&body), sum);
    bytes_printf(&text, "%s%s %s\n", magic, release, sum);
    if (body.len)
        bytes_append(&text, body.data, body.len);
    ok = file_replace(stamps->statefd, INDEX_STAMPS_FILE, bytes_view(&text), ONLY_OURS, err);
    bytes_free(&body);
    bytes_free(&text);
    return ok;
}

bool index_stamps_save(struct index_stamps *stamps, const struct publication_suites *suites,
                       struct hallmark_error *err)
{
    struct publication_state state = {0};
    struct records records = {.n = 0};
    const char *release;
    bool ok = publication_record_state_load(stamps->statefd, &state, err);
    size_t i;

    release = state.records[PUBLICATION_PUBLISHED].digests[0];
    sort(&stamps->notes);
    for (i = 0; ok && release && i < suites->n_suites; i++)
        collect(stamps, &suites->suites[i], &records);
    if (ok && release) {
        settle(&records);
        ok = save(stamps, &records, release, err);
    }
    free_records(&records);
    publication_record_state_free(&state);
    return ok;
}

void index_stamps_remove(int statefd)
{
    unlinkat(statefd, INDEX_STAMPS_FILE, 0);
}
