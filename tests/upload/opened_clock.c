// SPDX-License-Identifier: MIT
/* A library with a clock that goes wrong by SHIFT seconds: what was written this moment
 * is old, or is still to come. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ret)
{
    const char *shift = getenv("SHIFT");
    long r = syscall(SYS_clock_gettime, id, ret);
    if (r == 0 && shift) ret->tv_sec += atol(shift);
    return (int)r;
}
