// SPDX-License-Identifier: MIT
/* A planted library: its constructor makes the mark that EG_TEST_MARK_FILE (a
 * define of the build) names.  Without libc, so that it loads anywhere. */
#include <asm/unistd.h>
#include <fcntl.h>

static long call3(long nr, long a, long b, long c)
{
#if defined(__x86_64__)
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(0)
                     : "rcx", "r11", "memory");
    return ret;
#else
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = 0644;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#endif
}

/* ld.so asks an LD_AUDIT library for this before it uses it. */
unsigned la_version(unsigned version);
unsigned la_version(unsigned version)
{
    return version;
}

__attribute__((constructor)) static void make_mark(void)
{
    static const char path[] = EG_TEST_MARK_FILE;
#if defined(__x86_64__)
    register long r10 __asm__("r10") = 0644;
    __asm__ volatile("" : : "r"(r10));
#endif
    long fd = call3(__NR_openat, AT_FDCWD, (long)path, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0) return;
    call3(__NR_write, fd, (long)"in\n", 3);
    call3(__NR_close, fd, 0, 0);
}
