// SPDX-License-Identifier: MIT
/* One attempt for each Landlock right that the domain relies on: restrict this
 * (forked) process by that right alone, then see whether the kernel refuses. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/* linux/landlock.h of Debian 12 stops at ABI 2. */
#define RIGHT_REFER     (UINT64_C(1) << 13)
#define RIGHT_TRUNCATE  (UINT64_C(1) << 14)
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)
#define SCOPE_SOCKET    (UINT64_C(1) << 0)
#define SCOPE_SIGNAL    (UINT64_C(1) << 1)

struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

static int restrict_by(uint64_t access, uint64_t scoped)
{
    struct ruleset_attr attr = { .handled_access_fs = access, .scoped = scoped };
    /* Older kernels take the first field alone. */
    size_t size = scoped ? sizeof attr : sizeof attr.handled_access_fs;
    int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (fd < 0) return errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return errno;
    if (syscall(SYS_landlock_restrict_self, fd, 0) < 0) return errno;
    close(fd);
    return 0;
}

/* What should have failed with `expected` gave `result`. */
static int judge(long result, int expected)
{
    if (result >= 0) return ENOTSUP;
    return errno == expected ? 0 : errno;
}

static int create(const char *folder, const char *name, char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) return ENAMETOOLONG;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    close(fd);
    return 0;
}

int eg_probe_landlock_execute(void *context)
{
    (void)context;
    int r = restrict_by(LANDLOCK_ACCESS_FS_EXECUTE, 0);
    if (r) return r;
    char name[] = "true";
    char *argv[] = { name, NULL };
    return judge(execve("/bin/true", argv, argv + 1), EACCES);
}

int eg_probe_landlock_write(void *context)
{
    char path[PATH_MAX];
    int r = create(context, "write", path);
    if (!r) r = restrict_by(LANDLOCK_ACCESS_FS_WRITE_FILE, 0);
    if (r) return r;
    return judge(open(path, O_WRONLY | O_CLOEXEC), EACCES);
}

/* The right to move a file to another folder cannot be given before ABI 2: the
 * ruleset is refused with EINVAL. */
int eg_probe_landlock_refer(void *context)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    int r = create(context, "refer", from);
    if (r) return r;
    if (snprintf(to, sizeof to, "%s/other", (char *)context) >= PATH_MAX) return ENAMETOOLONG;
    if (mkdir(to, 0700) < 0 && errno != EEXIST) return errno;
    if (snprintf(to, sizeof to, "%s/other/refer", (char *)context) >= PATH_MAX) return ENAMETOOLONG;
    r = restrict_by(RIGHT_REFER, 0);
    return r ? r : judge(rename(from, to), EXDEV);
}

int eg_probe_landlock_truncate(void *context)
{
    char path[PATH_MAX];
    int r = create(context, "truncate", path);
    if (!r) r = restrict_by(RIGHT_TRUNCATE, 0);
    if (r) return r;
    return judge(truncate(path, 0), EACCES);
}

int eg_probe_landlock_ioctl(void *context)
{
    (void)context;
    int r = restrict_by(RIGHT_IOCTL_DEV, 0);
    if (r) return r;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0) return errno;
    struct termios settings;
    return judge(ioctl(fd, TCGETS, &settings), EACCES);
}

int eg_probe_landlock_signal(void *context)
{
    (void)context;
    int r = restrict_by(0, SCOPE_SIGNAL);
    if (r) return r;
    return judge(kill(getppid(), 0), EPERM);
}

int eg_probe_landlock_socket(void *context)
{
    (void)context;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int n = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "execguard-doctor-%d",
                     getpid());
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0 || client < 0) return errno;
    if (bind(server, (struct sockaddr *)&address, size) < 0 || listen(server, 1) < 0) return errno;
    int r = restrict_by(0, SCOPE_SOCKET);
    if (r) return r;
    return judge(connect(client, (struct sockaddr *)&address, size), EPERM);
}
