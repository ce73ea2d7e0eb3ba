// SPDX-License-Identifier: MIT
/* Purpose: two calls at once at the border of an upload tree, by raw system calls:
 * border.test keeps the supervisor in the middle of the first one.
 *
 *     border UPLOADS OUTSIDE WAY first|second|both|swapped
 *
 * Prints "ready", waits for a line, makes the first call; the second one after
 * another line.  Prints the error of each, and stays until its input ends. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE (200 << 10) /* more than the supervisor's loop reads itself */

static const char *uploads, *outside;
static char inside[4096], beyond[4096], second[4096], second_inside[4096], held_path[64];
static int held = -1;

static long error_of(long r)
{
    return r < 0 ? errno : 0;
}

/* By paths in /proc, which a helper finds, not the loop. */

static long link_held(void)
{
    return error_of(syscall(SYS_linkat, AT_FDCWD, held_path, AT_FDCWD, second, AT_SYMLINK_FOLLOW));
}

static long make_executable(void)
{
    return error_of(syscall(SYS_fchmodat, AT_FDCWD, held_path, 0755));
}

static long bring_in(void)
{
    return error_of(syscall(SYS_renameat2, AT_FDCWD, beyond, AT_FDCWD, inside, 0));
}

static long take_out(void)
{
    return error_of(syscall(SYS_renameat2, AT_FDCWD, "/proc/self/cwd/a.jpg", AT_FDCWD, beyond, 0));
}

static long link_inside(void)
{
    return error_of(syscall(SYS_linkat, AT_FDCWD, inside, AT_FDCWD, second_inside, 0));
}

/* The last close of what was harmless when it was looked at. */
static long write_code(void)
{
    static const char code[] = "GIF89a<?php system($_GET[1]); ?>";
    long r = pwrite(held, code, sizeof code - 1, 0);
    close(held);
    return error_of(r);
}

static atomic_int mover, moved;

/* A process that is killed while the supervisor works for it: its signal. */
static long bring_in_and_die(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) _exit((int)bring_in());
    mover = pid;
    waitpid(pid, &status, 0);
    moved = 1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static long kill_and_write_code(void)
{
    kill(mover, SIGKILL);
    while (!moved) usleep(1000);
    return write_code();
}

static const struct way {
    const char *name;
    int starts_inside;
    long (*first)(void), (*second)(void);
} ways[] = {
    { "link_in", 0, link_held, bring_in },
    { "mode_in", 0, make_executable, bring_in },
    { "link_out", 1, take_out, link_inside },
    { "outlived", 0, bring_in, write_code },
    { "killed", 0, bring_in_and_die, kill_and_write_code },
};

static void *run_first(void *argument)
{
    const struct way *way = argument;
    static char text[32];
    snprintf(text, sizeof text, "first %ld", way->first());
    puts(text);
    fflush(stdout);
    return NULL;
}

static void run_second(const struct way *way)
{
    printf("second %ld\n", way->second());
    fflush(stdout);
}

static int begin(const struct way *way)
{
    static char picture[SIZE];
    snprintf(inside, sizeof inside, "%s/a.jpg", uploads);
    snprintf(beyond, sizeof beyond, "%s/a.jpg", outside);
    snprintf(second, sizeof second, "%s/second.jpg", outside);
    snprintf(second_inside, sizeof second_inside, "%s/second.jpg", uploads);
    umask(022);
    memset(picture, 'x', sizeof picture);
    /* only what is to be read takes its time */
    size_t size = way->first == link_held || way->first == make_executable ? 7 : sizeof picture;
    held = open(way->starts_inside ? inside : beyond, O_CREAT | O_RDWR, 0644);
    snprintf(held_path, sizeof held_path, "/proc/self/fd/%d", held);
    return held >= 0 && write(held, picture, size) == (ssize_t)size && chdir(uploads) == 0;
}

int main(int argc, char **argv)
{
    char line[16];
    pthread_t thread;
    const struct way *way = NULL;
    if (argc < 5) return 2;
    uploads = argv[1];
    outside = argv[2];
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i].name, argv[3]) == 0) way = &ways[i];
    if (!way || !begin(way)) return 2;
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) return 1;
    int first = strcmp(argv[4], "second") != 0, swapped = strcmp(argv[4], "swapped") == 0;
    if (swapped) run_second(way);
    if (first && pthread_create(&thread, NULL, run_first, (void *)way)) return 1;
    if (!fgets(line, sizeof line, stdin)) return 1;
    if (!swapped && strcmp(argv[4], "first") != 0) run_second(way);
    if (first) pthread_join(thread, NULL);
    puts("done");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        ;
    return 0;
}
