/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* packet: what the walker lets through to gpg. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <time.h>

#include "corpus.h"
#include "format/armor.h"
#include "format/packet.h"
#include "gpg_home.h"
#include "hex_text.h"

static bool parse(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct bytes packets = {0};
    struct packet_signatures found = {0};
    char *copy;
    bool ok;

    (void)file;
    assert_true(hex_text_decode(text, &packets));
    copy = alloc_regrow(alloc_strndup(packets.data, packets.len), packets.len, 1);
    ok = packet_walk_signatures(&found, bytes_view_of(copy, packets.len), "Release.gpg", err);
    assert_int_equal(found.n_items > 0, ok);
    free(copy);
    bytes_free(&packets);
    return ok;
}

static void packet_accepts_good_files(void **state)
{
    (void)state;
    corpus_assert_accepts("packet/good", parse);
}

static void packet_rejects_bad_files(void **state)
{
    static const struct corpus_case cases[] = {
        {"S34-literal", "Release.gpg: OpenPGP packet 1 has tag 11; only signatures are wanted"},
        {"S35-public-key", "packet 1 has tag 6; only signatures"},
        {"S37-encrypted", "packet 1 has tag 18; only signatures"},
        {"S41-seventeen", "Release.gpg: more than 16 signatures"},
        {"body-cut", "packet 1 is cut short"},
        {"body-empty", "packet 1 is not a version 4 signature"},
        {"check-cut", "packet 1 is a signature that is cut short"},
        {"created-missing", "packet 1 is a signature without a signed creation time"},
        {"created-only-unhashed", "packet 1 is a signature without a signed creation time"},
        {"created-short", "packet 1 has a creation time of a wrong length, or two"},
        {"created-twice", "packet 1 has a creation time of a wrong length, or two"},
        {"empty", "Release.gpg: no signature"},
        {"garbage-behind", "packet 2 has no header"},
        {"hashed-area-too-long", "packet 1 is a signature that is cut short"},
        {"issuer-fingerprint-empty", "packet 1 has an empty issuer fingerprint"},
        {"issuer-fingerprint-short", "packet 1 has an issuer fingerprint of a wrong length"},
        {"issuer-key-id-of-another", "packet 1 names two issuers"},
        {"issuer-key-id-short", "packet 1 has an issuer key id of a wrong length"},
        {"issuer-missing", "packet 1 is a signature without an issuer"},
        {"issuer-two-fingerprints", "packet 1 names two issuers"},
        {"issuer-two-key-ids", "packet 1 names two issuers"},
        {"issuer-version-6-only", "packet 1 is a signature without an issuer"},
        {"length-cut", "packet 1 has no definite length"},
        {"length-huge", "packet 1 is cut short"},
        {"length-missing", "packet 1 has no definite length"},
        {"marker-first", "packet 1 has tag 10; only signatures"},
        {"new-partial-length", "packet 1 has no definite length"},
        {"no-header", "packet 1 has no header"},
        {"old-indeterminate-length", "packet 1 has no definite length"},
        {"packet-behind", "packet 2 has tag 13; only signatures"},
        {"padding-behind", "packet 2 has tag 21; only signatures"},
        {"subpacket-empty", "packet 1 has a subpacket of a wrong length"},
        {"subpacket-huge", "packet 1 has a subpacket of a wrong length"},
        {"subpacket-length-cut", "packet 1 has a subpacket of a wrong length"},
        {"subpacket-too-long", "packet 1 has a subpacket of a wrong length"},
        {"subpacket-unhashed-too-long", "packet 1 has a subpacket of a wrong length"},
        {"tag-zero", "packet 1 has tag 0; only signatures"},
        {"trust-behind", "packet 2 has tag 12; only signatures"},
        {"unhashed-area-too-long", "packet 1 is a signature that is cut short"},
        {"value-byte-behind", "packet 1 is a signature whose value has a wrong length"},
        {"value-ed25519-short", "packet 1 is a signature whose value has a wrong length"},
        {"value-ed448-short", "packet 1 is a signature whose value has a wrong length"},
        {"value-integer-cut", "packet 1 is a signature whose value has a wrong length"},
        {"value-integer-zero", "packet 1 is a signature whose value has a wrong length"},
        {"value-missing", "packet 1 is a signature whose value has a wrong length"},
        {"value-one-integer", "packet 1 is a signature whose value has a wrong length"},
        {"value-rsa-two-integers", "packet 1 is a signature whose value has a wrong length"},
        {"value-three-integers", "packet 1 is a signature whose value has a wrong length"},
        {"value-unknown-empty", "packet 1 is a signature whose value has a wrong length"},
        {"version-3", "packet 1 is not a version 4 signature"},
        {"version-5", "packet 1 is not a version 4 signature"},
        {"version-6", "packet 1 is not a version 4 signature"},
    };

    (void)state;
    corpus_assert_rejects("packet/bad", parse, HALLMARK_ERR_SIGNATURE, cases,
                          sizeof cases / sizeof *cases);
}

