/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where files of a generation to be (publish.h) are made that are too large for memory. */
#ifndef SYSTEM_PUBLISH_STAGE_H
#define SYSTEM_PUBLISH_STAGE_H

#include <stdbool.h>

#include "base/error.h"

/* A directory in which large files are made before their generation is. */
struct publish_stage {
    int rootfd, storefd;
    int fd;      /* -1: none is open */
    int leftfd;  /* of the stage that an earlier run has left; -1: there is none */
    bool is_new; /* the store did not exist */
};

enum publish_leftovers { PUBLISH_DROP_LEFTOVERS, PUBLISH_KEEP_LEFTOVERS };

/* Makes the stage, making the store where there is none. What a crashed run left is removed, or its
 * stage kept until the end of this one: nothing says that the files in that are whole.
 * publish_stage_close(), which accepts what this left when it failed, removes what is in both
 * still.
 */
bool publish_stage_open(struct publish_stage *out, int rootfd, enum publish_leftovers leftovers,
                        struct hallmark_error *err);
void publish_stage_close(struct publish_stage *stage);

/* Closes it as well, and keeps for the next publish_stage_open() what is in the stage; or what was
 * there before, where nothing of that has been looked at. */
enum publish_leave { PUBLISH_LEAVE_STAGE, PUBLISH_LEAVE_LEFTOVERS };
void publish_stage_leave(struct publish_stage *stage, enum publish_leave what);

#endif
