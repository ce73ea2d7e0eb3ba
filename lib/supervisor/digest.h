// SPDX-License-Identifier: MIT
/* Digests of arguments and environments, to be compared within this process. */
#ifndef EG_SUPERVISOR_DIGEST_H
#define EG_SUPERVISOR_DIGEST_H

#include <stddef.h>

#define EG_DIGEST_SIZE 16u

struct eg_digest_key {
    unsigned char bytes[16];
};

/* SipHash-2-4 with 128 bits of result (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", and its reference implementation). */
void eg_digest_keyed(const struct eg_digest_key *key, const void *data, size_t n,
                     unsigned char ret[EG_DIGEST_SIZE]);

/* The same under a key that this process drew by lot at its first use: nobody
 * outside can look for two texts with one digest.  An eighth of SHA-256's time,
 * and each exec waits for three of them. */
void eg_digest(const void *data, size_t n, unsigned char ret[EG_DIGEST_SIZE]);

#endif
