/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clearsign: only what needs no repair. The names of the bad files begin with the case that they
 * are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>

#include "base/limits.h"
#include "corpus.h"
#include "format/clearsign.h"
#include "format/packet.h"
#include "format/release.h"
#include "gpg_home.h"

static const char head[] = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n";
static const char tail[] =
    "-----BEGIN PGP SIGNATURE-----\n\nAAEC\n=ybVn\n-----END PGP SIGNATURE-----\n";

static bool parse(struct bytes_view document, const char *file, struct hallmark_error *err)
{
    struct clearsign split = {0};
    bool ok = clearsign_split(&split, document, "InRelease", err);

    (void)file;
    if (ok) {
        assert_true(split.text.data > document.data);
        assert_true(split.text.data + split.text.len < document.data + document.len);
        assert_int_equal(split.text.data[split.text.len - 1], '\n');
        assert_true(clearsign_check_text(split.text, "Release", err));
    } else {
        assert_null(split.signatures.data);
    }
    clearsign_free(&split);
    return ok;
}

/* Whatever is signed well can be unwrapped, to the same text. */
static bool unwrap(struct bytes_view document, const char *file, struct hallmark_error *err)
{
    struct clearsign split = {0};
    struct bytes_view text;
    bool ok = clearsign_split(&split, document, "InRelease", err);

    (void)file;
    if (ok) {
        assert_true(clearsign_unwrap(&text, document, "x.dsc", err));
        assert_ptr_equal(text.data, split.text.data);
        assert_int_equal(text.len, split.text.len);
    }
    clearsign_free(&split);
    return ok;
}

static void clearsign_accepts_unwrapping(void **state)
{
    (void)state;
    corpus_assert_accepts("clearsign/good", unwrap);
}

/* A .dsc: its signature is not judged, but its text must be the one that everybody sees. */
static void clearsign_rejects_unwrapping(void **state)
{
#define BEGIN "-----BEGIN PGP SIGNED MESSAGE-----\n"
#define CASE(text, reason)                                                                         \
    {                                                                                              \
        text, sizeof(text) - 1, reason                                                             \
    }
    static const struct {
        const char *text;
        size_t len;
        const char *reason;
    } cases[] = {
        CASE("A: b\n", "x.dsc: line 1 is not \"-----BEGIN PGP SIGNED MESSAGE-----\""),
        CASE(BEGIN "Hash: SHA256\rx\n\nA: b\n", "x.dsc: line 2 is neither a Hash header"),
        CASE(BEGIN "Charset: x\n\nA: b\n", "x.dsc: line 2 is neither a Hash header"),
        CASE(BEGIN "\nA: b\n- A: c\n", "x.dsc: line 4 starts with \"-\""),
        CASE(BEGIN "\nA: b\r\n", "x.dsc: line 3 holds a carriage return or a NUL"),
        CASE(BEGIN "\nA: b\0\n", "x.dsc: line 3 holds a carriage return or a NUL"),
        CASE(BEGIN "\nA: b\n", "x.dsc: line 4 is missing"),
        CASE(BEGIN "\nA: b\n-----BEGIN PGP SIGNATURE-----\n", "x.dsc: "),
    };
#undef CASE
#undef BEGIN
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes_view text = {NULL, 0};
        struct hallmark_error err = {0};

        assert_false(
            clearsign_unwrap(&text, bytes_view_of(cases[i].text, cases[i].len), "x.dsc", &err));
        assert_null(text.data);
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, cases[i].reason);
    }
}

static void clearsign_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("clearsign/good", parse);
}

