// SPDX-License-Identifier: MIT
/* A worker that opens and closes a file many times: `opens read|write PATH N`.
 * Prints the median nanoseconds of one open, of N in batches; fails when one does. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define BATCH   100
#define BATCHES 10000

int main(int argc, char **argv)
{
    static double times[BATCHES];
    if (argc != 4) return 125;
    int flags = strcmp(argv[1], "read") == 0 ? O_RDONLY : O_WRONLY | O_CREAT;
    size_t batches = strtoul(argv[3], NULL, 10) / BATCH;
    if (batches == 0 || batches > BATCHES) return 125;
    for (size_t b = 0; b < batches; b++) {
        double start = now();
        for (int i = 0; i < BATCH; i++) {
            int fd = open(argv[2], flags, 0644);
            if (fd < 0 || close(fd) < 0) {
                perror(argv[2]);
                return 1;
            }
        }
        times[b] = (now() - start) / BATCH;
    }
    qsort(times, batches, sizeof *times, compare);
    printf("%.1f\n", times[batches / 2]);
    return 0;
}
