/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way from a private GnuPG home to the user's gpg-agent, which has the secret keys. */
#ifndef CRYPTO_OPENPGP_AGENT_H
#define CRYPTO_OPENPGP_AGENT_H

#include "crypto/openpgp_home.h"

/* Where a gpg on HOME will look for an agent: in HOME, or in a directory below /run that gpg makes
 * for it and that HOME owns from then on. free(3) releases it; NULL with HALLMARK_ERR_IO. */
char *openpgp_agent_find(struct openpgp_home *home, struct hallmark_error *err);

/* In a helper process on the user's home: makes SOCKET a pointer to the socket of the user's agent.
 */
bool openpgp_agent_redirect(const char *socket, struct hallmark_error *err);

#endif
