/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* control: what is accepted gives a stanza of an index that is accepted, too, and says the same. */
#include <stdint.h>

#include "base/limits.h"
#include "format/packages.h"
#include "invariant.h"

static bool is_same(struct bytes_view a, struct bytes_view b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* Four fields and some 400 bytes more may be too many. */
static bool has_room(const struct control *control, size_t size)
{
    return control->stanza.n_fields + 4 <= LIMITS_FIELDS && size + 400 <= LIMITS_CONTROL_BYTES;
}

static void check_stanza(const struct control *control)
{
    char path[] = "pool/x.deb";
    static const unsigned char sha512[RELEASE_SHA512_LEN];
    struct release_entry entry = {.path = path, .size = 1, .sha512 = sha512};
    struct packages packages = {0}, again = {0};
    struct bytes text = {0}, index = {0};
    struct hallmark_error err = {0};

    packages_write_stanza(control, &entry, RELEASE_SHA256 | RELEASE_SHA512, &text);
    INVARIANT(packages_add(&packages, bytes_view(&text), "stanza", &err));
    INVARIANT(is_same(packages.stanzas[0].package, control->package));
    INVARIANT(is_same(packages.stanzas[0].version, control->version));
    INVARIANT(is_same(packages.stanzas[0].architecture, control->architecture));
    INVARIANT(packages_sort(&packages, &err) && packages_write(&packages, &index, &err));
    INVARIANT(packages_parse(&again, bytes_view(&index), &err) && again.n_stanzas == 1);
    INVARIANT(is_same(again.stanzas[0].text, bytes_view(&text)));
    INVARIANT(packages_find(&again, path) == again.stanzas);
    packages_free(&packages);
    packages_free(&again);
    bytes_free(&text);
    bytes_free(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control control;
    struct hallmark_error err = {0};
    bool ok = control_parse(&control, bytes_view_of(data, size), "fuzz", &err);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (ok) {
        INVARIANT(control.package.len && control.version.len && control.architecture.len);
        if (has_room(&control, size))
            check_stanza(&control);
        control_free(&control);
    }
    return 0;
}