/* The one signature of tests/data/packet/good/FILE. */
static bool read_one(struct bytes_view text, const char *file, struct hallmark_error *err)
{
    struct bytes packets = {0};
    struct packet_signatures found = {0};
    bool is_key_id = strcmp(file, "key-id-only") == 0;

    assert_true(hex_text_decode(text, &packets));
    assert_true(packet_walk_signatures(&found, bytes_view(&packets), "x", err));
    assert_int_equal(found.n_items, 1);
    assert_string_equal(found.items[0].issuer, is_key_id
                                                   ? "ACADAEAFB0B1B2B3"
                                                   : "A0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3");
    assert_int_equal(found.items[0].created, 0x66000000);
    assert_int_equal(found.items[0].pubkey, strcmp(file, "ed25519") == 0 ? 27 : 22);
    assert_int_equal(found.items[0].digest, PACKET_SHA256);
    assert_int_equal(found.items[0].type, PACKET_BINARY);
    bytes_free(&packets);
    return true;
}

static void packet_accepts_claims_as_documented(void **state)
{
    static const char *const files[] = {"eddsa",
                                        "key-id-only",
                                        "fingerprint-only",
                                        "fingerprint-unhashed",
                                        "issuer-twice-the-same",
                                        "created-unhashed-too",
                                        "critical-subpacket",
                                        "ed25519",
                                        "new-five-byte-length"};
    struct hallmark_error err = {0};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof files / sizeof *files; i++)
        assert_true(corpus_parse("packet/good", files[i], read_one, &err));
}

static void packet_accepts_digest_names(void **state)
{
    (void)state;
    assert_string_equal(packet_digest_name(1), "MD5");
    assert_string_equal(packet_digest_name(2), "SHA1");
    assert_string_equal(packet_digest_name(3), "RIPEMD160");
    assert_string_equal(packet_digest_name(PACKET_SHA256), "SHA256");
    assert_string_equal(packet_digest_name(PACKET_SHA384), "SHA384");
    assert_string_equal(packet_digest_name(PACKET_SHA512), "SHA512");
    assert_string_equal(packet_digest_name(11), "SHA224");
    assert_string_equal(packet_digest_name(0), "an unknown digest");
    assert_string_equal(packet_digest_name(7), "an unknown digest");
    assert_string_equal(packet_digest_name(12), "an unknown digest");
    assert_string_equal(packet_digest_name(255), "an unknown digest");
}

static void assert_walks(const char *home, const char *command, struct packet_signatures *found)
{
    struct bytes packets = gpg_home_run(home, command);
    struct hallmark_error err = {0};
    size_t len;

    if (!packet_walk_signatures(found, bytes_view(&packets), "Release.gpg", &err))
        fail_msg("%s: %s", command, err.text);
    /* Cut anywhere but between two packets, it is refused. */
    for (len = 0; len < packets.len; len++) {
        struct packet_signatures cut = {0};
        char *copy = alloc_regrow(alloc_strndup(packets.data, len), len, 1);

        if (packet_walk_signatures(&cut, bytes_view_of(copy, len), "Release.gpg", NULL))
            assert_in_range(cut.n_items, 1, found->n_items - 1);
        free(copy);
    }
    bytes_free(&packets);
}

