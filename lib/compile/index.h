// SPDX-License-Identifier: MIT
/* A hash index from contents to numbers: finds what was stored before in
 * constant time, so that a policy of many megabytes compiles in linear time. */
#ifndef EG_COMPILE_INDEX_H
#define EG_COMPILE_INDEX_H

#include "base/str.h"

struct eg_index_slot {
    uint32_t value; /* number + 1; 0: free */
    uint32_t hash;
};

/* Zeroed memory is an empty index. */
struct eg_index {
    struct eg_index_slot *slots;
    size_t slot_count; /* power of two */
    size_t used;
};

void eg_index_done(struct eg_index *index);

/* FNV-1a, folded. */
uint32_t eg_index_hash(const void *bytes, size_t n);

/* Is the stored number `value` what is looked for? */
typedef bool (*eg_index_same)(void *context, uint32_t value);

/* The number stored under `hash` that `same` accepts, or UINT32_MAX. */
uint32_t eg_index_find(const struct eg_index *index, uint32_t hash, eg_index_same same,
                       void *context);

/* Store a number.  False: out of memory. */
bool eg_index_add(struct eg_index *index, uint32_t hash, uint32_t value);

#endif
