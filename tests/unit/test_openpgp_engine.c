/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verifying where gpg, the environment, or the calling program are not as they should be. Another
 * gpg is put into the place of /usr/bin/gpg in a mount namespace; without the right to that, these
 * tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "crypto/openpgp.h"
#include "gnupg.h"

struct fixture {
    struct gnupg *g;
    char *alice;
    struct bytes ring, signature;
    struct openpgp_signatures found;
    struct hallmark_error err;
};

static const char signed_text[] = "Origin: test\n";

static int set_up_group(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);

    *state = f;
    f->g = gnupg_new();
    gnupg_shell(f->g, "printf '%s' >data", "Origin: test\\n");
    gnupg_shell(f->g, "$G --quick-gen-key 'Alice <alice@example.org>' ed25519 sign never");
    gnupg_shell(f->g, "$G -o Alice.sig --detach-sign data && $G --export >ring");
    gnupg_read(f->g, "ring", &f->ring);
    gnupg_read(f->g, "Alice.sig", &f->signature);
    f->alice = gnupg_fingerprint(f->g, "Alice", 0);
    return 0;
}

static int tear_down_group(void **state)
{
    struct fixture *f = *state;

    gnupg_free(f->g);
    bytes_free(&f->ring);
    bytes_free(&f->signature);
    free(f->alice);
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

static struct openpgp *open_ring(struct fixture *f)
{
    return openpgp_open(bytes_view(&f->ring), timestamp_now(), &f->err);
}

static struct openpgp *open_prepared(struct fixture *f)
{
    struct openpgp *openpgp = open_ring(f);

    assert_true(openpgp && openpgp_prepare(openpgp, &f->err));
    return openpgp;
}

/* Has Alice's signature verified over TEXT. */
static bool ask(struct fixture *f, struct openpgp *openpgp, const char *text)
{
    memset(&f->found, 0, sizeof f->found);
    return openpgp_verify(openpgp, bytes_view(&f->signature), 1, bytes_view_str(text), &f->found,
                          &f->err);
}

/* Verifies Alice's signature, closing OPENPGP, which may be NULL. */
static bool verify(struct fixture *f, struct openpgp *openpgp)
{
    bool ok = openpgp && ask(f, openpgp, signed_text);

    openpgp_close(openpgp);
    return ok;
}

static void assert_good(const struct fixture *f)
{
    if (f->err.code != HALLMARK_OK)
        print_error("%s\n", f->err.text);
    assert_int_equal(f->err.code, HALLMARK_OK);
    assert_int_equal(f->found.n_items, 1);
    assert_int_equal(f->found.items[0].verdict, OPENPGP_GOOD);
}

static void assert_error(const struct fixture *f, enum hallmark_errcode code, const char *text)
{
    if (f->err.code != code || !strstr(f->err.text, text))
        print_error("found %d \"%s\", wanted %d \"%s\"\n", (int)f->err.code, f->err.text, (int)code,
                    text);
    assert_int_equal(f->err.code, code);
    assert_non_null(strstr(f->err.text, text));
}

/* S46: programs and settings that the environment offers are not used. */
static void openpgp_engine_accepts_in_a_hostile_environment_s46(void **state)
{
    static const char *const names[] = {"PATH", "GNUPGHOME", "LD_PRELOAD", "GPG_AGENT_INFO",
                                        "HOME"};
    struct fixture *f = *state;
    char *path = alloc_strdup(getenv("PATH")), *evil = path_join(f->g->dir, "evil");
    char *home = getenv("HOME") ? alloc_strdup(getenv("HOME")) : NULL;
    char *preload = path_join(evil, "missing.so");
    bool ok;
    size_t i;

    gnupg_shell(f->g,
                "mkdir -p evil && for p in gpg gpgconf gpg-agent; do "
                "printf '#!/bin/sh\\n: >%s/evil/ran\\n' >evil/$p; chmod 755 evil/$p; done",
                f->g->dir);
    for (i = 0; i < sizeof names / sizeof *names; i++)
        setenv(names[i], evil, 1);
    setenv("LD_PRELOAD", preload, 1);
    ok = verify(f, open_ring(f));
    for (i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("PATH", path, 1);
    if (home)
        setenv("HOME", home, 1);
    assert_true(ok);
    assert_good(f);
    gnupg_shell(f->g, "! test -e evil/ran");
    free(preload);
    free(home);
    free(evil);
    free(path);
}

static void openpgp_engine_rejects_an_unsafe_tmpdir(void **state)
{
    struct fixture *f = *state;
    char *open_to_all = path_join(f->g->dir, "open");

    setenv("TMPDIR", "relative", 1);
    assert_null(open_ring(f));
    assert_error(f, HALLMARK_ERR_USAGE, "\"relative\" is not an absolute path");
    error_clear(&f->err);
    gnupg_shell(f->g, "mkdir -p open && chmod 777 open");
    setenv("TMPDIR", open_to_all, 1);
    assert_null(open_ring(f));
    assert_error(f, HALLMARK_ERR_USAGE, "no sticky bit");
    error_clear(&f->err);
    setenv("TMPDIR", "/nonexistent", 1);
    assert_null(open_ring(f));
    assert_error(f, HALLMARK_ERR_IO, "/nonexistent");
    setenv("TMPDIR", f->g->tmp, 1);
    free(open_to_all);
}

enum { CANNOT_REPLACE = 77, VERDICT = 100 };

static int outcome(const struct fixture *f)
{
    print_message("%s\n", f->err.code ? f->err.text : f->found.items[0].text);
    return f->err.code ? (int)f->err.code : VERDICT + (int)f->found.items[0].verdict;
}

/* When gpg is replaced; what is PREPARED is started before it is needed. */
enum replaced { BEFORE_OPEN, BEFORE_VERIFY, PREPARED };

static int replace_and_verify(struct fixture *f, const char *script, enum replaced replaced)
{
    struct openpgp *openpgp = NULL;
    const struct openpgp_key *keys;
    size_t n_keys;

    if (!gnupg_keep_apart())
        return CANNOT_REPLACE;
    if (replaced == BEFORE_VERIFY) {
        openpgp = open_ring(f);
        assert_true(openpgp && openpgp_keys(openpgp, &keys, &n_keys, &f->err));
    }
    if (!gnupg_replace(script)) {
        openpgp_close(openpgp);
        return CANNOT_REPLACE;
    }
    verify(f, openpgp ? openpgp : replaced == PREPARED ? open_prepared(f) : open_ring(f));
    return outcome(f);
}

/* What verifying gives where gpg is SCRIPT: a category, or VERDICT and a verdict. */
static int with_script(struct fixture *f, const char *script, enum replaced replaced)
{
    int fds[2], result;
    pid_t pid;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        result = replace_and_verify(f, script, replaced);
        _exit(write(fds[1], &result, sizeof result) != sizeof result);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &result, sizeof result), sizeof result);
    close(fds[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return result;
}

static void skip_without_namespaces(struct fixture *f)
{
    if (with_script(f, "/bin/true", BEFORE_VERIFY) != CANNOT_REPLACE)
        return;
    print_message("skipped: this user cannot put another gpg in the place of /usr/bin/gpg\n");
    skip();
}

/* Writes a shell script that says VERSION and then runs COMMANDS; free(3) releases its path. */
static char *make_gpg(struct fixture *f, const char *version, const char *commands)
{
    char *path = path_join(f->g->dir, "gpg"), *text;
    int fd;

    text = alloc_printf(
        "#!/bin/bash\ncase \"$*\" in *--version*) echo 'gpg (GnuPG) %s'; exit;; "
        "esac\nall=(\"$@\")\nwhile [ \"$1\" != --status-fd ]; do shift; done\nsay() { echo "
        "\"[GNUPG:] $*\" >&$fd; }\nfd=$2\n%s\n",
        version, commands);
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    assert_true(fd >= 0 && file_write_all(fd, text, strlen(text)));
    close(fd);
    free(text);
    return path;
}

/* S47: a gpg that does not work is never a verdict. */
static void openpgp_engine_rejects_a_gpg_that_does_not_work_s47(void **state)
{
    static const char *const scripts[] = {"exit 0", "exit 2", "kill -9 $$", "say NEWSIG; exit 0",
                                          "say NEWSIG; kill -9 $$"};
    struct fixture *f = *state;
    char *data = path_join(f->g->dir, "data"), *script;
    size_t i;

    skip_without_namespaces(f);
    assert_int_equal(with_script(f, data, BEFORE_OPEN), HALLMARK_ERR_IO); /* not executable */
    assert_int_equal(with_script(f, data, BEFORE_VERIFY), HALLMARK_ERR_IO);
    assert_int_equal(with_script(f, "/bin/true", BEFORE_OPEN), HALLMARK_ERR_IO);
    assert_int_equal(with_script(f, "/bin/false", BEFORE_VERIFY), HALLMARK_ERR_IO);
    for (i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        script = make_gpg(f, "2.2.40", scripts[i]);
        assert_int_equal(with_script(f, script, BEFORE_OPEN), HALLMARK_ERR_IO);
        assert_int_equal(with_script(f, script, BEFORE_VERIFY), HALLMARK_ERR_IO);
        assert_int_equal(with_script(f, script, PREPARED), HALLMARK_ERR_IO);
        free(script);
    }
    assert_int_equal(with_script(f, data, PREPARED), HALLMARK_ERR_IO);
    assert_int_equal(with_script(f, "/bin/true", PREPARED), HALLMARK_ERR_IO);
    assert_int_equal(with_script(f, "/bin/false", PREPARED), HALLMARK_ERR_IO);
    script = make_gpg(f, "1.4.23", "exit 0");
    assert_int_equal(with_script(f, script, PREPARED), HALLMARK_ERR_IO);
    free(script);
    free(data);
}

/* S48: status lines that do not add up. The first cases show that the others test something. */
static void openpgp_engine_rejects_status_lines_that_do_not_add_up_s48(void **state)
{
#define GOODSIG       "say GOODSIG ${fpr:24} Alice; "
#define VALIDSIG(fpr) SUBKEYSIG(fpr, fpr)
#define SUBKEYSIG(fpr, primary)                                                                    \
    "say VALIDSIG " fpr " 2026-11-22 1795348419 0 4 0 22 10 00 " primary "; "
#define OTHER "0123456789ABCDEF0123456789ABCDEF01234567"
    static const struct {
        const char *script;
        int outcome;
    } cases[] = {
        {"say NEWSIG; " GOODSIG VALIDSIG("$fpr"), VERDICT + OPENPGP_GOOD},
        {"say NEWSIG; " GOODSIG VALIDSIG("$fpr") "say TRUST_FULLY 0 always",
         VERDICT + OPENPGP_GOOD},
        {"say NEWSIG; " GOODSIG VALIDSIG("$fpr") "say TRUST_NEVER 0 always",
         VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; " GOODSIG, VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; say GOODSIG 89ABCDEF01234567 x; " VALIDSIG(OTHER), VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; " GOODSIG VALIDSIG(OTHER), VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; " GOODSIG SUBKEYSIG("$fpr", OTHER), VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; " GOODSIG GOODSIG VALIDSIG("$fpr"), HALLMARK_ERR_IO},
        {"say NEWSIG; " GOODSIG VALIDSIG("${fpr:24}"), VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; " VALIDSIG("$fpr"), VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; say GOODSIG 0123456789ABCDEF Alice; " VALIDSIG("$fpr"),
         VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; " GOODSIG VALIDSIG("$fpr") VALIDSIG("$fpr"), VERDICT + OPENPGP_REFUSED},
        {GOODSIG VALIDSIG("$fpr"), VERDICT + OPENPGP_REFUSED},
        {"say NEWSIG; say BADSIG ${fpr:24} Alice; " VALIDSIG("$fpr"), VERDICT + OPENPGP_BAD},
    };
    struct fixture *f = *state;
    char *commands, *script;
    size_t i;

    skip_without_namespaces(f);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        commands = alloc_printf("fpr=%s\n%s", f->alice, cases[i].script);
        script = make_gpg(f, "2.2.40", commands);
        assert_int_equal(with_script(f, script, BEFORE_VERIFY), cases[i].outcome);
        free(script);
        free(commands);
    }
}

static void openpgp_engine_rejects_an_old_gpg(void **state)
{
    static const struct {
        const char *version;
        int outcome;
    } cases[] = {{"2.2.40", VERDICT + OPENPGP_GOOD},
                 {"2.4.7", VERDICT + OPENPGP_GOOD},
                 {"3.0", VERDICT + OPENPGP_GOOD},
                 {"1.4.23", HALLMARK_ERR_IO},
                 {"2.1.18", HALLMARK_ERR_IO},
                 {"silly", HALLMARK_ERR_IO},
                 {"", HALLMARK_ERR_IO}};
    struct fixture *f = *state;
    char *commands, *script;
    size_t i;

    skip_without_namespaces(f);
    gnupg_shell(f->g, "cp /usr/bin/gpg real-gpg");
    commands = alloc_printf("case \"$*\" in *--list-keys*) exec %s/real-gpg \"${all[@]}\" ;; esac\n"
                            "fpr=%s\nsay NEWSIG; " GOODSIG VALIDSIG("$fpr"),
                            f->g->dir, f->alice);
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        script = make_gpg(f, cases[i].version, commands);
        assert_int_equal(with_script(f, script, BEFORE_OPEN), cases[i].outcome);
        free(script);
    }
    free(commands);
}

/* The keys are listed while the caller does something else; what is told is the same. */
static void openpgp_engine_accepts_what_was_prepared(void **state)
{
    struct fixture *f = *state;
    struct openpgp *openpgp = open_prepared(f);
    const struct openpgp_key *keys;
    size_t n_keys;

    assert_true(openpgp_prepare(openpgp, &f->err)); /* has been done */
    assert_true(openpgp_keys(openpgp, &keys, &n_keys, &f->err));
    assert_int_equal(n_keys, 1);
    assert_string_equal(keys[0].fingerprint, f->alice);
    assert_true(openpgp_prepare(openpgp, &f->err)); /* there is nothing to do */
    assert_true(verify(f, openpgp));
    assert_good(f);
    assert_true(verify(f, open_prepared(f)));
    assert_good(f);
    signal(SIGCHLD, SIG_IGN);
    assert_true(verify(f, open_prepared(f)));
    assert_good(f);
    openpgp_close(open_prepared(f)); /* tear_down() looks for what it leaves */
    signal(SIGCHLD, SIG_DFL);
    openpgp_close(open_prepared(f));
    openpgp = open_prepared(f);
    assert_true(ask(f, openpgp, "Origin: x\n"));
    assert_int_equal(f->found.items[0].verdict, OPENPGP_BAD);
    assert_true(verify(f, openpgp));
    assert_good(f);
}

/* Once the keys are known, too; and a gpg that nothing comes to is no failure. */
static void openpgp_engine_accepts_what_was_prepared_next(void **state)
{
    struct fixture *f = *state;
    struct openpgp *openpgp = open_prepared(f);
    int i;

    for (i = 0; i < 3; i++) {
        assert_true(ask(f, openpgp, signed_text));
        assert_good(f);
        assert_true(openpgp_prepare_next(openpgp, &f->err));
    }
    openpgp_close(openpgp);
}

/* Of the same bytes, gpg is not asked again; of others, it is. Without keys, it knows nobody. */
static void openpgp_engine_accepts_what_it_remembers(void **state)
{
    struct fixture *f = *state;
    struct openpgp *openpgp = open_ring(f);

    openpgp_remember(openpgp);
    assert_true(ask(f, openpgp, "Origin: x\n"));
    assert_int_equal(f->found.items[0].verdict, OPENPGP_BAD);
    assert_true(ask(f, openpgp, signed_text));
    gnupg_shell(f->g, "for f in tmp/*/pubring.gpg; do : >\"$f\"; done");
    assert_true(ask(f, openpgp, "Origin: x\n"));
    assert_int_equal(f->found.items[0].verdict, OPENPGP_BAD);
    assert_true(ask(f, openpgp, signed_text));
    assert_good(f);
    assert_false(ask(f, openpgp, "Origin: y\n") && f->found.items[0].verdict == OPENPGP_GOOD);
    error_clear(&f->err);
    assert_int_not_equal(f->found.items[0].verdict, OPENPGP_BAD);
    openpgp_close(openpgp);
}

static void openpgp_engine_rejects_an_empty_keyring_that_was_prepared(void **state)
{
    struct fixture *f = *state;
    struct openpgp *openpgp =
        openpgp_open(bytes_view_str("no packets at all"), timestamp_now(), &f->err);

    assert_true(openpgp && openpgp_prepare(openpgp, &f->err));
    assert_false(verify(f, openpgp));
    assert_error(f, HALLMARK_ERR_USAGE, "gpg finds no key in it");
}

/* S47: what was prepared and is gone is no verdict; the next one is asked anew. */
static void openpgp_engine_rejects_what_was_prepared_and_killed_s47(void **state)
{
    struct fixture *f = *state;
    struct openpgp *openpgp = open_prepared(f);
    pid_t pid = gnupg_find_child();

    if (pid <= 0) {
        openpgp_close(openpgp);
        print_message("skipped: this system does not tell the children of a process\n");
        skip();
    }
    assert_int_equal(kill(-pid, SIGKILL) < 0 ? kill(pid, SIGKILL) : 0, 0);
    assert_false(ask(f, openpgp, signed_text));
    assert_int_equal(f->err.code, HALLMARK_ERR_IO);
    assert_int_equal(f->found.n_items, 0);
    error_clear(&f->err);
    assert_true(verify(f, openpgp));
    assert_good(f);
}

static void reap_everything(int signum)
{
    (void)signum;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* What the calling program does with its children is its own affair. */
static void openpgp_engine_accepts_any_use_of_sigchld(void **state)
{
    struct fixture *f = *state;

    signal(SIGCHLD, SIG_IGN);
    assert_true(verify(f, open_ring(f)));
    assert_good(f);
    signal(SIGCHLD, reap_everything);
    assert_true(verify(f, open_ring(f)));
    assert_good(f);
    signal(SIGCHLD, SIG_DFL);
}

/* A program may have been started without standard input, output and error. */
static void openpgp_engine_accepts_without_standard_descriptors(void **state)
{
    struct fixture *f = *state;
    char good = 0;
    int fds[2], fd;
    pid_t pid;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
            close(fd);
        verify(f, open_ring(f));
        good = f->found.n_items == 1 && f->found.items[0].verdict == OPENPGP_GOOD;
        _exit(write(fds[1], &good, 1) != 1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &good, 1), 1);
    close(fds[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(good);
}

static bool is_empty(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n == 2; /* "." and ".." */
}

/* G07: nothing stays in the temporary directory of who was killed, alone or with all of its group.
 */
static void openpgp_engine_accepts_sudden_death_g07(void **state)
{
    static const struct timespec pause_time = {.tv_nsec = 10000000};
    static const struct {
        int signum;
        bool is_group;
    } cases[] = {{SIGKILL, false}, {SIGTERM, true}, {SIGINT, true}, {SIGHUP, true}};
    struct fixture *f = *state;
    int status, tries;
    pid_t pid;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            setpgid(0, 0);
            if (cases[i].signum != SIGKILL)
                signal(cases[i].signum, SIG_DFL); /* nohup(1) ignores one of them */
            if (open_prepared(f) && !is_empty(f->g->tmp))
                kill(cases[i].is_group ? 0 : getpid(), cases[i].signum);
            _exit(1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), cases[i].signum);
        for (tries = 0; tries < 6000 && !is_empty(f->g->tmp); tries++)
            nanosleep(&pause_time, NULL);
        assert_true(is_empty(f->g->tmp));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(openpgp_engine_accepts_in_a_hostile_environment_s46),
        TEST(openpgp_engine_rejects_an_unsafe_tmpdir),
        TEST(openpgp_engine_rejects_a_gpg_that_does_not_work_s47),
        TEST(openpgp_engine_rejects_status_lines_that_do_not_add_up_s48),
        TEST(openpgp_engine_rejects_an_old_gpg),
        TEST(openpgp_engine_accepts_what_was_prepared),
        TEST(openpgp_engine_accepts_what_was_prepared_next),
        TEST(openpgp_engine_accepts_what_it_remembers),
        TEST(openpgp_engine_rejects_an_empty_keyring_that_was_prepared),
        TEST(openpgp_engine_rejects_what_was_prepared_and_killed_s47),
        TEST(openpgp_engine_accepts_any_use_of_sigchld),
        TEST(openpgp_engine_accepts_without_standard_descriptors),
        TEST(openpgp_engine_accepts_sudden_death_g07),
    };

    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
