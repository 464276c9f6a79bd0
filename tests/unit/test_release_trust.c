/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judging a Release, with signatures by the real gpg. The ids are those of the hostile cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/timestamp.h"
#include "gnupg.h"
#include "trust/keyring.h"
#include "trust/release_trust.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

/* Dates of the manifest that all tests sign: now, and a week later. */
struct fixture {
    struct gnupg *g;
    char *alice, *bob, *sub; /* fingerprints; sub is Carol's signing key */
    int64_t now;
    struct bytes keyring;
    struct openpgp *keys;
    struct bytes document; /* that was verified last: its text is lent */
};

/* How a document is verified in one test. */
struct how {
    const char *file;      /* InRelease, in the fixture's directory */
    const char *signature; /* its detached signature; NULL: FILE is clearsigned */
    const char *pins[3];
    unsigned threshold;
    int64_t now, max_age; /* now 0: the fixture's */
    enum hallmark_expiry expiry;
    struct release_floor floor;
    const char *suite, *codename, *origin;
    bool accept_change;
};

/* Writes the manifest FILE with these dates. */
static void make_manifest(struct fixture *f, const char *file, int64_t date, int64_t valid_until)
{
    char date_text[TIMESTAMP_TEXT_LEN], until_text[TIMESTAMP_TEXT_LEN], *until, *text;

    timestamp_write_rfc1123(date, date_text);
    timestamp_write_rfc1123(valid_until, until_text);
    until = valid_until ? alloc_printf("Valid-Until: %s\\n", until_text) : alloc_strdup("");
    text = alloc_printf("Origin: test\\nDate: %s\\n%sSHA256:\\n "
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 a\\n",
                        date_text, until);
    gnupg_shell(f->g, "printf '%s' >%s", text, file);
    free(until);
    free(text);
}

static void make_keys(struct gnupg *g)
{
    gnupg_shell(g, "for k in alice bob mallory; do "
                   "$G --quick-gen-key $k ed25519 sign never; done");
    gnupg_shell(g, "$G --quick-gen-key weak rsa1024 sign never");
    gnupg_shell(g, "$G --quick-gen-key dsa dsa1024 sign never");
    gnupg_shell(g, "$G --quick-gen-key carol ed25519 cert never");
    free(gnupg_fingerprint(g, "carol", 0));
    gnupg_shell(g, "$G --quick-add-key $(cat fpr) ed25519 sign never");
    gnupg_shell(g, "$G --faked-system-time $(date -u -d '+400 days' +%%Y%%m%%dT%%H%%M%%S) "
                   "--quick-gen-key future ed25519 sign never");
    gnupg_shell(g, "$G --export alice bob weak dsa carol future >ring");
}

static int set_up(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);
    struct hallmark_error err = {0};
    struct bytes file = {0};

    *state = f;
    f->g = gnupg_new();
    make_keys(f->g);
    f->now = timestamp_now() + HOUR; /* later than all that the tests sign, however slow they are */
    f->alice = gnupg_fingerprint(f->g, "alice", 0);
    f->bob = gnupg_fingerprint(f->g, "bob", 0);
    f->sub = gnupg_fingerprint(f->g, "carol", 1);
    make_manifest(f, "Release", f->now, f->now + 7 * DAY);
    make_manifest(f, "forever", f->now, 0);
    make_manifest(f, "early", f->now - 2 * DAY, f->now + 7 * DAY);
    make_manifest(f, "late", f->now + HOUR, f->now + 7 * DAY);
    gnupg_shell(f->g, "for f in Release forever early late; do "
                      "$G -u alice -o $f.in --clearsign $f; done");
    gnupg_read(f->g, "ring", &file);
    assert_true(keyring_add(&f->keyring, bytes_view(&file), "ring", &err));
    bytes_free(&file);
    f->keys = openpgp_open(bytes_view(&f->keyring), f->now, &err);
    assert_non_null(f->keys);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    openpgp_close(f->keys);
    gnupg_assert_clean(f->g);
    gnupg_free(f->g);
    bytes_free(&f->keyring);
    bytes_free(&f->document);
    free(f->alice);
    free(f->bob);
    free(f->sub);
    free(f);
    return 0;
}

