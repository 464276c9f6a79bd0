/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* index_writer: every form of an index, with its size and hash; spool: texts come out as they went
 * in. */
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
        .forms = ~0u, .hashes = DIGEST_SHA256 | DIGEST_SHA512, .number = 7};
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
    struct index_writer_options options = {.forms = 1u << INDEX_XZ, .hashes = DIGEST_SHA256};
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

static void index_writer_rejects_what_is_there(void **state)
{
    struct index_writer_options options = {.hashes = DIGEST_SHA256, .number = 1};
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
        cmocka_unit_test(index_writer_rejects_what_is_there),
        cmocka_unit_test(spool_accepts_more_than_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
