// SPDX-License-Identifier: MIT
/* Made-up command lines: from a grammar, and by changing bytes of others. */
#ifndef TESTS_LINE_GENERATE_H
#define TESTS_LINE_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#define GENERATE_MAX 2048 /* bytes a line may take, with its NUL */

struct random {
    uint64_t state;
};

uint64_t random_next(struct random *random);
unsigned random_below(struct random *random, unsigned limit);

/* A line of the grammar that lib/line accepts, now and then with something it
 * refuses.  Ends in NUL, holds no other; its length. */
size_t generate_line(struct random *random, char ret[GENERATE_MAX]);

/* Change one to four bytes of a line of n bytes in place; the new length. */
size_t mutate_line(struct random *random, char line[GENERATE_MAX], size_t n);

#endif