static struct verified_release *verify(struct fixture *f, const struct how *how,
                                       struct hallmark_error *err)
{
    struct release_document document = {.name = how->signature ? "Release" : "InRelease"};
    struct bytes signature = {0};
    struct hallmark_policy wanted;
    struct policy policy = {0};
    struct openpgp *keys = f->keys, *at_other_time = NULL;
    struct verified_release *verified;

    hallmark_policy_init(&wanted);
    wanted.now = how->now ? how->now : f->now;
    wanted.max_age = how->max_age;
    wanted.suite = how->suite;
    wanted.codename = how->codename;
    wanted.origin = how->origin;
    wanted.accept_change = how->accept_change;
    wanted.expiry = how->expiry;
    wanted.threshold = how->threshold ? how->threshold : 1;
    wanted.signed_by = how->pins[0] ? how->pins : NULL;
    assert_true(policy_from(&policy, &wanted, err));
    bytes_free(&f->document);
    gnupg_read(f->g, how->file, &f->document);
    document.text = bytes_view(&f->document);
    if (how->signature) {
        gnupg_read(f->g, how->signature, &signature);
        document.signature = bytes_view(&signature);
    }
    if (how->now)
        keys = at_other_time = openpgp_open(bytes_view(&f->keyring), how->now, err);
    assert_non_null(keys);
    verified = release_trust_verify(&document, keys, &policy, &how->floor, err);
    openpgp_close(at_other_time);
    policy_free(&policy);
    bytes_free(&signature);
    return verified;
}

static struct verified_release *assert_accepts(struct fixture *f, const struct how *how)
{
    struct hallmark_error err = {0};
    struct verified_release *verified = verify(f, how, &err);

    if (!verified)
        fail_msg("%s: %s", how->file, err.text);
    return verified;
}

static void assert_rejects(struct fixture *f, const struct how *how, enum hallmark_errcode code,
                           const char *reason)
{
    struct hallmark_error err = {0};

    if (verify(f, how, &err))
        fail_msg("%s: accepted; wanted: %s", how->file, reason);
    if (err.code != code || !strstr(err.text, reason))
        fail_msg("found %d \"%s\", wanted %d and \"%s\"", (int)err.code, err.text, (int)code,
                 reason);
}

static void release_trust_accepts_inline(void **state)
{
    struct fixture *f = *state;
    struct verified_release *verified = assert_accepts(f, &(struct how){.file = "Release.in"});
    struct bytes release = {0};

    gnupg_read(f->g, "Release", &release);
    assert_int_equal(verified->text.len, release.len);
    assert_memory_equal(verified->text.data, release.data, release.len);
    assert_int_equal(verified->release.n_entries, 1);
    assert_int_equal(verified->expires, f->now + 7 * DAY);
    assert_int_equal(verified->n_signatures, 1);
    assert_true(verified->signatures[0].is_counted);
    assert_string_equal(verified->signatures[0].openpgp.primary, f->alice);
    assert_string_equal(verified->signatures[0].verdict, "good");
    bytes_free(&release);
    release_trust_free(verified);
}

static void release_trust_accepts_detached(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "$G -u alice -ao one.asc -b Release && $G -u bob -ao two.asc -b Release && "
                      "cat one.asc two.asc >both.asc");
    release_trust_free(assert_accepts(f, &(struct how){.file = "Release", .signature = "one.asc"}));
    release_trust_free(assert_accepts(
        f, &(struct how){.file = "Release", .signature = "both.asc", .threshold = 2}));
}

static void release_trust_accepts_unknown_others(void **state) /* S13, S14, K01 */
{
    struct fixture *f = *state;
    struct verified_release *verified;

    gnupg_shell(f->g, "$G -u alice -u mallory -o am.in --clearsign Release && "
                      "$G -u mallory -u alice -o ma.in --clearsign Release && "
                      "$G -u alice -u bob -o ab.in --clearsign Release");
    verified = assert_accepts(f, &(struct how){.file = "am.in"});
    assert_int_equal(verified->n_signatures, 2);
    assert_false(verified->signatures[1].is_counted);
    assert_string_equal(verified->signatures[1].verdict, "by a key that is not in the keyring");
    release_trust_free(verified);
    release_trust_free(assert_accepts(f, &(struct how){.file = "ma.in"}));
    release_trust_free(assert_accepts(f, &(struct how){.file = "ab.in", .threshold = 2}));
    release_trust_free(assert_accepts(f, &(struct how){.file = "ab.in", .pins = {f->bob}}));
}

