/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signing and exporting with the real gpg and its agent: good keys, and every way in which a key
 * cannot be used. What was made is judged by gpg itself and by our own verification.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "crypto/openpgp.h"
#include "gnupg.h"

struct fixture {
    struct gnupg *g;
    char *alice, *bob, *rsa, *locked, *carol, *carol_subkey, *expired, *revoked, *public_only,
        *certify_only;
    struct openpgp_signed made;
    struct hallmark_error err;
};

static const char signed_text[] = "Origin: test\nDate: Sat, 11 Nov 2023 09:59:32 UTC\n";

static void make_keys(struct gnupg *g)
{
    gnupg_shell(g, "$G --quick-gen-key alice ed25519 sign never");
    gnupg_shell(g, "$G --quick-gen-key bob nistp384 sign never");
    gnupg_shell(g, "$G --quick-gen-key rsa rsa2048 sign never");
    gnupg_shell(g, "$G --quick-gen-key carol ed25519 cert never");
    free(gnupg_fingerprint(g, "carol", 0));
    gnupg_shell(g, "$G --quick-add-key $(cat fpr) ed25519 sign 30d");
    gnupg_shell(g, "$G --quick-gen-key certifier ed25519 cert never");
    gnupg_shell(g, "$G --faked-system-time 20200101T000000 --quick-gen-key old ed25519 sign 1y");
    gnupg_shell(g, "$G --quick-gen-key revoked ed25519 sign never");
    free(gnupg_fingerprint(g, "revoked", 0));
    gnupg_shell(g, "sed 's/^:---/---/' home/openpgp-revocs.d/$(cat fpr).rev | $G --import");
    gnupg_shell(g, "$G --quick-gen-key publisher ed25519 sign never");
    free(gnupg_fingerprint(g, "publisher", 0));
    gnupg_shell(g, "$G --delete-secret-keys $(cat fpr)");
    gnupg_shell(g, "gpg --batch --quiet --no-tty --pinentry-mode loopback --passphrase sesame "
                   "--quick-gen-key locked ed25519 sign never");
}

static int set_up_group(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);

    *state = f;
    f->g = gnupg_new();
    gnupg_shell(f->g, "echo s2k-count 65536 >home/gpg-agent.conf"); /* as fast as it gets */
    make_keys(f->g);
    f->alice = gnupg_fingerprint(f->g, "alice", 0);
    f->bob = gnupg_fingerprint(f->g, "bob", 0);
    f->rsa = gnupg_fingerprint(f->g, "rsa", 0);
    f->locked = gnupg_fingerprint(f->g, "locked", 0);
    f->carol = gnupg_fingerprint(f->g, "carol", 0);
    f->carol_subkey = gnupg_fingerprint(f->g, "carol", 1);
    f->expired = gnupg_fingerprint(f->g, "old", 0);
    f->revoked = gnupg_fingerprint(f->g, "revoked", 0);
    f->public_only = gnupg_fingerprint(f->g, "publisher", 0);
    f->certify_only = gnupg_fingerprint(f->g, "certifier", 0);
    return 0;
}

static int tear_down_group(void **state)
{
    struct fixture *f = *state;

    gnupg_free(f->g);
    free(f->alice);
    free(f->bob);
    free(f->rsa);
    free(f->locked);
    free(f->carol);
    free(f->carol_subkey);
    free(f->expired);
    free(f->revoked);
    free(f->public_only);
    free(f->certify_only);
    free(f);
    return 0;
}

static int set_up(void **state)
{
    struct fixture *f = *state;

    error_clear(&f->err);
    /* No passphrase is remembered from the test before. */
    gnupg_shell(f->g, "gpgconf --kill gpg-agent; : >home/gpg.conf; "
                      "echo s2k-count 65536 >home/gpg-agent.conf");
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    openpgp_signed_free(&f->made);
    gnupg_assert_clean(f->g);
    return 0;
}

static struct bytes bytes_of(const char *text)
{
    struct bytes out = {0};

    bytes_append_str(&out, text);
    return out;
}

