// SPDX-License-Identifier: MIT
/* Open addressing, at most half full. */
#include "compile/index.h"

#include <stdlib.h>

void eg_index_done(struct eg_index *index)
{
    free(index->slots);
    *index = (struct eg_index){ 0 };
}

uint32_t eg_index_hash(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

uint32_t eg_index_find(const struct eg_index *index, uint32_t hash, eg_index_same same,
                       void *context)
{
    if (!index->slot_count) return UINT32_MAX;
    for (size_t i = hash & (index->slot_count - 1); index->slots[i].value;
         i = (i + 1) & (index->slot_count - 1))
        if (index->slots[i].hash == hash && same(context, index->slots[i].value - 1))
            return index->slots[i].value - 1;
    return UINT32_MAX;
}

static void place(struct eg_index *index, struct eg_index_slot slot)
{
    size_t i = slot.hash & (index->slot_count - 1);
    while (index->slots[i].value) i = (i + 1) & (index->slot_count - 1);
    index->slots[i] = slot;
}

static bool grow(struct eg_index *index)
{
    struct eg_index larger = { .slot_count = index->slot_count ? index->slot_count * 2 : 64,
                               .used = index->used };
    larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
    if (!larger.slots) return false;
    for (size_t i = 0; i < index->slot_count; i++)
        if (index->slots[i].value) place(&larger, index->slots[i]);
    free(index->slots);
    *index = larger;
    return true;
}

bool eg_index_add(struct eg_index *index, uint32_t hash, uint32_t value)
{
    if (index->used * 2 >= index->slot_count && !grow(index)) return false;
    place(index, (struct eg_index_slot){ value + 1, hash });
    index->used++;
    return true;
}