static void release_trust_rejects_thresholds(void **state) /* K05, K06, K08 */
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "$G -u alice -ao 1.asc -b Release && $G -u alice -ao 2.asc -b Release && "
                      "cat 1.asc 2.asc >twice.asc");
    assert_rejects(f, &(struct how){.file = "Release.in", .threshold = 2}, HALLMARK_ERR_SIGNATURE,
                   "good signatures by trusted keys: 1, needed: 2");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "twice.asc", .threshold = 2},
                   HALLMARK_ERR_SIGNATURE, "by a key that has signed already");
}

static void release_trust_rejects_untrusted(void **state) /* S04, K02, K09 */
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "$G -u mallory -o mallory.in --clearsign Release");
    assert_rejects(f, &(struct how){.file = "mallory.in"}, HALLMARK_ERR_SIGNATURE,
                   "by a key that is not in the keyring");
    assert_rejects(f, &(struct how){.file = "Release.in", .pins = {f->bob}}, HALLMARK_ERR_SIGNATURE,
                   "by a key that is not trusted for this repository");
}

static void release_trust_accepts_exact_pins(void **state) /* K12 */
{
    struct fixture *f = *state;
    char *carol = gnupg_fingerprint(f->g, "carol", 0), *exact = alloc_printf("%s!", f->sub),
         *primary = alloc_printf("%s!", carol);

    gnupg_shell(f->g, "$G -u carol -o carol.in --clearsign Release");
    release_trust_free(assert_accepts(f, &(struct how){.file = "carol.in", .pins = {carol}}));
    release_trust_free(assert_accepts(f, &(struct how){.file = "carol.in", .pins = {exact}}));
    assert_rejects(f, &(struct how){.file = "carol.in", .pins = {primary}}, HALLMARK_ERR_SIGNATURE,
                   "not trusted for this repository");
    assert_rejects(f, &(struct how){.file = "carol.in", .pins = {f->sub}}, HALLMARK_ERR_SIGNATURE,
                   "not trusted for this repository");
    free(carol);
    free(exact);
    free(primary);
}

static void release_trust_rejects_tampering(void **state) /* S15, S17 */
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "sed 's/Origin: test/Origin: tesT/' Release.in >changed.in && "
                      "$G -u alice -ao good.asc -b Release && $G -u bob -ao bad.asc -b forever && "
                      "cat good.asc bad.asc >mixed.asc && cat bad.asc good.asc >mixed2.asc");
    assert_rejects(f, &(struct how){.file = "changed.in"}, HALLMARK_ERR_SIGNATURE,
                   "the text is not what was signed");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "mixed.asc"},
                   HALLMARK_ERR_SIGNATURE, "bad signature by key");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "mixed2.asc"},
                   HALLMARK_ERR_SIGNATURE, "bad signature by key");
}

static void release_trust_rejects_weakness(void **state) /* S10, S11, S12 */
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "$G -u weak --digest-algo SHA256 -ao weak.asc -b Release && "
                      "$G -u dsa -ao dsa.asc -b Release && "
                      "$G -u alice --digest-algo SHA1 -ao sha1.asc -b Release && "
                      "$G -u alice --digest-algo SHA224 -ao sha224.asc -b Release && "
                      "$G -u alice --digest-algo SHA1 -o sha1.in --clearsign Release");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "weak.asc"},
                   HALLMARK_ERR_SIGNATURE, "its key is too weak");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "dsa.asc"},
                   HALLMARK_ERR_SIGNATURE, "is not");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "sha1.asc"},
                   HALLMARK_ERR_SIGNATURE, "1 needed signatures are good");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "sha224.asc"},
                   HALLMARK_ERR_SIGNATURE, "its digest is too weak");
    assert_rejects(f, &(struct how){.file = "sha1.in"}, HALLMARK_ERR_SIGNATURE, "Hash");
}

