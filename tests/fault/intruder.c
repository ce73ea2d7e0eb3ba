// SPDX-License-Identifier: MIT
/* A worker that tries to run a shell, by libc and without it:
 *
 *     intruder MARK ALIVE
 *
 * The shell would write MARK; ALIVE says that the worker was reached. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* execve(2) past every hook. */
static void raw_execve(const char *path, char *const *argv, char *const *envp)
{
#if defined(__x86_64__)
    long ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(SYS_execve), "D"(path), "S"(argv), "d"(envp)
                     : "rcx", "r11", "memory");
#else
    register long x8 __asm__("x8") = SYS_execve;
    register long x0 __asm__("x0") = (long)path;
    register long x1 __asm__("x1") = (long)argv;
    register long x2 __asm__("x2") = (long)envp;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
#endif
}

int main(int argc, char **argv)
{
    static char command[4200];
    static char name[] = "sh", option[] = "-c";
    char *shell[] = { name, option, command, NULL };
    if (argc != 3) return 2;
    snprintf(command, sizeof command, "echo in >%s; exit 0", argv[1]);
    int fd = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0) close(fd);
    (void)!system(command);
    FILE *stream = popen(command, "r");
    if (stream) pclose(stream);
    pid_t pid = 0;
    if (posix_spawn(&pid, "/bin/sh", NULL, NULL, shell, environ) == 0) waitpid(pid, NULL, 0);
    for (int raw = 0; raw < 2; raw++) {
        pid = fork();
        if (pid == 0) {
            if (raw)
                raw_execve("/bin/sh", shell, environ);
            else
                execv("/bin/sh", shell);
            _exit(0);
        }
        if (pid > 0) waitpid(pid, NULL, 0);
    }
    return 0;
}
