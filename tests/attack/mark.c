// SPDX-License-Identifier: MIT
/* What attacks plant: makes the mark, the file that the variable WAY_MARK names.
 *
 * As a shared object (-DEG_MARK_LIBRARY -nostdlib) when it is loaded, as a program
 * when it is started.  The object answers the questions that loaders of plugins
 * ask first, so that it also stays loaded. */
#include <stddef.h>

#ifdef EG_MARK_LIBRARY
#include <asm/unistd.h>
#include <fcntl.h>

static long call(long nr, long a, long b, long c, long d)
{
#if defined(__x86_64__)
    long ret;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return ret;
#else
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#endif
}

static int make(const char *path)
{
    long fd = call(__NR_openat, AT_FDCWD, (long)path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) return 1;
    call(__NR_write, fd, (long)"in\n", 3, 0);
    call(__NR_close, fd, 0, 0, 0);
    return 0;
}
#else
#include <stdio.h>

static int make(const char *path)
{
    FILE *f = fopen(path, "w");
    return !f || fputs("in\n", f) < 0 || fclose(f);
}
#endif

static int make_mark(char **envp)
{
    static const char name[] = "WAY_MARK=";
    for (; envp && *envp; envp++) {
        size_t n = 0;
        while (name[n] && (*envp)[n] == name[n]) n++;
        if (!name[n]) return make(*envp + n);
    }
    return 1;
}

#ifdef EG_MARK_LIBRARY
/* glibc gives constructors main's arguments. */
__attribute__((constructor)) static void loaded(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    make_mark(envp);
}

/* LD_AUDIT. */
unsigned la_version(unsigned version);
unsigned la_version(unsigned version)
{
    return version;
}

/* gconv: __GCONV_NOCONV. */
int gconv_init(void *step);
int gconv_init(void *step)
{
    (void)step;
    return 1;
}
int gconv(void);
int gconv(void)
{
    return 1;
}
#else
int main(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    return make_mark(envp);
}
#endif
