// SPDX-License-Identifier: MIT
/* Threads that start programs, pipelines and refused programs while signals rain
 * on them: `soak_load SECONDS`.  Each result must be the expected one. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4

extern char **environ;
static atomic_int stop;
static atomic_long done, wrong;
static pthread_t threads[THREADS];

static void ignore(int number)
{
    (void)number;
}

static int wait_status(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int spawn(char **argv)
{
    pid_t pid;
    int error = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);
    return error ? -error : wait_status(pid);
}

/* By raw calls: what no shim sees. */
static int raw(char **argv)
{
    pid_t pid = fork();
    if (pid == 0) {
        syscall(SYS_execve, argv[0], argv, environ);
        _exit(111);
    }
    return wait_status(pid);
}

static void *work(void *which)
{
    static char *yes[] = { "/bin/true", NULL }, *no[] = { "/bin/ls", NULL };
    static char *line[] = { "/bin/sh", "-c", "/bin/true | /bin/cat | /bin/cat", NULL };
    long kind = (long)which;
    while (!stop) {
        int right = kind == 0   ? spawn(yes) == 0
                    : kind == 1 ? raw(yes) == 0
                    : kind == 2 ? raw(no) == 111
                                : raw(line) == 0;
        if (!right) wrong++;
        done++;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = ignore }; /* no SA_RESTART */
    long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 5;
    sigaction(SIGURG, &action, NULL);
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i)) return 2;
    time_t end = time(NULL) + seconds;
    while (time(NULL) < end) {
        for (int i = 0; i < THREADS; i++) pthread_kill(threads[i], SIGURG);
        const struct timespec moment = { 0, 200000 };
        nanosleep(&moment, NULL);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    printf("done %ld wrong %ld left %d\n", done, wrong, waitpid(-1, NULL, WNOHANG) == -1 ? 0 : 1);
    return 0;
}
