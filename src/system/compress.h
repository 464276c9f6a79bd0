/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compression of what is published: gzip (RFC 1952) by zlib, xz by liblzma. The same bytes give the
 * same bytes, whenever and wherever: one level, no time, no name.
 */
#ifndef SYSTEM_COMPRESS_H
#define SYSTEM_COMPRESS_H

#include "base/bytes.h"
#include "base/error.h"

/* Appends DATA, compressed, to OUT. HALLMARK_ERR_IO where the library cannot. */
bool compress_gzip(struct bytes_view data, struct bytes *out, struct hallmark_error *err);
bool compress_xz(struct bytes_view data, struct bytes *out, struct hallmark_error *err);

#endif
