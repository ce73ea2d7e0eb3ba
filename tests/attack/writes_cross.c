// SPDX-License-Identifier: MIT
/* Purpose: races against a file that is moved into an upload tree: another thread
 * gives it a second name outside, or execute bits, at that very moment. */
#include "writes.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_bool stop;
static atomic_int held = -1;
static char *from, *to, *second, *other;

/* By its descriptor, so that nothing but the file itself counts. */
static void *link_again(void *unused)
{
    (void)unused;
    while (!stop) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", atomic_load(&held));
        syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, second, AT_SYMLINK_FOLLOW);
        syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, other, 0);
    }
    return NULL;
}

static void *set_mode(void *unused)
{
    (void)unused;
    while (!stop) {
        syscall(SYS_fchmod, atomic_load(&held), 0755);
        syscall(SYS_fchmod, atomic_load(&held), 0644);
    }
    return NULL;
}

static void anew(void)
{
    int fd = open(from, O_CREAT | O_RDWR | O_TRUNC, 0644);
    if (fd >= 0 && write(fd, "picture", 7) < 0) perror("write");
    int before = atomic_exchange(&held, fd);
    if (before >= 0) close(before);
}

/* Is what came in executable, or has it a name outside? */
static int is_hit(int modes)
{
    struct stat in, out;
    if (lstat(to, &in)) return 0;
    if (modes) {
        usleep(50); /* what was let go on may arrive later */
        return lstat(to, &in) == 0 && in.st_mode & 0111;
    }
    usleep(50);
    if (lstat(to, &in)) return 0;
    return (lstat(second, &out) == 0 && out.st_ino == in.st_ino) ||
           (lstat(other, &out) == 0 && out.st_ino == in.st_ino);
}

static void race(const char *way, void *(*run)(void *), int modes, long tries)
{
    pthread_t thread;
    long hits = 0;
    stop = 0;
    anew();
    if (pthread_create(&thread, NULL, run, NULL)) exit(1);
    for (long i = 0; i < tries; i++) {
        anew();
        if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) == 0) hits += is_hit(modes);
        unlink(to);
        unlink(second);
        unlink(other);
        unlink(from);
    }
    stop = 1;
    pthread_join(thread, NULL);
    printf("%s %ld\n", way, hits);
    fflush(stdout);
}

void eg_cross_races(long tries)
{
    mkdir(eg_in(eg_outside, "elsewhere"), 0755);
    from = strdup(eg_in(eg_outside, "cross.jpg"));
    to = strdup(eg_in(eg_uploads, "cross.jpg"));
    second = strdup(eg_in(eg_outside, "cross.second"));
    other = strdup(eg_in(eg_outside, "elsewhere/cross.other"));
    race("race_second_name", link_again, 0, tries);
    race("race_held_mode", set_mode, 1, tries);
}
