/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* index_writer, index_blocks: every form of an index, with its size and hash; spool: texts come out
 * as they went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "corpus.h"
#include "repo/index_blocks.h"
#include "repo/index_writer.h"
#include "repo/spool.h"
#include "temporary.h"

/* What one program makes of the file NAME in DIR. */
static char *unpacked(const char *dir, const char *name, const char *program)
{
    char *command = alloc_printf("%s <%s/%s", program, dir, name), buf[4096];
    FILE *pipe = popen(command, "r");
    struct bytes text = {0};
    size_t n;

    assert_non_null(pipe);
    while ((n = fread(buf, 1, sizeof buf, pipe)) > 0)
        bytes_append(&text, buf, n);
    assert_int_equal(pclose(pipe), 0);
    free(command);
    return text.data;
}

static void assert_written(int dirfd, const struct index_written *written)
{
    struct hallmark_error err = {0};
    struct digest_value digest;
    struct bytes data = {0};
    struct stat st;

    assert_true(file_read(dirfd, written->name, 1 << 24, &data, NULL, &err));
    assert_int_equal(data.len, written->size);
    assert_true(digest_bytes(DIGEST_SHA256 | DIGEST_SHA512, bytes_view(&data), &digest, &err));
    assert_memory_equal(digest.sha256, written->digest.sha256, sizeof digest.sha256);
    assert_memory_equal(digest.sha512, written->digest.sha512, sizeof digest.sha512);
    assert_int_equal(fstatat(dirfd, written->name, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    bytes_free(&data);
}

static void index_writer_accepts_all_forms(void **state)
{
    static const char *const programs[INDEX_FORMS] = {"cat", "xz -dc", "gzip -dc", "zstd -dqc"};
    struct index_writer_options options = {
        .forms = ~0u, .hashes = DIGEST_SHA256 | DIGEST_SHA512, .number = 7, .separator = "\n\n"};
    struct index_written written[INDEX_FORMS];
    struct hallmark_error err = {0};
    struct bytes all = {0};
    struct index_writer *writer;
    struct index_sink sink;
    char *dir = temporary_new(), *text, line[64];
    unsigned i;

    (void)state;
    options.stagefd = file_open_directory(dir, &err);
    writer = index_writer_open(&options, &err);
    assert_non_null(writer);
    sink = index_writer_sink(writer);
    for (i = 0; i < 40000; i++) { /* more than a buffer */
        snprintf(line, sizeof line, "Package: p%u\n\n", i * 7919);
        assert_true(sink.take(sink.ctx, bytes_view_str(line), &err));
        bytes_append_str(&all, line);
    }
    assert_true(index_writer_finish(writer, written, &err));
    index_writer_close(writer);
    for (i = 0; i < INDEX_FORMS; i++) {
        assert_written(options.stagefd, &written[i]);
        if (i == INDEX_ZSTD && system("command -v zstd >/dev/null") != 0)
            continue;
        text = unpacked(dir, written[i].name, programs[i]);
        assert_string_equal(text, all.data);
        free(text);
    }
    file_close(&options.stagefd);
    bytes_free(&all);
    temporary_remove(dir);
}

static void index_writer_accepts_nothing(void **state)
{
    struct index_writer_options options = {
        .forms = 1u << INDEX_XZ, .hashes = DIGEST_SHA256, .separator = "\n"};
    struct index_written written[INDEX_FORMS];
    struct hallmark_error err = {0};
    struct index_writer *writer;
    char *dir = temporary_new();

    (void)state;
    options.stagefd = file_open_directory(dir, &err);
    writer = index_writer_open(&options, &err);
    assert_true(index_writer_finish(writer, written, &err));
    index_writer_close(writer);
    assert_int_equal(written[INDEX_PLAIN].size, 0);
    assert_true(written[INDEX_XZ].size > 0);
    assert_string_equal(written[INDEX_GZIP].name, "");
    file_close(&options.stagefd);
    temporary_remove(dir);
}

/* Blocks that a writer finished. */
struct found {
    unsigned char keys[64][DIGEST_SHA256_LEN];
    size_t lens[64], n;
    struct bytes text;
};

static bool take_text(void *ctx, struct bytes_view text, struct hallmark_error *err)
{
    struct found *found = ctx;

    (void)err;
    assert_true(found->n < 64);
    found->lens[found->n] = text.len;
    bytes_append(&found->text, text.data, text.len);
    return true;
}

static bool take_block(void *ctx, unsigned form, const unsigned char key[DIGEST_SHA256_LEN],
                       struct bytes_view block, struct hallmark_error *err)
{
    struct found *found = ctx;

    (void)err;
    assert_int_equal(form, 2);
    assert_true(block.len > 0);
    memcpy(found->keys[found->n++], key, DIGEST_SHA256_LEN);
    return true;
}

/* Cuts N stanzas, without number LEFT_OUT, given in parts of STEP bytes. */
static void cut(struct found *out, unsigned n, unsigned left_out, size_t step)
{
    struct index_blocks_options options = {
        .forms = 4,
        .methods = {[2] = COMPRESS_GZIP},
        .separator = "\n\n",
        .sink = {.take_text = take_text, .take_block = take_block, .ctx = out}};
    struct hallmark_error err = {0};
    struct index_blocks *blocks = index_blocks_open(&options, &err);
    struct bytes text = {0};
    size_t done, len;
    unsigned i;

    *out = (struct found){.n = 0};
    for (i = 0; i < n; i++)
        if (i != left_out)
            bytes_printf(&text, "Package: p%u\nDescription: %01000u\n\n", i, i);
    for (done = 0; done < text.len; done += len) {
        len = text.len - done < step ? text.len - done : step;
        assert_true(index_blocks_add(blocks, bytes_view_of(text.data + done, len), &err));
    }
    assert_true(index_blocks_finish(blocks, &err));
    index_blocks_close(blocks);
    assert_int_equal(out->text.len, text.len);
    if (text.len)
        assert_memory_equal(out->text.data, text.data, text.len);
    bytes_free(&text);
    bytes_free(&out->text);
}

static size_t count_new(const struct found *before, const struct found *after)
{
    size_t i, k, n = 0;

    for (i = 0; i < after->n; i++) {
        for (k = 0; k < before->n && memcmp(before->keys[k], after->keys[i], DIGEST_SHA256_LEN);)
            k++;
        n += k == before->n;
    }
    return n;
}

static void index_blocks_accepts_one_change(void **state)
{
    static struct found all, other;
    size_t i;

    (void)state;
    cut(&all, 20000, 20000, 1 << 16);
    assert_true(all.n >= 10 && all.n <= 17);
    for (i = 0; i + 1 < all.n; i++)
        assert_true(all.lens[i] >= COMPRESS_BLOCK_MAX / 2 && all.lens[i] <= COMPRESS_BLOCK_MAX);
    for (i = 0; i < 8; i++) {
        cut(&other, 20000, (unsigned)(i * 2700), 1 << 16);
        assert_true(count_new(&all, &other) >= 1 && count_new(&all, &other) <= 2);
    }
}

/* However the text comes, the blocks are the same. */
static void index_blocks_accepts_parts_of_any_size(void **state)
{
    static struct found all, other;

    (void)state;
    cut(&all, 5000, 0, 1 << 24);
    cut(&other, 5000, 0, 777);
    assert_int_equal(all.n, other.n);
    assert_int_equal(count_new(&all, &other), 0);
    cut(&all, 0, 0, 1);
    assert_int_equal(all.n, 1);
}

/* A unit that is longer than a block. */
static void index_blocks_accepts_long_units(void **state)
{
    struct found found = {.n = 0};
    struct index_blocks_options options = {
        .forms = 4,
        .methods = {[2] = COMPRESS_GZIP},
        .separator = "\n",
        .sink = {.take_text = take_text, .take_block = take_block, .ctx = &found}};
    struct hallmark_error err = {0};
    struct index_blocks *blocks = index_blocks_open(&options, &err);
    size_t len = 3 * COMPRESS_BLOCK_MAX + 5;
    char *text = alloc_array(len, 1);

    (void)state;
    memset(text, 'x', len);
    text[9] = '\n';
    assert_true(index_blocks_add(blocks, bytes_view_of(text, len), &err));
    assert_true(index_blocks_finish(blocks, &err));
    index_blocks_close(blocks);
    assert_int_equal(found.text.len, len);
    assert_memory_equal(found.text.data, text, len);
    assert_int_equal(found.lens[0], 10);
    assert_int_equal(found.lens[1], COMPRESS_BLOCK_MAX);
    bytes_free(&found.text);
    free(text);
}

static void index_writer_rejects_what_is_there(void **state)
{
    struct index_writer_options options = {.hashes = DIGEST_SHA256, .number = 1, .separator = "\n"};
    struct hallmark_error err = {0};
    struct index_writer *writer;
    char *dir = temporary_new();

    (void)state;
    options.stagefd = file_open_directory(dir, &err);
    writer = index_writer_open(&options, &err);
    assert_non_null(writer);
    assert_null(index_writer_open(&options, &err));
    corpus_assert_error(&err, HALLMARK_ERR_IO, "00000001: cannot create: File exists");
    index_writer_close(writer);
    file_close(&options.stagefd);
    temporary_remove(dir);
}

static void spool_accepts_more_than_memory(void **state)
{
    enum { N = 9000, LEN = 1000 };
    struct hallmark_error err = {0};
    char *dir = temporary_new(), text[LEN], back[LEN];
    int dirfd = file_open_directory(dir, &err);
    struct spool *spool = spool_new(dirfd);
    uint64_t offsets[N];
    unsigned i;

    (void)state;
    for (i = 0; i < N; i++) {
        memset(text, 'a' + (int)(i % 26), LEN);
        assert_true(spool_add(spool, bytes_view_of(text, LEN), &offsets[i], &err));
        assert_int_equal(offsets[i], (uint64_t)i * LEN);
    }
    for (i = 0; i < N; i += 7) {
        memset(text, 'a' + (int)(i % 26), LEN);
        assert_true(spool_read(spool, offsets[i], back, LEN, &err));
        assert_memory_equal(back, text, LEN);
    }
    /* Nobody sees the file. */
    assert_int_equal(rmdir(dir), 0);
    assert_false(spool_read(spool, (uint64_t)N * LEN - 1, back, 2, &err));
    corpus_assert_error(&err, HALLMARK_ERR_IO, "spool: is shorter than what was put into it");
    spool_free(spool);
    file_close(&dirfd);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_writer_accepts_all_forms),
        cmocka_unit_test(index_writer_accepts_nothing),
        cmocka_unit_test(index_blocks_accepts_one_change),
        cmocka_unit_test(index_blocks_accepts_parts_of_any_size),
        cmocka_unit_test(index_blocks_accepts_long_units),
        cmocka_unit_test(index_writer_rejects_what_is_there),
        cmocka_unit_test(spool_accepts_more_than_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
