// SPDX-License-Identifier: MIT
/* Times commands against each other: fork + exec + wait, one run of each in
 * turn, so that a drifting machine drifts under all of them.  Prints the median
 * of each and its ratio to the first, pair by pair.
 *
 *   pairs ROUNDS LABEL [NAME=VALUE...] COMMAND [ARG...] [--- LABEL ...]
 *
 * A command that fails makes the whole run fail: a refused start is fast, and
 * would be a fine figure. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES_MAX 16

struct entry {
    const char *label;
    char **environment; /* NAME=VALUE words before the command */
    size_t environment_count;
    char **command;
    double *microseconds;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int once(const struct entry *e, double *ret)
{
    int status;
    double start = now();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        for (size_t i = 0; i < e->environment_count; i++) putenv(e->environment[i]);
        execvp(e->command[0], e->command);
        perror(e->command[0]);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
    *ret = now() - start;
    return status;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, size_t n)
{
    double *copy = malloc(n * sizeof *copy);
    if (!copy) exit(125);
    memcpy(copy, values, n * sizeof *copy);
    qsort(copy, n, sizeof *copy, compare);
    double m = n % 2 ? copy[n / 2] : (copy[n / 2 - 1] + copy[n / 2]) / 2;
    free(copy);
    return m;
}

static size_t read_entries(char **argv, size_t rounds, struct entry *entries)
{
    size_t count = 0;
    while (*argv) {
        if (count == ENTRIES_MAX) exit(125);
        struct entry *e = &entries[count++];
        *e = (struct entry){ .label = *argv++, .environment = argv };
        for (; *argv && strchr(*argv, '=') && (*argv)[0] != '/'; argv++) e->environment_count++;
        e->command = argv;
        e->microseconds = calloc(rounds, sizeof(double));
        while (*argv && strcmp(*argv, "---") != 0) argv++;
        if (*argv) *argv++ = NULL;
        if (!e->command[0] || !e->microseconds) exit(125);
    }
    return count;
}

int main(int argc, char **argv)
{
    struct entry entries[ENTRIES_MAX];
    if (argc < 4) {
        fprintf(stderr, "usage: pairs ROUNDS LABEL [NAME=VALUE...] COMMAND... [--- LABEL ...]\n");
        return 125;
    }
    size_t rounds = strtoul(argv[1], NULL, 10);
    size_t count = read_entries(argv + 2, rounds, entries);
    double unused;
    for (size_t i = 0; i < count; i++) (void)once(&entries[i], &unused);
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < count; i++)
            if (once(&entries[i], &entries[i].microseconds[round]) != 0) {
                fprintf(stderr, "pairs: %s failed\n", entries[i].label);
                return 1;
            }
    double *ratios = calloc(rounds, sizeof *ratios);
    if (!ratios) return 125;
    for (size_t i = 0; i < count; i++) {
        for (size_t r = 0; r < rounds; r++)
            ratios[r] = entries[i].microseconds[r] / entries[0].microseconds[r];
        printf("%-44s %8.0f us  %5.2fx\n", entries[i].label,
               median(entries[i].microseconds, rounds), median(ratios, rounds));
    }
    return 0;
}
