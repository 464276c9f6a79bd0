/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A process of its own for everything that GPGME and gpg do: a fixed environment, no descriptors
 * but its own, a deadline, and an answer of bounded length. What it starts dies with it.
 */
#ifndef CRYPTO_OPENPGP_PROCESS_H
#define CRYPTO_OPENPGP_PROCESS_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/error.h"

/* What the helper process does: appends its answer to OUT, or fails with an error. */
typedef bool openpgp_process_fn(const void *request, struct bytes *out, struct hallmark_error *err);

/* What of the caller's environment it sees, beside a fixed PATH and locale. */
enum openpgp_process_env {
    OPENPGP_PROCESS_PRIVATE, /* HOME and GNUPGHOME are home: nothing of the user's */
    OPENPGP_PROCESS_USER, /* the user's HOME; GNUPGHOME is home, or the user's where that is NULL */
    OPENPGP_PROCESS_PERSON, /* likewise, and what a pinentry needs to find the person */
};

struct openpgp_process {
    const char *what; /* for messages, such as "gpg (verifying)" */
    const char *home; /* absolute */
    enum openpgp_process_env env;
    int seconds;    /* until it is killed with all that it started */
    size_t max_len; /* of the answer */
    openpgp_process_fn *work;
    const void *request;
};

/* The directories in which programs are looked for. */
#define OPENPGP_PROCESS_PATH "/usr/bin:/bin:/usr/sbin:/sbin"

/* One that has been started. */
struct openpgp_running {
    struct openpgp_process process;
    pid_t pid; /* 0: none */
    int fd;    /* a socket: a function that goes on is sent what it is to do */
};

/* Starts PROCESS, whose request must not change before the end. */
bool openpgp_process_start(const struct openpgp_process *process, struct openpgp_running *out,
                           struct hallmark_error *err);

/* Waits for the answer and appends it to OUT; fails like openpgp_process_run(). The time that it
 * may take starts now. */
bool openpgp_process_end(struct openpgp_running *running, struct bytes *out,
                         struct hallmark_error *err);

/* Likewise one answer of one that goes on; where it fails, it has been ended. */
bool openpgp_process_next(struct openpgp_running *running, struct bytes *out,
                          struct hallmark_error *err);

/* Ends it, whatever it does. Does nothing where there is none. */
void openpgp_process_stop(struct openpgp_running *running);

/* Runs PROCESS and appends its answer to OUT. Fails with the error of its function, or with
 * HALLMARK_ERR_IO where it dies, answers nonsense, or does not answer in time. Works whatever the
 * caller does with SIGCHLD; changes no signal handler. */
bool openpgp_process_run(const struct openpgp_process *process, struct bytes *out,
                         struct hallmark_error *err);

/* In a helper process: sends OUT as an answer, and empties it; more will follow. False where nobody
 * reads it. */
bool openpgp_process_answer(struct bytes *out);

/* The only descriptor that such a process has beside the three of every process. */
enum { OPENPGP_PROCESS_FD = 3 };

/* In a process just forked: makes FD that one, closes all others, and leaves /dev/null as 0, 1, 2.
 */
bool openpgp_process_narrow(int fd);

#endif
