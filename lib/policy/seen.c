// SPDX-License-Identifier: MIT
/* A hash set with open addressing. */
#include "policy/seen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a.  Somebody who can make it collide can write the policy, and then needs
 * no slow parser. */
static uint64_t hash_of(struct eg_str key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.n; i++) hash = (hash ^ (unsigned char)key.p[i]) * 0x100000001b3u;
    return hash ? hash : 1;
}

static struct eg_seen_slot *find(struct eg_seen_slot *slots, size_t capacity, uint64_t hash,
                                 struct eg_str key)
{
    size_t i = (size_t)(hash ^ hash >> 32) & (capacity - 1);
    while (slots[i].hash && !(slots[i].hash == hash && slots[i].length == key.n &&
                              memcmp(slots[i].key, key.p, key.n) == 0))
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

static int enlarge(struct eg_seen *seen)
{
    size_t capacity = seen->capacity ? seen->capacity * 2 : 64;
    struct eg_seen_slot *slots = calloc(capacity, sizeof(*slots));
    if (!slots) return -ENOMEM;
    for (size_t i = 0; i < seen->capacity; i++) {
        struct eg_seen_slot *old = &seen->slots[i];
        if (old->hash)
            *find(slots, capacity, old->hash, (struct eg_str){ old->key, old->length }) = *old;
    }
    free(seen->slots);
    seen->slots = slots;
    seen->capacity = capacity;
    return 0;
}

int eg_seen_add(struct eg_seen *seen, struct eg_str key, struct eg_span span,
                struct eg_span *ret_first)
{
    if (seen->count * 2 >= seen->capacity && enlarge(seen) < 0) return -ENOMEM;
    uint64_t hash = hash_of(key);
    struct eg_seen_slot *slot = find(seen->slots, seen->capacity, hash, key);
    if (slot->hash) {
        *ret_first = slot->span;
        return 1;
    }
    char *copy = malloc(key.n + 1);
    if (!copy) return -ENOMEM;
    if (key.n) memcpy(copy, key.p, key.n);
    slot->hash = hash;
    slot->key = copy;
    slot->length = key.n;
    slot->span = span;
    seen->count++;
    return 0;
}

void eg_seen_done(struct eg_seen *seen)
{
    for (size_t i = 0; i < seen->capacity; i++) free(seen->slots[i].key);
    free(seen->slots);
    *seen = (struct eg_seen){ 0 };
}
