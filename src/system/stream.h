/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the reader of an archive tells the writer, through a pipe: entries, their data, and the end.
 * Both are this program, so numbers are in the machine's form; but the receiver trusts none of
 * them.
 */
#ifndef SYSTEM_STREAM_H
#define SYSTEM_STREAM_H

#include <stdint.h>

#include "base/error.h"
#include "system/entry.h"

enum stream_type { STREAM_ENTRY = 1, STREAM_DATA, STREAM_END };

/* One record, as received. Its bytes are lent until the next one is asked for. */
struct stream_record {
    enum stream_type type;
    struct entry entry; /* of STREAM_ENTRY */
    uint64_t offset;    /* of STREAM_DATA, in the file of the last entry */
    struct bytes_view data;
};

/* The sending end. FD is borrowed. The functions are false where nobody reads any more. */
struct stream_sender;

struct stream_sender *stream_sender_new(int fd);
void stream_sender_free(struct stream_sender *sender);
bool stream_send_entry(struct stream_sender *sender, const struct entry *entry);
bool stream_send_data(struct stream_sender *sender, uint64_t offset, struct bytes_view data);

/* Says that the archive was read to its end, and sends what is still buffered. */
bool stream_send_end(struct stream_sender *sender);

/* The receiving end. */
struct stream_receiver;

struct stream_receiver *stream_receiver_new(int fd);
void stream_receiver_free(struct stream_receiver *receiver);

enum stream_result {
    STREAM_OK,
    STREAM_CUT, /* the sender ended without STREAM_END */
    STREAM_BAD, /* an error is set: HALLMARK_ERR_IO, or HALLMARK_ERR_UNSAFE for what makes no sense
                 */
};

enum stream_result stream_receive(struct stream_receiver *receiver, struct stream_record *out,
                                  struct hallmark_error *err);

#endif