static void release_trust_rejects_forms(void **state) /* S28, S43 */
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "$G -u alice --textmode -ao text.asc -b Release && "
                      "$G -u alice --digest-algo SHA512 -o 512.in --clearsign Release && "
                      "sed 's/^Hash: .*/Hash: SHA256/' 512.in >wrong.in && : >empty.asc");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "text.asc"},
                   HALLMARK_ERR_SIGNATURE, "is of type 0x01, must be 0x00");
    assert_rejects(f, &(struct how){.file = "wrong.in"}, HALLMARK_ERR_SIGNATURE,
                   "uses SHA512, the Hash header says SHA256");
    gnupg_shell(f->g,
                "sed 's/^Origin:.*/& /' Release >blank && $G -u alice -ao blank.asc -b blank");
    assert_rejects(f, &(struct how){.file = "blank", .signature = "blank.asc"},
                   HALLMARK_ERR_SIGNATURE, "has blanks at its end");
    assert_rejects(f, &(struct how){.file = "Release"}, HALLMARK_ERR_SIGNATURE, "InRelease");
    assert_rejects(f, &(struct how){.file = "Release", .signature = "empty.asc"},
                   HALLMARK_ERR_SIGNATURE, "Release.gpg");
}

static void release_trust_rejects_future(void **state) /* S08, S09, F02, F07, K04 */
{
    struct fixture *f = *state;
    struct release_floor floor = {.date = f->now + DAY};

    gnupg_shell(f->g,
                "$G -u alice --faked-system-time $(date -u -d '+3 days' +%%Y%%m%%dT%%H%%M%%S) "
                "-o ahead.in --clearsign Release && "
                "$G -u future --ignore-time-conflict --ignore-valid-from -o key.in "
                "--clearsign Release");
    assert_rejects(f, &(struct how){.file = "ahead.in"}, HALLMARK_ERR_FUTURE,
                   "InRelease: was signed on ");
    assert_rejects(f, &(struct how){.file = "late.in"}, HALLMARK_ERR_FUTURE,
                   "InRelease: is dated ");
    assert_rejects(f, &(struct how){.file = "Release.in", .now = f->now - 20 * 365 * DAY},
                   HALLMARK_ERR_FUTURE, "but the clock says ");
    assert_rejects(f, &(struct how){.file = "Release.in", .floor = floor}, HALLMARK_ERR_FUTURE,
                   "one was accepted before that is dated");
    assert_rejects(f, &(struct how){.file = "key.in"}, HALLMARK_ERR_SIGNATURE,
                   "is the clock right?");
}

static void release_trust_accepts_skew(void **state)
{
    struct fixture *f = *state;

    release_trust_free(
        assert_accepts(f, &(struct how){.file = "late.in", .now = f->now + HOUR - 10}));
    assert_rejects(f, &(struct how){.file = "late.in", .now = f->now + HOUR - 11},
                   HALLMARK_ERR_FUTURE, "is dated");
}

static void release_trust_rejects_stale(void **state) /* F01, F03, F04, M19 */
{
    struct fixture *f = *state;
    int64_t until = f->now + 7 * DAY;

    release_trust_free(assert_accepts(f, &(struct how){.file = "Release.in", .now = until}));
    assert_rejects(f, &(struct how){.file = "Release.in", .now = until + 1}, HALLMARK_ERR_STALE,
                   "InRelease: expired on ");
    assert_rejects(f, &(struct how){.file = "Release.in", .now = until + 14 * 365 * DAY},
                   HALLMARK_ERR_STALE, "the clock is wrong");
    assert_rejects(f,
                   &(struct how){.file = "Release.in", .now = f->now + HOUR + 1, .max_age = HOUR},
                   HALLMARK_ERR_STALE, "became older than is allowed");
    assert_rejects(f, &(struct how){.file = "forever.in"}, HALLMARK_ERR_STALE,
                   "has no Valid-Until");
    release_trust_free(assert_accepts(f, &(struct how){.file = "forever.in", .max_age = HOUR}));
    release_trust_free(
        assert_accepts(f, &(struct how){.file = "forever.in", .expiry = HALLMARK_EXPIRY_OPTIONAL}));
}

