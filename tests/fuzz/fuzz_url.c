/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* url: the canonical form of a URL is its own, and no error tells what stands before an "@". */
#include <stdint.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/url.h"
#include "invariant.h"

static void check_canonical(const struct url *url)
{
    struct hallmark_error err = {0};
    struct url again;

    INVARIANT(strlen(url->text) <= 3 * LIMITS_URL_BYTES);
    INVARIANT(strncmp(url->text, url->origin, strlen(url->origin)) == 0);
    INVARIANT(strncmp(url->text, url->is_https ? "https://" : "http://", 7 + url->is_https) == 0);
    INVARIANT(!strpbrk(url->text, " \\?#\n") && !strstr(url->text, "/../"));
    if (strlen(url->text) > LIMITS_URL_BYTES)
        return;
    INVARIANT(url_parse(&again, url->text, &err));
    INVARIANT(strcmp(again.text, url->text) == 0 && !again.credentials);
    url_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A corpus file is a line. */
    size_t len = size && data[size - 1] == '\n' ? size - 1 : size;
    char *text = alloc_strndup((const char *)data, len), *redacted = url_redact(text), *again;
    struct hallmark_error err = {0};
    struct url url;
    bool ok = url_parse(&url, text, &err);

    invariant_error(ok, &err, HALLMARK_ERR_USAGE, HALLMARK_ERR_USAGE);
    again = url_redact(redacted);
    INVARIANT(strcmp(again, redacted) == 0);
    if (ok) {
        check_canonical(&url);
        url_free(&url);
    }
    free(again);
    free(redacted);
    free(text);
    return 0;
}
