// SPDX-License-Identifier: MIT
/* Purpose: every entry point of a libc, and the kernel's own. */
#include "ways.h"

void way_execve(void)
{
    IN_CHILD(execve("/bin/sh", shell_argv, environ));
}
void way_execv(void)
{
    IN_CHILD(execv("/bin/sh", shell_argv));
}
void way_execvp(void)
{
    IN_CHILD(execvp("sh", shell_argv));
}
void way_execvpe(void)
{
    IN_CHILD(execvpe("sh", shell_argv, environ));
}
void way_execl(void)
{
    IN_CHILD(execl("/bin/sh", "sh", "-c", command, (char *)NULL));
}
void way_execlp(void)
{
    IN_CHILD(execlp("sh", "sh", "-c", command, (char *)NULL));
}
void way_execle(void)
{
    IN_CHILD(execle("/bin/sh", "sh", "-c", command, (char *)NULL, environ));
}
void way_fexecve(void)
{
    int fd = open("/bin/sh", O_RDONLY | O_CLOEXEC);
    IN_CHILD(fexecve(fd, shell_argv, environ));
    close(fd);
}
#ifdef __GLIBC__
extern int execveat(int, const char *, char *const[], char *const[], int);
void way_execveat(void)
{
    IN_CHILD(execveat(AT_FDCWD, "/bin/sh", shell_argv, environ, 0));
}
void way_execveat_empty(void)
{
    int fd = open("/bin/sh", O_PATH | O_CLOEXEC);
    IN_CHILD(execveat(fd, "", shell_argv, environ, AT_EMPTY_PATH));
    close(fd);
}
#endif
void way_posix_spawn(void)
{
    pid_t pid;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, shell_argv, environ) == 0) wait_for(pid);
}
void way_posix_spawnp(void)
{
    pid_t pid;
    if (posix_spawnp(&pid, "sh", NULL, NULL, shell_argv, environ) == 0) wait_for(pid);
}
void way_posix_spawn_chdir(void)
{
    pid_t pid;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, "/bin");
    if (posix_spawn(&pid, "./sh", &actions, NULL, shell_argv, environ) == 0) wait_for(pid);
    posix_spawn_file_actions_destroy(&actions);
}
void way_system(void)
{
    (void)!system(command);
}
void way_popen_r(void)
{
    FILE *f = popen(command, "r");
    if (f) pclose(f);
}
void way_popen_w(void)
{
    FILE *f = popen("/bin/sh", "w");
    if (!f) return;
    fprintf(f, "%s\n", command);
    pclose(f);
}
void way_wordexp(void)
{
    char text[4300];
    wordexp_t words;
    snprintf(text, sizeof text, "$(%s)", command);
    if (wordexp(text, &words, 0) == 0) wordfree(&words);
}

long raw(long nr, long a, long b, long c, long d, long e)
{
#if defined(__x86_64__)
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                     : "rcx", "r11", "memory");
    return ret;
#else
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
#endif
}
void raw_exec(const char *path, char *const *argv, char *const *envp)
{
    raw(SYS_execve, (long)path, (long)argv, (long)envp, 0, 0);
}
void way_raw_execve(void)
{
    IN_CHILD(raw_exec("/bin/sh", shell_argv, environ));
}
void way_raw_execveat(void)
{
    IN_CHILD(raw(SYS_execveat, AT_FDCWD, (long)"/bin/sh", (long)shell_argv, (long)environ, 0));
}
void way_raw_execveat_empty(void)
{
    int fd = open("/bin/sh", O_PATH);
    IN_CHILD(raw(SYS_execveat, fd, (long)"", (long)shell_argv, (long)environ, AT_EMPTY_PATH));
    close(fd);
}
void way_libc_syscall(void)
{
    IN_CHILD(syscall(SYS_execve, "/bin/sh", shell_argv, environ));
}
void way_libc_syscall_execveat(void)
{
    IN_CHILD(syscall(SYS_execveat, AT_FDCWD, "/bin/sh", shell_argv, environ, 0));
}
