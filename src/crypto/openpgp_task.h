/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verifying helper process is to do, and the form of its answer. */
#ifndef CRYPTO_OPENPGP_TASK_H
#define CRYPTO_OPENPGP_TASK_H

#include "crypto/openpgp.h"

struct openpgp_task {
    const char *home;
    bool is_listed;      /* no need to list the keys */
    bool is_ahead;       /* what is to be verified will be handed over */
    size_t n_signatures; /* 0: only list the keys */
    struct bytes_view signatures, data;
};

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

/* The helper's answer starts with this; then come the list of keys and the findings. */
struct openpgp_heading {
    uint64_t list_len;
};

/* In a helper process, an openpgp_process_fn: does the struct openpgp_task at REQUEST. */
bool openpgp_task_run(const void *request, struct bytes *out, struct hallmark_error *err);

/* Hands to a helper that was started ahead, whose socket this is, what is to be verified, once; it
 * never waits. Without it, one whose socket is shut down for writing lists the keys. */
bool openpgp_task_hand_over(int socket, const struct openpgp_task *task,
                            struct hallmark_error *err);

#endif
