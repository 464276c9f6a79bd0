/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* XXH3, 64 bits: notices accidents. It resists nobody and decides nothing about trust. */
#ifndef CRYPTO_CHECKSUM_H
#define CRYPTO_CHECKSUM_H

#include <stdint.h>

#include "base/bytes.h"

uint64_t checksum_xxh3(struct bytes_view data);
/* Of N parts, one after the other. */
uint64_t checksum_xxh3_parts(const struct bytes_view *parts, size_t n);

#endif
