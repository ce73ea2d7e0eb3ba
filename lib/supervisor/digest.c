// SPDX-License-Identifier: MIT
/* Purpose: SipHash-2-4-128. */
#include "supervisor/digest.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t load(const unsigned char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return le64toh(x);
}

static void store(unsigned char *p, uint64_t x)
{
    x = htole64(x);
    memcpy(p, &x, sizeof x);
}

static void mix(uint64_t v[4], int rounds)
{
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static void take(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v, 2);
    v[0] ^= word;
}

void eg_digest_keyed(const struct eg_digest_key *key, const void *data, size_t n,
                     unsigned char ret[EG_DIGEST_SIZE])
{
    const unsigned char *p = data;
    uint64_t k0 = load(key->bytes), k1 = load(key->bytes + 8);
    uint64_t v[4] = { k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee,
                      k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573 };
    size_t left = n;
    for (; left >= 8; left -= 8, p += 8) take(v, load(p));
    unsigned char last[8] = { 0 };
    if (left) memcpy(last, p, left);
    last[7] = (unsigned char)n;
    take(v, load(last));
    v[2] ^= 0xee;
    mix(v, 4);
    store(ret, v[0] ^ v[1] ^ v[2] ^ v[3]);
    v[1] ^= 0xdd;
    mix(v, 4);
    store(ret + 8, v[0] ^ v[1] ^ v[2] ^ v[3]);
}

/* What the kernel gave this process at its start (getauxval(3), AT_RANDOM): as
 * secret, and as long. */
static bool take_from_start(struct eg_digest_key *key)
{
    const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    static_assert(sizeof key->bytes <= 16, "AT_RANDOM has sixteen bytes");
    if (!random) abort(); /* without a secret no verdict can be kept to */
    memcpy(key->bytes, random, sizeof key->bytes);
    return true;
}

void eg_digest(const void *data, size_t n, unsigned char ret[EG_DIGEST_SIZE])
{
    static struct eg_digest_key key;
    static bool drawn;
    while (!drawn) {
        /* getrandom(2): up to 256 bytes come whole */
        if (getrandom(key.bytes, sizeof key.bytes, 0) == (ssize_t)sizeof key.bytes)
            drawn = true;
        else if (errno != EINTR)
            drawn = take_from_start(&key);
    }
    eg_digest_keyed(&key, data, n, ret);
}
