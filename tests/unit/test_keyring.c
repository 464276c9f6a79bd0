/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keyring: files, put together. What a file may hold is test_packet's and test_armor's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "corpus.h"
#include "gnupg.h"
#include "trust/keyring.h"

struct fixture {
    struct bytes binary, armored;
};

static int set_up_group(void **state)
{
    struct fixture *f = alloc_array(1, sizeof *f);
    struct gnupg *g = gnupg_new();

    gnupg_shell(g, "$G --quick-gen-key 'Alice <alice@example.org>' ed25519 sign never && "
                   "$G --export >ring && $G --armor --export >ring.asc");
    gnupg_read(g, "ring", &f->binary);
    gnupg_read(g, "ring.asc", &f->armored);
    gnupg_free(g);
    *state = f;
    return 0;
}

static int tear_down_group(void **state)
{
    struct fixture *f = *state;

    bytes_free(&f->binary);
    bytes_free(&f->armored);
    free(f);
    return 0;
}

static void keyring_accepts_files_of_both_kinds(void **state)
{
    const struct fixture *f = *state;
    struct bytes keyring = {0}, blocks = {0};
    struct hallmark_error err = {0};
    size_t len = f->binary.len, i;

    bytes_printf(&blocks, "%s\n\n%s\n", f->armored.data, f->armored.data);
    if (!keyring_add(&keyring, bytes_view(&f->binary), "a.gpg", &err) ||
        !keyring_add(&keyring, bytes_view(&f->armored), "a.asc", &err) ||
        !keyring_add(&keyring, bytes_view(&blocks), "aa.asc", &err))
        fail_msg("%s", err.text);
    assert_int_equal(keyring.len, 4 * len);
    for (i = 0; i < 4; i++)
        assert_memory_equal(keyring.data + i * len, f->binary.data, len);
    bytes_free(&keyring);
    bytes_free(&blocks);
}

static void assert_rejected(struct bytes *keyring, struct bytes_view file, const char *reason)
{
    struct hallmark_error err = {0};
    size_t len = keyring->len;

    assert_false(keyring_add(keyring, file, "x.gpg", &err));
    corpus_assert_error(&err, HALLMARK_ERR_USAGE, reason);
    assert_int_equal(keyring->len, len);
}

static void keyring_rejects_what_is_no_keyring(void **state)
{
    static const char kbx[] = "\0\0\0\x20\1\1\0\2KBXf\0\0\0\0";
    const struct fixture *f = *state;
    struct bytes keyring = {0}, text = {0};

    assert_rejected(&keyring, bytes_view_str(""), "x.gpg: is empty, a keyring was expected");
    assert_rejected(&keyring, bytes_view_of(kbx, sizeof kbx - 1), "x.gpg: is a keybox of GnuPG");
    assert_rejected(&keyring, bytes_view_of(f->binary.data, f->binary.len - 1), "is cut short");
    bytes_printf(&text, "%sx\n", f->armored.data);
    assert_rejected(&keyring, bytes_view(&text), "x.gpg: ");
    bytes_free(&text);
}

static void keyring_rejects_more_than_there_may_be_in_all(void **state)
{
    const struct fixture *f = *state;
    struct bytes full = {.len = LIMITS_KEYRING_BYTES - f->binary.len + 1}; /* nobody reads it */

    assert_rejected(&full, bytes_view(&f->binary),
                    "x.gpg: all keyrings together are larger than 67108864 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyring_accepts_files_of_both_kinds),
        cmocka_unit_test(keyring_rejects_what_is_no_keyring),
        cmocka_unit_test(keyring_rejects_more_than_there_may_be_in_all),
    };

    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
