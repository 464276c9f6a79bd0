/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A GnuPG home of our own making: a private directory that lives as long as it is needed. */
#ifndef CRYPTO_OPENPGP_HOME_H
#define CRYPTO_OPENPGP_HOME_H

#include "base/bytes.h"
#include "base/error.h"

struct openpgp_home {
    char *path;  /* absolute; NULL: there is none */
    char *other; /* a directory that belongs to it, or NULL */
    int guard;   /* of openpgp_guard.h */
};

/* Makes a directory below $TMPDIR or /tmp that only its owner may enter. It goes with
 * openpgp_home_remove(), or else with the end of this process. */
bool openpgp_home_make(struct openpgp_home *out, struct hallmark_error *err);

/* Creates the file NAME in the home at PATH. */
bool openpgp_home_add(const char *path, const char *name, struct bytes_view data,
                      struct hallmark_error *err);

/* In a helper process: appends to OUT where a gpg on the home at PATH (NULL: the one that the
 * environment names) will look for an agent: in it, or in a directory below /run that gpg makes for
 * it. HALLMARK_ERR_IO. */
bool openpgp_home_ask_agent(const char *path, struct bytes *out, struct hallmark_error *err);

/* Once: the directory of SOCKET, where gpg has made it for HOME, goes with it. HALLMARK_ERR_IO
 * where SOCKET is no path. */
bool openpgp_home_own_agent(struct openpgp_home *home, struct bytes_view socket,
                            struct hallmark_error *err);

/* In a helper process on the user's home: makes SOCKET, which openpgp_home_ask_agent() gave, a
 * pointer to the socket of the user's agent, which has the secret keys. */
bool openpgp_home_redirect(const char *socket, struct hallmark_error *err);

/* Removes the directory with all that is in it, if there is one. */
void openpgp_home_remove(struct openpgp_home *home);

#endif
