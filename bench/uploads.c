// SPDX-License-Identifier: MIT
/* A worker that stores files: `uploads FOLDER N` creates a file, writes 4 KiB, closes
 * and removes it, N times.  Prints the median nanoseconds of one, of N in batches;
 * fails when one fails. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

#define BATCH   20
#define BATCHES 10000

static int store(const char *path)
{
    static const char page[4096] = "a picture";
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) return -1;
    if (write(fd, page, sizeof page) != (ssize_t)sizeof page) return -1;
    return close(fd) || unlink(path) ? -1 : 0;
}

int main(int argc, char **argv)
{
    static double times[BATCHES];
    char path[4096];
    if (argc != 3) return 125;
    size_t batches = strtoul(argv[2], NULL, 10) / BATCH;
    if (batches == 0 || batches > BATCHES) return 125;
    snprintf(path, sizeof path, "%s/picture.jpg", argv[1]);
    for (size_t b = 0; b < batches; b++) {
        double start = now();
        for (int i = 0; i < BATCH; i++)
            if (store(path)) {
                perror(path);
                return 1;
            }
        times[b] = (now() - start) / BATCH;
    }
    qsort(times, batches, sizeof *times, compare);
    printf("%.1f %.1f\n", times[batches / 2], times[0]);
    return 0;
}
