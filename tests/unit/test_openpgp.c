/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verifying with the real gpg: keys and signatures of every kind that gpg judges differently. The
 * ids are those of the hostile cases.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "crypto/openpgp.h"
#include "gnupg.h"

struct fixture {
    struct gnupg *g;
    char *alice, *bob;
    struct bytes ring; /* all but mallory */
    struct openpgp_signatures found;
    struct hallmark_error err;
};

enum { DAY = 24 * 60 * 60 };

static int set_up_group(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);
    struct gnupg *g = gnupg_new();

    *state = f;
    f->g = g;
    gnupg_shell(g, "printf 'Origin: test\\n' >data && printf 'Origin: tesT\\n' >other");
    gnupg_shell(g, "$G --quick-gen-key 'Alice <alice@example.org>' ed25519 sign never");
    gnupg_shell(g, "$G --quick-gen-key 'Bob <bob@example.org>' nistp384 sign never");
    gnupg_shell(g, "$G --quick-gen-key weak rsa1024 sign never");
    gnupg_shell(g, "$G --quick-gen-key mallory ed25519 sign never");
    gnupg_shell(g, "$G --quick-gen-key carol ed25519 cert never");
    gnupg_shell(g, "$G --quick-gen-key revoked ed25519 sign never");
    gnupg_shell(g,
                "$G --faked-system-time 20200101T000000 --quick-gen-key expired ed25519 sign 1y");
    gnupg_shell(g,
                "$G --faked-system-time 20900101T000000 --quick-gen-key future ed25519 sign never");
    free(gnupg_fingerprint(g, "carol", 0));
    gnupg_shell(g, "$G --quick-add-key $(cat fpr) ed25519 sign 30d");
    gnupg_shell(g, "$G -u Alice --digest-algo SHA512 -o Alice.sig --detach-sign data");
    gnupg_shell(g, "for k in Bob weak mallory carol revoked; do "
                   "$G -u $k -o $k.sig --detach-sign data; done");
    gnupg_shell(g, "$G --faked-system-time 20200201T000000 -u expired -o expired.sig "
                   "--detach-sign data");
    gnupg_shell(g, "$G --faked-system-time 20900201T000000 -u future -o future.sig "
                   "--detach-sign data");
    gnupg_shell(g, "$G --export revoked >before");
    free(gnupg_fingerprint(g, "revoked", 0));
    gnupg_shell(g, "sed 's/^:---/---/' home/openpgp-revocs.d/$(cat fpr).rev | $G --import");
    gnupg_shell(g, "$G --export Alice Bob weak carol revoked expired future >ring");
    gnupg_read(g, "ring", &f->ring);
    f->alice = gnupg_fingerprint(g, "Alice", 0);
    f->bob = gnupg_fingerprint(g, "Bob", 0);
    return 0;
}

static int tear_down_group(void **state)
{
    struct fixture *f = *state;

    gnupg_free(f->g);
    bytes_free(&f->ring);
    free(f->alice);
    free(f->bob);
    free(f);
    return 0;
}

static int set_up(void **state)
{
    struct fixture *f = *state;

    error_clear(&f->err);
    memset(&f->found, 0, sizeof f->found);
    return 0;
}

/* No temporary directory, and no process that has one in its command line, may outlive a test. */
static int tear_down(void **state)
{
    struct fixture *f = *state;

    gnupg_assert_clean(f->g);
    return 0;
}

/* Verifies the packets in FILE, N of them, over the file DATA, with KEYRING at NOW. */
static bool verify_with(struct fixture *f, struct bytes_view keyring, int64_t now, const char *file,
                        size_t n, const char *data)
{
    struct bytes packets = {0}, text = {0};
    struct openpgp *openpgp;
    bool ok = false;

    gnupg_read(f->g, file, &packets);
    gnupg_read(f->g, data, &text);
    openpgp = openpgp_open(keyring, now, &f->err);
    if (openpgp)
        ok =
            openpgp_verify(openpgp, bytes_view(&packets), n, bytes_view(&text), &f->found, &f->err);
    openpgp_close(openpgp);
    bytes_free(&packets);
    bytes_free(&text);
    return ok;
}

