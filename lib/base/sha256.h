// SPDX-License-Identifier: MIT
/* SHA-256 (FIPS 180-4), streaming, freestanding.  Names compiled policies and
 * quarantined files. */
#ifndef EG_BASE_SHA256_H
#define EG_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct eg_sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    unsigned char block[64];
};

/* Start, feed any number of times, then finish once.  No errors. */
void eg_sha256_init(struct eg_sha256 *ctx);
void eg_sha256_feed(struct eg_sha256 *ctx, const void *data, size_t n);
void eg_sha256_done(struct eg_sha256 *ctx, unsigned char ret_digest[32]);

#endif