/* Signs TEXT. */
static bool sign_text(struct fixture *f, const struct openpgp_signer *signer, const char *text)
{
    struct bytes keyring = {0};
    struct openpgp_signing *signing = openpgp_signing_open(signer, &keyring, &f->err);
    bool ok = signing && openpgp_signing_sign(signing, bytes_view_str(text), &f->made, &f->err);

    openpgp_signing_close(signing);
    bytes_free(&keyring);
    return ok;
}

/* Signs with up to three keys. */
static bool sign(struct fixture *f, const char *passphrase, char *first, char *second, char *third)
{
    char *const fingerprints[] = {first, second, third, NULL};
    struct openpgp_signer signer = {
        .gnupg_home = f->g->home, .fingerprints = fingerprints, .passphrase = passphrase};

    error_clear(&f->err);
    openpgp_signed_free(&f->made);
    return sign_text(f, &signer, signed_text);
}

static void assert_error(const struct fixture *f, enum hallmark_errcode code, const char *key,
                         const char *text)
{
    if (f->err.code != code || !strstr(f->err.text, text) || !strstr(f->err.text, key))
        print_error("found %d \"%s\", wanted %d \"%s\" \"%s\"\n", (int)f->err.code, f->err.text,
                    (int)code, key, text);
    assert_int_equal(f->err.code, code);
    assert_non_null(strstr(f->err.text, key));
    assert_non_null(strstr(f->err.text, text));
    assert_int_equal(f->made.inline_text.len, 0);
    assert_int_equal(f->made.detached.len, 0);
}

/* Has our own verification judge the detached signature with the exported keys, and gpg both forms.
 */
static void assert_signed_by(struct fixture *f, char *first, char *second, char *third)
{
    enum { SHA512 = 10 };
    char *const fingerprints[] = {first, second, third, NULL};
    struct openpgp_signer signer = {.gnupg_home = f->g->home, .fingerprints = fingerprints};
    struct bytes ring = {0}, packets = {0};
    struct openpgp_signatures *found = alloc_array(1, sizeof *found);
    struct openpgp *openpgp;
    size_t n = second ? third ? 3 : 2 : 1, i;

    if (f->err.code != HALLMARK_OK)
        print_error("%s\n", f->err.text);
    assert_int_equal(f->err.code, HALLMARK_OK);
    assert_true(openpgp_export(&signer, &ring, &f->err));
    gnupg_write(f->g, "inline", bytes_view(&f->made.inline_text));
    gnupg_write(f->g, "detached", bytes_view(&f->made.detached));
    gnupg_write(f->g, "text", bytes_view_str(signed_text));
    gnupg_shell(f->g,
                "rm -f packets && gpg --verify inline && gpg --verify detached text && "
                "gpg --dearmor <detached >packets && ! grep -i -E 'comment|version' detached "
                "&& test $(gpg --list-packets packets | grep -c 'sigclass 0x00') = %zu && "
                "test \"$(sed -n 2p inline)\" = 'Hash: SHA512'",
                n);
    gnupg_read(f->g, "packets", &packets);
    openpgp = openpgp_open(bytes_view(&ring), timestamp_now(), &f->err);
    assert_non_null(openpgp);
    assert_true(openpgp_verify(openpgp, bytes_view(&packets), n, bytes_view_str(signed_text), found,
                               &f->err));
    for (i = 0; i < n; i++) {
        assert_int_equal(found->items[i].verdict, OPENPGP_GOOD);
        assert_string_equal(found->items[i].primary, fingerprints[i]);
        assert_int_equal(found->items[i].digest, SHA512);
        assert_int_equal(found->items[i].expires, 0);
    }
    openpgp_close(openpgp);
    free(found);
    bytes_free(&packets);
    bytes_free(&ring);
}

static void openpgp_sign_accepts_one_key(void **state)
{
    struct fixture *f = *state;

    assert_true(sign(f, NULL, f->alice, NULL, NULL));
    assert_signed_by(f, f->alice, NULL, NULL);
    assert_true(sign(f, NULL, f->carol, NULL, NULL));
    assert_signed_by(f, f->carol, NULL, NULL);
}

/* gpg by itself would use three digests for these three keys. */
static void openpgp_sign_accepts_three_keys_with_one_digest(void **state)
{
    struct fixture *f = *state;

    assert_true(sign(f, NULL, f->alice, f->bob, f->rsa));
    assert_signed_by(f, f->alice, f->bob, f->rsa);
}

