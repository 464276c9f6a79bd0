/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binary packages of Debian, deb(5): an ar archive of exactly debian-binary, control.tar and
 * data.tar. Members that deb(5) allows beyond these are refused, like everything that two programs
 * could read in two ways.
 */
#ifndef SYSTEM_DEB_H
#define SYSTEM_DEB_H

#include "system/decompress.h"
#include "system/package.h"

struct deb_member {
    struct decompress_window window;
    enum package_compression compression;
};

struct deb {
    struct deb_member control, data;
};

/* Finds the members of the package in WINDOW. HALLMARK_ERR_MALFORMED, HALLMARK_ERR_IO. */
bool deb_read(struct deb *out, const struct decompress_window *window, struct hallmark_error *err);

#endif
