/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* settings: what is accepted is written so that it is accepted again and is the same. */
#include <stdint.h>

#include "format/release.h"
#include "format/settings.h"
#include "invariant.h"

static void check_values(const struct hallmark_settings *settings)
{
    INVARIANT(settings_valid_for(settings) >= 60);
    INVARIANT(settings_refresh_before(settings) > 0);
    INVARIANT(settings_refresh_before(settings) < settings_valid_for(settings));
    INVARIANT(settings_keep_for(settings) > 0);
    INVARIANT(settings_keep_generations(settings) >= 1 &&
              settings_keep_generations(settings) <= 1000);
    INVARIANT(settings_hashes(settings) & RELEASE_SHA256);
}

static void check_written(const struct hallmark_settings *settings)
{
    struct hallmark_settings again = {0};
    struct bytes text = {0};
    struct hallmark_error err = {0};
    size_t i;

    settings_write(settings, &text);
    INVARIANT(settings_parse(&again, bytes_view(&text), "again", &err));
    for (i = 0; i < SETTINGS_N_FIELDS; i++) {
        INVARIANT(!settings->values[i] == !again.values[i]);
        INVARIANT(!again.values[i] || strcmp(again.values[i], settings->values[i]) == 0);
    }
    settings_clear(&again);
    bytes_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hallmark_settings settings = {0};
    struct hallmark_error err = {0};
    bool ok = settings_parse(&settings, bytes_view_of(data, size), "fuzz", &err);

    invariant_error(ok, &err, HALLMARK_ERR_USAGE, HALLMARK_ERR_USAGE);
    if (ok) {
        check_values(&settings);
        check_written(&settings);
    }
    settings_clear(&settings);
    return 0;
}