static void release_trust_rejects_rollback(void **state) /* F05 */
{
    struct fixture *f = *state;
    struct verified_release *verified = assert_accepts(f, &(struct how){.file = "Release.in"});
    struct release_floor seen = {.date = verified->release.date}, other = seen;

    memcpy(seen.sha256, verified->sha256, sizeof seen.sha256);
    memset(other.sha256, '0', sizeof other.sha256 - 1);
    release_trust_free(verified);
    release_trust_free(assert_accepts(f, &(struct how){.file = "Release.in", .floor = seen}));
    assert_rejects(f, &(struct how){.file = "early.in", .floor = seen}, HALLMARK_ERR_ROLLBACK,
                   "this is an old one");
    assert_rejects(f, &(struct how){.file = "Release.in", .floor = other}, HALLMARK_ERR_ROLLBACK,
                   "of the same date with SHA256 0000");
}

/* What another keyring has shown to be revoked does not count again, whatever this one says. */
static void release_trust_rejects_keys_seen_revoked(void **state) /* K11 */
{
    struct fixture *f = *state;
    struct strlist alice = {0}, bob = {0}, carol = {0}, primary = {0};
    char *fingerprint = gnupg_fingerprint(f->g, "carol", 0);

    strlist_add(&alice, f->alice);
    strlist_add(&bob, f->bob);
    strlist_add(&carol, f->sub);
    strlist_add(&primary, fingerprint);
    free(fingerprint);
    gnupg_shell(f->g, "$G -u carol -o carol.in --clearsign Release");
    release_trust_free(
        assert_accepts(f, &(struct how){.file = "Release.in", .floor = {.revoked = &bob}}));
    assert_rejects(f, &(struct how){.file = "Release.in", .floor = {.revoked = &alice}},
                   HALLMARK_ERR_SIGNATURE,
                   "the key was seen revoked before, and the keyring is an older one");
    release_trust_free(
        assert_accepts(f, &(struct how){.file = "carol.in", .floor = {.revoked = &bob}}));
    assert_rejects(f, &(struct how){.file = "carol.in", .floor = {.revoked = &carol}},
                   HALLMARK_ERR_SIGNATURE, "the key was seen revoked before");
    assert_rejects(f, &(struct how){.file = "carol.in", .floor = {.revoked = &primary}},
                   HALLMARK_ERR_SIGNATURE, "the key was seen revoked before");
    strlist_free(&alice);
    strlist_free(&bob);
    strlist_free(&carol);
    strlist_free(&primary);
}

/* A manifest with Suite and Codename beside the Origin that all have. */
static void make_suite(struct fixture *f)
{
    gnupg_shell(f->g, "{ echo 'Suite: stable'; echo 'Codename: bookworm'; cat Release; } >suite && "
                      "$G -u alice -o suite.in --clearsign suite");
}

static void release_trust_accepts_suites(void **state)
{
    static const char *const names[] = {"stable", "bookworm", "stable/updates", "bookworm/x"};
    struct fixture *f = *state;
    size_t i;

    make_suite(f);
    for (i = 0; i < sizeof names / sizeof *names; i++)
        release_trust_free(assert_accepts(f, &(struct how){.file = "suite.in",
                                                           .suite = names[i],
                                                           .codename = "bookworm",
                                                           .origin = "test"}));
}

