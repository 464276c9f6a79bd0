/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A GNUPGHOME of the test's own, with keys that are made by the real gpg, and what that writes.
 * Include cmocka.h before.
 */
#ifndef TESTS_UNIT_GPG_HOME_H
#define TESTS_UNIT_GPG_HOME_H

#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"

/* Runs COMMAND in the shell, in the directory DIR and with it as GNUPGHOME, whatever it prints
 * going to DIR/log; "gpg" is one that never asks. Whether it succeeded. */
static inline bool gpg_home_try(const char *dir, const char *command)
{
    char *line =
        alloc_printf("cd '%s' && GNUPGHOME='%s' && export GNUPGHOME && unset GPG_AGENT_INFO; "
                     "gpg() { command gpg --batch --yes --quiet --pinentry-mode loopback "
                     "--passphrase '' \"$@\"; }; { %s\n} >log 2>&1 </dev/null",
                     dir, dir, command);
    bool ok = system(line) == 0;

    free(line);
    return ok;
}

/* Makes the home, with signing keys "one" (Ed25519) and "two" (NIST P-256); skips the test where
 * there is no gpg. gpg_home_remove() releases it. */
static inline char *gpg_home_new(void)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = alloc_printf("%s/hallmark-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");

    if (system("gpg --version >/dev/null 2>&1") != 0) {
        print_message("skipped: there is no gpg\n");
        free(dir);
        skip();
    }
    if (!mkdtemp(dir))
        fail_msg("mkdtemp %s", dir);
    if (!gpg_home_try(dir, "gpg --quick-gen-key one ed25519 sign never && "
                           "gpg --quick-gen-key two nistp256 sign never"))
        fail_msg("gpg makes no keys in %s", dir);
    return dir;
}

static inline void gpg_home_remove(char *dir)
{
    struct hallmark_error err = {0};

    gpg_home_try(dir, "gpgconf --kill all");
    assert_true(file_remove_tree(AT_FDCWD, dir, &err));
    free(dir);
}

/* Runs COMMAND, which must succeed and write the file "out", and reads that; bytes_free() it. */
static inline struct bytes gpg_home_run(const char *dir, const char *command)
{
    char *path = alloc_printf("%s/out", dir);
    struct bytes out = {0};
    struct hallmark_error err = {0};

    if (!gpg_home_try(dir, command))
        fail_msg("failed: %s", command);
    if (!file_read(AT_FDCWD, path, 1 << 24, &out, NULL, &err))
        fail_msg("%s", err.text);
    free(path);
    return out;
}

#endif
