// SPDX-License-Identifier: MIT
/* How long one call of system() and popen() takes: median microseconds.
 *
 *   system COUNT LINE
 *
 * Run it guarded and unguarded. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_system(const char *line)
{
    return system(line);
}

static int by_popen(const char *line)
{
    char text[4096];
    FILE *f = popen(line, "r");
    if (!f) return -1;
    while (fgets(text, sizeof text, f)) continue;
    return pclose(f);
}

static int measure(const char *name, int (*run)(const char *), const char *line, size_t count)
{
    double *times = calloc(count, sizeof *times);
    if (!times) return 1;
    for (size_t i = 0; i < count; i++) {
        double start = now();
        int status = run(line);
        times[i] = now() - start;
        if (status != 0) {
            fprintf(stderr, "%s: status %d\n", name, status);
            free(times);
            return 1;
        }
    }
    qsort(times, count, sizeof *times, compare);
    printf("%s %.1f\n", name, times[count / 2]);
    free(times);
    return 0;
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (argc != 3 || count == 0) {
        fprintf(stderr, "usage: system COUNT LINE\n");
        return 2;
    }
    int failed = measure("system", by_system, argv[2], count);
    return measure("popen", by_popen, argv[2], count) || failed;
}
