/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* deb822: what is parsed and written again parses to the same fields. */
#include <stdint.h>

#include "base/limits.h"
#include "format/deb822.h"
#include "invariant.h"

static bool is_same(struct bytes_view a, struct bytes_view b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static void check_fields(const struct deb822 *stanza)
{
    struct bytes text = {0};
    struct deb822 again = {0};
    struct hallmark_error err = {0};
    size_t i;

    INVARIANT(stanza->n_fields >= 1 && stanza->n_fields <= LIMITS_FIELDS);
    for (i = 0; i < stanza->n_fields; i++) {
        bytes_append(&text, stanza->fields[i].name.data, stanza->fields[i].name.len);
        bytes_append_str(&text, ":");
        bytes_append(&text, stanza->fields[i].value.data, stanza->fields[i].value.len);
        bytes_append_str(&text, "\n");
    }
    INVARIANT(deb822_parse(&again, bytes_view(&text), DEB822_STRICT, "again", &err));
    INVARIANT(again.n_fields == stanza->n_fields);
    for (i = 0; i < again.n_fields; i++) {
        INVARIANT(is_same(again.fields[i].name, stanza->fields[i].name));
        INVARIANT(is_same(again.fields[i].value, stanza->fields[i].value));
    }
    deb822_free(&again);
    bytes_free(&text);
}

static void check_lines(const struct deb822 *stanza)
{
    size_t i;

    for (i = 0; i < stanza->n_fields; i++) {
        char name[LIMITS_LINE_BYTES + 1], *value = NULL;
        struct hallmark_error err = {0};
        bool ok;

        snprintf(name, sizeof name, "%.*s", (int)stanza->fields[i].name.len,
                 stanza->fields[i].name.data);
        INVARIANT(deb822_find(stanza, name) == &stanza->fields[i]);
        ok = deb822_get_line(stanza, name, &value, &err);
        invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
        INVARIANT(!ok || bytes_view_equals(stanza->fields[i].value, value));
        free(value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_view text = bytes_view_of(data, size);
    struct deb822 strict = {0}, settings = {0};
    struct hallmark_error err = {0}, other = {0};
    bool ok = deb822_parse(&strict, text, DEB822_STRICT, "fuzz", &err);
    bool is_settings = deb822_parse(&settings, text, DEB822_COMMENTS, "fuzz", &other);

    invariant_error(ok, &err, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    invariant_error(is_settings, &other, HALLMARK_ERR_MALFORMED, HALLMARK_ERR_MALFORMED);
    if (ok) {
        INVARIANT(is_settings && settings.n_fields == strict.n_fields);
        check_fields(&strict);
    }
    if (is_settings) {
        check_fields(&settings);
        check_lines(&settings);
    }
    deb822_free(&strict);
    deb822_free(&settings);
    return 0;
}
