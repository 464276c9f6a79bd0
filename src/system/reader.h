/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process that parses archives: it has a socket, the package's descriptor and the pipe to the
 * writer, and cannot open anything. It serves one request after another.
 */
#ifndef SYSTEM_READER_H
#define SYSTEM_READER_H

#include "system/package.h"
#include "system/worker.h"

/* What package.h only names. */
struct package_reader {
    enum hallmark_sandbox sandbox;
    uint32_t list_files; /* not 0: tell the files of each .deb */
    struct worker worker;
};

/* What is asked of it; the package's descriptor comes with it, and where UNPACK is set the pipe's.
 */
struct reader_request {
    uint32_t kind, compression; /* of struct package_format */
    uint32_t unpack;
    uint32_t list_files;
    uint64_t size; /* of the package */
};

/* Starts the process if it does not run; what goes wrong is told by the next function. */
void reader_begin(struct package_reader *reader);

/* Starts the process if it does not run, and hands over the request. STREAM is -1 for reading only.
 */
bool reader_request(struct package_reader *reader, const struct package_format *format, int fd,
                    int stream, struct hallmark_error *err);

#endif
