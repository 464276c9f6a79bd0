/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What gpg says about keys that sign, and that it has signed, is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/openpgp.h"
#include "gnupg.h"

struct fixture {
    struct gnupg *g;
    char *alice, *bob;
};

static int set_up_group(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);

    *state = f;
    f->g = gnupg_new();
    gnupg_shell(f->g, "$G --quick-gen-key alice ed25519 sign never");
    gnupg_shell(f->g, "$G --quick-gen-key bob ed25519 sign never");
    gnupg_shell(f->g, "cp /usr/bin/gpg real-gpg");
    f->alice = gnupg_fingerprint(f->g, "alice", 0);
    f->bob = gnupg_fingerprint(f->g, "bob", 0);
    return 0;
}

static int tear_down_group(void **state)
{
    struct fixture *f = *state;

    gnupg_free(f->g);
    free(f->alice);
    free(f->bob);
    free(f);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    gnupg_assert_clean(f->g);
    return 0;
}

/* What became of a signing. */
struct outcome {
    bool could_replace;
    struct hallmark_error err;
};

/* Writes a gpg whose status lines sed(1) changes by SCRIPT; free(3) releases its path. */
static char *make_gpg(const struct fixture *f, const char *script)
{
    char *text = alloc_printf("#!/bin/bash\n"
                              "fd=; previous=\n"
                              "for word; do [ \"$previous\" != --status-fd ] || fd=$word\n"
                              "previous=$word; done\n"
                              "[ -n \"$fd\" ] || exec %s/real-gpg \"$@\"\n"
                              "eval \"exec 9>&$fd $fd>&-\"\n"
                              "eval \"%s/real-gpg \\\"\\$@\\\" $fd> >(exec sed -u '%s' >&9)\"\n",
                              f->g->dir, f->g->dir, script);

    gnupg_write(f->g, "gpg", bytes_view_str(text));
    gnupg_shell(f->g, "chmod 755 gpg");
    free(text);
    return path_join(f->g->dir, "gpg");
}

/* Signs with all of FINGERPRINTS. */
static void sign_with(const struct fixture *f, char *const *fingerprints,
                      struct hallmark_error *err)
{
    struct openpgp_signer signer = {.gnupg_home = f->g->home, .fingerprints = fingerprints};
    struct openpgp_signed made = {.detached = {0}};
    struct bytes keyring = {0};
    struct openpgp_signing *signing = openpgp_signing_open(&signer, &keyring, err);

    if (signing)
        openpgp_signing_sign(signing, bytes_view_str("Origin: x\n"), &made, err);
    openpgp_signing_close(signing);
    openpgp_signed_free(&made);
    bytes_free(&keyring);
}

static void sign(const struct fixture *f, struct hallmark_error *err)
{
    char *const fingerprints[] = {f->alice, f->bob, NULL};

    sign_with(f, fingerprints, err);
}

/* What signing gives where gpg is GPG. */
static struct outcome sign_by(const struct fixture *f, const char *gpg)
{
    struct outcome outcome = {.could_replace = false};
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        outcome.could_replace = gnupg_keep_apart() && gnupg_replace(gpg);
        if (outcome.could_replace)
            sign(f, &outcome.err);
        _exit(write(fds[1], &outcome, sizeof outcome) != sizeof outcome);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &outcome, sizeof outcome), sizeof outcome);
    close(fds[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return outcome;
}

/* A gpg that signs as it was asked to, and says something else. The first cases show that the
 * others test something.
 *
 * "[GNUPG:] SIG_CREATED type key-algorithm digest class time fingerprint" (doc/DETAILS of GnuPG);
 * 10 is SHA512, 8 SHA256, 2 SHA1. */
static void openpgp_signing_rejects_what_gpg_was_not_asked_for(void **state)
{
#define NOT_ASKED "gpg made a signature that was not asked for, by key "
#define OTHER     "0123456789ABCDEF0123456789ABCDEF01234567"
#define LINE      "/SIG_CREATED/"
    static const struct {
        const char *script, *text; /* NULL: it is accepted */
    } cases[] = {
        {"", NULL},
        {LINE "s/$/ /", NULL},
        {LINE "s/ [0-9A-F]*$/ " OTHER "/", NOT_ASKED OTHER},
        {LINE "{p;}", ": gpg did not sign"},
        {LINE "s/ C / D /", NOT_ASKED},
        {LINE "s/ D / C /", NOT_ASKED},
        {LINE "s/ 10 / 2 /", ": signed with the digest SHA1, wanted SHA512"},
        {LINE "{x;s/^/n/;/^nn/{x;s/ 10 / 8 /;x;};x;}", ": signed with the digest SHA256, wanted"},
        {LINE "{x;s/^/n/;/^n$/{x;d;};x;}", ": gpg did not sign"},
        {LINE "d", ": gpg did not sign"},
    };
    struct fixture *f = *state;
    struct outcome outcome;
    char *gpg;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        gpg = make_gpg(f, cases[i].script);
        outcome = sign_by(f, gpg);
        free(gpg);
        if (!outcome.could_replace) {
            print_message("skipped: this user cannot put another gpg in the place of gpg\n");
            skip();
        }
        print_message("%s: %s\n", cases[i].script, outcome.err.text);
        assert_int_equal(outcome.err.code, cases[i].text ? HALLMARK_ERR_SIGNATURE : HALLMARK_OK);
        assert_true(!cases[i].text || strstr(outcome.err.text, cases[i].text));
    }
}

static void openpgp_signing_rejects_disabled_keys(void **state)
{
    struct fixture *f = *state;
    struct hallmark_error err = {0};

    gnupg_shell(f->g, "printf 'disable\\nquit\\n' | gpg --no-tty --command-fd 0 --edit-key bob");
    sign(f, &err);
    assert_int_equal(err.code, HALLMARK_ERR_SIGNATURE);
    assert_non_null(strstr(err.text, "is disabled in gpg"));
    assert_non_null(strstr(err.text, f->bob));
    gnupg_shell(f->g, "printf 'enable\\nquit\\n' | gpg --no-tty --command-fd 0 --edit-key bob");
    error_clear(&err);
    sign(f, &err);
    assert_int_equal(err.code, HALLMARK_OK);
}

static void openpgp_signing_rejects_too_many_keys(void **state)
{
    struct fixture *f = *state;
    char *fingerprints[LIMITS_SIGNATURES + 2] = {NULL};
    struct hallmark_error err = {0};
    size_t i;

    for (i = 0; i <= LIMITS_SIGNATURES; i++)
        fingerprints[i] = alloc_printf("%040zX", i);
    sign_with(f, fingerprints, &err);
    assert_int_equal(err.code, HALLMARK_ERR_USAGE);
    assert_non_null(strstr(err.text, "keys to sign with"));
    for (i = 0; i <= LIMITS_SIGNATURES; i++)
        free(fingerprints[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(openpgp_signing_rejects_what_gpg_was_not_asked_for, tear_down),
        cmocka_unit_test_teardown(openpgp_signing_rejects_disabled_keys, tear_down),
        cmocka_unit_test_teardown(openpgp_signing_rejects_too_many_keys, tear_down),
    };

    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