static void release_trust_rejects_other_suites(void **state) /* M14 */
{
    static const char *const names[] = {"", "stabl", "testing", "updates/stable/x", "/"};
    struct fixture *f = *state;
    size_t i;

    for (i = 0; i < sizeof names / sizeof *names; i++)
        assert_rejects(f, &(struct how){.file = "suite.in", .suite = names[i]},
                       HALLMARK_ERR_ROLLBACK, "is of the suite \"stable\", codename \"bookworm\"");
    assert_rejects(f, &(struct how){.file = "suite.in", .codename = "stable"},
                   HALLMARK_ERR_ROLLBACK, "has Codename \"bookworm\"; \"stable\" is wanted");
    assert_rejects(f, &(struct how){.file = "suite.in", .origin = "Test"}, HALLMARK_ERR_ROLLBACK,
                   "has Origin \"test\"; \"Test\" is wanted");
    assert_rejects(f, &(struct how){.file = "Release.in", .suite = ""}, HALLMARK_ERR_ROLLBACK,
                   "is of the suite \"\"");
    assert_rejects(f, &(struct how){.file = "Release.in", .codename = "x"}, HALLMARK_ERR_ROLLBACK,
                   "has Codename \"\"");
}

static void release_trust_rejects_changes(void **state) /* M15 */
{
    struct fixture *f = *state;
    struct release_floor same = {.date = 1, .origin = "test", .label = "", .codename = "bookworm"},
                         unknown = {.date = 1}, other = same, label = same, vanished = same;

    other.origin = "tes";
    label.label = "old";
    release_trust_free(assert_accepts(f, &(struct how){.file = "suite.in", .floor = same}));
    release_trust_free(assert_accepts(f, &(struct how){.file = "suite.in", .floor = unknown}));
    assert_rejects(f, &(struct how){.file = "suite.in", .floor = other}, HALLMARK_ERR_ROLLBACK,
                   "has Origin \"test\", but the one seen before had \"tes\"; --accept-change");
    assert_rejects(f, &(struct how){.file = "suite.in", .floor = label}, HALLMARK_ERR_ROLLBACK,
                   "has Label \"\", but the one seen before had \"old\"");
    assert_rejects(f, &(struct how){.file = "Release.in", .floor = vanished}, HALLMARK_ERR_ROLLBACK,
                   "has Codename \"\", but the one seen before had \"bookworm\"");
    release_trust_free(assert_accepts(
        f, &(struct how){.file = "suite.in", .floor = other, .accept_change = true}));
    other.date = f->now + 1;
    assert_rejects(f, &(struct how){.file = "suite.in", .floor = other, .accept_change = true},
                   HALLMARK_ERR_ROLLBACK, "this is an old one");
}

static void release_trust_rejects_malformed(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "{ cat Release; echo 'Origin: twice'; } >twice && "
                      "$G -u alice -o twice.in --clearsign twice");
    assert_rejects(f, &(struct how){.file = "twice.in"}, HALLMARK_ERR_MALFORMED, "InRelease: ");
}

static void release_trust_checks_freshness_again(void **state) /* F14 */
{
    struct fixture *f = *state;
    struct verified_release *verified = assert_accepts(f, &(struct how){.file = "Release.in"});
    struct hallmark_error err = {0};

    assert_true(release_trust_check_fresh(verified, f->now + 7 * DAY, &err));
    assert_false(release_trust_check_fresh(verified, f->now + 7 * DAY + 1, &err));
    assert_int_equal(err.code, HALLMARK_ERR_STALE);
    release_trust_free(verified);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(release_trust_accepts_inline),
        cmocka_unit_test(release_trust_accepts_detached),
        cmocka_unit_test(release_trust_accepts_unknown_others),
        cmocka_unit_test(release_trust_rejects_thresholds),
        cmocka_unit_test(release_trust_rejects_untrusted),
        cmocka_unit_test(release_trust_accepts_exact_pins),
        cmocka_unit_test(release_trust_rejects_tampering),
        cmocka_unit_test(release_trust_rejects_weakness),
        cmocka_unit_test(release_trust_rejects_forms),
        cmocka_unit_test(release_trust_rejects_future),
        cmocka_unit_test(release_trust_accepts_skew),
        cmocka_unit_test(release_trust_rejects_stale),
        cmocka_unit_test(release_trust_rejects_rollback),
        cmocka_unit_test(release_trust_rejects_keys_seen_revoked),
        cmocka_unit_test(release_trust_accepts_suites),
        cmocka_unit_test(release_trust_rejects_other_suites),
        cmocka_unit_test(release_trust_rejects_changes),
        cmocka_unit_test(release_trust_rejects_malformed),
        cmocka_unit_test(release_trust_checks_freshness_again),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
