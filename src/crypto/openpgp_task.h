/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verifying helper process is to do, and the form of its answers. */
#ifndef CRYPTO_OPENPGP_TASK_H
#define CRYPTO_OPENPGP_TASK_H

#include "crypto/openpgp.h"

struct openpgp_task {
    const char *home;
    bool is_listed;   /* no need to list the keys */
    bool is_prepared; /* something will be verified: a gpg is started for that at once */
};

/* The parts of an OPENPGP_REQUEST_VERIFY; OPENPGP_REQUEST_LIST and _PREPARE have none. */
enum { OPENPGP_TASK_SIGNATURES, OPENPGP_TASK_DATA };

/* A signature as the helper reports it. */
struct openpgp_finding {
    char fingerprint[OPENPGP_FINGERPRINT_LEN + 1];
    char primary[OPENPGP_FINGERPRINT_LEN + 1]; /* gpg's word; "" where it has not called it good */
    char text[sizeof((struct openpgp_signature *)0)->text];
    uint32_t status; /* gpg_err_code_t */
    uint32_t summary;
    uint32_t is_wrong_usage;
    uint32_t pubkey, digest;
    int64_t created, expires;
};

/* Each of the helper's answers starts with this; then come the list of keys, unless it was told
 * before, and the findings. */
struct openpgp_heading {
    uint64_t list_len;
};

/* In a helper process, an openpgp_process_fn: the struct openpgp_task at TASK, and whatever is
 * asked for then. */
bool openpgp_task_run(const void *task, struct bytes *out, struct hallmark_error *err);

#endif