/* G21: what the user has in gpg.conf does not change the signature. */
static void openpgp_sign_accepts_any_gpg_conf_g21(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "printf '%%s\\n' 'digest-algo SHA1' 'armor' 'comment hello' 'textmode' "
                      "'default-key bob' 'default-sig-expire 10d' 'include-key-block' "
                      "'local-user bob' 'emit-version' 'sig-notation a@b=c' >home/gpg.conf");
    assert_true(sign(f, NULL, f->alice, f->rsa, NULL));
    assert_signed_by(f, f->alice, f->rsa, NULL);
    gnupg_shell(f->g, ": >home/gpg.conf; ! gpg --list-packets packets | grep -E 'notation|expire'");
}

static void openpgp_sign_accepts_the_home_of_the_environment(void **state)
{
    struct fixture *f = *state;
    char *const fingerprints[] = {f->alice, NULL};
    struct openpgp_signer signer = {.fingerprints = fingerprints};
    bool ok;

    setenv("GNUPGHOME", f->g->home, 1);
    ok = sign_text(f, &signer, signed_text);
    unsetenv("GNUPGHOME");
    assert_true(ok);
    assert_signed_by(f, f->alice, NULL, NULL);
}

/* The socket in the home may be a pointer to another one already. */
static void openpgp_sign_accepts_a_redirected_agent(void **state)
{
    struct fixture *f = *state;
    char *const fingerprints[] = {f->alice, NULL};
    char *home = path_join(f->g->dir, "second");
    struct openpgp_signer signer = {.gnupg_home = home, .fingerprints = fingerprints};

    gnupg_shell(f->g,
                "rm -rf second; mkdir -m 700 second && gpg --export | "
                "gpg --homedir second --no-autostart --import && gpg-connect-agent /bye && "
                "printf '%%%%Assuan%%%%\\nsocket=%s/S.gpg-agent\\n' >second/S.gpg-agent",
                f->g->home);
    assert_true(sign_text(f, &signer, signed_text));
    assert_signed_by(f, f->alice, NULL, NULL);
    free(home);
}

/* Signs where gpg has directories for sockets below /run/user, as with a user who is logged in. */
static bool sign_with_run_user(struct fixture *f)
{
    char *dir = alloc_printf("/run/user/%u/gnupg", (unsigned)getuid());
    struct dirent *entry;
    size_t n = 0;
    DIR *listing;
    bool ok;

    gnupg_shell(f->g, "mkdir -m 700 /run/user/%u", (unsigned)getuid());
    ok = sign(f, NULL, f->alice, f->bob, NULL);
    if (!ok)
        print_error("%s\n", f->err.text);
    listing = opendir(dir);
    while (ok && listing && (entry = readdir(listing)) != NULL)
        n += strncmp(entry->d_name, "d.", 2) == 0;
    if (listing)
        closedir(listing);
    gnupg_shell(f->g, "gpgconf --kill gpg-agent");
    free(dir);
    /* Of the user's home, and of no other. */
    return ok && n == 1;
}

