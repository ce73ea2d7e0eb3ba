// SPDX-License-Identifier: MIT
/* One lifetime for a whole tree: a chain of chunks, the newest in front. */
#include "policy/arena.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)64 * 1024)
#define ALIGNMENT  (_Alignof(max_align_t))

struct chunk {
    struct chunk *next;
    size_t used;
    size_t size;
    _Alignas(max_align_t) unsigned char memory[];
};

struct eg_arena {
    struct chunk *chunks;
};

struct eg_arena *eg_arena_new(void)
{
    return calloc(1, sizeof(struct eg_arena));
}

void eg_arena_free(struct eg_arena *arena)
{
    if (!arena) return;
    while (arena->chunks) {
        struct chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
    free(arena);
}

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void *eg_arena_alloc(struct eg_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2) return NULL;
    size = aligned(size ? size : 1);
    struct chunk *chunk = arena->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        /* calloc, since fresh pages are zero already and need no second pass. */
        chunk = calloc(1, sizeof(*chunk) + room);
        if (!chunk) return NULL;
        chunk->size = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    void *memory = chunk->memory + chunk->used;
    chunk->used += size;
    return memory;
}

struct eg_str eg_arena_copy(struct eg_arena *arena, struct eg_str s)
{
    char *copy = eg_arena_alloc(arena, s.n + 1);
    if (!copy) return (struct eg_str){ NULL, 0 };
    if (s.n) memcpy(copy, s.p, s.n);
    return (struct eg_str){ copy, s.n };
}

void *eg_arena_grow(struct eg_arena *arena, void *array, size_t count, size_t size)
{
    /* The capacity is the power of two at or above the count, so it need not be
     * stored: room is short exactly when the count is such a power. */
    if (count != 0 && (count & (count - 1)) != 0) return array;
    size_t capacity = count ? count * 2 : 1;
    if (capacity > SIZE_MAX / 2 / size) return NULL;
    void *grown = eg_arena_alloc(arena, capacity * size);
    if (grown && count) memcpy(grown, array, count * size);
    return grown;
}

bool eg_arena_append(struct eg_arena *arena, struct eg_str *text, size_t *capacity,
                     struct eg_str more)
{
    size_t n = text->n + more.n;
    if (n > *capacity || !text->p) {
        char *larger = eg_arena_alloc(arena, n * 2 + 1);
        if (!larger) return false;
        if (text->p) memcpy(larger, text->p, text->n);
        text->p = larger;
        *capacity = n * 2;
    }
    if (more.n) memcpy((char *)text->p + text->n, more.p, more.n);
    text->n = n;
    return true;
}
