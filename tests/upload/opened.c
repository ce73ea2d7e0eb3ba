// SPDX-License-Identifier: MIT
/* A worker that opens what it has just written straight into an upload tree and holds
 * open: opened CASE FOLDER evil|benign.  Prints what it sees, which must not depend on
 * a guard for the benign content. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK   16384
#define PICTURE (300 * 1024)

static char path[4096];
static const char *text;

/* The content at this place of a file that is otherwise a picture's bytes, or a hole.
 * Another file each time: an open for writing that is refused is a close, after which
 * the supervisor takes the file away. */
static void make(off_t at, int hole)
{
    unsigned state = 1;
    unsigned char bytes[4096];
    unlink(path);
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    for (off_t done = 0; !hole && done < at; done += (off_t)sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * 1103515245 + 12345;
            bytes[i] = (unsigned char)(state >> 16 | 0x80); /* no tag by chance */
        }
        if (write(fd, bytes, sizeof bytes) < 0) perror("write");
    }
    if (pwrite(fd, text, strlen(text), at) < 0) perror("pwrite");
}

static void say(const char *what, int fd)
{
    if (fd < 0)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: opened, at %lld\n", what, (long long)lseek(fd, 0, SEEK_CUR));
}

static void say_stream(const char *mode)
{
    make(PICTURE, 0);
    errno = EXDEV;
    FILE *file = fopen(path, mode);
    say(mode, file ? fileno(file) : -1);
    printf("%s\n", strerror(errno));
    if (!file) return;
    unsigned long sum = 0, n = 0;
    for (int c; (c = fgetc(file)) != EOF; n++) sum = sum * 31 + (unsigned)c;
    printf("%lu bytes, sum %lu\n", n, sum);
}

static void picture(void)
{
    make(PICTURE, 0);
    errno = EXDEV; /* whoever succeeds leaves it alone */
    say("open", open(path, O_RDONLY));
    say("both", open(path, O_RDWR));
    make(PICTURE, 0);
    say("append", open(path, O_RDWR | O_APPEND));
    printf("%s\n", strerror(errno));
    say_stream("r");
    say_stream("r+");
    say_stream("a+");
}

/* What cannot be read is not judged. */
static void unread(void)
{
    struct stat st;
    char fifo[4200];
    make(0, 0);
    say("for writing", open(path, O_WRONLY));
    int fd = open(path, O_PATH);
    printf("O_PATH: %s\n", fd >= 0 && fstat(fd, &st) == 0 ? "opened" : strerror(errno));
    snprintf(fifo, sizeof fifo, "%s.fifo", path);
    mkfifo(fifo, 0644);
    fd = open(fifo, O_RDONLY | O_NONBLOCK);
    printf("FIFO: %s\n", fd >= 0 ? "opened" : strerror(errno));
    *strrchr(path, '/') = '\0';
    fd = open(path, O_RDONLY);
    printf("folder: %s\n", fd >= 0 ? "opened" : strerror(errno));
}

static void hole(void)
{
    make((off_t)1 << 40, 1);
    say("open", open(path, O_RDONLY));
    say("both", open(path, O_RDWR));
}

static void direct(void)
{
    make(0, 0);
    say("open", open(path, O_RDONLY | O_DIRECT));
}

static void child(void)
{
    make(0, 0);
    errno = 0;
    pid_t pid = vfork();
    if (pid == 0) _exit(open(path, O_RDONLY) < 0 ? errno : 0);
    int status = 0;
    waitpid(pid, &status, 0);
    printf("child: %s\n", strerror(WEXITSTATUS(status)));
}

static void *open_there(void *ret)
{
    *(int *)ret = open(path, O_RDONLY) < 0 ? errno : 0;
    return NULL;
}
/* A thread with the least stack that glibc gives, some of it for libc's own needs. */
static void thread(void)
{
    pthread_attr_t attributes;
    pthread_t id;
    int error = -1;
    make(PICTURE, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_create(&id, &attributes, open_there, &error);
    pthread_join(id, NULL);
    printf("thread: %s\n", strerror(error));
}

static int count_descriptors(void)
{
    int n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) n++;
    if (folder) closedir(folder);
    return n;
}
/* What is refused leaves no descriptor open. */
static void leak(void)
{
    make(0, 0);
    int before = count_descriptors();
    for (int i = 0; i < 50; i++) {
        FILE *file = fopen(path, "r");
        int fd = open(path, O_RDONLY);
        if (file) fclose(file);
        if (fd >= 0) close(fd);
    }
    printf("left open: %d\n", count_descriptors() - before);
    say("open", open(path, O_RDONLY));
}

static void plain(void)
{
    make(0, 0);
    say("open", open(path, O_RDONLY));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*go)(void);
    } cases[] = {
        { "picture", picture }, { "unread", unread }, { "hole", hole }, { "direct", direct },
        { "child", child },     { "thread", thread }, { "leak", leak }, { "plain", plain },
    };
    if (argc != 4) return 2;
    snprintf(path, sizeof path, "%s/x.jpg", argv[2]);
    text = strcmp(argv[3], "evil") ? "an ordinary text\n" : "<?php system($_GET[1]); ?>\n";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!strcmp(cases[i].name, argv[1])) return cases[i].go(), 0;
    return 2;
}