static void openpgp_sign_accepts_sockets_below_run(void **state)
{
    enum { GOOD, BAD, IMPOSSIBLE };
    struct fixture *f = *state;
    int status;
    pid_t pid;

    if (access("/run/user", X_OK) < 0) {
        print_message("skipped: there is no /run/user\n");
        skip();
    }
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, "") < 0 ||
            mount("none", "/run/user", "tmpfs", 0, "") < 0)
            _exit(IMPOSSIBLE);
        _exit(sign_with_run_user(f) ? GOOD : BAD);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == IMPOSSIBLE) {
        print_message("skipped: no right to mount a /run/user of the test's own\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), GOOD);
}

static void openpgp_sign_rejects_wrong_names(void **state)
{
    struct fixture *f = *state;
    static char none[] = "0123456789ABCDEF0123456789ABCDEF01234567", brief[] = "89ABCDEF01234567",
                lower[] = "0123456789abcdef0123456789abcdef01234567",
                option[] = "--export-secret-keys";
    char *const nobody[] = {NULL};
    struct openpgp_signer signer = {.gnupg_home = f->g->home, .fingerprints = nobody};

    assert_false(sign(f, NULL, none, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, none, "is not in the GnuPG home");
    assert_false(sign(f, NULL, f->alice, none, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, none, "is not in the GnuPG home");
    assert_false(sign(f, NULL, f->carol_subkey, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->carol, "is a subkey; name its primary key");
    assert_false(sign(f, NULL, brief, NULL, NULL));
    assert_error(f, HALLMARK_ERR_USAGE, brief, "wanted a full fingerprint");
    assert_false(sign(f, NULL, lower, NULL, NULL));
    assert_error(f, HALLMARK_ERR_USAGE, lower, "wanted a full fingerprint");
    assert_false(sign(f, NULL, option, NULL, NULL));
    assert_error(f, HALLMARK_ERR_USAGE, option, "wanted a full fingerprint");
    assert_false(sign(f, NULL, f->alice, f->bob, f->alice));
    assert_error(f, HALLMARK_ERR_USAGE, f->alice, "named twice");
    error_clear(&f->err);
    assert_false(sign_text(f, &signer, signed_text));
    assert_error(f, HALLMARK_ERR_USAGE, "", "no key to sign with");
}

static void openpgp_sign_rejects_unusable_keys_g19(void **state)
{
    struct fixture *f = *state;

    assert_false(sign(f, NULL, f->expired, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->expired, "expired on 2020-12-31T");
    assert_false(sign(f, NULL, f->alice, f->expired, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->expired, "expired on 2020-12-31T");
    assert_false(sign(f, NULL, f->revoked, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->revoked, "is revoked");
    assert_false(sign(f, NULL, f->certify_only, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->certify_only, "can sign now");
    assert_false(sign(f, NULL, f->public_only, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->public_only, "no secret key in the GnuPG home");
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->g->home, "is gpg-agent reachable?");
}

/* A key that is there at first, and whose secret part the agent then misses. */
static void openpgp_sign_rejects_a_secret_key_that_is_gone(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "mv home/private-keys-v1.d away && mkdir -m 700 home/private-keys-v1.d");
    assert_false(sign(f, NULL, f->alice, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->alice, "no secret key in the GnuPG home");
    gnupg_shell(f->g, "rm -rf home/private-keys-v1.d && mv away home/private-keys-v1.d");
}

static void openpgp_sign_rejects_a_missing_passphrase_g17(void **state)
{
    struct fixture *f = *state;

    /* Told at once: what waits for the deadline is told in other words. */
    assert_false(sign(f, NULL, f->locked, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->locked,
                 "needs a passphrase, and there is no terminal");
    assert_false(sign(f, NULL, f->alice, f->locked, f->bob));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->locked, "needs a passphrase");
    assert_null(strstr(f->err.text, f->alice));
}

static void openpgp_sign_accepts_a_passphrase_g18(void **state)
{
    struct fixture *f = *state;

    assert_true(sign(f, "sesame", f->locked, NULL, NULL));
    assert_signed_by(f, f->locked, NULL, NULL);
    assert_true(sign(f, "sesame", f->alice, f->locked, f->bob));
    assert_signed_by(f, f->alice, f->locked, f->bob);
    /* The agent remembers it: nothing has to be given. */
    assert_true(sign(f, NULL, f->locked, NULL, NULL));
    assert_signed_by(f, f->locked, NULL, NULL);
}

static void openpgp_sign_rejects_a_wrong_passphrase_g18(void **state)
{
    struct fixture *f = *state;

    assert_false(sign(f, "open", f->locked, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->locked, "wrong passphrase");
    assert_false(sign(f, "", f->locked, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->locked, "wrong passphrase");
    assert_false(sign(f, "open", f->alice, f->locked, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->locked, "wrong passphrase");
    gnupg_shell(f->g, "echo no-allow-loopback-pinentry >home/gpg-agent.conf; "
                      "gpgconf --kill gpg-agent");
    assert_false(sign(f, "sesame", f->locked, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->locked, "");
}

/* Signs with a pinentry that gives REPLY to the question. */
static bool sign_with_person(struct fixture *f, const char *reply)
{
    char *const fingerprints[] = {f->locked, NULL};
    struct openpgp_signer signer = {
        .gnupg_home = f->g->home, .fingerprints = fingerprints, .interactive = true};

    error_clear(&f->err);
    openpgp_signed_free(&f->made);
    gnupg_shell(
        f->g,
        "printf '%%s\\n' '#!/bin/bash' 'echo OK' 'while read -r command rest; do' "
        "'[ \"$command\" != GETPIN ] || echo \"%s\"' "
        "'[ \"$command\" = GETPIN -a \"%.3s\" = ERR ] || echo OK; done' >pinentry && "
        "chmod 755 pinentry && echo \"pinentry-program $PWD/pinentry\" >>home/gpg-agent.conf; "
        "gpgconf --kill gpg-agent",
        reply, reply);
    return sign_text(f, &signer, signed_text);
}

static void openpgp_sign_accepts_a_person(void **state)
{
    struct fixture *f = *state;

    assert_true(sign_with_person(f, "D sesame"));
    assert_signed_by(f, f->locked, NULL, NULL);
    assert_false(sign_with_person(f, "D open"));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->locked, "wrong passphrase");
    assert_false(sign_with_person(f, "ERR 83886179 Operation cancelled <Pinentry>"));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->locked, "the passphrase was not given");
}

/* G16 */
static void openpgp_sign_rejects_a_dead_agent_g16(void **state)
{
    struct fixture *f = *state;

    gnupg_shell(f->g, "echo 'agent-program /bin/false' >home/gpg.conf");
    assert_false(sign(f, NULL, f->alice, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->alice, "is gpg-agent reachable?");
    gnupg_shell(f->g, "echo no-autostart >home/gpg.conf");
    assert_false(sign(f, NULL, f->alice, NULL, NULL));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->alice, "is gpg-agent reachable?");
}

static void openpgp_sign_rejects_a_missing_home(void **state)
{
    struct fixture *f = *state;
    char *const fingerprints[] = {f->alice, NULL};
    struct openpgp_signer signer = {.gnupg_home = "/nonexistent", .fingerprints = fingerprints};
    struct bytes ring = {0};

    assert_false(sign_text(f, &signer, signed_text));
    assert_error(f, HALLMARK_ERR_USAGE, "/nonexistent", "is not a directory");
    error_clear(&f->err);
    assert_false(openpgp_export(&signer, &ring, &f->err));
    assert_error(f, HALLMARK_ERR_USAGE, "/nonexistent", "is not a directory");
}

/* One helper signs them all, and tells the keys that it signs with. */
static void openpgp_sign_accepts_several_texts(void **state)
{
    struct fixture *f = *state;
    char *const fingerprints[] = {f->alice, f->rsa, NULL};
    struct openpgp_signer signer = {.gnupg_home = f->g->home, .fingerprints = fingerprints};
    struct bytes told = bytes_of("before"), exported = bytes_of("before");
    struct openpgp_signing *signing = openpgp_signing_open(&signer, &told, &f->err);

    assert_non_null(signing);
    assert_true(openpgp_export(&signer, &exported, &f->err));
    assert_int_equal(told.len, exported.len);
    assert_memory_equal(told.data, exported.data, told.len);
    assert_true(
        openpgp_signing_sign(signing, bytes_view_str("Origin: other\n"), &f->made, &f->err));
    assert_non_null(strstr(f->made.inline_text.data, "\nOrigin: other\n"));
    openpgp_signed_free(&f->made);
    assert_true(openpgp_signing_sign(signing, bytes_view_str(signed_text), &f->made, &f->err));
    assert_signed_by(f, f->alice, f->rsa, NULL);
    openpgp_signing_close(signing);
    bytes_free(&told);
    bytes_free(&exported);
}

/* A key that could sign at first; nothing is made by what has failed once. */
static void openpgp_sign_rejects_what_goes_wrong_later(void **state)
{
    struct fixture *f = *state;
    char *const fingerprints[] = {f->alice, NULL};
    struct openpgp_signer signer = {.gnupg_home = f->g->home, .fingerprints = fingerprints};
    struct bytes keyring = {0};
    struct openpgp_signing *signing = openpgp_signing_open(&signer, &keyring, &f->err);

    assert_non_null(signing);
    gnupg_shell(f->g, "mv home/private-keys-v1.d away && mkdir -m 700 home/private-keys-v1.d && "
                      "gpgconf --kill gpg-agent && gpgconf --launch gpg-agent");
    assert_false(openpgp_signing_sign(signing, bytes_view_str(signed_text), &f->made, &f->err));
    assert_error(f, HALLMARK_ERR_SIGNATURE, f->alice, ": gpg did not sign");
    gnupg_shell(f->g, "rm -rf home/private-keys-v1.d && mv away home/private-keys-v1.d");
    error_clear(&f->err);
    assert_false(openpgp_signing_sign(signing, bytes_view_str(signed_text), &f->made, &f->err));
    assert_error(f, HALLMARK_ERR_IO, "gpg (signing)", "has ended");
    openpgp_signing_close(signing);
    bytes_free(&keyring);
}

static void openpgp_sign_rejects_no_text_and_too_much(void **state)
{
    struct fixture *f = *state;
    char *const fingerprints[] = {f->alice, NULL};
    struct openpgp_signer signer = {.gnupg_home = f->g->home, .fingerprints = fingerprints};
    char *text = alloc_array(LIMITS_MANIFEST_BYTES + 2, 1);

    assert_false(sign_text(f, &signer, text));
    assert_error(f, HALLMARK_ERR_MALFORMED, "text to sign", "0 bytes");
    memset(text, 'x', LIMITS_MANIFEST_BYTES + 1);
    error_clear(&f->err);
    assert_false(sign_text(f, &signer, text));
    assert_error(f, HALLMARK_ERR_MALFORMED, "text to sign", "1 to");
    free(text);
}

static void openpgp_export_accepts_and_rejects(void **state)
{
    struct fixture *f = *state;
    static char none[] = "0123456789ABCDEF0123456789ABCDEF01234567";
    char *fingerprints[] = {f->bob, f->expired, f->alice, NULL};
    struct openpgp_signer signer = {.gnupg_home = f->g->home, .fingerprints = fingerprints};
    struct bytes ring = {0}, again = {0};
    const struct openpgp_key *keys;
    struct openpgp *openpgp;
    size_t n, i;

    assert_true(openpgp_export(&signer, &ring, &f->err));
    gnupg_shell(f->g, "echo armor >home/gpg.conf");
    assert_true(openpgp_export(&signer, &again, &f->err));
    assert_int_equal(ring.len, again.len);
    assert_memory_equal(ring.data, again.data, ring.len);
    openpgp = openpgp_open(bytes_view(&ring), timestamp_now(), &f->err);
    assert_non_null(openpgp);
    assert_true(openpgp_keys(openpgp, &keys, &n, &f->err));
    assert_int_equal(n, 3);
    for (i = 0; i < n; i++)
        assert_string_equal(keys[i].fingerprint, fingerprints[i]);
    openpgp_close(openpgp);
    bytes_free(&again);
    fingerprints[1] = none;
    assert_false(openpgp_export(&signer, &again, &f->err));
    assert_error(f, HALLMARK_ERR_SIGNATURE, none, "is not in the GnuPG home");
    bytes_free(&ring);
    bytes_free(&again);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(openpgp_sign_accepts_one_key),
        TEST(openpgp_sign_accepts_three_keys_with_one_digest),
        TEST(openpgp_sign_accepts_any_gpg_conf_g21),
        TEST(openpgp_sign_accepts_the_home_of_the_environment),
        TEST(openpgp_sign_accepts_a_redirected_agent),
        TEST(openpgp_sign_accepts_sockets_below_run),
        TEST(openpgp_sign_rejects_wrong_names),
        TEST(openpgp_sign_rejects_unusable_keys_g19),
        TEST(openpgp_sign_rejects_a_secret_key_that_is_gone),
        TEST(openpgp_sign_rejects_a_missing_passphrase_g17),
        TEST(openpgp_sign_accepts_a_passphrase_g18),
        TEST(openpgp_sign_rejects_a_wrong_passphrase_g18),
        TEST(openpgp_sign_accepts_a_person),
        TEST(openpgp_sign_rejects_a_dead_agent_g16),
        TEST(openpgp_sign_rejects_a_missing_home),
        TEST(openpgp_sign_accepts_several_texts),
        TEST(openpgp_sign_rejects_what_goes_wrong_later),
        TEST(openpgp_sign_rejects_no_text_and_too_much),
        TEST(openpgp_export_accepts_and_rejects),
    };

    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
