/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list, since few things are verified twice by one process. */
#include "crypto/openpgp_verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/digest.h"

struct openpgp_verdict_entry {
    struct openpgp_verdict_key key;
    struct openpgp_signatures found;
};

/* The length of the signatures tells where the data begins. */
bool openpgp_verdicts_key(struct openpgp_verdict_key *out, struct bytes_view signatures,
                          struct bytes_view data, struct hallmark_error *err)
{
    uint64_t len = signatures.len;
    struct digest *digest = digest_new(DIGEST_SHA256, err);
    struct digest_value value;
    bool ok = digest && digest_update(digest, &len, sizeof len, err) &&
              digest_update(digest, signatures.data, signatures.len, err) &&
              digest_update(digest, data.data, data.len, err) && digest_final(digest, &value, err);

    if (ok)
        memcpy(out->sha256, value.sha256, sizeof out->sha256);
    digest_free(digest);
    return ok;
}

const struct openpgp_signatures *openpgp_verdicts_find(const struct openpgp_verdicts *verdicts,
                                                       const struct openpgp_verdict_key *key)
{
    size_t i;

    for (i = 0; i < verdicts->n_entries; i++)
        if (memcmp(&verdicts->entries[i].key, key, sizeof *key) == 0)
            return &verdicts->entries[i].found;
    return NULL;
}

void openpgp_verdicts_add(struct openpgp_verdicts *verdicts, const struct openpgp_verdict_key *key,
                          const struct openpgp_signatures *found)
{
    if (verdicts->n_entries == OPENPGP_VERDICTS_MAX)
        return;
    verdicts->entries = alloc_one_more(verdicts->entries, verdicts->n_entries, &verdicts->cap,
                                       sizeof *verdicts->entries);
    verdicts->entries[verdicts->n_entries++] =
        (struct openpgp_verdict_entry){.key = *key, .found = *found};
}

void openpgp_verdicts_free(struct openpgp_verdicts *verdicts)
{
    free(verdicts->entries);
    *verdicts = (struct openpgp_verdicts){0};
}
