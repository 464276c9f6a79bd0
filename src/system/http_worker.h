/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that talks to servers: takes requests, several at a time, until nobody asks more. */
#ifndef SYSTEM_HTTP_WORKER_H
#define SYSTEM_HTTP_WORKER_H

/* For worker_start(). */
void http_worker_run(int control);

#endif
