// SPDX-License-Identifier: MIT
/* What the programs that time themselves share. */
#ifndef EG_BENCH_CLOCK_H
#define EG_BENCH_CLOCK_H

#include <time.h>

/* Nanoseconds. */
static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* For qsort(3) of times. */
static inline int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

#endif