static void clearsign_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"S01-no-signature", "InRelease: line 1 is not \"-----BEGIN PGP SIGNED MESSAGE-----\""},
        {"S18-blank-line-before", "InRelease: line 1 is not \"-----BEGIN"},
        {"S18-text-before", "InRelease: line 1 is not \"-----BEGIN"},
        {"S19-blank-line-after", "InRelease: 1 bytes behind the end of the signature"},
        {"S19-second-document", "bytes behind the end of the signature"},
        {"S19-text-after", "InRelease: 13 bytes behind the end of the signature"},
        {"S19-text-between-text-and-signature", "InRelease: line 5 starts with \"-\""},
        {"S21-nested", "InRelease: line 4 starts with \"-\""},
        {"S22-escaped-lines", "InRelease: line 4 starts with \"-\""},
        {"S23-line-with-dash", "InRelease: line 5 starts with \"-\""},
        {"S23-message-in-text", "InRelease: line 5 starts with \"-\""},
        {"S28-hash-duplicated", "InRelease: line 3 is not the empty line behind one Hash header"},
        {"S28-hash-list", "InRelease: line 2 is not \"Hash: \""},
        {"S28-hash-lower-case", "InRelease: line 2 is not \"Hash: \""},
        {"S28-hash-missing", "InRelease: line 2 is not \"Hash: \""},
        {"S28-hash-sha1", "InRelease: line 2 is not \"Hash: \""},
        {"S28-hash-without-blank", "InRelease: line 2 is not \"Hash: \""},
        {"S28-other-header", "InRelease: line 3 is not the empty line"},
        {"S28-other-header-first", "InRelease: line 2 is not \"Hash: \""},
        {"S30-blanks-end-headers", "InRelease: line 3 is not the empty line"},
        {"S30-tab-ends-headers", "InRelease: line 3 is not the empty line"},
        {"S32-long-line", "InRelease: line 5 is longer than 4096 bytes"},
        {"S34-message", "InRelease: line 1 is not \"-----BEGIN"},
        {"S35-public-key", "InRelease: line 1 is not \"-----BEGIN"},
        {"begin-trailing-blank", "InRelease: line 1 is not \"-----BEGIN"},
        {"checksum-wrong", "InRelease: line 4 of the PGP SIGNATURE is a wrong checksum"},
        {"cut-in-headers", "InRelease: line 3 is missing"},
        {"cut-in-signature", "InRelease: line 4 of the PGP SIGNATURE is missing"},
        {"cut-in-text", "InRelease: line 6 is missing"},
        {"empty", "InRelease: is empty"},
        {"empty-text", "InRelease: the signed text is empty"},
        {"no-newline-at-end", "InRelease: line 5 of the PGP SIGNATURE has no newline"},
        {"signature-begin-trailing-blank", "InRelease: line 5 starts with \"-\""},
        {"tab-in-text", "InRelease: line 4 holds a character that is not printable"},
        {"trailing-blank", "InRelease: line 4 has blanks at its end"},
        {"trailing-tab", "InRelease: line 4 has blanks at its end"},
        {"two-signature-blocks", "bytes behind the end of the signature"},
    };

    (void)state;
    corpus_assert_rejects("clearsign/bad", parse, HALLMARK_ERR_SIGNATURE, cases,
                          sizeof cases / sizeof *cases);
}

/* A document of TEXT, LEN bytes. */
static bool parse_text(const char *text, size_t len, struct hallmark_error *err)
{
    struct bytes document = {0};
    bool ok;

    bytes_append_str(&document, head);
    bytes_append(&document, text, len);
    bytes_append_str(&document, tail);
    ok = parse(bytes_view(&document), "", err);
    bytes_free(&document);
    return ok;
}

static void clearsign_rejects_hostile_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *reason;
    } cases[] = {
#define CASE(text, reason) {text, sizeof text - 1, reason}
        CASE("A: b\r\n", "line 4 holds a carriage return"),                  /* S24 */
        CASE("A: b\0\n", "line 4 holds a character that is not printable"),  /* S26 */
        CASE("A: b\fc\n", "line 4 holds a character that is not printable"), /* S27 */
        CASE("A: b\vc\n", "line 4 holds a character that is not printable"),
        CASE("A: \x1b[1m\n", "line 4 holds a character that is not printable"),
        CASE("A: b\x7f\n", "line 4 holds a character that is not printable"),
        CASE("A: \xc2\x9b"
             "1m\n",
             "line 4 holds a character that is not printable"),
        CASE("A: \xe2\x80\xae"
             "b\n",
             "line 4 holds a character that is not printable"),
        CASE("A: \xe2\x80\xa8"
             "b\n",
             "line 4 holds a character that is not printable"),
        CASE("A: \xff\n", "line 4 is not UTF-8"),
        CASE("A: b\n\xc0\xad-\n", "line 5 is not UTF-8"),
#undef CASE
    };
    struct hallmark_error err = {0};
    size_t i;

    (void)state;
    if (!parse_text("A: b\n", 5, &err))
        fail_msg("%s", err.text);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (struct hallmark_error){0};
        assert_false(parse_text(cases[i].text, cases[i].len, &err));
        corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, cases[i].reason);
        err = (struct hallmark_error){0};
        assert_false(
            clearsign_check_text(bytes_view_of(cases[i].text, cases[i].len), "Release", &err));
        corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, strchr(cases[i].reason, ' ') + 3);
    }
}

