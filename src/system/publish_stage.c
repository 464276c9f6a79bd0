/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making and leaving the stage. */
#include "system/publish_stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "system/generation.h"

enum { STAGE_MODE = 0700 };

bool publish_stage_open(struct publish_stage *out, int rootfd, enum publish_leftovers leftovers,
                        struct hallmark_error *err)
{
    struct generation_store store;
    bool ok = generation_open_or_create(&store, rootfd, err);

    *out = (struct publish_stage){.rootfd = rootfd, .storefd = -1, .fd = -1, .leftfd = -1};
    if (ok) {
        out->is_new = store.is_new;
        generation_clean(&store, NULL);
        if (leftovers == PUBLISH_KEEP_LEFTOVERS &&
            renameat(store.fd, GENERATION_STAGE, store.fd, GENERATION_LEFT) == 0)
            out->leftfd = generation_openat(store.fd, GENERATION_LEFT);
        ok = file_remove_tree(store.fd, GENERATION_STAGE, err);
        if (ok && mkdirat(store.fd, GENERATION_STAGE, STAGE_MODE) < 0)
            ok = error_set_errno(err, "%s: cannot create the directory", GENERATION_STAGE);
        out->storefd = store.fd;
        store.fd = -1;
    }
    if (ok) {
        out->fd = generation_openat(out->storefd, GENERATION_STAGE);
        ok = out->fd >= 0 || error_set_errno(err, "%s: cannot open", GENERATION_STAGE);
    }
    generation_close(&store);
    return ok || error_prefix(err, "%s", GENERATION_STORE);
}

void publish_stage_close(struct publish_stage *stage)
{
    file_close(&stage->fd);
    file_close(&stage->leftfd);
    if (stage->storefd < 0)
        return;
    file_remove_tree(stage->storefd, GENERATION_STAGE, NULL);
    file_remove_tree(stage->storefd, GENERATION_LEFT, NULL);
    file_close(&stage->storefd);
    /* Only an empty store goes away like this. */
    if (stage->is_new)
        unlinkat(stage->rootfd, GENERATION_STORE, AT_REMOVEDIR);
}

void publish_stage_leave(struct publish_stage *stage, enum publish_leave what)
{
    int storefd = stage->storefd;

    if (what == PUBLISH_LEAVE_LEFTOVERS && stage->leftfd >= 0) {
        file_remove_tree(storefd, GENERATION_STAGE, NULL);
        renameat(storefd, GENERATION_LEFT, storefd, GENERATION_STAGE);
    }
    file_close(&stage->fd);
    file_close(&stage->leftfd);
    if (storefd >= 0)
        file_remove_tree(storefd, GENERATION_LEFT, NULL);
    file_close(&stage->storefd);
}
