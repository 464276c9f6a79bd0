/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes that do the dangerous work: started by fork(2) without any descriptor of ours but a
 * control socket, over which they are given descriptors and say what came of it. What they say is
 * checked.
 */
#ifndef SYSTEM_WORKER_H
#define SYSTEM_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum {
    WORKER_TEXT_LEN = 1500,  /* longest text of a message, with its NUL */
    WORKER_FDS_MAX = 2,      /* descriptors of one request */
    WORKER_WATCHED_MAX = 2,  /* workers that are watched together */
    WORKER_IDLE_SECONDS = 60 /* a worker that has got nowhere for so long is stuck */
};

enum worker_message_type {
    WORKER_READY = 1, /* it has narrowed itself, and layers says how */
    WORKER_PROGRESS,
    WORKER_DONE,
    WORKER_FAILED,  /* code and text say why */
    WORKER_STOPPED, /* it had nothing more to do because the other worker failed */
    WORKER_CONTROL, /* text is the next part of a package's control file */
    WORKER_FILES,   /* text is the next part of the names of its files */
};

/* What a worker says. */
struct worker_message {
    uint32_t type;   /* of enum worker_message_type */
    uint32_t code;   /* of enum hallmark_errcode */
    uint32_t layers; /* of enum sandbox_layer */
    uint32_t unused;
    uint64_t n_read;    /* bytes of the package */
    uint64_t n_entries; /* of the archive */
    uint64_t n_bytes;   /* of all files */
    char text[WORKER_TEXT_LEN];
};

struct worker {
    const char *what; /* "the archive reader" */
    pid_t pid;        /* 0: not running */
    int control;      /* -1: not running */
    unsigned layers;
    struct worker_message seen; /* the largest numbers so far */
};

#define WORKER_INIT                                                                                \
    {                                                                                              \
        .control = -1                                                                              \
    }

/* What runs in the process; CONTROL is its end of the socket. */
typedef void worker_fn(int control);

/* Starts RUN in a process that keeps no other descriptor and dies with this one. */
bool worker_start(struct worker *worker, const char *what, worker_fn *run,
                  struct hallmark_error *err);

/* Hands a request to the worker: LEN bytes and N_FDS descriptors, which stay open here. */
bool worker_request(struct worker *worker, const void *request, size_t len, const int *fds,
                    size_t n_fds, struct hallmark_error *err);

/* Several workers, of which something is expected. */
struct worker_watch {
    struct worker *workers[WORKER_WATCHED_MAX]; /* NULL: no longer */
    unsigned idle_limit; /* seconds without progress of any of them after which all is given up */
    unsigned idle;
};

/* Waits for the next message of the workers; *WHICH is the one that sent it. HALLMARK_ERR_UNSAFE
 * where one of them died, HALLMARK_ERR_IO where none got on. READY is dealt with here. */
bool worker_next(struct worker_watch *watch, size_t *which, struct worker_message *out,
                 struct hallmark_error *err);

/* Ends the process, whatever it does, and waits for it. Does nothing where none runs. */
void worker_stop(struct worker *worker);

/* ---- In the worker ---- */

/* Closes all descriptors but CONTROL, whose number may change, and the standard ones, which become
 * /dev/null; ends the process where that fails. */
int worker_keep_only(int control);

/* Waits for a request of exactly LEN bytes and N_FDS descriptors. False when there is none. */
bool worker_take(int control, void *request, size_t len, int *fds, size_t n_fds);

/* Sends a message; ends the process where nobody listens any more, or will ever hear what comes of
 * its work. */
void worker_send(int control, const struct worker_message *message);

/* Sends WORKER_FAILED with what ERR holds. */
void worker_send_error(int control, const struct hallmark_error *err);

#endif
