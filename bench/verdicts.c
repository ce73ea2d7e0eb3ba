// SPDX-License-Identifier: MIT
/* Verdicts a second: `verdicts load exec|map N` makes N execs that are refused, or
 * maps a file as code N times, and prints how many there were in a second; `verdicts
 * echo exec|map N` does so under a listener that looks at nothing. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Newer than Debian 12's headers. */
#define SET_FLAGS    SECCOMP_IOW(4, __u64)
#define SYNC_WAKE_UP 1ul

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* An exec that is refused: allowed ones do not come back. */
static int refused_exec(void)
{
    static char *argv[] = { "ls", "-l", "/", NULL }, *envp[] = { "PATH=/usr/bin:/bin", NULL };
    syscall(SYS_execve, "/bin/ls", argv, envp);
    return errno == EACCES ? 0 : -1;
}

/* A file mapped as code, as the loader does it; allowed. */
static int map(void)
{
    static int fd = -1;
    if (fd < 0) fd = open("/proc/self/exe", O_RDONLY);
    void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    return at == MAP_FAILED ? -1 : munmap(at, 4096);
}

static int load(const char *what, long n)
{
    bool maps = strcmp(what, "map") == 0;
    double start = now();
    for (long i = 0; i < n; i++)
        if (maps ? map() : refused_exec()) return 1;
    printf("%.0f\n", (double)n / (now() - start));
    return fflush(stdout) != 0;
}

static int install(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

static int echo(int listener)
{
    ioctl(listener, SET_FLAGS, SYNC_WAKE_UP);
    for (;;) {
        struct pollfd fd = { listener, POLLIN, 0 };
        struct seccomp_notif notif;
        if (poll(&fd, 1, -1) < 0 || !(fd.revents & POLLIN)) return 0;
        memset(&notif, 0, sizeof notif);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif)) continue;
        struct seccomp_notif_resp answer = { .id = notif.id };
        if (notif.data.nr == SYS_execve)
            answer.error = -EACCES;
        else
            answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

/* The child's descriptors are ours: clone(2), CLONE_FILES. */
static int under_echo(const char *what, long n)
{
    int ready[2], status = 0, listener = -1;
    if (pipe(ready)) return 1;
    pid_t pid = (pid_t)syscall(SYS_clone, 0x400 | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        listener = install();
        if (write(ready[1], &listener, sizeof listener) != sizeof listener) _exit(1);
        _exit(load(what, n));
    }
    if (pid < 0 || read(ready[0], &listener, sizeof listener) != sizeof listener) return 1;
    if (listener < 0) return 1;
    echo(listener);
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    long n = strtol(argv[3], NULL, 10);
    return strcmp(argv[1], "echo") == 0 ? under_echo(argv[2], n) : load(argv[2], n);
}