/* S24: every line of the file, and the NUL of S26 in the header. */
static void clearsign_rejects_hostile_headers(void **state)
{
    static const char crlf[] = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nA: b\r\n";
    static const char nul[] = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\0\n\nA: b\n";
    struct hallmark_error err = {0};

    (void)state;
    assert_false(parse(bytes_view_str(crlf), "", &err));
    corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, "InRelease: line 1 is not");
    err = (struct hallmark_error){0};
    assert_false(parse(bytes_view_of(nul, sizeof nul - 1), "", &err));
    corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, "InRelease: line 2 is not");
}

static void clearsign_rejects_every_cut(void **state)
{
    char *text = alloc_printf("%sA: b\nC: d\n%s", head, tail);
    size_t whole = strlen(text), len;

    (void)state;
    for (len = 0; len <= whole; len++) {
        char *copy = alloc_regrow(alloc_strndup(text, len), len, 1);
        struct hallmark_error err = {0};

        assert_int_equal(parse(bytes_view_of(copy, len), "", &err), len == whole);
        assert_int_equal(err.code, len == whole ? HALLMARK_OK : HALLMARK_ERR_SIGNATURE);
        free(copy);
    }
    free(text);
}

/* S41: refused by its length, before anything of it is decoded. */
static void clearsign_rejects_a_huge_signature_block(void **state)
{
    struct bytes document = {0};
    struct hallmark_error err = {0};

    (void)state;
    bytes_append_str(&document, head);
    bytes_append_str(&document, "A: b\n-----BEGIN PGP SIGNATURE-----\n\n");
    while (document.len < LIMITS_SIGNATURE_BYTES + 200)
        bytes_append_str(&document,
                         "AAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAECAAEC\n");
    bytes_append_str(&document, "-----END PGP SIGNATURE-----\n");
    assert_false(parse(bytes_view(&document), "", &err));
    corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE,
                        "bytes behind the signed text, at most 262144 are wanted");
    bytes_free(&document);
}

static void clearsign_accepts_what_it_says(void **state)
{
    static const char text[] = "Origin: a\n\n b\n";
    char *document = alloc_printf("%s%s%s", head, text, tail);
    struct clearsign split = {0};
    struct hallmark_error err = {0};

    (void)state;
    assert_true(clearsign_split(&split, bytes_view_str(document), "InRelease", &err));
    assert_true(bytes_view_equals(split.text, text));
    assert_ptr_equal(split.text.data, document + sizeof head - 1);
    assert_string_equal(split.digest, "SHA256");
    assert_int_equal(split.signatures.len, 3);
    assert_memory_equal(split.signatures.data, "\0\1\2", 3);
    clearsign_free(&split);
    assert_null(split.signatures.data);
    clearsign_free(NULL);
    free(document);
}

static void clearsign_accepts_the_longest_line(void **state)
{
    struct bytes text = {0};
    struct hallmark_error err = {0};

    (void)state;
    while (text.len < LIMITS_LINE_BYTES)
        bytes_append_str(&text, "x");
    bytes_append_str(&text, "\n");
    assert_true(parse_text(text.data, text.len, &err));
    text.data[LIMITS_LINE_BYTES] = 'x';
    bytes_append_str(&text, "\n");
    assert_false(clearsign_check_text(bytes_view(&text), "Release", &err));
    corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, "Release: line 1 is longer than 4096 bytes");
    bytes_free(&text);
}

static void clearsign_rejects_detached_text(void **state)
{
    static const char *const cases[][2] = {
        {"", "Release: is empty"},
        {"A: b", "Release: line 1 has no newline at its end"},
        {"A: b\nC: d", "Release: line 2 has no newline at its end"},
        {"A: b \n", "Release: line 1 has blanks at its end"},
        {"A: b\n-----BEGIN PGP SIGNATURE-----\n", "Release: line 2 starts with \"-\""},
        {"A: b\n\t\n", "Release: line 2 has blanks at its end"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hallmark_error err = {0};

        assert_false(clearsign_check_text(bytes_view_str(cases[i][0]), "Release", &err));
        corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, cases[i][1]);
    }
}

