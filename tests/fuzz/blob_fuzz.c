// SPDX-License-Identifier: MIT
/* Compiled policies that somebody wrote to do harm: whatever eg_blob_verify lets
 * pass can be read without leaving it.  The first byte says how: even, the rest
 * is a whole blob; odd, the rest are changes to a good one, six bytes each
 * (offset, value).  Header and checksum are put right, since an attacker can. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blob_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_right(struct eg_blob *blob, size_t size, const struct eg_blob *good)
{
    memcpy(blob->magic, good->magic, sizeof(blob->magic));
    blob->version = good->version;
    blob->size = (uint32_t)size;
    blob->arch = good->arch;
    blob->flags &= 0x3ff;
    blob->optional_layers &= 0x3f;
    blob->checksum = eg_blob_compute_checksum(blob);
}

static void try(void *memory, size_t size)
{
    const struct eg_blob *blob = NULL;
    const char *why = NULL;
    int r = eg_blob_verify(memory, size, &blob, &why);
    if (r == 0 ? blob != memory : why == NULL || blob != NULL) abort();
    if (r == 0) blob_walk(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct eg_blob *good = blob_sample();
    size_t n = data[0] % 2 ? good->size : size - 1;
    char *memory = malloc(n ? n : 1);
    if (!memory) abort();
    if (data[0] % 2) {
        memcpy(memory, good, n);
        for (size_t i = 1; i + 6 <= size; i += 6) {
            size_t at = (data[i] | (size_t)data[i + 1] << 8) % (n - 3);
            memcpy(memory + at, data + i + 2, 4);
        }
    } else if (n) {
        memcpy(memory, data + 1, n);
    }
    try(memory, n);
    if (n >= sizeof(*good)) {
        put_right((struct eg_blob *)(void *)memory, n, good);
        try(memory, n);
    }
    free(memory);
    free(good);
    return 0;
}
