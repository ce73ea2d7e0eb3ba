// SPDX-License-Identifier: MIT
/* What the hooks' tries share. */
#ifndef TESTS_ATTACK_HOOKS_H
#define TESTS_ATTACK_HOOKS_H

extern const char *function; /* the hook that is tried */
extern char **words;         /* what to try it with */

/* A function that not every libc has; without it says so and ends. */
void *find(const char *name);

/* Prints how the try failed; returns 0. */
int failed(int error);

/* Every row of the table has its try. */
#define K(name, class, parameters, why) int try_##name(void);
#include "../../../lib/table/hooks.def"
#undef K

#endif