static void clearsign_accepts_what_gpg_writes(void **state)
{
    static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
    char *home = gpg_home_new();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof digests / sizeof *digests; i++) {
        char *command = alloc_printf("printf 'Origin: Gr\\303\\274n\\nA:\\n b\\n' >in; "
                                     "gpg --digest-algo %s -u one -u two -o out --clearsign in",
                                     digests[i]);
        struct bytes document = gpg_home_run(home, command);
        struct clearsign split = {0};
        struct packet_signatures signatures = {0};
        struct hallmark_error err = {0};

        if (!clearsign_split(&split, bytes_view(&document), "InRelease", &err) ||
            !packet_walk_signatures(&signatures, bytes_view(&split.signatures), "InRelease", &err))
            fail_msg("%s", err.text);
        assert_string_equal(split.digest, digests[i]);
        assert_true(bytes_view_equals(split.text, "Origin: Gr\xc3\xbcn\nA:\n b\n"));
        assert_int_equal(signatures.n_items, 2);
        assert_int_equal(signatures.items[0].type, PACKET_TEXT);
        assert_string_equal(packet_digest_name(signatures.items[1].digest), digests[i]);
        clearsign_free(&split);
        bytes_free(&document);
        free(command);
    }
    gpg_home_remove(home);
}

static void assert_real_file(const char *path)
{
    struct bytes document = {0};
    struct clearsign split = {0};
    struct packet_signatures signatures = {0};
    struct release release = {0};
    struct hallmark_error err = {0};

    if (!file_read(AT_FDCWD, path, LIMITS_MANIFEST_BYTES, &document, NULL, &err) ||
        !clearsign_split(&split, bytes_view(&document), path, &err) ||
        !packet_walk_signatures(&signatures, bytes_view(&split.signatures), path, &err) ||
        !release_parse(&release, split.text, &err))
        fail_msg("%s: %s", path, err.text);
    print_message("%s: %zu signatures, %zu entries\n", path, signatures.n_items, release.n_entries);
    assert_int_equal(signatures.items[0].type, PACKET_TEXT);
    assert_int_not_equal(release.n_entries, 0);
    release_free(&release);
    clearsign_free(&split);
    bytes_free(&document);
}

/* Whatever apt on this machine has fetched from an archive that is not ours. */
static void clearsign_accepts_real_archives(void **state)
{
    glob_t found = {0};
    size_t i;

    (void)state;
    if (glob("/var/lib/apt/lists/*InRelease", 0, NULL, &found) != 0) {
        print_message("skipped: no InRelease in /var/lib/apt/lists\n");
        globfree(&found);
        skip();
    }
    for (i = 0; i < found.gl_pathc; i++)
        assert_real_file(found.gl_pathv[i]);
    globfree(&found);
}

static void clearsign_accepts_its_own_first_line_only(void **state)
{
    (void)state;
    assert_true(clearsign_is_clearsigned(bytes_view_str("-----BEGIN PGP SIGNED MESSAGE-----\n")));
    assert_false(clearsign_is_clearsigned(bytes_view_str("")));
    assert_false(clearsign_is_clearsigned(bytes_view_str("-----BEGIN PGP SIGNED MESSAGE----")));
    assert_false(clearsign_is_clearsigned(
        bytes_view_str("Origin: one that is longer than the first line of a signed message\n")));
    assert_false(
        clearsign_is_clearsigned(bytes_view_of("-----BEGIN PGP SIGNED MESSAGE-----\n", 30)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clearsign_accepts_good_files),
        cmocka_unit_test(clearsign_accepts_unwrapping),
        cmocka_unit_test(clearsign_rejects_unwrapping),
        cmocka_unit_test(clearsign_rejects_bad_files),
        cmocka_unit_test(clearsign_rejects_hostile_bytes),
        cmocka_unit_test(clearsign_rejects_hostile_headers),
        cmocka_unit_test(clearsign_rejects_every_cut),
        cmocka_unit_test(clearsign_rejects_a_huge_signature_block),
        cmocka_unit_test(clearsign_accepts_what_it_says),
        cmocka_unit_test(clearsign_accepts_the_longest_line),
        cmocka_unit_test(clearsign_rejects_detached_text),
        cmocka_unit_test(clearsign_accepts_what_gpg_writes),
        cmocka_unit_test(clearsign_accepts_real_archives),
        cmocka_unit_test(clearsign_accepts_its_own_first_line_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
