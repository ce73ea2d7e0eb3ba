// SPDX-License-Identifier: MIT
/* Counted strings: a pointer and a length, never owning.  Freestanding. */
#ifndef EG_BASE_STR_H
#define EG_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view of bytes that somebody else owns.  p may be NULL only when n is 0.
 * The bytes need not end in NUL and may hold any value. */
struct eg_str {
    const char *p;
    size_t n;
};

#define EG_STR(literal) ((struct eg_str){ (literal), sizeof(literal) - 1 })

/* Length of the NUL-terminated string s, at most max. */
static inline size_t eg_strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n]) n++;
    return n;
}

/* View of a NUL-terminated string; a NULL pointer is the empty string. */
static inline struct eg_str eg_str(const char *s)
{
    return (struct eg_str){ s, s ? eg_strnlen(s, SIZE_MAX) : 0 };
}

static inline bool eg_bytes_equal(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i]) return false;
    return true;
}

static inline bool eg_str_equal(struct eg_str a, struct eg_str b)
{
    return a.n == b.n && eg_bytes_equal(a.p, b.p, a.n);
}

static inline bool eg_str_starts(struct eg_str s, struct eg_str prefix)
{
    return s.n >= prefix.n && eg_bytes_equal(s.p, prefix.p, prefix.n);
}

static inline bool eg_str_ends(struct eg_str s, struct eg_str suffix)
{
    return s.n >= suffix.n && eg_bytes_equal(s.p + (s.n - suffix.n), suffix.p, suffix.n);
}

/* s without its first n bytes (n is clamped to the length). */
static inline struct eg_str eg_str_skip(struct eg_str s, size_t n)
{
    if (n > s.n) n = s.n;
    return (struct eg_str){ s.p + n, s.n - n };
}

/* Offset of the first/last byte c in s, or s.n when there is none. */
static inline size_t eg_str_find(struct eg_str s, char c)
{
    size_t i = 0;
    while (i < s.n && s.p[i] != c) i++;
    return i;
}

static inline size_t eg_str_rfind(struct eg_str s, char c)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == c) return i - 1;
    return s.n;
}

/* What follows the last slash; the whole string when there is none. */
static inline struct eg_str eg_str_basename(struct eg_str path)
{
    size_t slash = eg_str_rfind(path, '/');
    return slash == path.n ? path : eg_str_skip(path, slash + 1);
}

#endif
