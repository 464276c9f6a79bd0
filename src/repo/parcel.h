/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that is on its way into a directory: ".NAME.HASH.part" until it is whole and verified;
 * what is small has no name until then, where that can be had. What came before a connection broke
 * may be gone on with, where the server vouches for it by an ETag that stands in ".NAME.HASH.etag",
 * from the start for what is large, and else when it is left; the whole is hashed in any case.
 */
#ifndef REPO_PARCEL_H
#define REPO_PARCEL_H

#include <sys/types.h>

#include "crypto/digest.h"
#include "repo/content.h"

enum { PARCEL_ETAG_LEN = 256 };

/* How the names of files that have not come as a whole end. */
#define PARCEL_PART ".part"

/* What file_has_nameless() is to try. */
#define PARCEL_TRIAL ".hallmark" PARCEL_PART

/* The directory, and whether there are files without names in it (file_has_nameless()). */
struct parcel_place {
    int dirfd;
    bool has_nameless;
};

struct parcel {
    const struct content *content;
    const struct parcel_place *place;
    int dirfd;        /* its */
    const char *name; /* in the directory; inside of the content's path */
    int fd;           /* -1: not begun */
    char *part, *record;
    struct digest *digest;
    uint64_t n_taken;
    char etag[PARCEL_ETAG_LEN]; /* of what was taken; "": it cannot be gone on with */
    bool is_recorded;           /* there may be a file that says so */
    bool is_nameless;
};

/* What to do with a file of the name that is another one. */
enum parcel_other { PARCEL_KEEP_OTHER, PARCEL_REPLACE_OTHER };

/* PLACE must last as long. */
void parcel_init(struct parcel *parcel, const struct parcel_place *place,
                 const struct content *content);

/* Takes up what an earlier attempt has left, if that can be gone on with: n_taken and etag tell.
 * Makes nothing where there is none. HALLMARK_ERR_BUSY where another process is at it,
 * HALLMARK_ERR_USAGE where something else is in its place. */
bool parcel_resume(struct parcel *parcel, struct hallmark_error *err);

/* What comes now has this ETag; "": none that counts. */
bool parcel_set_etag(struct parcel *parcel, const char *etag, struct hallmark_error *err);
bool parcel_take(struct parcel *parcel, const void *data, size_t len, struct hallmark_error *err);

/* Compares the hashes of what was taken, and gives the file its MODE. HALLMARK_ERR_CONTENT where
 * they differ. */
bool parcel_check(struct parcel *parcel, mode_t mode, struct hallmark_error *err);

/* Makes the file that was checked, and has been synced, appear under its name. */
bool parcel_put(struct parcel *parcel, enum parcel_other other, struct hallmark_error *err);

/* Throws away what was taken. */
void parcel_discard(struct parcel *parcel);

/* Keeps what was taken for another time, where it can be gone on with. */
void parcel_leave(struct parcel *parcel);

#endif