static void packet_accepts_what_gpg_signs(void **state)
{
    char *home = gpg_home_new();
    struct packet_signatures found = {0};
    struct bytes fingerprint;
    time_t before = time(NULL);

    (void)state;
    assert_walks(home, "echo a >in; gpg -u one -o out --detach-sign in", &found);
    assert_int_equal(found.n_items, 1);
    assert_int_equal(found.items[0].type, PACKET_BINARY);
    assert_int_equal(found.items[0].pubkey, 22);
    assert_in_range(found.items[0].created, before - 60, before + 60);
    fingerprint = gpg_home_run(home, "gpg --with-colons --list-keys one | "
                                     "awk -F: '$1 == \"fpr\" { printf \"%s\", $10; exit }' >out");
    assert_string_equal(found.items[0].issuer, fingerprint.data);
    bytes_free(&fingerprint);

    assert_walks(home, "gpg --digest-algo SHA384 -u one -u two --textmode -o out --detach-sign in",
                 &found);
    assert_int_equal(found.n_items, 2);
    assert_int_equal(found.items[0].type, PACKET_TEXT);
    assert_int_equal(found.items[1].digest, PACKET_SHA384);
    assert_string_not_equal(found.items[0].issuer, found.items[1].issuer);

    assert_walks(home, "gpg --digest-algo SHA1 -u one -o out --detach-sign in", &found);
    assert_string_equal(packet_digest_name(found.items[0].digest), "SHA1");
    assert_walks(home,
                 "gpg --cert-notation a@example.org=b --sig-notation c@example.org=d "
                 "--default-sig-expire 10d --sig-policy-url https://example.org/ "
                 "-u one -o out --detach-sign in",
                 &found);
    gpg_home_remove(home);
}

static void packet_rejects_other_things_gpg_makes(void **state)
{
    static const char *const commands[] = {
        "echo a >in; gpg -o out --store in", /* S34 */
        "gpg -u one -o out --sign in",       /* S38 */
        "gpg -o out --export one",           /* S35 */
        "gpg -o out --export-secret-keys one",
        "gpg --passphrase x -o out --symmetric in", /* S37 */
        "gpg -u one -o sig --detach-sign in; { cat sig; gpg --export one; } >out",
        "{ gpg --export one; cat sig; } >out",
        "gpg --compress-algo zip -u one -o out --sign in",
        "gpg --include-key-block -u one -o out --sign in",
    };
    char *home = gpg_home_new();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct bytes packets = gpg_home_run(home, commands[i]);
        struct packet_signatures found = {0};
        struct hallmark_error err = {0};

        if (packet_walk_signatures(&found, bytes_view(&packets), "Release.gpg", &err))
            fail_msg("accepted: %s", commands[i]);
        corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, "Release.gpg: OpenPGP packet ");
        assert_int_equal(found.n_items, 0);
        bytes_free(&packets);
    }
    gpg_home_remove(home);
}

/* S41: the cost does not grow with the number of packets. */
static void packet_rejects_many_signatures(void **state)
{
    struct bytes one = {0}, all = {0};
    struct packet_signatures found = {0};
    struct hallmark_error err = {0};
    size_t i;

    (void)state;
    assert_true(hex_text_decode(bytes_view_str("88220400160800060502660000000"
                                               "00a0910acadaeafb0b1b2b31234000901ff000901ff"),
                                &one));
    for (i = 0; i < 20000; i++)
        bytes_append(&all, one.data, one.len);
    assert_true(packet_walk_signatures(&found, bytes_view_of(all.data, 16 * one.len), "x", &err));
    assert_int_equal(found.n_items, 16);
    assert_false(packet_walk_signatures(&found, bytes_view(&all), "Release.gpg", &err));
    corpus_assert_error(&err, HALLMARK_ERR_SIGNATURE, "Release.gpg: more than 16 signatures");
    bytes_free(&one);
    bytes_free(&all);
}

static size_t count_keys(const char *home, const char *command)
{
    struct bytes keyring = gpg_home_run(home, command);
    struct hallmark_error err = {0};
    size_t n = 0;

    if (!packet_walk_keyring(bytes_view(&keyring), "trusted.gpg", &n, &err))
        fail_msg("%s: %s", command, err.text);
    bytes_free(&keyring);
    return n;
}

