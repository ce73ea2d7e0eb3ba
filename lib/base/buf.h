// SPDX-License-Identifier: MIT
/* A bounded byte builder over memory that the caller owns.  Freestanding.
 *
 * What does not fit is left out and `truncated` says so; the builder never
 * writes past `cap` and never ends a string by itself (use eg_buf_cstr).
 */
#ifndef EG_BASE_BUF_H
#define EG_BASE_BUF_H

#include "base/str.h"

struct eg_buf {
    char *p;
    size_t cap;
    size_t n;
    bool truncated;
};

static inline struct eg_buf eg_buf_over(char *memory, size_t cap)
{
    return (struct eg_buf){ memory, cap, 0, false };
}

static inline void eg_buf_byte(struct eg_buf *b, char c)
{
    if (b->n < b->cap)
        b->p[b->n++] = c;
    else
        b->truncated = true;
}

static inline void eg_buf_str(struct eg_buf *b, struct eg_str s)
{
    for (size_t i = 0; i < s.n; i++) eg_buf_byte(b, s.p[i]);
}

/* Append a NUL-terminated string. */
static inline void eg_buf_add(struct eg_buf *b, const char *s)
{
    eg_buf_str(b, eg_str(s));
}

static inline struct eg_str eg_buf_view(const struct eg_buf *b)
{
    return (struct eg_str){ b->p, b->n };
}

/* Append an unsigned/signed number in decimal. */
static inline void eg_buf_u64(struct eg_buf *b, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n) eg_buf_byte(b, digits[--n]);
}

static inline void eg_buf_i64(struct eg_buf *b, int64_t v)
{
    if (v < 0) eg_buf_byte(b, '-');
    eg_buf_u64(b, v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v);
}

/* End the text with NUL inside the buffer and return it; when the buffer is
 * full its last byte is given up for the NUL and `truncated` is set. */
static inline char *eg_buf_cstr(struct eg_buf *b)
{
    if (b->n == b->cap) {
        b->n--;
        b->truncated = true;
    }
    b->p[b->n] = '\0';
    return b->p;
}

#endif
