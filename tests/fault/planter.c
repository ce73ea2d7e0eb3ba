// SPDX-License-Identifier: MIT
/* A worker that tries to plant in an upload tree, by raw system calls:
 *
 *     planter UPLOADS OUTSIDE USER
 *
 * and ends with a file open.  writes.test looks at what is there then. */
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVIL "GIF89a<?php system($_GET[1]); ?>"

static const char *uploads, *outside;

static const char *in(const char *folder, const char *name)
{
    static char paths[8][4096];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static int make(const char *path, const char *text, size_t before, mode_t mode)
{
    static const char filling[4096] = "x";
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR | O_TRUNC, mode);
    if (fd < 0) return -1;
    for (size_t n = 0; n < before; n += sizeof filling)
        if (write(fd, filling, sizeof filling) < 0) break;
    if (write(fd, text, strlen(text)) < 0) perror("write");
    return fd;
}

static void put(const char *path, const char *text, size_t before, mode_t mode)
{
    int fd = make(path, text, before, mode);
    if (fd >= 0) close(fd);
}

static void move(const char *from, const char *to)
{
    syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static void names(void)
{
    put(in(uploads, "a.php"), "x", 0, 0644);
    syscall(SYS_mkdirat, AT_FDCWD, in(uploads, "b.php"), 0755);
    syscall(SYS_mknodat, AT_FDCWD, in(uploads, "c.php"), S_IFREG | 0777, 0);
    syscall(SYS_symlinkat, "pic.jpg", AT_FDCWD, in(uploads, "d.php"));
    syscall(SYS_linkat, AT_FDCWD, in(uploads, "pic.jpg"), AT_FDCWD, in(uploads, "e.php"), 0);
    move(in(uploads, "pic.jpg"), in(uploads, "f.php"));
    put(in(outside, "g.php"), "x", 0, 0644);
    move(in(outside, "g.php"), in(uploads, "g.php"));
}

static void modes(void)
{
    static const unsigned char acl[] = { 2,   0,   0, 0, 1,   0,   7,   0,   255, 255,
                                         255, 255, 4, 0, 5,   0,   255, 255, 255, 255,
                                         32,  0,   5, 0, 255, 255, 255, 255 };
    int fd = make(in(uploads, "pic.jpg"), "picture", 0, 06777);
    syscall(SYS_fchmod, fd, 0755);
    close(fd);
    syscall(SYS_fchmodat, AT_FDCWD, in(uploads, "pic.jpg"), 0755);
    syscall(SYS_setxattr, in(uploads, "pic.jpg"), "system.posix_acl_access", acl, sizeof acl, 0);
    put(in(outside, "run.jpg"), "picture", 0, 0755);
    move(in(outside, "run.jpg"), in(uploads, "run.jpg"));
    syscall(SYS_linkat, AT_FDCWD, in(uploads, "pic.jpg"), AT_FDCWD, in(uploads, "two.jpg"), 0);
    move(in(uploads, "two.jpg"), in(outside, "two.jpg"));
    syscall(SYS_fchmodat, AT_FDCWD, in(outside, "two.jpg"), 0755);
}

static void contents(void)
{
    put(in(outside, "small.jpg"), EVIL, 0, 0644);
    move(in(outside, "small.jpg"), in(uploads, "small.jpg"));
    put(in(outside, "big.jpg"), EVIL, 200000, 0644);
    move(in(outside, "big.jpg"), in(uploads, "big.jpg"));
    put(in(uploads, "closed.jpg"), EVIL, 0, 0644);
    put(in(uploads, "long.jpg"), EVIL, 200000, 0644);
    make(in(uploads, "open.jpg"), EVIL, 0, 0644);
    /* brought in while it is open */
    int fd = make(in(outside, "held.jpg"), "x", 0, 0644);
    move(in(outside, "held.jpg"), in(uploads, "held.jpg"));
    if (fd >= 0 && write(fd, EVIL, strlen(EVIL)) < 0) perror("write");
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    uploads = argv[1];
    outside = argv[2];
    int user = atoi(argv[3]);
    umask(0);
    if (user && (setgroups(0, NULL) || setgid((gid_t)user) || setuid((uid_t)user))) return 3;
    put(in(outside, "alive"), "x", 0, 0644);
    modes();
    names();
    contents();
    /* what is ordinary, so that a fault meets that as well */
    put(in(outside, "fine.jpg"), "picture", 0, 0644);
    move(in(outside, "fine.jpg"), in(uploads, "fine.jpg"));
    syscall(SYS_unlinkat, AT_FDCWD, in(uploads, "pic.jpg"), 0);
    return 0;
}
