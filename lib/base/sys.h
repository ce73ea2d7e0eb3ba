// SPDX-License-Identifier: MIT
/* Raw system calls for code that runs inside other people's processes.
 *
 * Nothing here touches errno: every call returns the kernel's value, which is
 * -errno on failure (syscall(2), "Architecture calling conventions").  The
 * freestanding folders use these and never libc, so that the same object works
 * under glibc and musl, before libc is initialised and in vfork children.
 */
#ifndef EG_BASE_SYS_H
#define EG_BASE_SYS_H

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang_analyzer__)
/* The analyser does not see what a system call writes through its arguments. */
long eg_sys6(long nr, long a, long b, long c, long d, long e, long f);
#elif defined(__x86_64__)
static inline long eg_sys6(long nr, long a, long b, long c, long d, long e, long f)
{
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}
#elif defined(__aarch64__)
static inline long eg_sys6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return x0;
}
#else
#error "execguard supports x86_64 and aarch64"
#endif

#define EG_SYS_0(nr)             eg_sys6(nr, 0, 0, 0, 0, 0, 0)
#define EG_SYS_1(nr, a)          eg_sys6(nr, (long)(a), 0, 0, 0, 0, 0)
#define EG_SYS_2(nr, a, b)       eg_sys6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define EG_SYS_3(nr, a, b, c)    eg_sys6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define EG_SYS_4(nr, a, b, c, d) eg_sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define EG_SYS_5(nr, a, b, c, d, e)                                                                \
    eg_sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define EG_SYS_6(nr, a, b, c, d, e, f)                                                             \
    eg_sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* Picked by the number of arguments after nr. */
#define EG_SYS_PICK(_0, _1, _2, _3, _4, _5, _6, name, ...) name
#define eg_sys(...)                                                                                \
    EG_SYS_PICK(__VA_ARGS__, EG_SYS_6, EG_SYS_5, EG_SYS_4, EG_SYS_3, EG_SYS_2, EG_SYS_1, EG_SYS_0) \
    (__VA_ARGS__)

#endif
