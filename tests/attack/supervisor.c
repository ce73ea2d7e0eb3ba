// SPDX-License-Identifier: MIT
/* A worker that goes for its supervisor and for what the supervisor believes.
 * Prints each way and whether it got anywhere: "NAME no" or "NAME IN". */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *name, int got_in)
{
    printf("%s %s\n", name, got_in ? "IN" : "no");
    fflush(stdout);
}

static int open_memory(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int fd = open(path, O_RDWR);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static int write_memory(pid_t pid)
{
    static char byte = 1;
    struct iovec here = { &byte, 1 }, there = { &byte, 1 };
    return syscall(SYS_process_vm_writev, pid, &here, 1, &there, 1, 0) == 1;
}

static int take_descriptor(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    for (int fd = 0; fd < 32; fd++)
        if (syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0) return 1;
    return 0;
}

/* A filter that answers the verification in the supervisor's place. */
static int lie(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, code };
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ||
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ||
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                   &program) >= 0;
}

static int in_child(int (*way)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) _exit(way());
    waitpid(pid, &status, 0);
    return status != 0;
}

/* What ld.so does with a program or library. */
static int map(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    close(fd);
    return at != MAP_FAILED;
}

static int runs(const char *path, char *const argv[], int prepare)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (prepare) {
            for (int fd = 3; fd < 1024; fd++) close(fd);
            if (chroot("/") < 0 && errno != EPERM) _exit(2);
        }
        syscall(SYS_execve, path, argv, (char *[]){ NULL });
        _exit(1);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

/* execveat on a descriptor from another directory. */
static int runs_at(const char *folder, const char *name, char *const argv[])
{
    int status = 0, fd = open(folder, O_PATH | O_DIRECTORY);
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_execveat, fd, name, argv, (char *[]){ NULL }, 0);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    close(fd);
    return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

int main(int argc, char **argv)
{
    /* attacked: our parent; loader, copied shell, planted and system library: given */
    pid_t parent = getppid();
    if (argc != 5) return 2;
    pid_t peer = fork();
    if (peer == 0)
        for (;;) pause();
    say("supervisor_memory", open_memory(parent));
    say("supervisor_vm_writev", write_memory(parent));
    say("supervisor_ptrace", ptrace(PTRACE_SEIZE, parent, NULL, NULL) == 0);
    say("supervisor_descriptors", take_descriptor(parent));
    say("supervisor_kill", kill(parent, SIGWINCH) == 0);
    say("peer_memory", open_memory(peer));
    say("peer_vm_writev", write_memory(peer));
    say("peer_ptrace", ptrace(PTRACE_SEIZE, peer, NULL, NULL) == 0);
    kill(peer, SIGKILL);
    waitpid(peer, NULL, 0);
    say("lying_filter", in_child(lie));
    say("set_mm", prctl(PR_SET_MM, PR_SET_MM_ARG_START, 0, 0, 0) == 0);
    say("shell", runs("/bin/sh", (char *[]){ "sh", "-c", "exit 42", NULL }, 0));
    say("closed_chroot", runs("/bin/sh", (char *[]){ "sh", "-c", "exit 42", NULL }, 1));
    say("execveat_folder", runs_at("/usr/bin", "sh", (char *[]){ "sh", "-c", "exit 42", NULL }));
    say("loader_shell", runs(argv[1], (char *[]){ argv[1], "/bin/sh", "-c", "exit 42", NULL }, 0));
    say("loader_perl",
        runs(argv[1], (char *[]){ argv[1], "/usr/bin/perl", "-e", "exit 42", NULL }, 0));
    say("loader_copy", runs(argv[1], (char *[]){ argv[1], argv[2], "-c", "exit 42", NULL }, 0));
    say("loader_library",
        runs(argv[1], (char *[]){ argv[1], "--preload", argv[3], "/bin/true", NULL }, 0));
    say("map_shell", map("/bin/dash"));
    say("map_program", map("/usr/bin/perl"));
    say("map_copy", map(argv[2]));
    say("map_library", map(argv[3]));
    /* what must go on working */
    say("system_library", map(argv[4]));
    void *own = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("compiled_code", mprotect(own, 4096, PROT_READ | PROT_EXEC) == 0);
    return 0;
}