static bool verify(struct fixture *f, const char *file, size_t n, const char *data)
{
    return verify_with(f, bytes_view(&f->ring), timestamp_now(), file, n, data);
}

static void assert_verdict(const struct fixture *f, size_t i, enum openpgp_verdict verdict,
                           const char *text)
{
    const struct openpgp_signature *found = &f->found.items[i];

    if (f->err.code != HALLMARK_OK)
        print_error("%s\n", f->err.text);
    assert_int_equal(f->err.code, HALLMARK_OK);
    assert_true(i < f->found.n_items);
    if (found->verdict != verdict || !strstr(found->text, text))
        print_error("found %d \"%s\", wanted %d \"%s\"\n", (int)found->verdict, found->text,
                    (int)verdict, text);
    assert_int_equal(found->verdict, verdict);
    assert_non_null(strstr(found->text, text));
}

static void assert_error(const struct fixture *f, enum hallmark_errcode code, const char *text)
{
    if (f->err.code != code || !strstr(f->err.text, text))
        print_error("found %d \"%s\", wanted %d \"%s\"\n", (int)f->err.code, f->err.text, (int)code,
                    text);
    assert_int_equal(f->err.code, code);
    assert_non_null(strstr(f->err.text, text));
}

static void openpgp_accepts_a_good_signature(void **state)
{
    struct fixture *f = *state;
    const struct openpgp_signature *found = &f->found.items[0];
    enum { EDDSA = 22, SHA512 = 10 };

    assert_true(verify(f, "Alice.sig", 1, "data"));
    assert_int_equal(f->found.n_items, 1);
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_string_equal(found->fingerprint, f->alice);
    assert_string_equal(found->primary, f->alice);
    assert_string_equal(found->user_id, "Alice <alice@example.org>");
    assert_true(found->created > timestamp_now() - DAY && found->created <= timestamp_now());
    assert_true(found->key_created > timestamp_now() - DAY && found->key_created <= found->created);
    assert_int_equal(found->expires, 0);
    assert_int_equal(found->key_expires, 0);
    assert_int_equal(found->digest, SHA512);
    assert_int_equal(found->pubkey, EDDSA);
    assert_int_equal(found->primary_pubkey, EDDSA);
    assert_int_equal(found->key_bits, 255);
    assert_int_equal(found->primary_bits, 255);
}

