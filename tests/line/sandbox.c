// SPDX-License-Identifier: MIT
#include "sandbox.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static char base[] = "/tmp/eg-oracle-XXXXXX";

static char *inside(const char *path)
{
    static char full[8][4096];
    static int turn;
    char *p = full[turn++ & 7];
    snprintf(p, sizeof full[0], "%s%s", base, path);
    return p;
}

static void make_folders(const char *path)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *p = copy + 1; *p; p++)
        if (*p == '/') {
            *p = 0;
            mkdir(copy, 0755);
            *p = '/';
        }
}

static void copy_file(const char *from, const char *to)
{
    char buffer[65536];
    ssize_t n;
    int in = open(from, O_RDONLY), out;
    if (in < 0) err(125, "%s", from);
    make_folders(to);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0555);
    if (out < 0) err(125, "%s", to);
    while ((n = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, (size_t)n) != n) err(125, "write %s", to);
    close(in);
    close(out);
}

/* A program and the libraries that ldd(1) names. */
static void copy_program(const char *program, const char *to)
{
    char command[4200], line[4096];
    copy_file(program, inside(to));
    snprintf(command, sizeof command, "ldd '%s' 2>/dev/null", program);
    FILE *ldd = popen(command, "r");
    while (ldd && fgets(line, sizeof line, ldd)) {
        char *path = strchr(line, '/');
        if (!path) continue;
        path[strcspn(path, " \n")] = 0;
        if (access(inside(path), F_OK)) copy_file(path, inside(path));
    }
    if (ldd) pclose(ldd);
}

static int enter(void)
{
    int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
    if (geteuid()) {
        /* Without root: an own user namespace; uid 0 in it is nobody outside. */
        char map[64];
        int uid = (int)getuid(), gid = (int)getgid(), fd;
        if (unshare(flags | CLONE_NEWUSER)) return -1;
        fd = open("/proc/self/setgroups", O_WRONLY);
        if (fd < 0 || write(fd, "deny", 4) != 4) return -1;
        close(fd);
        snprintf(map, sizeof map, "0 %d 1", uid);
        fd = open("/proc/self/uid_map", O_WRONLY);
        if (fd < 0 || write(fd, map, strlen(map)) < 0) return -1;
        close(fd);
        snprintf(map, sizeof map, "0 %d 1", gid);
        fd = open("/proc/self/gid_map", O_WRONLY);
        if (fd < 0 || write(fd, map, strlen(map)) < 0) return -1;
        close(fd);
        return 0;
    }
    return unshare(flags);
}

static void build_root(const char *shell, const char *stub)
{
    static const char *const folders[] = {
        "/bin", "/usr/bin/", "/w/", "/proc/", "/dev/", "/home/"
    };
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) err(125, "private mounts");
    if (mount("tmpfs", base, "tmpfs", MS_NODEV | MS_NOSUID, "size=64m,mode=0755"))
        err(125, "tmpfs");
    for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        make_folders(inside(folders[i]));
        mkdir(inside(folders[i]), 0777);
    }
    copy_program(shell, SANDBOX_SHELL);
    copy_file(stub, inside(SANDBOX_STUB));
    copy_program("/bin/true", SANDBOX_REAL "/true");
    copy_program("/bin/false", SANDBOX_REAL "/false");
    copy_program("/bin/echo", SANDBOX_REAL "/echo");
    copy_program("/usr/bin/test", SANDBOX_REAL "/test");
    int fd = open(inside("/dev/null"), O_CREAT | O_WRONLY, 0666);
    close(fd);
    if (mount("/dev/null", inside("/dev/null"), NULL, MS_BIND, NULL)) err(125, "bind /dev/null");
    static const char *const open_folders[] = { "", "/bin", "/usr", "/usr/bin", "/w", "/home" };
    for (unsigned i = 0; i < sizeof open_folders / sizeof open_folders[0]; i++) {
        chmod(inside(open_folders[i]), 0777);
        if (!geteuid() && chown(inside(open_folders[i]), NOBODY, NOBODY) && errno != EINVAL)
            err(125, "chown");
    }
}

static void drop_rights(void)
{
    struct rlimit files = { 8 << 20, 8 << 20 };
    setrlimit(RLIMIT_FSIZE, &files);
    if (!setgroups(0, NULL) || errno == EPERM) {
        /* In an own user namespace there is nobody else to become. */
        if (setresgid(NOBODY, NOBODY, NOBODY) && errno != EINVAL) err(125, "setresgid");
        if (setresuid(NOBODY, NOBODY, NOBODY) && errno != EINVAL) err(125, "setresuid");
    }
    for (int cap = 0; cap < 64; cap++) prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) err(125, "no_new_privs");
}

int sandbox_run(const char *shell, const char *stub, int (*body)(void *), void *context)
{
    int status;
    if (!mkdtemp(base)) err(125, "mkdtemp");
    fflush(NULL);
    pid_t keeper = fork();
    if (keeper < 0) err(125, "fork");
    if (!keeper) {
        if (enter()) _exit(77);
        pid_t pid = fork(); /* pid 1 of the new namespace */
        if (pid < 0) err(125, "fork");
        if (!pid) {
            build_root(shell, stub);
            if (mount("proc", inside("/proc"), "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
                _exit(77);
            if (chdir(base) || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) ||
                chdir(SANDBOX_CWD))
                err(125, "pivot_root");
            drop_rights();
            status = body(context);
            fflush(NULL);
            _exit(status);
        }
        waitpid(pid, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 125);
    }
    waitpid(keeper, &status, 0);
    rmdir(base);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
