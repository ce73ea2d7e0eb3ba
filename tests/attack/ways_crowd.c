// SPDX-License-Identifier: MIT
/* Purpose: at once, with nothing, and in odd surroundings. */
#include "ways.h"

static void *thread_vfork(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        pid_t pid = vfork();
        if (pid == 0) {
            execve("/bin/sh", shell_argv, environ);
            _exit(111);
        }
        if (pid > 0) wait_for(pid);
    }
    return NULL;
}
static void *thread_spawn(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        pid_t pid;
        if (posix_spawnp(&pid, "sh", NULL, NULL, shell_argv, environ) == 0) wait_for(pid);
    }
    return NULL;
}
static void eight_threads(void *(*work)(void *))
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
}
void way_vfork_threads(void)
{
    eight_threads(thread_vfork);
}
void way_spawn_threads(void)
{
    eight_threads(thread_spawn);
}
static void feed_shell(void (*start)(void))
{
    int ends[2];
    if (pipe(ends) < 0) return;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[0], 0);
        close(ends[0]);
        close(ends[1]);
        start();
        _exit(111);
    }
    close(ends[0]);
    dprintf(ends[1], "%s\n", command);
    close(ends[1]);
    if (pid > 0) wait_for(pid);
}
static void start_null_argv(void)
{
    char **none = NULL;
    execve("/bin/sh", none, environ);
}
static void start_empty_argv(void)
{
    char *none[] = { NULL };
    execve("/bin/sh", none, environ);
}
void way_null_argv(void)
{
    feed_shell(start_null_argv);
}
void way_empty_argv(void)
{
    feed_shell(start_empty_argv);
}
static void start_raw_null_argv(void)
{
    raw_exec("/bin/sh", NULL, environ);
}
void way_raw_null_argv(void)
{
    feed_shell(start_raw_null_argv);
}

void way_sigchld_ignored_system(void)
{
    signal(SIGCHLD, SIG_IGN);
    (void)!system(command);
}
void way_closed_descriptors_system(void)
{
    IN_CHILD({
        for (int fd = 0; fd < 256; fd++) close(fd);
        (void)!system(command);
    });
}
