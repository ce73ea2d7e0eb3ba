// SPDX-License-Identifier: MIT
/* Purpose: a shell under another name, in another place, in no place at all. */
#include "ways.h"

void way_proc_root(void)
{
    IN_CHILD(execve("/proc/self/root/bin/sh", shell_argv, environ));
}
void way_proc_fd(void)
{
    int fd = open("/bin/sh", O_PATH);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    IN_CHILD(execve(path, shell_argv, environ));
    close(fd);
}
void way_dots(void)
{
    IN_CHILD(execve("/usr/../bin/./sh", shell_argv, environ));
}
void way_relative(void)
{
    IN_CHILD({
        (void)!chdir("/bin");
        execve("./sh", shell_argv, environ);
    });
}
void way_symlink(void)
{
    char *path = in_folder("true");
    (void)!symlink("/bin/sh", path);
    IN_CHILD(execve(path, shell_argv, environ));
}
void way_hard_link(void)
{
    char *path = in_folder("hard-link");
    /* across file systems a link cannot be made: the unguarded run would then
     * fail and say so */
    if (link("/usr/bin/dash", path) < 0) perror("link");
    IN_CHILD(execve(path, shell_argv, environ));
    IN_CHILD(raw_exec(path, shell_argv, environ));
}
void way_copy(void)
{
    char *path = in_folder("true");
    copy_file("/bin/sh", path, 0755);
    IN_CHILD(execve(path, shell_argv, environ));
}
void way_raw_copy(void)
{
    char *path = in_folder("true");
    copy_file("/bin/sh", path, 0755);
    IN_CHILD(raw_exec(path, shell_argv, environ));
}
void way_dev_shm_copy(void)
{
    char path[128];
    snprintf(path, sizeof path, "/dev/shm/execguard-way-%d", (int)getpid());
    copy_file("/bin/sh", path, 0755);
    IN_CHILD(raw_exec(path, shell_argv, environ));
    unlink(path);
}
static void run_memfd(unsigned flags)
{
    int fd = (int)syscall(SYS_memfd_create, "true", flags);
    int in = open("/bin/sh", O_RDONLY);
    char path[64];
    struct stat st;
    if (fd < 0 || in < 0 || fstat(in, &st) < 0) return;
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(fd, in, NULL, (size_t)left);
        if (n <= 0) break;
        left -= n;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    IN_CHILD(raw_exec(path, shell_argv, environ));
    IN_CHILD(fexecve(fd, shell_argv, environ));
    close(fd);
    close(in);
}
void way_memfd(void)
{
    run_memfd(0);
}
void way_memfd_exec_flag(void)
{
    run_memfd(MFD_EXEC);
}
void way_busybox_sh(void)
{
    static char *argv[] = { "busybox", "sh", "-c", command, NULL };
    IN_CHILD(execve("/bin/busybox", argv, environ));
}
void way_busybox_argv0(void)
{
    IN_CHILD(execve("/bin/busybox", shell_argv, environ));
}
void way_raw_busybox_sh(void)
{
    static char *argv[] = { "busybox", "sh", "-c", command, NULL };
    IN_CHILD(raw_exec("/bin/busybox", argv, environ));
}
void way_busybox_link(void)
{
    char *path = in_folder("ls");
    (void)!symlink("/bin/busybox", path);
    IN_CHILD(execve(path, shell_argv, environ));
}
void way_bash(void)
{
    static char *argv[] = { "bash", "-c", command, NULL };
    IN_CHILD(execve("/bin/bash", argv, environ));
}
void way_argv0_allowed(void)
{
    static char *argv[] = { "true", "-c", command, NULL };
    IN_CHILD(execve("/bin/sh", argv, environ));
}
static void plant_script(const char *path, const char *interpreter)
{
    FILE *f = fopen(path, "w");
    if (!f) return;
    fprintf(f, "%s%s\n", interpreter, command);
    fchmod(fileno(f), 0755);
    fclose(f);
}
void way_script(void)
{
    char *path = in_folder("script");
    plant_script(path, "#!/bin/sh\n");
    static char *argv[] = { "script", NULL };
    IN_CHILD(execve(path, argv, environ));
    IN_CHILD(raw_exec(path, argv, environ));
}
void way_script_no_shebang(void)
{
    char *path = in_folder("script");
    plant_script(path, "");
    static char *argv[] = { "script", NULL };
#ifdef __GLIBC__
    IN_CHILD(execvp(path, argv));
#else
    static char *with_shell[] = { "sh", NULL, NULL };
    (void)argv;
    with_shell[1] = path;
    IN_CHILD(execvp("/bin/sh", with_shell));
#endif
}
void way_shell_stdin(void)
{
    int ends[2];
    if (pipe(ends) < 0) return;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[0], 0);
        close(ends[1]);
        execl("/bin/sh", "sh", (char *)NULL);
        _exit(111);
    }
    close(ends[0]);
    dprintf(ends[1], "%s\n", command);
    close(ends[1]);
    if (pid > 0) wait_for(pid);
}
