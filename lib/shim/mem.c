// SPDX-License-Identifier: MIT
/* The four functions that a compiler may call by itself, hidden, so that the
 * object depends on no libc for them. */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Keeps the compiler from seeing a loop as a call of the function it is in. */
#define OPAQUE __asm__ volatile("" ::: "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
#if defined(__x86_64__)
    void *d = to;
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
#else
    unsigned char *d = to;
    const unsigned char *s = from;
    for (size_t i = 0; i < n; i++) {
        d[i] = s[i];
        OPAQUE;
    }
#endif
    return to;
}

void *memset(void *to, int byte, size_t n)
{
#if defined(__x86_64__)
    void *d = to;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(byte) : "memory");
#else
    unsigned char *d = to;
    for (size_t i = 0; i < n; i++) {
        d[i] = (unsigned char)byte;
        OPAQUE;
    }
#endif
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;
    if ((size_t)(d - s) >= n) return memcpy(to, from, n);
    while (n--) {
        d[n] = s[n];
        OPAQUE;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (size_t i = 0; i < n; i++) {
        if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
        OPAQUE;
    }
    return 0;
}