static void openpgp_accepts_two_signers_s13(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "cat Alice.sig Bob.sig >two");
    assert_true(verify(f, "two", 2, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_verdict(f, 1, OPENPGP_GOOD, "");
    assert_string_equal(f->found.items[0].primary, f->alice);
    assert_string_equal(f->found.items[1].primary, f->bob);
    assert_int_equal(f->found.items[1].pubkey, 19);
    assert_int_equal(f->found.items[1].key_bits, 384);
    assert_int_equal(f->found.items[1].digest, 9);
}

static void openpgp_accepts_a_subkey(void **state)
{
    struct fixture *f = *state;
    char *primary = gnupg_fingerprint(f->g, "carol", 0);
    char *subkey = gnupg_fingerprint(f->g, "carol", 1);

    assert_true(verify(f, "carol.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_string_equal(f->found.items[0].fingerprint, subkey);
    assert_string_equal(f->found.items[0].primary, primary);
    assert_string_equal(f->found.items[0].user_id, "carol");
    /* The primary key never expires, the subkey does. */
    assert_true(f->found.items[0].key_expires > timestamp_now() + 29 * DAY);
    free(primary);
    free(subkey);
}

/* The other way round: with the primary key, what it vouches for expires. */
static void openpgp_accepts_a_subkey_of_a_key_that_expires(void **state)
{
    struct fixture *f = *state;
    struct bytes ring = {0};

    gnupg_shell(f->g, "$G --quick-gen-key dora ed25519 cert 10d");
    free(gnupg_fingerprint(f->g, "dora", 0));
    gnupg_shell(f->g, "$G --quick-add-key $(cat fpr) ed25519 sign never && "
                      "$G -u dora -o dora.sig --detach-sign data && $G --export dora >dora");
    gnupg_read(f->g, "dora", &ring);
    assert_true(verify_with(f, bytes_view(&ring), timestamp_now(), "dora.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_true(f->found.items[0].key_expires > timestamp_now() + 9 * DAY);
    assert_true(f->found.items[0].key_expires < timestamp_now() + 11 * DAY);
    bytes_free(&ring);
}

static void openpgp_accepts_a_weak_key_with_its_size_s12(void **state)
{
    struct fixture *f = *state;

    assert_true(verify(f, "weak.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_int_equal(f->found.items[0].pubkey, 1);
    assert_int_equal(f->found.items[0].key_bits, 1024);
    assert_int_equal(f->found.items[0].primary_bits, 1024);
}

static void openpgp_rejects_other_data_s17(void **state)
{
    struct fixture *f = *state;

    assert_true(verify(f, "Alice.sig", 1, "other"));
    assert_verdict(f, 0, OPENPGP_BAD, "Bad signature");
    /* gpg tells a key id only; whose it is must be known all the same, S15. */
    assert_string_equal(f->found.items[0].primary, f->alice);
}

static void openpgp_rejects_the_bad_one_of_two_s15(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "$G -u Bob -o bob-other.sig --detach-sign other");
    gnupg_shell(f->g, "cat Alice.sig bob-other.sig >mixed");
    assert_true(verify(f, "mixed", 2, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_verdict(f, 1, OPENPGP_BAD, "");
    assert_string_equal(f->found.items[1].primary, f->bob);
}

static void openpgp_rejects_strangers_s04_s14(void **state)
{
    struct fixture *f = *state;
    char *mallory = gnupg_fingerprint(f->g, "mallory", 0);

    gnupg_shell(f->g, "cat mallory.sig Alice.sig >first; cat Alice.sig mallory.sig >last");
    assert_true(verify(f, "first", 2, "data"));
    assert_verdict(f, 0, OPENPGP_NO_KEY, "No public key");
    assert_verdict(f, 1, OPENPGP_GOOD, "");
    assert_string_equal(f->found.items[0].fingerprint, mallory);
    assert_string_equal(f->found.items[0].primary, "");
    assert_string_equal(f->found.items[0].user_id, "");
    assert_true(verify(f, "last", 2, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_verdict(f, 1, OPENPGP_NO_KEY, "No public key");
    free(mallory);
}

/* S45: a signature that brings its key along must not make it known. */
static void openpgp_rejects_a_key_block_s45(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "$G --include-key-block -u mallory -o block.sig --detach-sign data");
    assert_true(verify(f, "block.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_NO_KEY, "No public key");
}

static void openpgp_rejects_an_expired_key_s05(void **state)
{
    struct fixture *f = *state;

    assert_true(verify(f, "expired.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_KEY_EXPIRED, "Key expired");
    assert_true(f->found.items[0].key_expires > 0);
    assert_true(f->found.items[0].key_expires < timestamp_now());
}

/* By the clock that we are given, not by the system's. */
static void openpgp_accepts_by_the_given_clock(void **state)
{
    struct fixture *f = *state;
    int64_t in_2020 = 1583020800; /* 2020-03-01 */

    assert_true(verify_with(f, bytes_view(&f->ring), in_2020, "expired.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    /* gpg counts in 32 bits; the first one would be in 1970. */
    assert_true(verify_with(f, bytes_view(&f->ring), UINT32_MAX + 1000LL, "Alice.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_true(verify_with(f, bytes_view(&f->ring), LIMITS_TIMESTAMP_MAX, "Alice.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_true(verify_with(f, bytes_view(&f->ring), LIMITS_TIMESTAMP_MAX, "carol.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_KEY_EXPIRED, "");
}

static void openpgp_rejects_a_key_from_the_future_s09_k04(void **state)
{
    struct fixture *f = *state;

    assert_true(verify(f, "future.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_KEY_UNUSABLE, "");
    assert_true(f->found.items[0].key_created > timestamp_now());
}

/* S08: gpg accepts it, and its date tells. */
static void openpgp_accepts_a_signature_from_the_future_s08(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "$G --faked-system-time 20900301T000000 -u Alice -o ahead.sig "
                      "--detach-sign data");
    assert_true(verify(f, "ahead.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_true(f->found.items[0].created > timestamp_now());
}

static void openpgp_rejects_a_revoked_key_s06(void **state)
{
    struct fixture *f = *state;
    struct bytes before = {0};

    gnupg_read(f->g, "before", &before);
    assert_true(verify_with(f, bytes_view(&before), timestamp_now(), "revoked.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_true(verify(f, "revoked.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_KEY_REVOKED, "");
    /* gpg looks at the first copy only. */
    bytes_append(&before, f->ring.data, f->ring.len);
    assert_true(verify_with(f, bytes_view(&before), timestamp_now(), "revoked.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_KEY_REVOKED, "copy of the key");
    bytes_free(&before);
}

static void openpgp_rejects_an_expired_signature_s07(void **state)
{
    struct fixture *f = *state;
    int64_t later = timestamp_now() + 11 * DAY;

    gnupg_shell(f->g, "$G --default-sig-expire 10d -u Alice -o short.sig --detach-sign data");
    assert_true(verify(f, "short.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_GOOD, "");
    assert_int_equal(f->found.items[0].expires, f->found.items[0].created + 10 * DAY);
    assert_true(verify_with(f, bytes_view(&f->ring), later, "short.sig", 1, "data"));
    assert_verdict(f, 0, OPENPGP_SIGNATURE_EXPIRED, "Signature expired");
}

static void openpgp_rejects_weak_digests_s10_s11(void **state)
{
    static const char *const digests[] = {"SHA1", "RIPEMD160"};
    struct fixture *f = *state;
    size_t i;

    for (i = 0; i < sizeof digests / sizeof *digests; i++) {
        gnupg_shell(f->g, "$G --digest-algo %s -u Alice -o digest.sig --detach-sign data",
                    digests[i]);
        assert_true(verify(f, "digest.sig", 1, "data"));
        assert_verdict(f, 0, OPENPGP_REFUSED, "");
    }
}

/* As many signatures as the caller has counted. */
static void openpgp_rejects_another_number_of_signatures(void **state)
{
    struct fixture *f = *state;

    assert_false(verify(f, "Alice.sig", 2, "data"));
    assert_error(f, HALLMARK_ERR_IO, "reports 1 signatures, there are 2");
    error_clear(&f->err);
    gnupg_shell(f->g, "cat Alice.sig Bob.sig >two");
    assert_false(verify(f, "two", 1, "data"));
    assert_error(f, HALLMARK_ERR_IO, "reports 2 signatures, there are 1");
    error_clear(&f->err);
    assert_false(verify(f, "Alice.sig", 0, "data"));
    assert_error(f, HALLMARK_ERR_SIGNATURE, "0 signatures");
    error_clear(&f->err);
    assert_false(verify(f, "Alice.sig", LIMITS_SIGNATURES + 1, "data"));
    assert_error(f, HALLMARK_ERR_SIGNATURE, "17 signatures");
}

static void openpgp_accepts_as_many_as_allowed_s41(void **state)
{
    struct fixture *f = *state;
    size_t i;

    gnupg_shell(f->g, "for i in 1 2 3 4 5 6 7 8; do cat Alice.sig Bob.sig; done >all");
    assert_true(verify(f, "all", LIMITS_SIGNATURES, "data"));
    assert_int_equal(f->found.n_items, LIMITS_SIGNATURES);
    for (i = 0; i < LIMITS_SIGNATURES; i++)
        assert_string_equal(f->found.items[i].primary, i % 2 ? f->bob : f->alice);
}

/* One that gpg cannot read, or ends at, does not keep the others from being looked at. */
static void openpgp_accepts_good_ones_among_strange_ones(void **state)
{
    /* Of Alice's signature: where a byte is changed, to what, and what is said about it. A packet
     * of less than 192 bytes has a header of two; its body starts with version, type, algorithm,
     * digest. */
    static const struct {
        size_t at;
        unsigned char byte;
        enum openpgp_verdict verdict;
        const char *text;
    } cases[] = {
        {2, 5, OPENPGP_REFUSED, "gpg cannot read it"},
        {3, 0x10, OPENPGP_REFUSED, "Invalid signature class"},
        {4, 27, OPENPGP_REFUSED, "Invalid public key algorithm"},
        {5, 12, OPENPGP_REFUSED, "its digest is unknown"},
        {5, 8, OPENPGP_BAD, "Bad signature"},
        {100, 'x', OPENPGP_BAD, "Bad signature"},
    };
    struct fixture *f = *state;
    struct bytes packets = {0};
    size_t i;

    gnupg_shell(f->g, "$G --textmode -u Bob -o text.sig --detach-sign data");
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        gnupg_read(f->g, "Alice.sig", &packets);
        packets.data[cases[i].at] = (char)cases[i].byte;
        gnupg_write(f->g, "changed", bytes_view(&packets));
        bytes_free(&packets);
        gnupg_shell(f->g, "cat Bob.sig changed text.sig >three");
        assert_true(verify(f, "three", 3, "data"));
        assert_verdict(f, 0, OPENPGP_GOOD, "");
        assert_verdict(f, 1, cases[i].verdict, cases[i].text);
        assert_verdict(f, 2, OPENPGP_GOOD, "");
    }
}

/* What GPGME calls a success without signatures, among others: S34, S35, S37, S38. */
static void openpgp_rejects_messages_that_are_no_signature(void **state)
{
    static const char *const commands[] = {
        "$G --store -o message data",
        "$G --export Alice >message",
        "$G -u Alice --sign -o message data",
        "$G -u Alice --clearsign -o message data",
        "$G -u Alice --armor --detach-sign -o message data",
        "echo x | gpg --batch --yes --passphrase x --pinentry-mode loopback -c -o message data",
        ": >message",
        "head -c 1 Alice.sig >message",
        "head -c 20 Alice.sig >message",
        "printf '\\302\\377\\377\\377\\377\\377' >message",
        "printf '\\302\\340x' >message",
        "printf '\\213x' >message",
    };
    struct fixture *f = *state;
    size_t i;

    for (i = 0; i < sizeof commands / sizeof *commands; i++) {
        gnupg_shell(f->g, "rm -f message; %s", commands[i]);
        error_clear(&f->err);
        assert_false(verify(f, "message", 1, "data"));
        assert_error(f, HALLMARK_ERR_SIGNATURE, "something else than signatures");
    }
}

static void openpgp_rejects_keyrings_without_keys_s51(void **state)
{
    static const char *const rings[] = {"", "no packets at all"};
    struct fixture *f = *state;
    const struct openpgp_key *keys;
    struct openpgp *openpgp;
    size_t n, i;

    for (i = 0; i < sizeof rings / sizeof *rings; i++) {
        error_clear(&f->err);
        openpgp = openpgp_open(bytes_view_str(rings[i]), timestamp_now(), &f->err);
        assert_non_null(openpgp);
        assert_false(openpgp_keys(openpgp, &keys, &n, &f->err));
        assert_error(f, HALLMARK_ERR_USAGE, "finds no key");
        openpgp_close(openpgp);
        error_clear(&f->err);
        assert_false(
            verify_with(f, bytes_view_str(rings[i]), timestamp_now(), "Alice.sig", 1, "data"));
        assert_error(f, HALLMARK_ERR_USAGE, "finds no key");
    }
}

static void openpgp_accepts_the_list_of_keys(void **state)
{
    static const struct {
        const char *user_id;
        bool is_usable;
    } wanted[] = {{"Alice <alice@example.org>", true},
                  {"Bob <bob@example.org>", true},
                  {"weak", true},
                  {"carol", true},
                  {"revoked", false},
                  {"expired", false},
                  {"future", false}};
    struct fixture *f = *state;
    struct openpgp *openpgp;
    const struct openpgp_key *keys;
    struct bytes twice = {0};
    size_t n, i;

    bytes_append(&twice, f->ring.data, f->ring.len);
    bytes_append(&twice, f->ring.data, f->ring.len);
    openpgp = openpgp_open(bytes_view(&twice), timestamp_now(), &f->err);
    assert_non_null(openpgp);
    assert_true(openpgp_keys(openpgp, &keys, &n, &f->err));
    assert_int_equal(n, sizeof wanted / sizeof *wanted);
    assert_string_equal(keys[0].fingerprint, f->alice);
    assert_string_equal(keys[0].user_id, "Alice <alice@example.org>");
    assert_int_equal(keys[0].bits, 255);
    assert_true(keys[0].is_usable);
    for (i = 0; i < n; i++) {
        assert_string_equal(keys[i].user_id, wanted[i].user_id);
        assert_int_equal(keys[i].is_usable, wanted[i].is_usable);
    }
    openpgp_close(openpgp);
    openpgp_close(NULL);
    bytes_free(&twice);
}

/* A user id as the key says it: raw, cut between characters, never a line of ours. */
static void openpgp_accepts_strange_user_ids_s50(void **state)
{
    struct fixture *f = *state;
    struct bytes ring = {0};
    struct openpgp *openpgp;
    const struct openpgp_key *keys;
    size_t n;

    gnupg_shell(f->g, "printf 'esc \\033[31m:red' >uid && "
                      "$G --quick-gen-key \"$(cat uid)\" ed25519 sign never");
    gnupg_shell(f->g, "printf '\\303\\244%%.0s' $(seq 200) >uid && "
                      "$G --utf8-strings --quick-gen-key \"$(cat uid)\" ed25519 sign never");
    gnupg_shell(f->g, "{ $G --export esc; $G --utf8-strings --export \"=$(cat uid)\"; } >strange");
    gnupg_read(f->g, "strange", &ring);
    openpgp = openpgp_open(bytes_view(&ring), timestamp_now(), &f->err);
    assert_non_null(openpgp);
    assert_true(openpgp_keys(openpgp, &keys, &n, &f->err));
    assert_int_equal(n, 2);
    assert_string_equal(keys[0].user_id, "esc \033[31m:red");
    /* There is room for 255 bytes, and each character has two. */
    assert_int_equal(strlen(keys[1].user_id), 254);
    assert_string_equal(keys[1].user_id + 250, "\303\244\303\244");
    openpgp_close(openpgp);
    bytes_free(&ring);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(openpgp_accepts_a_good_signature),
        TEST(openpgp_accepts_two_signers_s13),
        TEST(openpgp_accepts_a_subkey),
        TEST(openpgp_accepts_a_subkey_of_a_key_that_expires),
        TEST(openpgp_accepts_a_weak_key_with_its_size_s12),
        TEST(openpgp_rejects_other_data_s17),
        TEST(openpgp_rejects_the_bad_one_of_two_s15),
        TEST(openpgp_rejects_strangers_s04_s14),
        TEST(openpgp_rejects_a_key_block_s45),
        TEST(openpgp_rejects_an_expired_key_s05),
        TEST(openpgp_accepts_by_the_given_clock),
        TEST(openpgp_rejects_a_key_from_the_future_s09_k04),
        TEST(openpgp_accepts_a_signature_from_the_future_s08),
        TEST(openpgp_rejects_a_revoked_key_s06),
        TEST(openpgp_rejects_an_expired_signature_s07),
        TEST(openpgp_rejects_weak_digests_s10_s11),
        TEST(openpgp_rejects_another_number_of_signatures),
        TEST(openpgp_accepts_as_many_as_allowed_s41),
        TEST(openpgp_accepts_good_ones_among_strange_ones),
        TEST(openpgp_rejects_messages_that_are_no_signature),
        TEST(openpgp_rejects_keyrings_without_keys_s51),
        TEST(openpgp_accepts_the_list_of_keys),
        TEST(openpgp_accepts_strange_user_ids_s50),
    };

    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
