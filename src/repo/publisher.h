/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * struct hallmark_publisher: a repository that is published, opened. The public functions are in
 * hallmark.h; what is here is for the flows behind them.
 */
#ifndef REPO_PUBLISHER_H
#define REPO_PUBLISHER_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/strlist.h"
#include "crypto/openpgp.h"
#include "format/settings.h"

struct hallmark_publisher {
    const struct hallmark_settings *settings;
    const struct hallmark_publisher_options *options;
    char *root;                  /* without links */
    char *state_dir;             /* as configured: it may not exist yet */
    int rootfd, statefd, lock;   /* -1 while not open */
    struct strlist fingerprints; /* Sign-With */
    struct openpgp_signer signer;
    struct bytes keyring; /* the signer's public keys, once they are needed */
};

/* Tells one line, escaped, to whom the options name. */
void publisher_note(const struct hallmark_publisher *p, enum hallmark_note kind, const char *fmt,
                    ...) ERROR_PRINTF(3, 4);

enum publisher_access { PUBLISHER_READ, PUBLISHER_WRITE };

/* Opens the state directory if it is there; to write, makes it and takes the lock. */
bool publisher_open_state(struct hallmark_publisher *p, enum publisher_access access,
                          struct hallmark_error *err);

#endif
