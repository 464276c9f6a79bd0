/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gives a fuzz target every file of its corpus, and variations of each that are the same in every
 * run: cuts, changed bytes, doubled parts. TAP on standard output; a defect ends the process by a
 * signal or a sanitizer. Corpus: the files and directories in the arguments, or
 * $srcdir/tests/data/X for fuzz_X.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A corpus file is a few kilobytes of text. */
enum { REPLAY_FILE_MAX = 1 << 20, REPLAY_MUTATIONS = 300 };

static unsigned n_files;
static unsigned n_mutations = REPLAY_MUTATIONS;

/* xorshift32: the same numbers everywhere. */
static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* The exact size on the heap, so that a read behind the end is seen by valgrind and the sanitizer.
 */
static void run_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        abort();
    if (size)
        memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void change_bytes(uint8_t *data, size_t size, uint32_t *state)
{
    static const uint8_t interesting[] = {0, '\n', ' ', ':', '-', '.', '/', '\r', 0x7f, 0x80, 0xff};
    unsigned n = next_random(state) % 3 + 1;

    while (n-- > 0) {
        size_t at = next_random(state) % size;
        uint32_t how = next_random(state);

        if (how & 1)
            data[at] = interesting[(how >> 8) % sizeof interesting];
        else
            data[at] ^= (uint8_t)(1U << ((how >> 8) % 8));
    }
}

static void run_mutations(const uint8_t *data, size_t size)
{
    uint32_t state = 2463534242U;
    uint8_t *work = malloc(2 * size + 1);
    unsigned i;

    if (!work)
        abort();
    for (i = 0; i < n_mutations && size > 0; i++) {
        size_t at = next_random(&state) % size;
        size_t len = next_random(&state) % (size - at) + 1;

        memcpy(work, data, size);
        switch (i % 4) {
        case 0: /* cut off */
            run_copy(work, at);
            break;
        case 1: /* a part removed */
            memmove(work + at, work + at + len, size - at - len);
            run_copy(work, size - len);
            break;
        case 2: /* a part doubled */
            memmove(work + at + len, work + at, size - at);
            run_copy(work, size + len);
            break;
        default:
            change_bytes(work, size, &state);
            run_copy(work, size);
            break;
        }
    }
    free(work);
}

static bool replay_file(const char *path)
{
    uint8_t *data = malloc(REPLAY_FILE_MAX);
    FILE *file = fopen(path, "rb");
    size_t size;
    bool ok = data && file;

    if (ok) {
        size = fread(data, 1, REPLAY_FILE_MAX, file);
        ok = !ferror(file);
    }
    if (ok) {
        run_copy(data, size);
        run_mutations(data, size);
    }
    n_files++;
    printf("%sok %u - %s\n", ok ? "" : "not ", n_files, path);
    fflush(stdout);
    if (file)
        fclose(file);
    free(data);
    return ok;
}

static bool replay(const char *path);

static bool replay_directory(const char *path)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, NULL, alphasort);
    bool ok = n >= 0;
    int i;

    for (i = 0; i < n; i++) {
        char child[4096];

        if (entries[i]->d_name[0] != '.') {
            snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
            ok = replay(child) && ok;
        }
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static bool replay(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        printf("not ok %u - %s cannot be read\n", ++n_files, path);
        return false;
    }
    return S_ISDIR(st.st_mode) ? replay_directory(path) : replay_file(path);
}

/* tests/data/X for .../fuzz_X; libtool puts "lt-" before the name. */
static void default_corpus(const char *program, char *out, size_t out_len)
{
    const char *srcdir = getenv("srcdir");
    const char *name = strrchr(program, '/');

    name = name ? name + 1 : program;
    if (strncmp(name, "lt-", 3) == 0)
        name += 3;
    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    snprintf(out, out_len, "%s/tests/data/%s", srcdir ? srcdir : ".", name);
}

int main(int argc, char **argv)
{
    const char *mutations = getenv("HALLMARK_FUZZ_MUTATIONS");
    char corpus[4096];
    bool ok = true;
    int i;

    if (mutations)
        n_mutations = (unsigned)strtoul(mutations, NULL, 10);
    run_copy((const uint8_t *)"", 0);
    for (i = 1; i < argc; i++)
        ok = replay(argv[i]) && ok;
    if (argc < 2) {
        default_corpus(argv[0], corpus, sizeof corpus);
        ok = replay(corpus);
    }
    printf("1..%u\n", n_files);
    return ok && n_files > 0 ? 0 : 1;
}
