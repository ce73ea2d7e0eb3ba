// SPDX-License-Identifier: MIT
/* One lifetime for a whole tree: memory that is handed out piece by piece and
 * given back at once. */
#ifndef EG_POLICY_ARENA_H
#define EG_POLICY_ARENA_H

#include "base/str.h"

struct eg_arena;

/* An empty arena, or NULL when out of memory. */
struct eg_arena *eg_arena_new(void);
void eg_arena_free(struct eg_arena *arena);

/* `size` zeroed bytes, aligned for any object.  NULL: out of memory. */
void *eg_arena_alloc(struct eg_arena *arena, size_t size);

/* A copy of the bytes with a NUL behind them; p is NULL when out of memory. */
struct eg_str eg_arena_copy(struct eg_arena *arena, struct eg_str s);

/* Room for one more element behind an array of `count`: returns the array,
 * moved when needed, the new element zeroed.  The array must have been grown by
 * this function only, from NULL and 0, one element at a time.  NULL: out of
 * memory, the old array is intact. */
void *eg_arena_grow(struct eg_arena *arena, void *array, size_t count, size_t size);

/* Put bytes behind a text that grew by this function only, from an empty one
 * and *capacity 0.  False: out of memory, the text is intact. */
bool eg_arena_append(struct eg_arena *arena, struct eg_str *text, size_t *capacity,
                     struct eg_str more);

#endif