static void packet_accepts_keyrings(void **state)
{
    char *home = gpg_home_new();

    (void)state;
    assert_int_equal(count_keys(home, "gpg -o out --export one"), 1);
    assert_int_equal(count_keys(home, "gpg -o out --export"), 2);
    assert_int_equal(count_keys(home, "{ gpg --export one; gpg --export two; } >out"), 2);
    assert_int_equal(count_keys(home, "gpg --quick-gen-key three rsa1024 default never; "
                                      "gpg --quick-add-uid three four; gpg -o out --export three"),
                     1);
    gpg_home_remove(home);
}

static void packet_rejects_other_keyrings(void **state)
{
    static const struct {
        const char *command, *reason;
    } cases[] = {
        {":>out", "trusted.gpg: holds no public key"},
        {"cp pubring.kbx out", "trusted.gpg: is a keybox of GnuPG"},
        {"gpg -o out --export-secret-keys one", "packet 1 is a secret key; a keyring must hold"},
        {"{ gpg --export one; gpg --export-secret-keys two; } >out", "is a secret key"},
        {"gpg -o out --armor --export one", "packet 1 has no header"},
        {"echo a >in; gpg -u one -o out --detach-sign in", "packet 1 is not a public key"},
        {"gpg -z 0 -o out --store in", "has tag 11; a keyring must hold public keys only"},
        {"{ gpg --export one; printf '\\303\\001\\004'; } >out", "has tag 3; a keyring must"},
        {"{ gpg --export one; echo; } >out", "has no header"},
        {"gpg --export one | head -c 60 >out", "is cut short"},
        {"head -c 4096 /dev/zero >out", "packet 1 has no header"},
    };
    char *home = gpg_home_new();
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes keyring = gpg_home_run(home, cases[i].command);
        struct hallmark_error err = {0};
        size_t n = 77;

        if (packet_walk_keyring(bytes_view(&keyring), "trusted.gpg", &n, &err))
            fail_msg("accepted: %s", cases[i].command);
        corpus_assert_error(&err, HALLMARK_ERR_USAGE, cases[i].reason);
        assert_int_equal(n, 77);
        bytes_free(&keyring);
    }
    gpg_home_remove(home);
}

/* Secret keys hidden behind a public one are found wherever they stand. */
static void packet_rejects_secret_subkeys(void **state)
{
    static const unsigned char data[] = {0x98, 1, 4, 0x9c, 1, 4};
    struct hallmark_error err = {0};
    size_t n;

    (void)state;
    assert_false(packet_walk_keyring(bytes_view_of(data, sizeof data), "k", &n, &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, "k: OpenPGP packet 2 is a secret key");
}

static void packet_accepts_real_keyrings(void **state)
{
    glob_t found = {0};
    size_t i;

    (void)state;
    if (glob("/usr/share/keyrings/*.gpg", 0, NULL, &found) != 0) {
        print_message("skipped: no keyring in /usr/share/keyrings\n");
        globfree(&found);
        skip();
    }
    for (i = 0; i < found.gl_pathc; i++) {
        struct bytes keyring = {0};
        struct hallmark_error err = {0};
        size_t n = 0;

        if (!file_read(AT_FDCWD, found.gl_pathv[i], LIMITS_KEYRING_BYTES, &keyring, NULL, &err) ||
            (keyring.len && !armor_is_armored(bytes_view(&keyring)) &&
             !packet_walk_keyring(bytes_view(&keyring), found.gl_pathv[i], &n, &err)))
            fail_msg("%s", err.text);
        bytes_free(&keyring);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packet_accepts_good_files),
        cmocka_unit_test(packet_rejects_bad_files),
        cmocka_unit_test(packet_accepts_claims_as_documented),
        cmocka_unit_test(packet_accepts_digest_names),
        cmocka_unit_test(packet_accepts_what_gpg_signs),
        cmocka_unit_test(packet_rejects_other_things_gpg_makes),
        cmocka_unit_test(packet_rejects_many_signatures),
        cmocka_unit_test(packet_accepts_keyrings),
        cmocka_unit_test(packet_rejects_other_keyrings),
        cmocka_unit_test(packet_rejects_secret_subkeys),
        cmocka_unit_test(packet_accepts_real_keyrings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
