// SPDX-License-Identifier: MIT
/* Changes path, argument or environment of an exec while the kernel takes it.
 *
 *   race WHAT HOW TRIES TARGET OTHER
 *
 * WHAT is path, argv or envp.  HOW is thread (a thread of the parent, whose memory
 * the exec'ing child shares: CLONE_VM) or shared (another process, through
 * MAP_SHARED memory).  Prints how the tries ended. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT 512

/* All that an exec is told, in memory that somebody else changes. */
struct race {
    volatile int stop;
    volatile unsigned delay;
    char path[TEXT], argument[TEXT], variable[TEXT];
    char *argv[3], *envp[2];
    volatile char *flipped; /* the byte that differs */
    char good, evil;
};

static struct race *race;

static void pause_for(unsigned rounds)
{
    for (volatile unsigned i = 0; i < rounds; i++) continue;
}

static void *flip(void *unused)
{
    uint32_t random = 12345;
    while (!race->stop) {
        random = random * 1664525 + 1013904223;
        *race->flipped = race->good;
        pause_for((random >> 8) % race->delay);
        *race->flipped = race->evil;
        pause_for((random >> 20) % race->delay);
    }
    return unused;
}

static int child(void *unused)
{
    (void)unused;
    execve(race->path, race->argv, race->envp);
    _exit(111);
}

static pid_t start(int threads, char *stack, size_t size)
{
    if (threads) return clone(child, stack + size, CLONE_VM | SIGCHLD, NULL);
    pid_t pid = fork();
    if (pid == 0) child(NULL);
    return pid;
}

int main(int argc, char **argv)
{
    if (argc != 6) return 2;
    int threads = strcmp(argv[2], "thread") == 0;
    long tries = strtol(argv[3], NULL, 10);
    long ran = 0, refused = 0, killed = 0, own = 0, odd = 0;
    size_t size = 65536;
    race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char *stack =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (race == MAP_FAILED || stack == MAP_FAILED) return 2;
    strncpy(race->path, argv[4], TEXT - 1);
    strcpy(race->argument, "good");
    strcpy(race->variable, "BASH_ENX=/x");
    race->argv[0] = race->path;
    race->argv[1] = race->argument;
    race->envp[0] = race->variable;
    race->delay = 30000;
    if (strcmp(argv[1], "path") == 0) {
        /* OTHER differs from TARGET in its last letter; argv[0] stays */
        race->argv[0] = strdup(argv[4]);
        race->flipped = race->path + strlen(race->path) - 1;
        race->evil = argv[5][strlen(argv[5]) - 1];
    } else if (strcmp(argv[1], "argv") == 0) {
        race->flipped = race->argument;
        race->evil = 'e';
    } else {
        race->flipped = race->variable + 7;
        race->evil = 'V';
    }
    race->good = *race->flipped;
    pthread_t thread;
    pid_t flipper = 0;
    if (threads) {
        if (pthread_create(&thread, NULL, flip, NULL)) return 2;
    } else {
        flipper = fork();
        if (flipper == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            flip(NULL);
            _exit(0);
        }
    }
    for (long i = 0; i < tries; i++) {
        int status;
        pid_t pid = start(threads, stack, size);
        if (pid < 0 || waitpid(pid, &status, __WALL) != pid) return 2;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
            killed++;
        else if (!WIFEXITED(status))
            odd++;
        else if (WEXITSTATUS(status) == 0)
            ran++;
        else if (WEXITSTATUS(status) == 111)
            refused++;
        else if (WEXITSTATUS(status) == 77)
            own++;
        else
            odd++;
    }
    race->stop = 1;
    if (threads)
        pthread_join(thread, NULL);
    else
        waitpid(flipper, NULL, 0);
    printf("ran %ld refused %ld killed %ld own %ld odd %ld\n", ran, refused, killed, own, odd);
    return 0;
}
