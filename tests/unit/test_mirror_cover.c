/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which files of a manifest a mirror holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "corpus.h"
#include "repo/mirror_cover.h"

/* A repository of which only what is looked at is there. */
struct subject {
    struct hallmark_repository repository;
    struct verified_release verified;
};

static void set_up(struct subject *s, const char *components, const char *architectures)
{
    *s = (struct subject){.repository = {.is_archive = true}};
    s->repository.verified = &s->verified;
    strlist_add_words(&s->verified.release.components,
                      bytes_view_str("main updates/contrib non-free"));
    strlist_add_words(&s->verified.release.architectures,
                      bytes_view_str("all amd64 arm64 kfreebsd-amd64"));
    s->verified.text = bytes_view_str("Suite: x\n");
    strlist_add_words(&s->repository.components, bytes_view_str(components));
    strlist_add_words(&s->repository.architectures, bytes_view_str(architectures));
}

static void tear_down(struct subject *s)
{
    strlist_free(&s->verified.release.components);
    strlist_free(&s->verified.release.architectures);
    strlist_free(&s->repository.components);
    strlist_free(&s->repository.architectures);
}

static void assert_covers(const struct subject *s, const char *paths, bool wanted)
{
    struct strlist list = {0};
    size_t i;

    strlist_add_words(&list, bytes_view_str(paths));
    for (i = 0; i < list.n_items; i++)
        if (mirror_cover_has(&s->repository, list.items[i]) != wanted)
            fail_msg("%s: %s", list.items[i], wanted ? "is not covered" : "is covered");
    strlist_free(&list);
}

static void mirror_cover_accepts_all_without_a_filter(void **state)
{
    struct subject s;

    (void)state;
    set_up(&s, "", "");
    assert_covers(&s,
                  "main/binary-amd64/Packages main/binary-arm64/Packages.xz main/source/Sources.gz "
                  "main/i18n/Translation-de.bz2 Contents-arm64.gz main/dep11/icons-64x64.tar.gz "
                  "README main/installer-amd64/current/images/SHA256SUMS",
                  true);
    assert_covers(&s, "main/binary-amd64/Packages.diff/Index main/Contents-amd64.diff/Index",
                  false);
    tear_down(&s);
}

static void mirror_cover_accepts_what_is_of_wanted_parts(void **state)
{
    struct subject s;

    (void)state;
    set_up(&s, "main contrib", "amd64");
    assert_covers(
        &s,
        "main/binary-amd64/Packages main/binary-amd64/Release contrib/binary-amd64/Packages "
        "main/binary-all/Packages main/Contents-amd64.gz main/Contents-all.gz "
        "main/Contents-udeb-amd64.gz Contents-amd64 main/i18n/Translation-en.xz "
        "main/dep11/Components-amd64.yml.gz main/dep11/icons-48x48.tar dep11/x README "
        "main/installer-amd64/20230607/images/MD5SUMS",
        true);
    tear_down(&s);
}

static void mirror_cover_rejects_other_parts(void **state)
{
    struct subject s;

    (void)state;
    set_up(&s, "main", "amd64");
    assert_covers(
        &s,
        "main/binary-arm64/Packages main/binary-arm64/Release non-free/binary-amd64/Packages "
        "non-free/i18n/Translation-en contrib/Contents-amd64.gz main/source/Sources "
        "main/source/Release main/Contents-source.gz main/Contents-arm64.gz Contents-arm64 "
        "main/binary-kfreebsd-amd64/Release main/Contents-kfreebsd-amd64.gz "
        "main/debian-installer/binary-amd64/Packages main/dep11/Components-arm64.yml.gz",
        false);
    tear_down(&s);
    set_up(&s, "", "source");
    assert_covers(&s, "main/source/Sources.xz main/source/Release main/Contents-source.gz", true);
    assert_covers(&s, "main/binary-amd64/Packages Contents-amd64", false);
    tear_down(&s);
}

static void mirror_cover_accepts_names(void **state)
{
    struct hallmark_error err = {0};

    (void)state;
    assert_true(mirror_cover_check_path("pool/a.b/c..d_1.0~rc1.deb", &err));
    assert_int_equal(err.code, HALLMARK_OK);
}

static void mirror_cover_rejects_hidden_names(void **state)
{
    static const char *const paths[] = {".hallmark/x", ".htaccess", "pool/.git/config", "a/.b"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct hallmark_error err = {0};

        assert_false(mirror_cover_check_path(paths[i], &err));
        corpus_assert_error(&err, HALLMARK_ERR_MALFORMED, "a mirror writes no hidden files");
        assert_non_null(strstr(err.text, paths[i]));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirror_cover_accepts_all_without_a_filter),
        cmocka_unit_test(mirror_cover_accepts_what_is_of_wanted_parts),
        cmocka_unit_test(mirror_cover_rejects_other_parts),
        cmocka_unit_test(mirror_cover_accepts_names),
        cmocka_unit_test(mirror_cover_rejects_hidden_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
