/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where configuration, keyrings and state are: the system's directories for root, the XDG base
 * directories for everybody else. */
#ifndef REPO_LOCATION_H
#define REPO_LOCATION_H

#include "base/error.h"

/* /etc/hallmark, or $XDG_CONFIG_HOME/hallmark. free(3) releases it; NULL with HALLMARK_ERR_USAGE
 * where an ordinary user has no home. */
char *location_config(struct hallmark_error *err);

/* /var/lib/hallmark, or $XDG_STATE_HOME/hallmark. Likewise. */
char *location_state(struct hallmark_error *err);

/* /etc/hallmark/keyrings, for everybody. Static. */
const char *location_keyrings(void);

/* What Debian calls the architecture that this was compiled for: "amd64"; "" for one without a name
 * here. Static. */
const char *location_architecture(void);

#endif
